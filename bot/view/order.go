package view

import (
	"errors"
	"slices"
	"strings"

	"ltxbot/bot/command"
	"ltxbot/bot/text"
	"ltxbot/core/team"
)

// RefuseOrder says no to an order, for the errors that a person can do
// something about. It is nil for any other error.
func RefuseOrder(p text.Printer, err error) *Message {
	v := printer{p}
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
			"verb", refused.Verb, "arg", refused.Arg, "value", text.Shorten(text.OneLine(refused.Value), text.ShownValue))
		if nearest, ok := team.FindVerb(refused.Nearest); ok {
			said = text.Spaced(said, v.Spans("tell.did_you_mean", "nearest", v.verbOf(verbBefore(nearest), nearest.Name)))
		} else if refused.Nearest != "" {
			said = text.Spaced(said, v.Spans("tell.did_you_mean", "nearest", refused.Nearest))
		}
		m.add(block(Text, said...))
		if verb, ok := team.FindVerb(refused.Verb); ok && verb.Who != team.Everybody && !slices.Contains(typedWell, refused.Problem) {
			m.add(v.usage(verbBefore(verb), verb))
		}
		if refused.Verb == "" {
			m.add(v.say(Note, "order.all", "all", v.verbOf(command.VerbAdmin)))
		}
	default:
		return nil
	}
	m = m.done()
	return &m
}

// verbBefore is the verb of a line that an order about quotas follows.
func verbBefore(order team.Verb) string {
	if order.Who == team.Everybody {
		return command.VerbQuota
	}
	return command.VerbAdmin
}

// usage says how an order is typed after a verb.
func (v printer) usage(verb string, order team.Verb) Block {
	return v.say(Note, "order.usage", "usage", v.verbOf(verb, strings.Fields(order.Usage())...))
}

// typedWell are the refusals of orders that are typed well.
var typedWell = []team.OrderProblem{team.BlocksOneself, team.AboveOperator, team.OperatorStopped, team.OperatorsTeam, team.OperatorsMember}

// OrderHelp lists what somebody may do.
func OrderHelp(p text.Printer, admin bool) Message {
	v := printer{p}
	var m Message
	if !admin {
		m.add(v.say(Text, "order.only_admins"))
		return m.done()
	}
	var facts []Fact
	for _, verb := range team.Verbs() {
		if verb.Who == team.Admins {
			facts = append(facts, Fact{Label: verb.Usage(), Value: []text.Span{{Text: v.Text("verb." + verb.Name)}}})
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
func AboutVerb(p text.Printer, verb team.Verb) string {
	return p.Text("verb." + verb.Name)
}

// VerbName is what a verb is called by its name in the audit log: "Give extra" for
// "grant", "Add a style" for "loras style-add".
func VerbName(p text.Printer, name string) string {
	key := "verb_name." + strings.TrimPrefix(name, "loras ")
	if !p.Has(key) {
		return name // of a later version of the bot
	}
	return p.Text(key)
}

// AboutArg says what an argument of a verb is, in at most 100 characters.
func AboutArg(p text.Printer, verb team.Verb, a team.Arg) string {
	return p.Text("arg." + argKey(verb, a))
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
