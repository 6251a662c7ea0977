package app_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"ltxbot/app"
	"ltxbot/config"
	"ltxbot/core/library"
)

// oneFinding is a checker that finds the same of everything.
type oneFinding library.Finding

func (f oneFinding) Check(context.Context, string) (library.Finding, error) {
	return library.Finding(f), nil
}

func (f oneFinding) Known(string) (library.Finding, bool) { return library.Finding{}, false }

func (f oneFinding) Inspect(io.Reader, int64) (library.Finding, error) {
	return library.Finding(f), nil
}

func TestFilesOfLoRAsAreLookedAtIfTheOperatorLetsIt(t *testing.T) {
	opts := app.Options{LoRAs: oneFinding{BaseModel: "LTX-2.3"}}
	for _, allowed := range []bool{true, false} {
		cfg := config.Default()
		if !cfg.Library.Check {
			t.Error("by default it does not")
		}
		cfg.Library.Check = allowed
		check, err := app.LookAtLoRA(t.Context(), cfg, opts, "owner/repo")
		if err != nil || check.LoRA.Path != "owner/repo" || (check.Finding != nil) != allowed {
			t.Errorf("library.check = %v: %+v, %v", allowed, check, err)
		}
	}
	cfg := config.Default()
	cfg.LoRA.Hosts = []string{"fal.media"}
	if _, err := app.LookAtLoRA(t.Context(), cfg, opts, "owner/repo"); err == nil || errors.Is(err, library.ErrOff) {
		t.Errorf("a host that is not allowed: %v", err)
	}
}
