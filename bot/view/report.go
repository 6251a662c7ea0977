package view

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"ltxbot/bot/text"
	"ltxbot/core/quota"
	"ltxbot/core/team"
)

// How much of a report is shown in a chat.
const (
	shownMembers = 10
	shownRecords = 15
	shownCSV     = 2000 // characters
)

// reports says how the report of a verb is shown; those that change something
// are shown by done.
var reports = map[string]func(v printer, r team.Report) []Block{
	"mine": printer.mine, "show": printer.shown, "top": printer.top, "export": printer.exported, "log": printer.logged, "reload": printer.reloaded,
	"teams": printer.teams,
}

// Report shows what came of an order.
func Report(p text.Printer, r team.Report) Message {
	v := printer{p}
	var m Message
	switch show := reports[r.Verb]; {
	case show != nil:
		m.add(show(v, r)...)
	case r.Code != "":
		m.add(v.say(Text, "order.code", "code", text.MonoSpan(r.Code), "since", text.SinceSpan(r.Expires)), v.codeHow(r.Code))
	default:
		m.add(v.done(r)...)
	}
	return m.done()
}

// codeHow says how a code is given on each platform. These lines are code and no
// commands: a command is written as the platform of the reader has it.
func (v printer) codeHow(code string) Block {
	return v.say(Note, "order.code_how",
		"slack", text.MonoSpan(v.Command()+" quota link "+code), "discord", text.MonoSpan("/ltx-quota link code:"+code))
}

// who names whom a report is about.
func (v printer) who(r team.Report) any {
	if r.Member == "" {
		return v.Text("order.the_team")
	}
	return text.NamedSpan(r.Member)
}

// subject is who at the start of a sentence.
func (v printer) subject(r team.Report) any {
	if r.Member == "" {
		return v.Text("order.team_subject")
	}
	return text.NamedSpan(r.Member)
}

// kind is the scope that a report is about.
func kind(r team.Report) quota.ScopeKind {
	if r.Member == "" {
		return quota.Team
	}
	return quota.Member
}

func (v printer) mine(r team.Report) []Block {
	blocks := []Block{v.say(Heading, "usage.title")}
	for _, k := range []quota.ScopeKind{quota.Member, quota.Team, quota.Bot} {
		blocks = append(blocks, v.gauges(k, r.Gauges)...)
	}
	blocks = append(blocks, v.models(r)...)
	blocks = append(blocks, v.extras(r)...)
	blocks = append(blocks, v.stops(r)...)
	return append(blocks, v.whoRaises(r.Gauges))
}

func (v printer) shown(r team.Report) []Block {
	blocks := append([]Block{v.say(Heading, "order.show_title", "who", v.who(r))}, v.limits(r)...)
	blocks = append(blocks, v.overrides(r)...)
	blocks = append(blocks, v.models(r)...)
	blocks = append(blocks, v.extras(r)...)
	blocks = append(blocks, v.stops(r)...)
	if r.Spending != nil {
		blocks = append(blocks, v.spent(r.Month, *r.Spending)...)
	}
	return append(blocks, v.members(r.Members, 3)...)
}

// models are those that a member's tiers add.
func (v printer) models(r team.Report) []Block {
	if len(r.Models) == 0 {
		return nil
	}
	return []Block{v.say(Text, "usage.models", "models", v.List(r.Models, "format.and"))}
}

// limits are the limits that a report is about; without any it says so.
func (v printer) limits(r team.Report) []Block {
	blocks := v.gauges(kind(r), r.Gauges)
	if len(blocks) == 0 {
		return []Block{v.say(Text, "order.no_limits")}
	}
	return blocks[1:] // whose they are is said already
}

// overrides are the limits that admins have set.
func (v printer) overrides(r team.Report) []Block {
	if r.AdminState == nil {
		return nil
	}
	overrides := r.AdminState.Team.Overrides
	if r.Member != "" {
		overrides = r.AdminState.Member.Overrides
	}
	var blocks []Block
	for _, o := range overrides {
		blocks = append(blocks, block(Text, text.Dotted(
			v.Spans("order.override", "limit", text.MonoSpan(o.String()), "by", v.by(o.By), "since", text.SinceSpan(o.At)), v.quoted(o.Reason))...))
	}
	return blocks
}

// by names who did something.
func (v printer) by(who string) any {
	if who == quota.Operator {
		return v.Text("order.operator")
	}
	return text.NamedSpan(who)
}

