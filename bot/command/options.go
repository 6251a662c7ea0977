package command

import (
	"slices"

	"ltxbot/core/library"
	"ltxbot/core/ltx"
)

// ParseOptions reads a line of options without a prompt: "camera:static
// lora:film@0.8". Its errors are those of Parse, and a *library.Error for words
// that are no option.
func ParseOptions(line string) ([]ltx.Setting, error) {
	parsed, err := Parse(line)
	if err != nil {
		return nil, err
	}
	for _, s := range parsed.Settings {
		if IsPrompt(s) && s.Value != "" {
			return nil, &library.Error{Problem: library.BadOption, Arg: "options", Value: ltx.Shown(s.Value)}
		}
	}
	if parsed.Verb != "" {
		return nil, &library.Error{Problem: library.BadOption, Arg: "options", Value: ltx.Shown(line)}
	}
	return slices.DeleteFunc(parsed.Settings, IsPrompt), nil
}
