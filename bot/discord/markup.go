package discord

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"ltxbot/bot/text"
	"ltxbot/core/ltx"
)

// markup is what Discord's clients send in a text in place of what a person
// sees there: mentions, emoji, times, commands, pages of the server.
// https://discord.com/developers/docs/reference#message-formatting
var markup = regexp.MustCompile(`<(?:(@!?|@&|#)(\d+)|a?:(\w+):\d+|t:(-?\d+)(?::([tTdDfFsSR]))?|/([^:<>\n]+):\d+|id:(\w+))>`)

// The groups of markup.
const (
	markupSign = 1 + iota
	markupID
	markupEmoji
	markupTime
	markupStyle
	markupCommand
	markupPage
)

// How long and how often Discord is asked for the names in a text. The
// acknowledgement waits for it.
const (
	namesWithin = 700 * time.Millisecond
	maxNames    = 5
)

// readable are settings with their texts as a person reads them.
func (b *Bot) readable(ctx context.Context, i *interaction, settings []ltx.Setting) []ltx.Setting {
	out := slices.Clone(settings)
	for n, s := range out {
		if p, ok := ltx.Lookup(s.Key); ok && p.Kind == ltx.KindText {
			out[n].Value = b.readableText(ctx, i, s.Value)
		}
	}
	return out
}

// readableText is a text without markup.
func (b *Bot) readableText(ctx context.Context, i *interaction, text string) string {
	if !strings.Contains(text, "<") {
		return text
	}
	names := &names{Bot: b, i: i, left: maxNames}
	var cancel context.CancelFunc
	ctx, cancel = context.WithTimeout(ctx, namesWithin)
	defer cancel()
	return markup.ReplaceAllStringFunc(text, func(tag string) string {
		m := markup.FindStringSubmatch(tag)
		switch {
		case m[markupID] != "":
			return names.of(ctx, m[markupSign], m[markupID])
		case m[markupTime] != "":
			return b.readableTime(m[markupTime], m[markupStyle])
		case m[markupCommand] != "":
			return "/" + m[markupCommand]
		default:
			return m[markupEmoji] + m[markupPage]
		}
	})
}

// names finds what mentions are about: in the interaction, else at Discord.
type names struct {
	*Bot

	i    *interaction
	left int // how many may still be asked for
}

// of is the name behind a mention, or a word for its kind.
func (n *names) of(ctx context.Context, sign, id string) string {
	var name, kind string
	switch sign {
	case "#":
		name, kind = n.channel(ctx, id), "channel"
	case "@&":
		name, kind = n.role(ctx, id), "role"
	default:
		name, kind = n.person(ctx, id), "someone"
	}
	// A name must not read as a setting or as the end of a quote.
	name = strings.Join(strings.FieldsFunc(text.OneLine(name), func(r rune) bool { return strings.ContainsRune(` :=："“”`, r) }), " ")
	return cmp.Or(name, kind)
}

func (n *names) person(ctx context.Context, id string) string {
	r := n.i.Data.Resolved
	if m := n.i.Member; m != nil && m.User.ID == id {
		return cmp.Or(m.Nick, m.User.name())
	}
	if name := cmp.Or(r.Members[id].Nick, r.Users[id].name()); name != "" {
		return name
	}
	var member struct {
		Nick string `json:"nick"`
		User user   `json:"user"`
	}
	n.ask(ctx, routeMember(n.i.GuildID, id), &member)
	return cmp.Or(member.Nick, member.User.name())
}

func (n *names) role(ctx context.Context, id string) string {
	if name := n.i.Data.Resolved.Roles[id].Name; name != "" {
		return name
	}
	var guild struct {
		Roles []struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		} `json:"roles"`
	}
	n.ask(ctx, routeGuild(n.i.GuildID), &guild)
	for _, r := range guild.Roles {
		if r.ID == id {
			return r.Name
		}
	}
	return ""
}

func (n *names) channel(ctx context.Context, id string) string {
	if name := n.i.Data.Resolved.Channels[id].Name; name != "" {
		return name
	}
	var channel struct {
		named

		Guild string `json:"guild_id"`
	}
	n.ask(ctx, routeChannel(id), &channel)
	if channel.Guild != n.i.GuildID {
		return "" // another server's channels are not for this one to see
	}
	return channel.Name
}

// ask reads something from Discord, if there is time and it is not the
// hundredth mention. Without an answer a mention is a word for its kind.
func (n *names) ask(ctx context.Context, from route, out any) {
	if n.left--; n.left < 0 || n.i.GuildID == "" {
		return
	}
	if err := n.rest.do(ctx, call{op: "read a name", route: from, out: out}); err != nil {
		n.log.DebugContext(ctx, "cannot read the name in a mention", "interaction", n.i.ID, "error", err)
	}
}

// timeStyles are the layouts of times, as a client in English shows them. A
// person's own time zone is not known: times are in UTC.
// https://discord.com/developers/docs/reference#message-formatting-timestamp-styles
var timeStyles = map[string]string{
	"t": "15:04", "T": "15:04:05", "d": "02/01/2006", "D": "2 January 2006",
	"": "2 January 2006 15:04", "f": "2 January 2006 15:04", "F": "Monday, 2 January 2006 15:04",
	"s": "02/01/2006 15:04", "S": "02/01/2006 15:04:05",
}

func (b *Bot) readableTime(seconds, style string) string {
	unix, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return ""
	}
	at := time.Unix(unix, 0).UTC()
	if layout, ok := timeStyles[style]; ok {
		return at.Format(layout)
	}
	return distance(at.Sub(b.cfg.Now()))
}

// distance is a time from now in words: "in 2 hours", "3 days ago".
func distance(d time.Duration) string {
	for _, s := range []struct {
		unit string
		is   time.Duration
	}{{"year", 365 * 24 * time.Hour}, {"month", 30 * 24 * time.Hour}, {"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}} {
		n := int64(d.Abs().Round(s.is) / s.is)
		if d.Abs() < s.is || n == 0 {
			continue
		}
		text := fmt.Sprintf("%d %s", n, s.unit)
		if n > 1 {
			text += "s"
		}
		if d < 0 {
			return text + " ago"
		}
		return "in " + text
	}
	return "now"
}
