package library

import (
	"context"
	"errors"
	"strings"
	"time"

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

// An UnusableError says that the file of a link can't be loaded: its entry was not
// changed.
type UnusableError struct{ Finding Finding }

func (e *UnusableError) Error() string {
	return "the file of the LoRA can't be used: " + string(e.Finding.Warnings[0].Kind)
}

// look looks at the file of the link that an order brings into the library. It is
// nil without such a link, or where the bot may not look. An order that will be
// refused is refused before. The error is ErrUnreachable, also when the time is over
// that the order gives, or why the order can't be carried out.
func (o *Office) look(ctx context.Context, c *call, limit time.Duration) (*Finding, error) {
	if o.cfg.Files == nil || c.verb.Name != VerbAdd && c.verb.Name != VerbEdit {
		return nil, nil
	}
	trial := *c
	trial.check = true
	r, err := o.carryOut(ctx, &trial)
	if err != nil || !trial.link {
		return nil, err
	}
	looking, cancel := ctx, context.CancelFunc(func() {})
	if limit > 0 {
		looking, cancel = context.WithTimeout(ctx, limit)
	}
	defer cancel()
	f, err := o.cfg.Files.Check(looking, r.LoRAs[0].Path)
	switch {
	case errors.Is(err, ErrOff):
		return nil, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		o.cfg.Log.InfoContext(ctx, "cannot look at a LoRA", "team", c.team, "by", c.by(), "error", err)
		return nil, ErrUnreachable
	case !f.Usable():
		return nil, &UnusableError{f}
	}
	return &f, nil
}

// withFound is an order to add a LoRA with the trigger words that its file names,
// where the order names none.
func (c *call) withFound(f *Finding) *call {
	if f != nil && c.verb.Name == VerbAdd && c.args["trigger"] == "" && f.Trigger != "" {
		c.args["trigger"] = f.Trigger
	}
	return c
}
