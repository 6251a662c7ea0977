package app

import (
	"fmt"
	"strings"

	"ltxbot/app/admin"
	"ltxbot/bot/command"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/config"
	"ltxbot/core/team"
)

// serveQuota adds what the operator does with quotas. The texts are those
// that people read in a chat.
func serveQuota(api *admin.API, now *current, office *team.Office) {
	printer := text.BuiltInCatalog().Printer(text.DefaultLanguage, now.start.Slack.Command)
	api.ServeQuota(office, admin.QuotaText{
		Report: func(r team.Report) string {
			text := plain(view.Report(printer, r))
			if r.Unknown {
				text = fmt.Sprintf(unknownTeam, r.Team) + text
			}
			return text
		},
		Team: now.knownTeam,
	})
}

// unknownTeam is what an operator reads before the report of a team that may be
// a slip of the pen: what was ordered holds as soon as there is such a team.
const unknownTeam = "Nobody knows the team %[1]s: the config does not name it, and nobody there has asked for a video. Is the id right?\n"

// plain writes a message for a terminal, with the full names of members, and the
// commands about libraries as they are typed there.
func plain(m view.Message) string {
	name := func(spans []text.Span) {
		for i, s := range spans {
			switch {
			case s.Style == text.MentionOf:
				spans[i] = text.Span{Text: s.Member}
			case s.Style != text.CommandOf || s.Command == nil:
			case s.Command.Verb == command.VerbLoRAs:
				spans[i] = text.Span{Text: strings.Join(append([]string{"bot loras"}, s.Command.Args...), " ")}
			case s.Command.Verb == command.VerbStyles:
				spans[i] = text.Span{Text: "bot loras " + command.StylesLine(strings.Join(s.Command.Args, " "))}
			}
		}
	}
	for _, b := range m.Blocks {
		name(b.Spans)
		for _, f := range b.Facts {
			name(f.Value)
		}
	}
	return m.String()
}

// knownTeam is the team that an operator means: one of the config, a guild or
// a workspace that is a team of its own, or without a name the only one.
func (c *current) knownTeam(name string) (string, bool) {
	teams := c.config().Teams
	if name == "" && len(teams) == 1 {
		return teams[0].Name, true
	}
	for _, t := range teams {
		if t.Name == name {
			return name, true
		}
	}
	platform, tenant, ok := strings.Cut(name, ":")
	if !ok || !config.IsTenant(platform, tenant) {
		return "", false
	}
	return c.teams().of(platform, tenant), true
}
