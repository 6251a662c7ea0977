package view

import (
	"ltxbot/bot/text"
	"ltxbot/core/quota"
	"ltxbot/core/usd"
)

// Usage shows limits: a bar for each, and when it starts over.
func Usage(p text.Printer, gauges []quota.Gauge) Message {
	v := printer{p}
	var m Message
	m.add(v.say(Heading, "usage.title"))
	for _, kind := range []quota.ScopeKind{quota.Member, quota.Team, quota.Bot} {
		m.add(v.gauges(kind, gauges)...)
	}
	m.add(v.whoRaises(gauges))
	return m.done()
}

// whoRaises says who can raise the limits that were shown; without any, what
// was used.
func (v printer) whoRaises(gauges []quota.Gauge) Block {
	admins, operators := false, false
	for _, g := range gauges {
		admins = admins || g.Max > 0 && !g.Fixed
		operators = operators || g.Max > 0 && g.Fixed
	}
	switch {
	case admins && operators:
		return v.say(Note, "usage.admin_yours")
	case admins:
		return v.say(Note, "usage.admin")
	case operators:
		return v.say(Note, "usage.operator")
	}
	return block(Text, text.Spaced(v.Spans("usage.unlimited"), v.month(gauges))...)
}

// gauges are the limits of one scope.
func (v printer) gauges(kind quota.ScopeKind, gauges []quota.Gauge) []Block {
	var blocks []Block
	for _, g := range gauges {
		if g.Scope.Kind != kind || g.Max <= 0 {
			continue
		}
		if len(blocks) == 0 {
			blocks = append(blocks, Block{Kind: Text, Spans: []text.Span{{Text: v.Text("usage." + scopeWord[kind]), Style: text.Strong}}})
		}
		line := v.Spans("usage."+string(g.Unit), "used", v.amount(g.Unit, g.Used), "max", v.amount(g.Unit, g.Max), "window", v.window(g.Window))
		var resets []text.Span
		switch {
		case g.Resets.IsZero():
		case g.Window.Rolling() > 0:
			resets = v.Spans("usage.frees", "since", text.SinceSpan(g.Resets))
		default:
			resets = v.Spans("usage.resets", "since", text.SinceSpan(g.Resets))
		}
		blocks = append(blocks, block(Text, text.Dotted(line, resets)...), Block{Kind: Bar, Bar: min(1, used(g))})
	}
	return blocks
}

// month is what the member has used this month, for who has no limit.
func (v printer) month(gauges []quota.Gauge) []text.Span {
	var videos int64
	var price usd.Micros
	for _, g := range gauges {
		if g.Scope.Kind != quota.Member || g.Window != quota.Month {
			continue
		}
		if g.Unit == quota.Videos {
			videos = g.Used
		} else {
			price = usd.Micros(g.Used)
		}
	}
	return v.Spans("usage.month", "videos", v.Plural("usage.videos_count", videos), "price", price)
}
