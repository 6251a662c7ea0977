// Package team is what admins decide and see.
//
// An Order is what somebody wants done: show or change limits, give extra,
// block, pause, link two accounts. The Office checks who may give it, carries it
// out against the ledger, and writes the audit log. The Warden tells a team's
// admins when a budget runs out.
package team

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"ltxbot/core/quota"
	"ltxbot/core/usd"
)

// Store is what an Office works with: one place for all of it.
type Store interface {
	quota.Ledger
	AuditLog
	Marks
}

// OfficeConfig is what an Office is made of.
type OfficeConfig struct {
	Store  Store
	Policy func() quota.Policy // of this moment; a reload changes it
	// ParseMember reads how people write a member: a mention, an id, a full
	// name. home is the member who writes: a bare id is of the same platform.
	ParseMember func(text, home string) (member string, ok bool)
	// Tiers are those that a member was in when it was last seen; nil = none.
	Tiers func(ctx context.Context, team, member string) []string
	// Models are those that members of tiers may choose beside those for everybody;
	// nil = none.
	Models func(tiers []string) []string
	// Linkable reports whether a team is on several platforms, so that its
	// members can link their accounts; nil = no team is.
	Linkable func(team string) bool
	// Teams names all teams that there are, as far as is known; nil = none.
	Teams func(ctx context.Context) ([]string, error)
	// Known reports whether a team that an operator names is one that the
	// config names or that has asked for a video; nil = each is.
	Known func(ctx context.Context, team string) (bool, error)
	// Reload reads the config again and names what a restart is needed for;
	// nil = that can't be done.
	Reload func(ctx context.Context) (restart []string, err error)
	Now    func() time.Time // nil = time.Now
}

// An Office shows and changes quotas, for the chat, the command line and the API
// alike. It checks at each order whether the actor may give it. Its methods may be
// called from many goroutines.
type Office struct{ cfg OfficeConfig }

// NewOffice makes an office.
func NewOffice(cfg OfficeConfig) *Office {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Models == nil {
		cfg.Models = func([]string) []string { return nil }
	}
	if cfg.Tiers == nil {
		cfg.Tiers = func(context.Context, string, string) []string { return nil }
	}
	if cfg.Linkable == nil {
		cfg.Linkable = func(string) bool { return false }
	}
	if cfg.Teams == nil {
		cfg.Teams = func(context.Context) ([]string, error) { return nil, nil }
	}
	if cfg.Known == nil {
		cfg.Known = func(context.Context, string) (bool, error) { return true, nil }
	}
	if cfg.Reload == nil {
		cfg.Reload = func(context.Context) ([]string, error) {
			return nil, errors.New("there is no config file to read again")
		}
	}
	return &Office{cfg: cfg}
}

// Actor is who gives an order, with the rights that the platform or the API
// reports at that moment.
type Actor struct {
	Member   string // "discord:80351110224678912"; empty for the operator
	Team     string // the team in which it orders; an operator may order in any
	Tiers    []string
	Admin    bool   // manages Team
	Operator bool   // holds the bot's admin token
	From     string // "discord", "slack", "api", "console"
	// Event names what happened at the platform. It changes something once,
	// whoever sends it again, even to the next process; empty = each time.
	Event string
}

// name is how the actor stands in the log.
func (a Actor) name() string {
	if a.Operator {
		return quota.Operator
	}
	return a.Member
}

// Report is what came of an order.
type Report struct {
	Verb   string `json:"verb"`
	Team   string `json:"team"`
	Member string `json:"member,omitempty"` // whom it is about; empty = the team
	// Self reports that it is about who ordered.
	Self bool `json:"self,omitempty"`
	// Unknown reports that the team which the operator named may not exist:
	// the config does not name it, and nobody there has asked for a video.
	Unknown bool `json:"unknown_team,omitempty"`

	Models     []string          `json:"models,omitempty"`      // that the member may choose beside those for everybody
	Gauges     []quota.Gauge     `json:"gauges,omitempty"`      // usage and limits as they are now
	AdminState *quota.AdminState `json:"admin_state,omitempty"` // what admins decided
	Grants     []GrantUse        `json:"grants,omitempty"`      // extras that are left
	Change     *Record           `json:"change,omitempty"`      // what was changed

	Month    string           `json:"month,omitempty"` // "2026-03", of Spending
	Spending *Spending        `json:"spending,omitempty"`
	Members  []MemberSpending `json:"members,omitempty"` // most first
	Holds    []quota.Hold     `json:"holds,omitempty"`
	Records  []Record         `json:"records,omitempty"` // newest first
	Teams    []Summary        `json:"teams,omitempty"`   // most first

	Code    string    `json:"code,omitempty"` // of link
	Expires time.Time `json:"expires,omitzero"`

	// Restart names the keys of the config that were changed and have no
	// effect before the bot is started anew, of reload.
	Restart []string `json:"restart,omitempty"`
}

