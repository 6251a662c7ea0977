package view

import (
	"ltxbot/bot/text"
	"ltxbot/core/team"
)

// Notice is what the admins of a team are told about their budget, in a
// language that the whole team reads.
func Notice(p text.Printer, n team.Notice) Message {
	v := printer{p}
	var m Message
	if !n.Month.IsZero() {
		month := n.Month.Format("2006-01")
		m.add(v.say(Heading, "notice.month", "month", month))
		m.add(v.spent(month, n.Spent)...)
		m.add(v.members(n.Members, shownMembers)...)
		return m.done()
	}
	key := "notice.budget"
	if n.Percent >= 100 {
		key = "notice.used_up"
	}
	g := n.Gauge
	again := "usage.resets"
	if g.Window.Rolling() > 0 {
		again = "usage.frees"
	}
	how := "notice.how"
	if g.Fixed {
		how = "notice.how_operator"
	}
	m.add(
		block(Text, text.Spaced(v.Spans(key, "percent", n.Percent), v.Spans("usage."+string(g.Unit),
			"used", v.amount(g.Unit, g.Used), "max", v.amount(g.Unit, g.Max), "window", v.window(g.Window)))...),
		Block{Kind: Bar, Bar: min(1, used(g))},
		block(Note, text.Dotted(v.Spans(again, "since", text.SinceSpan(g.Resets)), v.Spans(how))...),
	)
	return m.done()
}
