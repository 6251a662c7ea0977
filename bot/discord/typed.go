package discord

import (
	"slices"
	"strings"

	"ltxbot/bot/command"
	"ltxbot/bot/text"
	"ltxbot/core/library"
	"ltxbot/core/ltx"
	"ltxbot/core/team"
)

// verbs are the commands of Discord for the verbs of a line, up to the value
// that follows.
var verbs = map[string]string{
	command.VerbHelp:     "/ltx-help topic:",
	command.VerbJobs:     "/ltx-jobs list",
	command.VerbShow:     "/ltx-jobs show job:",
	command.VerbCancel:   "/ltx-jobs cancel job:",
	command.VerbVerify:   "/ltx-jobs verify job:",
	command.VerbQuota:    "/ltx-quota show",
	command.VerbLoRAs:    "/ltx-loras list",
	command.VerbStyles:   "/ltx-loras styles",
	command.VerbDefaults: "/ltx-jobs defaults options:",
	command.VerbAdmin:    "/ltx-admin",
}

// typed writes the commands in spans as they are typed in Discord, where each
// verb is a command of its own and a prompt is an option.
func typed(parts []text.Span) []text.Span {
	parts = slices.Clone(parts)
	for i, s := range parts {
		if s.Style == text.CommandOf && s.Command != nil {
			parts[i].Text = typedCommand(*s.Command)
		}
	}
	return parts
}

func typedCommand(c text.Command) string {
	switch {
	case c.Verb == "":
		return strings.TrimSpace("/ltx " + options(c.Settings))
	case c.Verb == command.VerbJobs && slices.Equal(c.Args, []string{command.EraseWord, command.SureWord}):
		return "/ltx-jobs " + command.EraseWord + " sure:True"
	case c.Verb == command.VerbQuota && len(c.Args) > 0:
		return "/ltx-quota " + typedOrder(team.Verbs(), c.Args)
	case c.Verb == command.VerbLoRAs && len(c.Args) > 0:
		return "/ltx-loras " + typedOrder(library.Verbs(), c.Args)
	case c.Verb == command.VerbStyles && len(c.Args) > 0:
		return "/ltx-loras " + typedOrder(library.Verbs(), append([]string{"style-" + c.Args[0]}, c.Args[1:]...))
	case c.Verb == command.VerbAdmin && len(c.Args) > 0:
		return "/ltx-admin " + typedOrder(team.Verbs(), c.Args)
	}
	command, takesValue := strings.CutSuffix(verbs[c.Verb], ":")
	switch {
	case !takesValue:
		return command
	case len(c.Args) == 0:
		command, _, _ = strings.Cut(command, " ")
		return command
	}
	return command + ":" + strings.Join(c.Args, " ")
}

// typedOrder writes the words of an order as a subcommand with options: "add
// name:NAME link:LINK" for "add NAME LINK".
func typedOrder(verbs team.Table, words []string) string {
	verb, _ := verbs.Find(words[0])
	places := slices.DeleteFunc(slices.Clone(verb.Args), func(a team.Arg) bool { return a.Named })
	out := slices.Clone(words)
	for i, word := range words[1:] {
		name, _, _ := strings.Cut(strings.TrimLeft(word, "["), ":")
		named := slices.ContainsFunc(verb.Args, func(a team.Arg) bool { return a.Name == name })
		if !named && len(places) > 0 {
			value, optional := strings.CutPrefix(word, "[")
			if word = places[0].Name + ":" + value; optional {
				word = "[" + word
			}
			places = places[1:]
		}
		out[i+1] = word
	}
	return strings.Join(out, " ")
}

// options writes settings as the client shows them: the name of each option
// and its value, without quotes. What has no option of its own is part of
// advanced. A value that would be read as something else has quotes.
func options(settings []ltx.Setting) string {
	out := make([]string, 0, len(settings))
	for _, s := range ltx.Fold(settings) {
		name := s.Key
		if p, ok := ltx.Lookup(name); ok && p.Option != "" {
			name = p.Option
		}
		value := s.Value
		if name == promptOption && !plainPrompt(value) || name != promptOption && command.Unquote(value) != value {
			value = command.Quote(value)
		}
		out = append(out, name+":"+value)
	}
	return strings.Join(out, " ")
}

const promptOption = "prompt"

// plainPrompt reports whether a text in the prompt option is the prompt and
// nothing else.
func plainPrompt(text string) bool {
	line, err := command.ParsePrompt(text)
	return err == nil && line.Verb == "" && slices.Equal(line.Settings, []ltx.Setting{{Key: promptOption, Value: text}})
}