// quoted is a reason in quotes; none is nothing.
func (v printer) quoted(reason string) []text.Span {
	if reason == "" {
		return nil
	}
	return v.Spans("order.quoted", "reason", text.Shorten(text.OneLine(reason), cardPrompt))
}

// extras are the grants that are left.
func (v printer) extras(r team.Report) []Block {
	blocks := make([]Block, 0, len(r.Grants))
	for _, g := range r.Grants {
		key := "order.extra"
		if g.Scope.Kind == quota.Team && r.Member != "" {
			key = "order.extra_team"
		}
		blocks = append(blocks, block(Text, text.Dotted(append([][]text.Span{v.Spans(key, "left", v.left(g))}, v.given(g.Grant)...)...)...))
	}
	return blocks
}

// left is "3 of 5 videos, $1 of $2".
func (v printer) left(g team.GrantUse) string {
	var parts []string
	if g.Videos > 0 {
		parts = append(parts, v.Text("order.left_videos", "left", max(0, g.Videos-g.UsedVideos), "max", g.Videos))
	}
	if g.USD > 0 {
		parts = append(parts, v.Text("order.left_usd", "left", max(0, g.USD-g.UsedUSD), "max", g.USD))
	}
	return strings.Join(parts, ", ")
}

// given says until when an extra is good, and why it was given.
func (v printer) given(g quota.Grant) [][]text.Span {
	var until []text.Span
	if !g.Expires.IsZero() {
		until = v.Spans("order.expires", "since", text.SinceSpan(g.Expires))
	}
	return [][]text.Span{until, v.quoted(g.Reason)}
}

// stops says that the member is blocked or the team paused, by whom and why.
func (v printer) stops(r team.Report) []Block {
	if r.AdminState == nil {
		return nil
	}
	var blocks []Block
	add := func(key string, b *quota.Block) {
		if b != nil {
			blocks = append(blocks, block(Text, text.Dotted(v.Spans(key, "by", v.by(b.By), "since", text.SinceSpan(b.At)), v.quoted(b.Reason))...))
		}
	}
	if r.Member != "" {
		add("order.is_blocked", r.AdminState.Member.Blocked)
	}
	add("order.is_paused", r.AdminState.Team.Paused)
	return blocks
}

// spent is what a month has brought, and how good the estimates were.
func (v printer) spent(month string, s team.Spending) []Block {
	line := v.Spans("order.spent", "month", month, "videos", v.Plural("usage.videos_count", s.Videos), "price", s.Charged)
	var more []text.Span
	if s.UnderWay > 0 {
		more = v.Spans("order.under_way", "videos", v.Plural("usage.videos_count", s.UnderWay), "price", s.Held)
	}
	blocks := []Block{block(Text, text.Dotted(line, more)...)}
	if s.Estimate > 0 {
		percent, key := strconv.FormatFloat(math.Abs(100*s.Deviation()), 'f', 1, 64), "order.estimate"
		switch {
		case percent == "0.0":
		case s.Deviation() < 0:
			key = "order.estimate_less"
		default:
			key = "order.estimate_more"
		}
		blocks = append(blocks, v.say(Note, key, "estimate", s.Estimate, "charged", s.Charged,
			"percent", strings.Replace(percent, ".", v.Text("format.decimal"), 1)))
	}
	return blocks
}

// members lists who has spent most.
func (v printer) members(members []team.MemberSpending, most int) []Block {
	members = members[:min(most, len(members))]
	blocks := make([]Block, 0, len(members))
	for i, m := range members {
		blocks = append(blocks, block(Text, text.Dotted(
			[]text.Span{{Text: strconv.Itoa(i+1) + ". "}, text.NamedSpan(m.Member)},
			[]text.Span{{Text: v.Plural("usage.videos_count", m.Videos)}},
			[]text.Span{{Text: v.Money(m.Charged + m.Held)}},
		)...))
	}
	return blocks
}

// teams is a line for each team, and what they may spend together.
func (v printer) teams(r team.Report) []Block {
	blocks := []Block{v.say(Heading, "order.teams_title")}
	if len(r.Teams) == 0 {
		return append(blocks, v.say(Text, "order.nothing_made"))
	}
	for _, t := range r.Teams {
		pieces := [][]text.Span{{text.MonoSpan(t.Team)}, {{Text: v.Plural("usage.videos_count", t.Videos+t.UnderWay)}}, {{Text: v.Money(t.Charged + t.Held)}}}
		for _, g := range t.Gauges {
			pieces = append(pieces, v.Spans("usage."+string(g.Unit), "used", v.amount(g.Unit, g.Used), "max", v.amount(g.Unit, g.Max), "window", v.window(g.Window)))
		}
		if t.Paused != nil {
			pieces = append(pieces, v.Spans("order.team_paused"))
		}
		if t.Refused {
			pieces = append(pieces, v.Spans("order.team_refused"))
		}
		blocks = append(blocks, block(Text, text.Dotted(pieces...)...))
	}
	return append(blocks, v.gauges(quota.Bot, r.Gauges)...)
}

