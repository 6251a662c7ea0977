package library

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/core/team"
)

// OfficeConfig is what an Office is made of.
type OfficeConfig struct {
	Store Store
	Shelf *Shelf
	// Rules are the operator's for requests, without any library.
	Rules func() ltx.Rules
	// Options reads a line of options without a prompt. Its errors are for
	// people.
	Options func(line string) ([]ltx.Setting, error)
	// Everyone reports whether every member may add; else only admins may.
	Everyone func() bool
	// Blocked tells who has stopped a member, nil if nobody has: then they
	// change nothing.
	Blocked func(ctx context.Context, team, member string) (*quota.Block, error)
	// Files looks at the files of links that orders bring; nil = nobody does.
	Files Checker
	Now   func() time.Time // nil = time.Now
	Log   *slog.Logger     // nil = discard
}

// An Office shows and changes libraries. It checks at each order whether the
// actor may give it. Its methods may be called from many goroutines.
type Office struct{ cfg OfficeConfig }

// NewOffice makes an office.
func NewOffice(cfg OfficeConfig) *Office {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Office{cfg: cfg}
}

// Report is what came of an order.
type Report struct {
	Verb   string       `json:"verb"`
	Team   string       `json:"team"`
	Find   string       `json:"find,omitempty"` // of list
	Total  int          `json:"total,omitempty"`
	LoRAs  []Entry      `json:"loras,omitempty"`
	Styles []Style      `json:"styles,omitempty"`
	Change *team.Record `json:"change,omitempty"` // what was changed
	// Broken names the styles that use the LoRA which was removed: they do not work
	// any more.
	Broken []string `json:"broken_styles,omitempty"`
	// Members is how many members' own defaults use the LoRA which was removed: their
	// videos are made without their defaults.
	Members int `json:"members,omitempty"`
	// Finding is what the file of a link says that the order has brought into the
	// library; nil = nobody has looked. Unseen reports that its host did not answer.
	Finding *Finding `json:"finding,omitempty"`
	Unseen  bool     `json:"unseen,omitempty"`
	// Notes tell what was changed in a link, and what to expect of the LoRA.
	Notes []ltx.Note `json:"notes,omitempty"`
	// MayAdd reports whether the actor may add to the library.
	MayAdd bool `json:"-"`
}

// MaxListed is how many LoRAs a list holds; a search finds the others.
const MaxListed = 100

// call is an order that may be carried out.
type call struct {
	ctx   context.Context //nolint:containedctx // ends with the call
	actor team.Actor
	verb  team.Verb
	team  string
	args  map[string]string
	seen  string // the edition that a form has shown; empty = there was none
	file  string // the address of an uploaded file, in place of a link
	check bool   // nothing is changed
	link  bool   // a link is brought into the library
}

// orderLimit is how long somebody waits for the store.
const orderLimit = 5 * time.Second

// does says what each verb does.
var does = map[string]func(*Office, *call) (Report, error){
	"list": (*Office).list, "show": (*Office).show, VerbAdd: (*Office).add, VerbEdit: (*Office).edit, "remove": (*Office).remove,
	"styles": (*Office).styles, "style-show": (*Office).showStyle, VerbStyleAdd: (*Office).addStyle, VerbStyleEdit: (*Office).editStyle, "style-remove": (*Office).removeStyle,
	VerbTry: func(_ *Office, c *call) (Report, error) { return Report{}, c.fail(OnlyInChat, "", "") },
}

// Do carries out an order if the actor may give it. One that brings a link takes
// as long as the host of the file. Its errors are an *Error, an *UnusableError, a
// *team.OrderError or an ltx.Invalid for what the actor can put right,
// team.ErrOtherTeam, a *quota.LimitError for who is blocked, or one of the store.
func (o *Office) Do(ctx context.Context, a team.Actor, order team.Order) (Report, error) {
	c, err := o.begin(ctx, a, order)
	if err != nil {
		return Report{}, err
	}
	found, err := o.look(ctx, c, order.LookFor)
	unseen := errors.Is(err, ErrUnreachable)
	if err != nil && !unseen {
		return Report{}, err
	}
	r, err := o.carryOut(ctx, c.withFound(found))
	r.Finding, r.Unseen = found, unseen
	return r, err
}