// GrantUse is an extra and how far it is used.
type GrantUse struct {
	quota.Grant

	UsedVideos int64      `json:"used_videos,omitempty"`
	UsedUSD    usd.Micros `json:"used_usd,omitempty"`
}

// call is an order that may be carried out.
type call struct {
	ctx   context.Context //nolint:containedctx // ends with the call
	actor Actor
	verb  Verb
	team  string
	zone  *time.Location
	now   time.Time
	args  *arguments
}

// carryOut says what each verb does.
var carryOut = map[string]func(*Office, *call) (Report, error){
	"mine": (*Office).mine, "link": (*Office).link, "unlink": (*Office).unlink,
	"show": (*Office).show, "top": (*Office).top, "export": (*Office).export, "log": (*Office).log,
	"set": (*Office).set, "unset": (*Office).unset, "grant": (*Office).grant, "revoke": (*Office).revoke,
	"block": (*Office).block, "unblock": (*Office).unblock, "reset": (*Office).reset,
	"pause": (*Office).pause, "resume": (*Office).resume, "teams": (*Office).teams, "reload": (*Office).reload,
}

// Do carries out an order if the actor may give it. Its errors are an
// *OrderError for what the actor can put right, ErrNotAdmin, ErrNotOperator,
// ErrOtherTeam, or one of the store.
func (o *Office) Do(ctx context.Context, a Actor, order Order) (Report, error) {
	verb, ok := FindVerb(order.Verb)
	if !ok {
		return Report{}, verbs.Unknown(order.Verb)
	}
	if err := allowed(a, verb, order.Team); err != nil {
		return Report{}, err
	}
	c := &call{ctx: ctx, actor: a, verb: verb, team: a.Team, now: o.cfg.Now()}
	if a.Operator {
		c.team = order.Team
	}
	c.zone = o.cfg.Policy().ZoneOf(c.team)
	c.args = newArguments(verb, order, func(text string) (string, bool) { return o.cfg.ParseMember(text, a.Member) })
	if c.args.err != nil {
		return Report{}, c.args.err
	}
	known := true
	if a.Operator && verb.Who == Admins {
		var err error
		if known, err = o.cfg.Known(ctx, c.team); err != nil {
			return Report{}, fmt.Errorf("look for the team: %w", err)
		}
	}
	if first, err := o.first(c); err != nil || !first {
		return Report{}, cmp.Or(err, error(&OrderError{Problem: NothingToDo, Verb: verb.Name}))
	}
	r, err := carryOut[verb.Name](o, c)
	if err != nil {
		return Report{}, err
	}
	r.Verb, r.Team, r.Unknown = verb.Name, c.team, !known
	return r, nil
}

// eventLife is how long an event may come again: twice the five minutes for
// which platforms' signatures are good, and as long as they repeat themselves.
const eventLife = time.Hour

// first reports whether an order that changes something is the first by its
// event.
func (o *Office) first(c *call) (bool, error) {
	if c.verb.Reads || c.actor.Event == "" {
		return true, nil
	}
	first, err := o.cfg.Store.ClaimMark(c.ctx, "order/"+c.actor.Event, "", c.now.Add(eventLife))
	if err != nil {
		return false, fmt.Errorf("note the order: %w", err)
	}
	return first, nil
}

// allowed decides whether an actor may do something in a team.
func allowed(a Actor, v Verb, team string) error {
	switch {
	case a.Operator && team == "" && v.Who != Operators:
		return &OrderError{Problem: BadTeam, Verb: v.Name}
	case a.Operator && v.Who == Everybody: // about oneself; an operator is nobody
		return &OrderError{Problem: UnknownVerb, Value: v.Name, Nearest: "show"}
	case a.Operator:
		return nil
	case v.Who == Operators:
		return ErrNotOperator
	case team != "" && team != a.Team:
		return ErrOtherTeam
	case v.Who == Admins && !a.Admin:
		return ErrNotAdmin
	}
	return nil
}

