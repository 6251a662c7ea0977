package slack

import (
	"context"
	"strings"

	"ltxbot/bot"
)

// command handles a slash command: without a text it opens the form, with one
// that is about something else it answers, and any other text is a prompt.
func (b *Bot) command(ctx context.Context, in inbound) {
	o := in.origin()
	if b.missing(ctx, o) {
		return
	}
	if strings.TrimSpace(in.command.Text) == "" {
		b.openForm(ctx, o, b.cfg.Desk.Form(b.people.locale(o), nil), formData{})
		return
	}
	rest, _ := cutMention(in.command.Text, b.namesOf(ctx, o))
	b.run(ctx, o, b.read(ctx, o, rest))
}

// run does what a line asks for, and reports whether it makes a video.
func (b *Bot) run(ctx context.Context, o origin, typed string) bool {
	line, err := bot.ParseLine(typed)
	if err != nil {
		b.tell(ctx, o, b.refusal(ctx, o, err))
		return false
	}
	if line.Verb == "" {
		return b.generate(ctx, o, bot.Ask{Settings: line.Settings})
	}
	o.acknowledge()
	ctx, cancel := context.WithTimeout(ctx, replyWithin)
	defer cancel()
	answer, ok := verbs[line.Verb]
	if !ok {
		answer = verbs[bot.VerbHelp]
	}
	if line.Verb == bot.VerbAdmin && len(line.Args) > 0 {
		b.people.forget(o, b.cfg.AdminGroups) // who may is asked of Slack at this moment
	}
	b.tell(ctx, o, answer(b, ctx, b.caller(ctx, o), strings.Join(line.Args, " ")))
	return false
}

// verbs are the answers to lines that are about something else than a video.
var verbs = map[string]func(b *Bot, ctx context.Context, c bot.Caller, arg string) bot.Message{
	bot.VerbHelp: func(b *Bot, _ context.Context, c bot.Caller, topic string) bot.Message {
		return bot.Help(b.print(c.Locale), topic)
	},
	bot.VerbJobs: func(b *Bot, ctx context.Context, c bot.Caller, order string) bot.Message {
		return b.cfg.Desk.JobsLine(ctx, c, order)
	},
	bot.VerbShow: func(b *Bot, ctx context.Context, c bot.Caller, job string) bot.Message {
		return b.cfg.Desk.Show(ctx, c, job)
	},
	bot.VerbCancel: func(b *Bot, ctx context.Context, c bot.Caller, job string) bot.Message {
		return b.cfg.Desk.Cancel(ctx, c, job)
	},
	bot.VerbQuota: func(b *Bot, ctx context.Context, c bot.Caller, order string) bot.Message {
		return b.cfg.Desk.OrderLine(ctx, c, bot.VerbQuota, order)
	},
	bot.VerbLoRAs: func(b *Bot, ctx context.Context, c bot.Caller, _ string) bot.Message {
		return b.cfg.Desk.LoRAs(ctx, c)
	},
	bot.VerbAdmin: (*Bot).admin,
}

// admin carries out an order about the team's quotas. Without one it says how
// the bot is and what there is to do.
func (b *Bot) admin(ctx context.Context, c bot.Caller, order string) bot.Message {
	if !c.Admin {
		return b.sentence(c.Locale, "slack.admin_only")
	}
	m := b.cfg.Desk.OrderLine(ctx, c, bot.VerbAdmin, order)
	if order == "" {
		status := b.sentence(c.Locale, "slack.admin", "version", b.cfg.Version)
		m.Blocks = append(status.Blocks, m.Blocks...)
		m.Plain = status.Plain + " " + m.Plain
	}
	return m
}

// refusal is what somebody reads whose line is nearly a verb.
func (b *Bot) refusal(ctx context.Context, o origin, err error) bot.Message {
	c := b.caller(ctx, o)
	if m := bot.Refuse(b.print(c.Locale), err); m != nil {
		return *m
	}
	return bot.Help(b.print(c.Locale), "")
}
