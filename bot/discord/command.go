package discord

import (
	"cmp"
	"context"
	"slices"

	"ltxbot/bot"
	"ltxbot/bot/command"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/library"
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
	answer := b.quick
	if bot.TakesLong(line) {
		answer = b.look
	}
	answer(ctx, i, func(ctx context.Context) view.Message { return b.cfg.Service.Answer(ctx, b.caller(i), line) })
	return true
}

func (b *Bot) runJobs(ctx context.Context, i *interaction) {
	name, _ := i.subcommand()
	if name == command.VerbVerify {
		b.runVerify(ctx, i)
		return
	}
	b.quick(ctx, i, func(ctx context.Context) view.Message {
		c := b.caller(i)
		switch name {
		case "show":
			return b.cfg.Service.Show(ctx, c, i.value("job"))
		case "cancel":
			return b.cfg.Service.Cancel(ctx, c, i.value("job"))
		case command.VerbDefaults:
			return b.cfg.Service.Defaults(ctx, c, i.value("options"))
		case command.EraseWord:
			order := command.EraseWord
			if i.value("sure") == "true" {
				order += " " + command.SureWord
			}
			return b.cfg.Service.JobsLine(ctx, c, order)
		}
		return b.cfg.Service.Jobs(ctx, c)
	})
}

func (b *Bot) runQuota(ctx context.Context, i *interaction) {
	if name, _ := i.subcommand(); name != "" && name != "show" {
		b.order(ctx, i, name)
		return
	}
	b.quick(ctx, i, func(ctx context.Context) view.Message { return b.cfg.Service.Usage(ctx, b.caller(i)) })
}

// order carries out an order about quotas, named by its subcommand.
func (b *Bot) order(ctx context.Context, i *interaction, verb string) {
	o := team.Order{Verb: verb, Args: map[string]string{}}
	for _, s := range i.settings() {
		o.Args[s.Key] = s.Value
	}
	b.quick(ctx, i, func(ctx context.Context) view.Message { return b.cfg.Service.Order(ctx, b.caller(i), o) })
}

func (b *Bot) runLoRAs(ctx context.Context, i *interaction) {
	verb, _ := i.subcommand()
	if verb == library.VerbTry {
		ask := bot.TryLoRA(i.value(nameOption), b.readableText(ctx, i, i.value(command.PromptKey)))
		b.generate(ctx, i, ask, nil)
		return
	}
	o := team.Order{Verb: cmp.Or(verb, "list"), Args: map[string]string{}}
	for _, s := range i.settings() {
		if s.Key != fileOption {
			o.Args[s.Key] = s.Value
		}
	}
	if a, ok := i.Data.Resolved.Attachments[i.value(fileOption)]; ok && verb == library.VerbAdd {
		b.later(ctx, i, bot.UploadWithin, func(ctx context.Context) view.Message {
			return b.cfg.Service.UploadLoRA(ctx, b.caller(i), o, func(ctx context.Context) (generate.Media, error) {
				return b.OpenInput(ctx, generate.Job{}, a.given().Media)
			})
		})
		return
	}
	answer := b.quick
	if bot.LooksAtFile(o.Verb) {
		answer = b.look
	}
	answer(ctx, i, func(ctx context.Context) view.Message { return b.cfg.Service.LoRAs(ctx, b.caller(i), o) })
}

func (b *Bot) runHelp(ctx context.Context, i *interaction) {
	m := b.cfg.Service.Help(b.caller(i), i.value("topic"))
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
		b.order(ctx, i, name)
		return
	}
	b.reply(ctx, i, b.note(i.Locale, "discord.status", "version", b.cfg.Version))
}

// runRemix opens a form with the text of a message as the prompt and its files
// as inputs, or with the request of the job that the message is about.
func (b *Bot) runRemix(ctx context.Context, i *interaction) {
	target := i.Data.Resolved.Messages[i.Data.TargetID]
	if !b.openStep(ctx, i, view.ActEdit, target.job()) {
		b.openOf(ctx, i, target.text(), given(target.Attachments))
	}
}

// openStep opens a form about a job, and reports whether there is one.
func (b *Bot) openStep(ctx context.Context, i *interaction, action view.Action, job string) bool {
	if job == "" {
		return false
	}
	quick, cancel := context.WithTimeout(ctx, quickWithin)
	defer cancel()
	p := b.cfg.Service.Press(quick, b.caller(i), action, job)
	if p.Form != nil {
		b.open(ctx, i, *p.Form)
	}
	return p.Form != nil
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
	if b.openStep(ctx, i, view.ActExtend, target.job()) {
		return
	}
	clips := slices.DeleteFunc(given(target.Attachments), func(f bot.GivenFile) bool { return f.Kind() != "video" })
	if len(clips) == 0 {
		b.reply(ctx, i, b.note(i.Locale, "inputs.no_clip"))
		return
	}
	b.openOf(ctx, i, "", clips[:1])
}
