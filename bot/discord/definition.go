package discord

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"ltxbot/bot/command"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/core/library"
	"ltxbot/core/ltx"
	"ltxbot/core/team"
)

// Types of commands and of their options.
// https://discord.com/developers/docs/interactions/application-commands
const (
	commandChat    = 1
	commandMessage = 3

	optionSubcommand = 1
	optionString     = 3
	optionInteger    = 4
	optionBoolean    = 5
	optionNumber     = 10
	optionAttachment = 11
)

// Limits of commands.
// https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-structure
const (
	maxOptionLength  = 6000 // of what is typed for an option
	maxDescription   = 100
	maxCommandLength = 8000 // of all texts of a command
)

// An appCommand is one command as Discord takes it and gives it back.
type appCommand struct {
	Name                     string            `json:"name"`
	Type                     int               `json:"type"`
	Description              string            `json:"description,omitempty"` // none for a message command
	DescriptionLocalizations map[string]string `json:"description_localizations,omitempty"`
	Options                  []commandOption   `json:"options,omitempty"`
	DefaultMemberPermissions *string           `json:"default_member_permissions,omitempty"`
	Contexts                 []int             `json:"contexts,omitempty"`
	IntegrationTypes         []int             `json:"integration_types,omitempty"`
}

type commandOption struct {
	Type                     int               `json:"type"`
	Name                     string            `json:"name"`
	Description              string            `json:"description"`
	DescriptionLocalizations map[string]string `json:"description_localizations,omitempty"`
	Required                 bool              `json:"required,omitempty"`
	Choices                  []commandChoice   `json:"choices,omitempty"`
	Autocomplete             bool              `json:"autocomplete,omitempty"`
	MinValue                 *float64          `json:"min_value,omitempty"`
	MaxValue                 *float64          `json:"max_value,omitempty"`
	MaxLength                int               `json:"max_length,omitempty"`
	Options                  []commandOption   `json:"options,omitempty"`
}

type commandChoice struct {
	Name              string            `json:"name"`
	NameLocalizations map[string]string `json:"name_localizations,omitempty"`
	Value             string            `json:"value"`
}

// commandRow is one command of the bot: how it is registered and what it
// does.
type commandRow struct {
	name    string
	kind    int
	help    string // key of the description
	options func(*Bot) []commandOption
	admin   bool // for who may manage the server, unless the server decides otherwise
	run     func(*Bot, context.Context, *interaction)
}

// commandTable is every command. A command with subcommands cannot be used
// without one, so /ltx has none.
var commandTable = []commandRow{
	{name: "ltx", kind: commandChat, help: "command.ltx", options: (*Bot).modelOptions, run: (*Bot).runGenerate},
	{name: "ltx-jobs", kind: commandChat, help: "command.jobs", options: (*Bot).jobOptions, run: (*Bot).runJobs},
	{name: "ltx-quota", kind: commandChat, help: "command.quota", options: (*Bot).quotaOptions, run: (*Bot).runQuota},
	{name: "ltx-loras", kind: commandChat, help: "command.loras", options: (*Bot).libraryOptions, run: (*Bot).runLoRAs},
	{name: "ltx-help", kind: commandChat, help: "command.help", options: (*Bot).helpOptions, run: (*Bot).runHelp},
	{name: "ltx-admin", kind: commandChat, help: "command.admin", options: (*Bot).adminOptions, admin: true, run: (*Bot).runAdmin},
	{name: "Remix with LTX", kind: commandMessage, run: (*Bot).runRemix},
	{name: "Animate this", kind: commandMessage, run: (*Bot).runAnimate},
	{name: "Extend this video", kind: commandMessage, run: (*Bot).runExtend},
}

// commands are the commands to register. Those of a guild have no contexts:
// they exist nowhere else.
func (b *Bot) commands(guild string) []appCommand {
	out := make([]appCommand, 0, len(commandTable))
	for _, row := range commandTable {
		c := appCommand{Name: row.name, Type: row.kind}
		if row.help != "" {
			c.Description, c.DescriptionLocalizations = b.described(row.help)
		}
		if row.options != nil {
			c.Options = row.options(b)
		}
		if row.admin {
			manage := permManageGuildSet
			c.DefaultMemberPermissions = &manage
		}
		if guild == "" {
			c.Contexts, c.IntegrationTypes = []int{0}, []int{0} // in servers that added the bot
		}
		out = append(out, c)
	}
	return out
}

// modelOptions are the options of /ltx, from the table of the model in the
// order of use.
func (b *Bot) modelOptions() []commandOption {
	var out []commandOption
	for _, p := range ltx.Params() {
		if p.Option == "" || p.Operator || p.Rare {
			continue
		}
		out = append(out, b.modelOption(p))
	}
	return out
}