// Account is the member whose limits and admin state apply to a member: itself,
// or the one that it is linked with. others are all further names of the same
// person.
func (o *Office) Account(ctx context.Context, team, member string) (account string, others []string, err error) {
	if !o.cfg.Linkable(team) {
		return member, nil, nil
	}
	s, err := o.cfg.Store.AdminState(ctx, team, member)
	if err != nil {
		return member, nil, fmt.Errorf("read account: %w", err)
	}
	if s.Member.Account == "" {
		return member, s.Member.Linked, nil
	}
	return s.Member.Account, []string{member}, nil
}

// Blocked tells who has stopped a member, or the account that it is linked with;
// nil = nobody has.
func (o *Office) Blocked(ctx context.Context, team, member string) (*quota.Block, error) {
	account, _, err := o.Account(ctx, team, member)
	if err != nil {
		return nil, err
	}
	s, err := o.cfg.Store.AdminState(ctx, team, account)
	if err != nil {
		return nil, fmt.Errorf("read admin state: %w", err)
	}
	return s.Member.Blocked, nil
}

// account is Account for an order.
func (o *Office) account(c *call, member string) (string, error) {
	if member == "" {
		return "", nil
	}
	account, _, err := o.Account(c.ctx, c.team, member)
	return account, err
}

// asker is a member with its tiers; the empty member stands for the team.
func (o *Office) asker(c *call, member string) quota.Asker {
	a := quota.Asker{Team: c.team, Member: member}
	switch member {
	case "":
	case c.actor.Member:
		a.Tiers = c.actor.Tiers
	default:
		a.Tiers = o.cfg.Tiers(c.ctx, c.team, member)
	}
	return a
}

// describe fills in how a member, or the team, stands now.
func (o *Office) describe(c *call, r Report) (Report, error) {
	asker := o.asker(c, r.Member)
	s, err := o.cfg.Store.AdminState(c.ctx, c.team, r.Member)
	if err != nil {
		return r, fmt.Errorf("read admin state: %w", err)
	}
	var counts []quota.Count
	for _, count := range o.cfg.Policy().Counts(asker, s, c.now) {
		if count.Scope.Kind != quota.Member || r.Member != "" {
			counts = append(counts, count)
		}
	}
	if r.Member == "" {
		s.Member = quota.MemberState{}
	} else {
		r.Models = o.cfg.Models(asker.Tiers)
	}
	grants := o.cfg.Policy().Grants(s)
	limits := len(counts)
	for _, g := range grants {
		for _, u := range []quota.Unit{quota.Videos, quota.Dollars} {
			counts = append(counts, quota.Count{Scope: g.Scope, Unit: u, Counter: g.Counter(u)})
		}
	}
	used, err := o.cfg.Store.Used(c.ctx, c.team, counts)
	if err != nil {
		return r, fmt.Errorf("read usage: %w", err)
	}
	for i, count := range counts[:limits] {
		r.Gauges = append(r.Gauges, count.Gauge(used[i]))
	}
	for i, g := range grants {
		u := GrantUse{Grant: g, UsedVideos: used[limits+2*i], UsedUSD: usd.Micros(used[limits+2*i+1])}
		if u.left(c.now) {
			r.Grants = append(r.Grants, u)
		}
	}
	r.AdminState = &s
	return r, nil
}

// left reports whether there is anything left of the extra.
func (g GrantUse) left(now time.Time) bool {
	return (g.Expires.IsZero() || now.Before(g.Expires)) && (g.UsedVideos < g.Videos || g.UsedUSD < g.USD)
}

// ErrReload says that a config could not be read again; the old one holds.
var ErrReload = errors.New("the config stays as it was")

func (o *Office) reload(c *call) (Report, error) {
	restart, err := o.cfg.Reload(c.ctx)
	if err != nil {
		return Report{}, fmt.Errorf("%w: %w", ErrReload, err)
	}
	return Report{Restart: restart}, nil
}

// newID names a record or a grant.
func newID() string { return rand.Text()[:12] }
