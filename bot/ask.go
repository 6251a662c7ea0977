package bot

import (
	"context"
	"slices"
	"strings"

	"ltxbot/bot/command"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

// Ask is a command that makes a video.
type Ask struct {
	Event    string // names the platform's event; the same event is the same job
	Caller   Caller
	Place    generate.Place
	Settings []ltx.Setting     // as typed
	Prompt   PromptText        // what the prompt among Settings may hold
	Request  *ltx.Request      // instead of Settings: a request made before (Again, Same seed)
	Parent   string            // the job it comes from
	Try      string            // a LoRA of the team's list, to compare its strengths
	Notes    map[string]string // what the courier knows already
	// Step is what is done with Parent's video; what Parent was made with is
	// not taken over then. Empty = the request is Parent's, changed.
	Step view.Action
	// Identify returns the caller in full, where Caller is only what is known at
	// once; nil = Caller is complete. It may take long.
	Identify func(ctx context.Context) Caller
}

// PromptText says what the text of a prompt may hold.
type PromptText int

// The kinds of prompts.
const (
	// PlainPrompt is the prompt and nothing else: settings were taken out of
	// it before.
	PlainPrompt PromptText = iota
	// OptionPrompt is one option among others. It is read as a line: settings
	// in it count, and an option of its own wins over them.
	OptionPrompt
	// FieldPrompt is a field of a form. It is read as a line, unless it is
	// still what the form opened with. What another field contradicts is
	// refused: that field may only show what was there before.
	FieldPrompt
)

// readPrompt moves the settings that were typed in the prompt out of it. The notes
// say which of them had no effect. Its errors are those of command.ParsePrompt.
func (a *Ask) readPrompt(parent ltx.Request) ([]ltx.Note, error) {
	at := slices.IndexFunc(a.Settings, command.IsPrompt)
	if a.Prompt == PlainPrompt || at < 0 {
		return nil, nil
	}
	text := a.Settings[at].Value
	if a.Prompt == FieldPrompt && !parent.IsZero() && strings.TrimSpace(text) == strings.TrimSpace(parent.Prompt()) {
		return nil, nil
	}
	line, err := command.ParsePrompt(text)
	if err != nil || line.Verb != "" {
		return nil, err // a verb is for Service.Answer; what gets here is meant as a prompt
	}
	others := slices.Delete(slices.Clone(a.Settings), at, at+1)
	var notes []ltx.Note
	if a.Prompt == FieldPrompt {
		others = append(others, slices.DeleteFunc(slices.Clone(line.Settings), command.IsPrompt)...)
	} else {
		others, notes = ltx.Over(others, slices.DeleteFunc(slices.Clone(line.Settings), command.IsPrompt))
	}
	prompts := slices.DeleteFunc(slices.Clone(line.Settings), func(s ltx.Setting) bool {
		return !command.IsPrompt(s) || strings.TrimFunc(s.Value, command.IsQuoteOrSpace) == ""
	})
	a.Settings = slices.Concat(prompts, others)
	return notes, nil
}
