package bot

import (
	"context"
	"slices"
	"strings"

	"ltxbot/core/ltx"
)

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

// readPrompt takes the settings that stand in the prompt out of it. The notes
// tell which of them had no effect. Its errors are those of ParseLine.
func (a *Ask) readPrompt(parent ltx.Request) ([]ltx.Note, error) {
	at := slices.IndexFunc(a.Settings, isPrompt)
	if a.Prompt == PlainPrompt || at < 0 {
		return nil, nil
	}
	text := a.Settings[at].Value
	if a.Prompt == FieldPrompt && !parent.IsZero() && strings.TrimSpace(text) == strings.TrimSpace(parent.Prompt()) {
		return nil, nil
	}
	line, err := ParseLine(text)
	if err != nil || line.Verb != "" {
		return nil, err // a verb is for Desk.Answer; what gets here is meant as a prompt
	}
	others := slices.Delete(slices.Clone(a.Settings), at, at+1)
	var notes []ltx.Note
	if a.Prompt == FieldPrompt {
		others = append(others, slices.DeleteFunc(slices.Clone(line.Settings), isPrompt)...)
	} else {
		others, notes = ltx.Over(others, slices.DeleteFunc(slices.Clone(line.Settings), isPrompt))
	}
	prompts := slices.DeleteFunc(slices.Clone(line.Settings), func(s ltx.Setting) bool {
		return !isPrompt(s) || strings.TrimFunc(s.Value, isQuoteOrSpace) == ""
	})
	a.Settings = slices.Concat(prompts, others)
	return notes, nil
}

// isQuoteOrSpace reports whether a prompt of such characters alone is none.
func isQuoteOrSpace(r rune) bool {
	return isSpace(r) || strings.ContainsRune(doubleQuotes, r) || isOpening(r)
}

func isPrompt(s ltx.Setting) bool {
	p, ok := ltx.Lookup(s.Key)
	return ok && p.Name == promptKey
}

// PromptVerb is the line that a prompt is when it is about a verb, such as
// "help" or "/ltx jobs", and not about a video.
func PromptVerb(settings []ltx.Setting) (Line, bool) {
	at := slices.IndexFunc(settings, isPrompt)
	if at < 0 {
		return Line{}, false
	}
	line, err := ParseLine(settings[at].Value)
	return line, err == nil && line.Verb != ""
}

// Answer does what a line is about that makes no video.
func (d *Desk) Answer(ctx context.Context, c Caller, line Line) Message {
	arg := strings.Join(line.Args, " ")
	switch line.Verb {
	case VerbJobs:
		return d.JobsLine(ctx, c, arg)
	case VerbShow:
		return d.Show(ctx, c, arg)
	case VerbCancel:
		return d.Cancel(ctx, c, arg)
	case VerbQuota, VerbAdmin:
		return d.OrderLine(ctx, c, line.Verb, arg)
	case VerbLoRAs:
		return d.LoRAs(ctx, c)
	}
	return Help(d.Printer(c.Locale), arg)
}