// Check says what Do would report or why it would refuse, and changes nothing. It
// looks at no file. The link of one that is not uploaded yet is Uploaded.
func (o *Office) Check(ctx context.Context, a team.Actor, order team.Order) (Report, error) {
	c, err := o.begin(ctx, a, order)
	if err != nil {
		return Report{}, err
	}
	if c.check = true; c.args["link"] == Uploaded {
		c.file = Uploaded
	}
	return o.carryOut(ctx, c)
}

// begin checks who gives an order, and its arguments.
func (o *Office) begin(ctx context.Context, a team.Actor, order team.Order) (*call, error) {
	verb, ok := verbs.Find(order.Verb)
	if !ok || does[verb.Name] == nil {
		return nil, verbs.Unknown(order.Verb)
	}
	c := &call{actor: a, verb: verb, team: a.Team, seen: order.Seen}
	switch {
	case a.Operator && order.Team == "":
		return nil, &team.OrderError{Problem: team.BadTeam, Verb: verb.Name}
	case a.Operator:
		c.team = order.Team
	case order.Team != "" && order.Team != a.Team:
		return nil, team.ErrOtherTeam
	}
	if !a.Operator && !verb.Reads {
		if err := o.stopped(ctx, c.team, a.Member); err != nil {
			return nil, err
		}
	}
	if verb.Who == Adders && !o.mayAdd(a) || verb.Who == Keepers && !o.mayAdd(a) {
		return nil, &Error{Problem: OnlyAdmins, Verb: verb.Name}
	}
	var err error
	c.args, err = verb.Take(order)
	return c, err
}

// stopped is the *quota.LimitError of a member who is blocked.
func (o *Office) stopped(ctx context.Context, team, member string) error {
	ctx, cancel := context.WithTimeout(ctx, orderLimit)
	defer cancel()
	b, err := o.cfg.Blocked(ctx, team, member)
	if err != nil || b == nil {
		return err
	}
	return &quota.LimitError{Reason: quota.Blocked, Block: *b}
}

// carryOut does what an order says.
func (o *Office) carryOut(ctx context.Context, c *call) (Report, error) {
	ctx, cancel := context.WithTimeout(ctx, orderLimit)
	defer cancel()
	c.ctx = ctx
	r, err := does[c.verb.Name](o, c)
	if err != nil {
		return Report{}, err
	}
	if r.Change != nil && !c.check {
		o.cfg.Shelf.Changed(c.team)
	}
	r.Verb, r.Team, r.MayAdd = c.verb.Name, c.team, o.mayAdd(c.actor)
	return r, nil
}

func (o *Office) mayAdd(a team.Actor) bool { return a.Operator || a.Admin || o.cfg.Everyone() }

// mayChange reports whether the actor may change what somebody has added.
func (c *call) mayChange(by string) bool {
	return c.actor.Operator || c.actor.Admin || by == c.actor.Member
}

// by is how the actor stands in the log.
func (c *call) by() string {
	if c.actor.Operator {
		return quota.Operator
	}
	return c.actor.Member
}

// record is the line of the audit log about a change.
func (o *Office) record(c *call, before, after string) team.Record {
	return team.Record{
		ID: rand.Text()[:12], At: o.cfg.Now().UTC(), Team: c.team, By: c.by(), From: c.actor.From,
		Verb: "loras " + c.verb.Name, Before: before, After: after,
	}
}

func (c *call) fail(p Problem, arg, value string) *Error {
	return &Error{Problem: p, Verb: c.verb.Name, Arg: arg, Value: value}
}

