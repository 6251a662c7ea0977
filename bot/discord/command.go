package discord

import (
	"context"
	"slices"

	"ltxbot/bot"
	"ltxbot/bot/command"
	"ltxbot/bot/view"
	"ltxbot/core/ltx"
	"ltxbot/core/team"
)

// command handles a slash command or a message command, by its row in the
// table of commands.
func (b *Bot) command(ctx context.Context, i *interaction) {
	for _, row := range commandTable {
		if row.name == i.Data.Name {
			row.run(b, ctx, i)
			return
		}
	}
	b.log.WarnContext(ctx, "interaction for an unknown command", "interaction", i.ID, "command", i.Data.Name)
	b.reply(ctx, i, b.note(i.Locale, "discord.unknown_command"))
}

func (b *Bot) runGenerate(ctx context.Context, i *interaction) {
	settings := b.readable(ctx, i, i.settings())
	if b.answerVerb(ctx, i, settings) {
		return
	}
	b.generate(ctx, i, bot.Ask{Settings: settings, Prompt: bot.OptionPrompt}, nil)
}

// answerVerb answers when the prompt is no prompt but a command, such as
// "help" or a whole "/ltx jobs", and reports whether it was.
func (b *Bot) answerVerb(ctx context.Context, i *interaction, settings []ltx.Setting) bool {
	line, ok := bot.PromptVerb(settings)
	if !ok {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, quickWithin)
	defer cancel()
	m := b.cfg.Service.Answer(ctx, b.caller(i), line)
	b.reply(ctx, i, &m)
	return true
}

func (b *Bot) runJobs(ctx context.Context, i *interaction) {
	if name, _ := i.subcommand(); name == command.VerbVerify {
		b.runVerify(ctx, i)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, quickWithin)
	defer cancel()
	c := b.caller(i)
	var m view.Message
	switch name, _ := i.subcommand(); name {
	case "show":
		m = b.cfg.Service.Show(ctx, c, i.value("job"))
	case "cancel":
		m = b.cfg.Service.Cancel(ctx, c, i.value("job"))
	case command.EraseWord:
		order := command.EraseWord
		if i.value("sure") == "true" {
			order += " " + command.SureWord
		}
		m = b.cfg.Service.JobsLine(ctx, c, order)
	default:
		m = b.cfg.Service.Jobs(ctx, c)
	}
	b.reply(ctx, i, &m)
}

func (b *Bot) runQuota(ctx context.Context, i *interaction) {
	ctx, cancel := context.WithTimeout(ctx, quickWithin)
	defer cancel()
	if name, _ := i.subcommand(); name != "" && name != "show" {
		b.order(ctx, i, name)
		return
	}
	m := b.cfg.Service.Usage(ctx, b.caller(i))
	b.reply(ctx, i, &m)
}

// order carries out an order about quotas, named by its subcommand.
func (b *Bot) order(ctx context.Context, i *interaction, verb string) {
	o := team.Order{Verb: verb, Args: map[string]string{}}
	for _, s := range i.settings() {
		o.Args[s.Key] = s.Value
	}
	m := b.cfg.Service.Order(ctx, b.caller(i), o)
	b.reply(ctx, i, &m)
}

func (b *Bot) runLoRAs(ctx context.Context, i *interaction) {
	ctx, cancel := context.WithTimeout(ctx, quickWithin)
	defer cancel()
	m := b.cfg.Service.LoRAs(ctx, b.caller(i))
	b.reply(ctx, i, &m)
}

func (b *Bot) runHelp(ctx context.Context, i *interaction) {
	m := view.Help(b.print(i.Locale), i.value("topic"))
	b.reply(ctx, i, &m)
}

// runAdmin checks the caller by itself: a server's admins can give the
// command to anybody in its settings.
func (b *Bot) runAdmin(ctx context.Context, i *interaction) {
	if !b.caller(i).Admin {
		b.reply(ctx, i, b.note(i.Locale, "discord.admin_only"))
		return
	}
	if name, _ := i.subcommand(); name != "" && name != "status" {
		ctx, cancel := context.WithTimeout(ctx, quickWithin)
		defer cancel()
		b.order(ctx, i, name)
		return
	}
	b.reply(ctx, i, b.note(i.Locale, "discord.status", "version", b.cfg.Version))
}

// runRemix opens a form with the text of a message as the prompt and its files
// as inputs, or with the request of the job that the message is about.
func (b *Bot) runRemix(ctx context.Context, i *interaction) {
	c, target := b.caller(i), i.Data.Resolved.Messages[i.Data.TargetID]
	if job := target.job(); job != "" {
		quick, cancel := context.WithTimeout(ctx, quickWithin)
		defer cancel()
		if p := b.cfg.Service.Press(quick, c, view.ActEdit, job); p.Form != nil {
			b.open(ctx, i, *p.Form)
			return
		}
	}
	b.openOf(ctx, i, target.text(), given(target.Attachments))
}

// openOf opens a form for a message: its text is the prompt, and its files are
// what the video is made of.
func (b *Bot) openOf(ctx context.Context, i *interaction, text string, files []bot.GivenFile) {
	form := b.cfg.Service.Remix(b.caller(i), b.readableText(ctx, i, text), files) //nolint:contextcheck // from memory; what the service reads for it is the service's
	b.open(ctx, i, form)
}

// runAnimate opens a form with the pictures of a message as what the video
// begins and ends with.
func (b *Bot) runAnimate(ctx context.Context, i *interaction) {
	target := i.Data.Resolved.Messages[i.Data.TargetID]
	pictures := slices.DeleteFunc(given(target.Attachments), func(f bot.GivenFile) bool { return f.Kind() != "image" })
	if len(pictures) == 0 {
		b.reply(ctx, i, b.note(i.Locale, "inputs.no_picture"))
		return
	}
	b.openOf(ctx, i, target.Content, pictures)
}

// runExtend opens a form for how a video goes on: that of the job that the
// message is about, or the first one in the message.
func (b *Bot) runExtend(ctx context.Context, i *interaction) {
	target := i.Data.Resolved.Messages[i.Data.TargetID]
	if job := target.job(); job != "" {
		quick, cancel := context.WithTimeout(ctx, quickWithin)
		defer cancel()
		if p := b.cfg.Service.Press(quick, b.caller(i), view.ActExtend, job); p.Form != nil {
			b.open(ctx, i, *p.Form)
			return
		}
	}
	clips := slices.DeleteFunc(given(target.Attachments), func(f bot.GivenFile) bool { return f.Kind() != "video" })
	if len(clips) == 0 {
		b.reply(ctx, i, b.note(i.Locale, "inputs.no_clip"))
		return
	}
	b.openOf(ctx, i, "", clips[:1])
}
