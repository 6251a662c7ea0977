package bot

import (
	"context"

	"ltxbot/core/team"
)

// An Announcer posts what nobody has asked for: a warning to the admins of a
// team. An adapter of a platform is one.
type Announcer interface {
	// Announce posts a.Message. It posts once for a nonce as far as the
	// platform can tell.
	Announce(ctx context.Context, a Announcement) error
}

// An Announcement is a message with the place where a whole team reads it.
type Announcement struct {
	Channel string // by the platform's own id
	// Tenants are the guilds or workspaces of the team; the channel is in one
	// of them.
	Tenants []string
	Locale  string // the language of Message
	Message Message
	// Nonce is unique to what is announced. It may be longer than the
	// platform takes.
	Nonce string
}

// Notice is what the admins of a team are told about their budget, in a
// language that the whole team reads.
func Notice(p Printer, n team.Notice) Message {
	v := voice{p}
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
		block(Text, spaced(v.Spans(key, "percent", n.Percent), v.Spans("usage."+string(g.Unit),
			"used", v.amount(g.Unit, g.Used), "max", v.amount(g.Unit, g.Max), "window", v.window(g.Window)))...),
		Block{Kind: Bar, Bar: min(1, used(g))},
		block(Note, dotted(v.Spans(again, "since", since(g.Resets)), v.Spans(how))...),
	)
	return m.done()
}