func (o *Office) list(c *call) (Report, error) {
	find := c.args["find"]
	found, total := o.cfg.Shelf.Of(c.team).Find(find, MaxListed)
	return Report{LoRAs: found, Total: total, Find: find}, nil
}

func (o *Office) show(c *call) (Report, error) {
	e, ok := o.cfg.Shelf.Of(c.team).LoRA(c.args["name"])
	if !ok {
		return Report{}, o.noLoRA(c)
	}
	return Report{LoRAs: []Entry{e}}, nil
}

// noLoRA says that there is no LoRA of the name.
func (o *Office) noLoRA(c *call) *Error {
	e := c.fail(NoSuchLoRA, "name", ltx.Shown(c.args["name"]))
	if found, _ := o.cfg.Shelf.Of(c.team).Find(c.args["name"], 1); len(found) > 0 {
		e.Nearest = found[0].Name
	} else {
		e.Nearest = ltx.Nearest(c.args["name"], o.cfg.Shelf.Of(c.team).Apply(ltx.Rules{}).LibraryNames())
	}
	return e
}

func (o *Office) add(c *call) (Report, error) {
	name, err := c.name()
	if err != nil {
		return Report{}, err
	}
	e := Entry{Name: name, By: c.by(), At: o.cfg.Now().UTC()}
	notes, err := o.fill(c, &e)
	if err != nil {
		return Report{}, err
	}
	record, err := putNew(o, c, o.cfg.Store.EditLoRA, e, MaxLoRAs)
	c.link = true
	return Report{LoRAs: []Entry{e}, Change: &record, Notes: notes}, err
}

func (o *Office) edit(c *call) (Report, error) {
	var notes []ltx.Note
	before, e, record, err := amend(o, c, o.cfg.Store.EditLoRA, func(e *Entry) (err error) {
		notes, err = o.fill(c, e)
		return err
	}, o.noLoRA)
	c.link = e.Path != before.Path
	return Report{LoRAs: []Entry{e}, Change: &record, Notes: notes}, err
}

func (o *Office) remove(c *call) (Report, error) {
	gone, record, err := takeOut(o, c, o.cfg.Store.EditLoRA, o.noLoRA)
	if err != nil {
		return Report{}, err
	}
	uses := func(settings []ltx.Setting) bool {
		return slices.ContainsFunc(settings, func(s ltx.Setting) bool { return s.Key == "lora" && namesLoRA(s.Value, gone.Name) })
	}
	var broken []string
	for _, style := range o.cfg.Shelf.Of(c.team).styles {
		if uses(style.Settings) {
			broken = append(broken, style.Name)
		}
	}
	members, err := o.cfg.Store.CountDefaults(c.ctx, c.team, uses) // it is gone, whether they can be read or not
	if err != nil {
		o.cfg.Log.WarnContext(c.ctx, "cannot read members' own defaults", "team", c.team, "error", err)
	}
	return Report{LoRAs: []Entry{gone}, Change: &record, Broken: broken, Members: members}, nil
}

// namesLoRA reports whether a list such as "film@0.8, owner/repo" has a LoRA of
// the team in it.
func namesLoRA(list, lora string) bool {
	for item := range strings.FieldsFuncSeq(list, func(r rune) bool { return strings.ContainsRune(",;+ ", r) }) {
		if i := strings.IndexAny(item, "@:="); i >= 0 {
			item = item[:i]
		}
		if Fold(item) == Fold(lora) {
			return true
		}
	}
	return false
}

func (e Entry) named() (name, by string, at time.Time) { return e.Name, e.By, e.At }

// describe is an entry as the audit log shows it.
func (e Entry) describe() string {
	said := fmt.Sprintf("%s %s@%s", e.Name, e.Path, strconv.FormatFloat(e.Scale, 'f', -1, 64)) + quoted(
		"trigger", e.Trigger, "negative", e.Negative, "note", e.Note, "example", e.Example, "models", strings.Join(e.Models, ","))
	if e.Seed != nil {
		said += fmt.Sprintf(" seed:%d", *e.Seed)
	}
	return said
}

