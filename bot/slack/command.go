package slack

import (
	"context"
	"slices"
	"strings"

	"ltxbot/bot"
	"ltxbot/bot/command"
	"ltxbot/bot/view"
)

// command handles a slash command: without a text it opens the form, with one
// that is about something else it answers, and any other text is a prompt.
func (b *Bot) command(ctx context.Context, in inbound) {
	o := in.origin()
	if b.missing(ctx, o) {
		return
	}
	if strings.TrimSpace(in.command.Text) == "" {
		b.openEmpty(ctx, o)
		return
	}
	text := in.command.Text
	if strings.Contains(text, someone) {
		text, _ = cutMention(text, b.namesOf(ctx, o))
	}
	b.run(ctx, o, b.read(ctx, o, text))
}

// run does what a line asks for, and reports whether it makes a video. files
// are what the video is made of.
func (b *Bot) run(ctx context.Context, o origin, typed string, files ...bot.GivenFile) bool {
	line, err := command.Parse(typed)
	inputs, left := bot.Inputs(files)
	if err != nil {
		b.tell(ctx, o, b.refusal(ctx, o, bot.Beside(err, inputs)))
		return false
	}
	if line.Verb == "" {
		if len(left) > 0 {
			b.tell(ctx, o, b.cfg.Service.NoPlace(b.people.locale(o), left))
			return false
		}
		settings, refusal := b.fromAbove(ctx, o, line.Settings, inputs)
		if refusal != nil {
			b.tell(ctx, o, *refusal)
			return false
		}
		return b.generate(ctx, o, bot.Ask{Settings: settings})
	}
	typedOrder := strings.Join(line.Args, " ")
	if line.Verb == command.VerbStyles {
		typedOrder = command.StylesLine(typedOrder)
	}
	if line.Verb == command.VerbLoRAs || line.Verb == command.VerbStyles {
		if ask, ok := bot.TryLine(typedOrder); ok {
			settings, refusal := b.fromAbove(ctx, o, ask.Settings, inputs)
			if refusal != nil {
				b.tell(ctx, o, *refusal)
				return false
			}
			ask.Settings = settings
			return b.generate(ctx, o, ask)
		}
		if f := b.cfg.Service.LibraryForm(b.unidentified(o), typedOrder, maxFieldFile); f != nil && o.Trigger != "" {
			b.openForm(ctx, o, *f)
			return false
		}
	}
	o.acknowledge()
	ctx, cancel := context.WithTimeout(ctx, replyWithin)
	defer cancel()
	answer, ok := verbs[line.Verb]
	if !ok {
		answer = verbs[command.VerbHelp]
	}
	if slices.Contains([]string{command.VerbAdmin, command.VerbLoRAs, command.VerbStyles}, line.Verb) && len(line.Args) > 0 {
		b.people.invalidate(o, b.cfg.AdminGroups) // who may is asked of Slack at this moment
	}
	b.tell(ctx, o, answer(b, ctx, b.caller(ctx, o), strings.Join(line.Args, " ")))
	return false
}

// verbs are the answers to lines that are about something else than a video.
var verbs = map[string]func(b *Bot, ctx context.Context, c bot.Caller, arg string) view.Message{
	command.VerbHelp: func(b *Bot, _ context.Context, c bot.Caller, topic string) view.Message {
		return b.cfg.Service.Help(c, topic)
	},
	command.VerbJobs: func(b *Bot, ctx context.Context, c bot.Caller, order string) view.Message {
		return b.cfg.Service.JobsLine(ctx, c, order)
	},
	command.VerbShow: func(b *Bot, ctx context.Context, c bot.Caller, job string) view.Message {
		return b.cfg.Service.Show(ctx, c, job)
	},
	command.VerbCancel: func(b *Bot, ctx context.Context, c bot.Caller, job string) view.Message {
		return b.cfg.Service.Cancel(ctx, c, job)
	},
	command.VerbVerify: func(b *Bot, ctx context.Context, c bot.Caller, what string) view.Message {
		return b.cfg.Service.Verify(ctx, c, what)
	},
	command.VerbQuota: func(b *Bot, ctx context.Context, c bot.Caller, order string) view.Message {
		return b.cfg.Service.OrderLine(ctx, c, command.VerbQuota, order)
	},
	command.VerbLoRAs: func(b *Bot, ctx context.Context, c bot.Caller, order string) view.Message {
		return b.cfg.Service.LoRAsLine(ctx, c, order)
	},
	command.VerbDefaults: func(b *Bot, ctx context.Context, c bot.Caller, options string) view.Message {
		return b.cfg.Service.Defaults(ctx, c, options)
	},
	command.VerbStyles: func(b *Bot, ctx context.Context, c bot.Caller, order string) view.Message {
		return b.cfg.Service.LoRAsLine(ctx, c, command.StylesLine(order))
	},
	command.VerbAdmin: (*Bot).admin,
}

// admin carries out an order about the team's quotas. Without one it says how
// the bot is and what there is to do.
func (b *Bot) admin(ctx context.Context, c bot.Caller, order string) view.Message {
	if !c.Admin {
		return b.sentence(c.Locale, "slack.admin_only")
	}
	m := b.cfg.Service.OrderLine(ctx, c, command.VerbAdmin, order)
	if order == "" {
		status := b.sentence(c.Locale, "slack.admin", "version", b.cfg.Version)
		m.Blocks = append(status.Blocks, m.Blocks...)
		m.Plain = status.Plain + " " + m.Plain
	}
	return m
}

// refusal is what somebody reads whose line is nearly a verb.
func (b *Bot) refusal(ctx context.Context, o origin, err error) view.Message {
	c := b.caller(ctx, o)
	if m := view.Refuse(b.printer(c.Locale), err); m != nil {
		return *m
	}
	return b.cfg.Service.Help(c, "")
}