func (b *Bot) modelOption(p ltx.Param) commandOption {
	o := commandOption{Name: p.Option, Type: optionString}
	o.Description, o.DescriptionLocalizations = b.localized(func(l string) string { return b.printer(l).Option(p) })
	bounded := false
	switch p.Kind {
	case ltx.KindText:
		o.Required = p.Default == nil
		o.MaxLength = min(p.MaxLen, maxOptionLength)
	case ltx.KindBool:
		o.Type = optionBoolean
	case ltx.KindInt:
		// A number that is drawn when it is not given, the seed, can also be
		// typed as "random".
		if p.Default != nil {
			o.Type, bounded = optionInteger, true
		}
	case ltx.KindFloat:
		o.Type, bounded = optionNumber, true
	case ltx.KindChoice, ltx.KindPreset:
		for _, c := range b.cfg.Service.Choices(p) {
			name, localized := b.localized(func(l string) string { return b.printer(l).Choice(p, c) })
			o.Choices = append(o.Choices, commandChoice{Name: name, NameLocalizations: localized, Value: c.Typed()})
		}
	case ltx.KindSize, ltx.KindLoRAs, ltx.KindStyle, ltx.KindDuration:
		o.Autocomplete = true
	case ltx.KindMedia:
		o.Type = optionAttachment
		o.Description, o.DescriptionLocalizations = b.localized(func(l string) string {
			return b.printer(l).Text("discord.attach", "what", b.printer(l).Option(p), "option", p.Option)
		})
	case ltx.KindAdvanced:
	}
	if bounded {
		o.MinValue, o.MaxValue = &p.Min, &p.Max
	}
	return o
}

func (b *Bot) jobOptions() []commandOption {
	return []commandOption{
		b.subcommand("list", "command.jobs"),
		b.subcommand("show", "command.show", b.jobOption()),
		b.subcommand("cancel", "command.cancel", b.jobOption()),
		b.subcommand(command.VerbVerify, "command.verify", b.fileOption(), b.videoOption()),
		b.subcommand(command.EraseWord, "command.erase", b.sureOption()),
		b.subcommand(command.VerbDefaults, "command.defaults", b.ownOptions()),
	}
}

// ownOptions is a line of options.
func (b *Bot) ownOptions() commandOption {
	o := commandOption{Type: optionString, Name: "options", MaxLength: maxOrderOption}
	o.Description, o.DescriptionLocalizations = b.described("command.own_options")
	return o
}

// sureOption is a yes that cannot be given by accident.
func (b *Bot) sureOption() commandOption {
	o := commandOption{Type: optionBoolean, Name: "sure", Required: true}
	o.Description, o.DescriptionLocalizations = b.described("command.sure")
	return o
}

// jobOption is a job's id, completed from the member's jobs.
func (b *Bot) jobOption() commandOption {
	o := commandOption{Type: optionString, Name: "job", Required: true, Autocomplete: true}
	o.Description, o.DescriptionLocalizations = b.described("command.job")
	return o
}

// videoOption is a job's id, or the link of a message with a video.
func (b *Bot) videoOption() commandOption {
	o := b.jobOption()
	o.Required = false // a file may be given instead
	o.Description, o.DescriptionLocalizations = b.described("command.video")
	return o
}

func (b *Bot) fileOption() commandOption {
	o := commandOption{Type: optionAttachment, Name: fileOption}
	o.Description, o.DescriptionLocalizations = b.described("command.file")
	return o
}

func (b *Bot) quotaOptions() []commandOption {
	return append([]commandOption{b.subcommand("show", "command.quota")}, b.orderOptions(team.Everybody)...)
}

func (b *Bot) adminOptions() []commandOption {
	return append([]commandOption{b.subcommand("status", "discord.command_status")}, b.orderOptions(team.Admins)...)
}

// ownQuota is the verb that "/ltx-quota show" stands for.
const ownQuota = "mine"

// orderOptions are a subcommand for each order about quotas that somebody may
// give.
func (b *Bot) orderOptions(who team.Audience) []commandOption {
	var out []commandOption
	for _, v := range team.Verbs() {
		if v.Who != who || v.Name == ownQuota {
			continue
		}
		o := commandOption{Type: optionSubcommand, Name: v.Name}
		o.Description, o.DescriptionLocalizations = b.localized(func(l string) string { return view.AboutVerb(b.printer(l), v) })
		for _, a := range v.Args {
			arg := commandOption{
				Type: optionString, Name: a.Name, Required: a.Required, MaxLength: maxOrderOption,
				Autocomplete: a.Kind == team.LimitArg,
			}
			arg.Description, arg.DescriptionLocalizations = b.localized(func(l string) string { return view.AboutArg(b.printer(l), v, a) })
			o.Options = append(o.Options, arg)
		}
		out = append(out, o)
	}
	return out
}

// libraryOptions are a subcommand for each order about the team's library. The
// options that are required come first, as Discord wants them.
func (b *Bot) libraryOptions() []commandOption {
	verbs := library.Verbs()
	out := make([]commandOption, 0, len(verbs))
	for _, v := range verbs {
		o := commandOption{Type: optionSubcommand, Name: v.Name}
		o.Description, o.DescriptionLocalizations = b.localized(func(l string) string { return view.AboutLibrary(b.printer(l), v) })
		for _, a := range v.Args {
			arg := commandOption{
				Type: optionString, Name: a.Name, Required: a.Required, MaxLength: cmp.Or(library.MaxLength(a.Name), maxOrderOption),
				Autocomplete: a.Name == nameOption && v.Who != library.Adders,
			}
			arg.Description, arg.DescriptionLocalizations = b.localized(func(l string) string { return view.AboutLibraryArg(b.printer(l), v, a) })
			if v.Name == library.VerbAdd && a.Name == linkOption {
				arg.Required = false // a file takes its place
				o.Options = append(o.Options, arg, b.weightsOption())
				continue
			}
			o.Options = append(o.Options, arg)
		}
		out = append(out, o)
	}
	return out
}