// quoted are names with their values, in turn, as far as there is one.
func quoted(pairs ...string) string {
	var b strings.Builder
	for pair := range slices.Chunk(pairs, 2) {
		if pair[1] != "" {
			fmt.Fprintf(&b, " %s:%q", pair[0], pair[1])
		}
	}
	return b.String()
}

func (o *Office) styles(c *call) (Report, error) {
	all := o.cfg.Shelf.Of(c.team).Styles()
	return Report{Styles: all, Total: len(all)}, nil
}

func (o *Office) showStyle(c *call) (Report, error) {
	s, ok := o.cfg.Shelf.Of(c.team).Style(c.args["name"])
	if !ok {
		return Report{}, o.noStyle(c)
	}
	return Report{Styles: []Style{s}}, nil
}

func (o *Office) noStyle(c *call) *Error {
	e := c.fail(NoSuchStyle, "name", ltx.Shown(c.args["name"]))
	e.Nearest = ltx.Nearest(c.args["name"], o.cfg.Shelf.Of(c.team).Apply(ltx.Rules{}).StyleNames())
	return e
}

func (o *Office) addStyle(c *call) (Report, error) {
	name, err := c.name()
	if err != nil {
		return Report{}, err
	}
	s := Style{Name: name, By: c.by(), At: o.cfg.Now().UTC()}
	if err := o.fillStyle(c, o.rules(c), &s); err != nil {
		return Report{}, err
	}
	record, err := putNew(o, c, o.cfg.Store.EditStyle, s, MaxStyles)
	return Report{Styles: []Style{s}, Change: &record}, err
}

func (o *Office) editStyle(c *call) (Report, error) {
	rules := o.rules(c) // read before the transaction
	_, s, record, err := amend(o, c, o.cfg.Store.EditStyle, func(s *Style) error { return o.fillStyle(c, rules, s) }, o.noStyle)
	return Report{Styles: []Style{s}, Change: &record}, err
}

// rules are those of requests of the team.
func (o *Office) rules(c *call) ltx.Rules { return o.cfg.Shelf.Of(c.team).Apply(o.cfg.Rules()) }

func (o *Office) removeStyle(c *call) (Report, error) {
	gone, record, err := takeOut(o, c, o.cfg.Store.EditStyle, o.noStyle)
	return Report{Styles: []Style{gone}, Change: &record}, err
}

func (s Style) named() (name, by string, at time.Time) { return s.Name, s.By, s.At }

// describe is a style as the audit log shows it.
func (s Style) describe() string {
	return strings.TrimSpace(s.Name+" "+s.Options) + quoted("prefix", s.Prefix, "suffix", s.Suffix, "note", s.Note)
}

// Of is the library of a team, from memory.
func (o *Office) Of(team string) *Snapshot { return o.cfg.Shelf.Of(team) }

// Defaults are the options that a member has set for their own videos.
func (o *Office) Defaults(ctx context.Context, team, member string) ([]ltx.Setting, error) {
	return o.cfg.Store.Defaults(ctx, team, member)
}

// SetDefaults replaces them. The error is an ltx.Invalid for what a person can
// put right, or a *quota.LimitError for who is blocked.
func (o *Office) SetDefaults(ctx context.Context, team, member string, settings []ltx.Setting) error {
	if err := o.stopped(ctx, team, member); err != nil {
		return err
	}
	rules := o.cfg.Shelf.Of(team).Apply(o.cfg.Rules()) //nolint:contextcheck // from memory; it bounds itself
	if err := rules.CheckOptions(settings); err != nil {
		return err
	}
	return o.cfg.Store.SetDefaults(ctx, team, member, slices.Clone(settings))
}