func (v printer) top(r team.Report) []Block {
	blocks := []Block{v.say(Heading, "order.top_title", "month", r.Month)}
	if len(r.Members) == 0 {
		return append(blocks, v.say(Text, "order.nothing_made"))
	}
	blocks = append(blocks, v.members(r.Members, shownMembers)...)
	return append(blocks, v.spent(r.Month, *r.Spending)...)
}

func (v printer) exported(r team.Report) []Block {
	blocks := []Block{v.say(Heading, "order.export_title", "month", r.Month)}
	if len(r.Members) == 0 {
		return append(blocks, v.say(Text, "order.nothing_made"))
	}
	var table strings.Builder
	_ = team.WriteMembersCSV(&table, r.Members) // a Builder takes everything
	rows := strings.TrimSpace(table.String())
	if len(rows) > shownCSV {
		rows = rows[:strings.LastIndexByte(rows[:shownCSV], '\n')]
	}
	blocks = append(blocks, block(Code, text.Span{Text: rows}))
	blocks = append(blocks, v.spent(r.Month, *r.Spending)...)
	return append(blocks, v.say(Note, "order.export_more", "month", r.Month))
}

func (v printer) logged(r team.Report) []Block {
	blocks := []Block{v.say(Heading, "order.log_title")}
	if len(r.Records) == 0 {
		return append(blocks, v.say(Text, "order.no_records"))
	}
	for _, c := range r.Records[:min(len(r.Records), shownRecords)] {
		whom := team.Report{Member: c.Member}
		pieces := [][]text.Span{{text.SinceSpan(c.At)}, v.Spans("order.log_line", "by", v.by(c.By), "verb", text.MonoSpan(c.Verb), "who", v.who(whom))}
		if c.Before != "" || c.After != "" {
			pieces = append(pieces, []text.Span{text.MonoSpan(strings.TrimSpace(c.Before + " → " + c.After))})
		}
		blocks = append(blocks, block(Text, text.Dotted(append(pieces, v.quoted(c.Reason))...)...))
	}
	return blocks
}

func (v printer) reloaded(r team.Report) []Block {
	blocks := []Block{v.say(Text, "order.reloaded")}
	if len(r.Restart) > 0 {
		blocks = append(blocks, block(Text, text.Spaced(v.Spans("order.restart"), v.List(r.Restart, "format.and"))...))
	}
	return blocks
}

// done says what was changed, and how it is now.
func (v printer) done(r team.Report) []Block {
	args := []any{"who", v.subject(r)}
	if r.Change != nil {
		args = append(args, "before", text.MonoSpan(r.Change.Before), "after", text.MonoSpan(r.Change.After))
	}
	key := "order_done." + r.Verb
	if r.Verb == "revoke" && r.Change != nil && r.Change.Before == "" {
		key = "order_done.revoke_nothing"
	}
	words := v.Spans(key, args...)
	if r.Verb == "grant" && r.AdminState != nil {
		grants := r.AdminState.Team.Grants
		if r.Member != "" {
			grants = r.AdminState.Member.Grants
		}
		if i := slices.IndexFunc(grants, func(g quota.Grant) bool { return r.Change != nil && g.Given.Equal(r.Change.At) }); i >= 0 {
			g := team.GrantUse{Grant: grants[i]}
			words = text.Dotted(append([][]text.Span{v.Spans("order_done.grant", "who", v.subject(r), "extra", v.amounts(g.Grant))}, v.given(g.Grant)[0])...)
		}
	}
	said := block(Text, words...)
	if r.Verb == "pause" || r.Verb == "resume" || r.Verb == "block" || r.Verb == "unblock" {
		return []Block{said}
	}
	return append([]Block{said}, v.limits(r)...)
}

// amounts is "5 videos, $2".
func (v printer) amounts(g quota.Grant) string {
	var parts []string
	if g.Videos > 0 {
		parts = append(parts, v.Plural("usage.videos_count", g.Videos))
	}
	if g.USD > 0 {
		parts = append(parts, v.Money(g.USD))
	}
	return strings.Join(parts, ", ")
}