// weightsOption takes a LoRA as a file.
func (b *Bot) weightsOption() commandOption {
	o := commandOption{Type: optionAttachment, Name: fileOption}
	o.Description, o.DescriptionLocalizations = b.described("command.lora_file")
	return o
}

// linkOption is the option for the link of a LoRA.
const linkOption = "link"

// nameOption is the option for the name of a LoRA or a style.
const nameOption = "name"

// maxOrderOption bounds what is typed for an option of an order, in
// characters.
const maxOrderOption = 500

// helpTopics are what help can be about, with the keys of their names.
var helpTopics = []struct{ value, name string }{
	{"prompt", "help.prompt_title"},
	{"options", "help.options_title"},
	{"files", "help.files_title"},
	{"models", "help.models_title"},
	{"loras", "loras.title"},
	{"styles", "library.styles"},
	{"takes", "help.takes_title"},
	{"advanced", "help.advanced_title"},
	{"examples", "help.examples_title"},
	{"quota", "help.quota_title"},
}

func (b *Bot) helpOptions() []commandOption {
	o := commandOption{Type: optionString, Name: "topic"}
	o.Description, o.DescriptionLocalizations = b.described("command.topic")
	for _, topic := range helpTopics {
		name, localized := b.described(topic.name)
		o.Choices = append(o.Choices, commandChoice{Name: name, NameLocalizations: localized, Value: topic.value})
	}
	return []commandOption{o}
}

func (b *Bot) subcommand(name, help string, options ...commandOption) commandOption {
	o := commandOption{Type: optionSubcommand, Name: name, Options: options}
	o.Description, o.DescriptionLocalizations = b.described(help)
	return o
}

// described is a text in the default language and in all others.
func (b *Bot) described(key string) (text string, others map[string]string) {
	return b.localized(func(locale string) string { return b.text(locale, key) })
}

// clientLocales are the languages of Discord's clients, by the language of
// the catalogue.
// https://discord.com/developers/docs/reference#locales
var clientLocales = map[string][]string{
	"bg": {"bg"}, "cs": {"cs"}, "da": {"da"}, "de": {"de"}, "el": {"el"}, "es": {"es-ES", "es-419"}, "fi": {"fi"},
	"fr": {"fr"}, "hi": {"hi"}, "hr": {"hr"}, "hu": {"hu"}, "id": {"id"}, "it": {"it"}, "ja": {"ja"}, "ko": {"ko"},
	"lt": {"lt"}, "nl": {"nl"}, "no": {"no"}, "pl": {"pl"}, "pt": {"pt-BR"}, "pt-br": {"pt-BR"}, "ro": {"ro"}, "ru": {"ru"},
	"sv": {"sv-SE"}, "th": {"th"}, "tr": {"tr"}, "uk": {"uk"}, "vi": {"vi"}, "zh": {"zh-CN"}, "zh-cn": {"zh-CN"}, "zh-tw": {"zh-TW"},
}

// localized is what say returns in the default language, and in all others
// where that differs.
func (b *Bot) localized(say func(locale string) string) (words string, others map[string]string) {
	words = cut(say(text.DefaultLanguage), maxDescription)
	for _, language := range b.cfg.Service.Languages() {
		t := cut(say(language), maxDescription)
		if t == "" || t == words {
			continue
		}
		for _, locale := range clientLocales[language] {
			if others == nil {
				others = map[string]string{}
			}
			others[locale] = t
		}
	}
	return words, others
}

// size counts a command as Discord does for its limit: names, descriptions
// and values, of each text the longest of all languages.
func (c appCommand) size() int {
	n := length(c.Name) + longest(c.Description, c.DescriptionLocalizations)
	for _, o := range c.Options {
		n += o.size()
	}
	return n
}

func (o commandOption) size() int {
	n := length(o.Name) + longest(o.Description, o.DescriptionLocalizations)
	for _, c := range o.Choices {
		n += longest(c.Name, c.NameLocalizations) + length(c.Value)
	}
	for _, inner := range o.Options {
		n += inner.size()
	}
	return n
}

func longest(text string, localized map[string]string) int {
	n := length(text)
	for _, t := range localized {
		n = max(n, length(t))
	}
	return n
}

// ours reports whether a registered command looks like one of this bot's, of
// this or an earlier version.
func ours(c appCommand) bool {
	if c.Type == commandMessage {
		return slices.ContainsFunc(commandTable, func(row commandRow) bool { return row.kind == c.Type && row.name == c.Name })
	}
	return c.Type == commandChat && (c.Name == "ltx" || strings.HasPrefix(c.Name, "ltx-"))
}
