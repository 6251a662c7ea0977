package doctor

import (
	"context"
	"slices"
	"strings"
	"sync"

	"ltxbot/app"
	"ltxbot/bot/adapter"
	"ltxbot/bot/discord"
)

const areaDiscord = "discord"

// looks are how each chat platform is looked at.
var looks = map[string]func(patient, context.Context) []Finding{areaDiscord: patient.discord, areaSlack: patient.slack}

// platforms looks at all of them at once.
func (p patient) platforms(ctx context.Context) []Finding {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	chats := p.cfg.Platforms()
	found := make([][]Finding, len(chats))
	var all sync.WaitGroup
	for n, chat := range chats {
		all.Go(func() {
			found[n] = []Finding{ok(chat.Name, "is off: %s", chat.Off)}
			if chat.On {
				found[n] = looks[chat.Name](p, ctx)
			}
		})
	}
	all.Wait()
	return slices.Concat(found...)
}

// discord looks at the application and compares its commands.
func (p patient) discord(ctx context.Context) []Finding {
	b, err := app.Discord(p.cfg, app.Options{Version: p.opts.Version, Logger: p.opts.Logger})
	if err != nil {
		return []Finding{problem(areaDiscord, "", "%v", err)}
	}
	var found []Finding
	for _, f := range b.Check(ctx) {
		switch {
		case f.Name == nameCommands && !f.OK:
			found = append(found, commands(ctx, b))
		case f.Name == discord.NamePublic && !p.cfg.RefusesUnlisted("discord"):
			found = append(found, warning(areaDiscord+" "+f.Name, adviceDiscord, "%s of theirs, and spend a team's budget (quota.team) there", f.Text))
		case f.Name == discord.NamePublic:
			found = append(found, ok(areaDiscord+" "+f.Name, "%s, and only those of the config can make videos", f.Text))
		default:
			found = append(found, seen(areaDiscord, f))
		}
	}
	return found
}

// What to do about strangers who spend a team's budget.
const (
	adviceDiscord = `make the bot private (docs/discord.md), list your servers in discord.guilds, or set quota.unlisted_teams = "refuse"`
	adviceSlack   = `list them in slack.workspaces, or set quota.unlisted_teams = "refuse"`
)

// nameCommands is the finding of the adapter that is looked at more closely:
// commands that differ are no problem, since the next start mends them.
const nameCommands = "commands"

// commands lists the commands that differ from what is registered.
func commands(ctx context.Context, b *discord.Bot) Finding {
	const area = areaDiscord + " " + nameCommands
	changes, err := b.Diff(ctx)
	if err != nil {
		return problem(area, "", "can't be compared: %v", err)
	}
	list := make([]string, len(changes))
	for n, c := range changes {
		list[n] = c.String()
	}
	return warning(area, "bot run does this at its start, bot commands sync does it now",
		"differ from what is registered: %s", strings.Join(list, "; "))
}

// advices is what to do about findings that do not say it by themselves.
var advices = map[string]string{
	areaDiscord + " token": "take a new token from the Bot page at https://discord.com/developers/applications and set discord.token",
}

// away is what to do about platforms that cannot be asked.
var away = map[string]string{
	areaDiscord: "check the network, and https://discordstatus.com",
	areaSlack:   "check the network, and https://slack-status.com",
}

// seen is what an adapter found.
func seen(platform string, found adapter.Finding) Finding {
	area := platform + " " + found.Name
	switch {
	case found.OK:
		return ok(area, "%s", found.Text)
	case found.Away:
		return problem(area, away[platform], "%s", found.Text)
	default:
		return problem(area, advices[area], "%s", found.Text)
	}
}

const areaSlack = "slack"

// slack looks at the tokens and what they may do.
func (p patient) slack(ctx context.Context) []Finding {
	b, err := app.Slack(p.cfg, app.Options{Version: p.opts.Version, Logger: p.opts.Logger})
	if err != nil {
		return []Finding{problem(areaSlack, "", "%v", err)}
	}
	var found []Finding
	for _, f := range b.Check(ctx) {
		found = append(found, seen(areaSlack, f))
	}
	if c := p.cfg.Slack; c.Several() && len(c.Workspaces) == 0 && !p.cfg.RefusesUnlisted("slack") {
		found = append(found, warning(areaSlack+" workspaces", adviceSlack,
			"anybody who finds /slack/install can add the app to a workspace of theirs, and spend a team's budget (quota.team) there"))
	}
	return found
}
