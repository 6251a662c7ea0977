package discord

import (
	"slices"
	"strings"

	"ltxbot/bot"
	"ltxbot/core/ltx"
)

// textCommand is how the desk writes commands: as they are typed where a
// command is one line of text.
const textCommand = "/ltx"

// spellings are the commands of Discord for the verbs of the text grammar. An
// argument follows the last of them.
var spellings = map[string]string{
	bot.VerbHelp:   "/ltx-help topic:",
	bot.VerbJobs:   "/ltx-jobs list",
	bot.VerbShow:   "/ltx-jobs show job:",
	bot.VerbCancel: "/ltx-jobs cancel job:",
	bot.VerbQuota:  "/ltx-quota show",
	bot.VerbLoRAs:  "/ltx-loras",
	bot.VerbAdmin:  "/ltx-admin",
}

// spelled writes the commands in spans as they are typed in Discord, where
// each verb is a command of its own and a prompt is an option.
func spelled(parts []bot.Span, code bool) []bot.Span {
	parts = slices.Clone(parts)
	for i, s := range parts {
		if s.Style == bot.Mono || code {
			parts[i].Text = spell(s.Text)
		}
	}
	return parts
}

// spell writes one command as it is typed in Discord; any other text stays.
func spell(text string) string {
	rest, ok := strings.CutPrefix(text, textCommand+" ")
	if !ok {
		return text
	}
	if rest == bot.VerbJobs+" "+bot.EraseWord+" "+bot.SureWord {
		return "/ltx-jobs " + bot.EraseWord + " sure:True"
	}
	if words := strings.Fields(rest); len(words) <= 2 {
		if command, ok := spellings[words[0]]; ok {
			return ofVerb(command, words[1:])
		}
	}
	line, err := bot.ParseLine(rest)
	if err != nil || line.Verb != "" {
		return text
	}
	return strings.TrimSpace(textCommand + " " + options(line.Settings))
}

// ofVerb is a verb's command with its argument, if it has one.
func ofVerb(command string, args []string) string {
	if !strings.HasSuffix(command, ":") {
		return command
	}
	if len(args) == 0 {
		command, _, _ = strings.Cut(command, " ")
	}
	return command + strings.Join(args, " ")
}

// options writes settings as the client shows them: the name of each option
// and its value, without quotes. What has no option of its own is part of
// advanced. A prompt that would be read as something else has quotes.
func options(settings []ltx.Setting) string {
	out := make([]string, 0, len(settings))
	for _, s := range ltx.Fold(settings) {
		name := s.Key
		if p, ok := ltx.Lookup(name); ok && p.Option != "" {
			name = p.Option
		}
		value := s.Value
		if name == promptOption && !plainPrompt(value) {
			value = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
		}
		out = append(out, name+":"+value)
	}
	return strings.Join(out, " ")
}

const promptOption = "prompt"

// plainPrompt reports whether a text in the prompt option is the prompt and
// nothing else.
func plainPrompt(text string) bool {
	line, err := bot.ParseLine(text)
	return err == nil && line.Verb == "" && slices.Equal(line.Settings, []ltx.Setting{{Key: promptOption, Value: text}})
}
