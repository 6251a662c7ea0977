package bot

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"ltxbot/core/quota"
	"ltxbot/core/team"
)

// Office is where quotas are looked at and changed. It checks by itself who
// may do what.
type Office interface {
	Do(ctx context.Context, a team.Actor, o team.Order) (team.Report, error)
}

// orderLimit is how long a person waits for an order.
const orderLimit = 5 * time.Second

// Order carries out an order about quotas and says what came of it. Whether
// the caller may give it is looked at here, by what the caller is at this
// moment, however the order came: typed, pressed or from a form. The answer is
// for the caller only.
func (d *Desk) Order(ctx context.Context, c Caller, o team.Order) Message {
	ctx, cancel := context.WithTimeout(ctx, orderLimit)
	defer cancel()
	if d.cfg.Office == nil {
		return Answer(d.Printer(c.Locale), "error.unreadable")
	}
	r, err := d.cfg.Office.Do(ctx, team.Actor{
		Member: c.Member, Team: c.Team, Tiers: c.Tiers, Admin: c.Admin, From: c.Platform, Event: c.Event,
	}, o)
	d.noteOrder(ctx, c, o, r, err)
	if err != nil {
		return d.orderRefusal(ctx, c, err)
	}
	if c.Outsider {
		r.Gauges = ofMember(r.Gauges)
		r.Grants = slices.DeleteFunc(slices.Clone(r.Grants), func(g team.GrantUse) bool { return g.Scope.Kind != quota.Member })
	}
	return Report(d.Printer(c.Locale), r)
}

// ofMember are the limits that are somebody's own.
func ofMember(gauges []quota.Gauge) []quota.Gauge {
	return slices.DeleteFunc(slices.Clone(gauges), func(g quota.Gauge) bool { return g.Scope.Kind != quota.Member })
}

// noteOrder logs an order that an admin of a team gave and that changes
// something, for whoever runs the bot.
func (d *Desk) noteOrder(ctx context.Context, c Caller, o team.Order, r team.Report, err error) {
	verb, ok := team.FindVerb(o.Verb)
	if !ok || !c.Admin || verb.Who != team.Admins || verb.Reads {
		return
	}
	outcome := "done"
	var refused *team.OrderError
	switch {
	case errors.As(err, &refused):
		outcome = string(refused.Problem)
	case err != nil:
		outcome = "failed"
	}
	d.log.InfoContext(ctx, "a team admin gave an order about quotas",
		"verb", verb.Name, "team", c.Team, "by", c.Member, "member", r.Member, "outcome", outcome)
}

// OrderLine carries out an order as it is typed after "admin" or "quota":
// "grant @ann videos:5". An empty line after "admin" asks for help, after
// "quota" for the caller's own quota.
func (d *Desk) OrderLine(ctx context.Context, c Caller, verb, line string) Message {
	words := orderWords(line)
	if len(words) == 0 {
		if verb == VerbQuota {
			return d.Usage(ctx, c)
		}
		return OrderHelp(d.Printer(c.Locale), c.Admin)
	}
	if strings.EqualFold(words[0], VerbHelp) {
		return OrderHelp(d.Printer(c.Locale), c.Admin)
	}
	o, err := team.ParseOrder(words)
	if err != nil {
		return d.orderRefusal(ctx, c, err)
	}
	return d.Order(ctx, c, o)
}

// Summary is what an admin sees of the team at a glance: its budget, and who
// has spent the most. It is empty for anybody else.
func (d *Desk) Summary(ctx context.Context, c Caller) []Message {
	if !c.Admin || d.cfg.Office == nil {
		return nil
	}
	return []Message{
		d.OrderLine(ctx, c, VerbAdmin, "show"),
		d.OrderLine(ctx, c, VerbAdmin, "top"),
	}
}

// orderRefusal says why an order was not carried out.
func (d *Desk) orderRefusal(ctx context.Context, c Caller, err error) Message {
	if m := RefuseOrder(d.Printer(c.Locale), err); m != nil {
		return *m
	}
	return d.sorry(ctx, c, "error.unreadable", "quota order", err)
}

