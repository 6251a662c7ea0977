package library

import (
	"context"
	"errors"
	"strings"

	"ltxbot/core/ltx"
)

// A Look is what came of a look at a LoRA that somebody typed.
type Look struct {
	LoRA  ltx.LoRA
	Notes []ltx.Note // of what was typed
	// Finding is what its file says; nil when the bot may not look at files.
	Finding *Finding
}

// LookAt looks at a LoRA as it is typed: a name that rules know, an "owner/repo"
// or a link. files may be nil. The error is ltx.Invalid, or one of Checker's.
func LookAt(ctx context.Context, rules ltx.Rules, files Checker, typed string) (Look, error) {
	l, notes, err := rules.ParseLoRA(strings.TrimSpace(typed))
	if problem, ok := errors.AsType[ltx.FieldError](err); ok {
		return Look{}, ltx.Invalid{problem}
	}
	look := Look{LoRA: l, Notes: notes}
	if err != nil || files == nil {
		return look, err
	}
	f, err := files.Check(ctx, l.Path)
	switch {
	case errors.Is(err, ErrOff):
		return look, nil
	case err != nil:
		return look, err
	}
	look.Finding = &f
	return look, nil
}