// RefuseOrder says no to an order, for the errors that a person can do
// something about. It is nil for any other error.
func RefuseOrder(p Printer, err error) *Message {
	v := voice{p}
	var m Message
	var refused *team.OrderError
	switch {
	case errors.Is(err, team.ErrNotAdmin):
		m.add(v.say(Text, "order.only_admins"))
	case errors.Is(err, team.ErrNotOperator):
		m.add(v.say(Text, "order.only_operator"))
	case errors.Is(err, team.ErrOtherTeam):
		m.add(v.say(Text, "order.other_team"))
	case errors.As(err, &refused):
		said := v.Spans("order_problem."+string(refused.Problem),
			"verb", refused.Verb, "arg", refused.Arg, "value", shorten(oneLine(refused.Value), shownValue))
		if refused.Nearest != "" {
			said = spaced(said, v.Spans("tell.did_you_mean", "nearest", refused.Nearest))
		}
		m.add(block(Text, said...))
		if verb, ok := team.FindVerb(refused.Verb); ok && verb.Who != team.Everybody && !slices.Contains(operatorsOwn, refused.Problem) {
			m.add(v.say(Note, "order.usage", "usage", verb.Usage()))
		}
	default:
		return nil
	}
	m = m.done()
	return &m
}

// operatorsOwn are the refusals of orders that are typed well.
var operatorsOwn = []team.OrderProblem{team.AboveOperator, team.OperatorStopped, team.OperatorsTeam, team.OperatorsMember}

// OrderHelp lists what somebody may do.
func OrderHelp(p Printer, admin bool) Message {
	v := voice{p}
	var m Message
	if !admin {
		m.add(v.say(Text, "order.only_admins"))
		return m.done()
	}
	var facts []Fact
	for _, verb := range team.Verbs() {
		if verb.Who == team.Admins {
			facts = append(facts, Fact{Label: verb.Usage(), Value: []Span{{Text: v.Text("verb." + verb.Name)}}})
		}
	}
	m.add(
		v.say(Heading, "order.title"),
		Block{Kind: Facts, Facts: facts},
		v.say(Note, "order.how"),
	)
	return m.done()
}

// AboutVerb says what a verb of quotas does, in at most 100 characters.
func AboutVerb(p Printer, verb team.Verb) string {
	return p.Text("verb." + verb.Name)
}

// AboutArg says what an argument of a verb is, in at most 100 characters.
func AboutArg(p Printer, verb team.Verb, a team.Arg) string {
	return p.Text("arg." + argKey(verb, a))
}

// suggestLimits completes the limit of an order. There are more than those
// with a name: what nobody knows is passed on as it is.
func suggestLimits(typed string) []Choice {
	names := append(quota.LimitNames(), team.AllLimits)
	all := make([]Choice, 0, len(names))
	for _, name := range names {
		all = append(all, Choice{name, name})
	}
	typed = strings.TrimSpace(typed)
	if found := rank(all, typed); len(found) > 0 || typed == "" {
		return found
	}
	return fit([]Choice{{typed, typed}})
}

// argKey names the text of an argument: one that means something else after
// some verbs has a text for each of them.
func argKey(verb team.Verb, a team.Arg) string {
	switch {
	case a.Name == "who" && !a.Required, a.Name == "limit" && verb.Name == "unset":
		return verb.Name + "_" + a.Name
	}
	return a.Name
}

// orderWords splits a line at spaces. Quotes hold a value together.
func orderWords(line string) []string {
	var words []string
	var word strings.Builder
	var closing string
	open := false
	for _, r := range line {
		switch {
		case closing != "" && strings.ContainsRune(closing, r):
			closing = ""
		case closing != "":
			word.WriteRune(r)
		case strings.ContainsRune(doubleQuotes, r):
			closing, open = doubleQuotes, true
		case isSpace(r):
			if word.Len() > 0 || open {
				words = append(words, word.String())
			}
			word.Reset()
			open = false
		default:
			word.WriteRune(r)
		}
	}
	if word.Len() > 0 || open {
		words = append(words, word.String())
	}
	return words
}
