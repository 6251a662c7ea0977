package fal_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"ltxbot/core/ltx"
	"ltxbot/internal/until"
	"ltxbot/provider/fal"
	sim "ltxbot/sim/fal"
)

// ordered submits a request with a deadline and returns the headers that came.
func (w *world) ordered(t *testing.T, deadline time.Time, settings ...ltx.Setting) http.Header {
	t.Helper()
	o := jobRequest(t, prompt, settings...)
	o.Deadline = deadline
	if _, err := w.Submit(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	sent := w.sim.Submits()
	return sent[len(sent)-1].Header
}

func TestNothingBeginsAfterTheDeadline(t *testing.T) {
	w := newWorld(t, sim.Options{})
	for name, tt := range map[string]struct {
		deadline time.Time
		want     string
	}{
		"none":        {time.Time{}, ""},
		"in a moment": {time.Now().Add(100 * time.Millisecond), "2"},
		"over":        {time.Now().Add(-time.Hour), "2"},
	} {
		if got := w.ordered(t, tt.deadline).Get("X-Fal-Request-Timeout"); got != tt.want {
			t.Errorf("%s: fal may begin within %q seconds, want %q", name, got, tt.want)
		}
	}
	deadline := time.Now().Add(20 * time.Minute)
	got, err := strconv.ParseFloat(w.ordered(t, deadline).Get("X-Fal-Request-Timeout"), 64)
	if least := time.Until(deadline).Seconds(); err != nil || got < least || got > 1200 {
		t.Errorf("in twenty minutes: fal may begin within %v seconds, %v; want %v to 1200", got, err, least)
	}
}

func TestFalIsToldHowLongToKeepFiles(t *testing.T) {
	t.Parallel()
	for keep, want := range map[time.Duration]string{0: "", 48 * time.Hour: `{"expiration_duration_seconds":172800}`} {
		w := newWorld(t, sim.Options{}, func(c *fal.Config) { c.KeepMedia = keep })
		if got := w.ordered(t, time.Time{}).Get("X-Fal-Object-Lifecycle-Preference"); got != want {
			t.Errorf("kept for %s: %q, want %q", keep, got, want)
		}
	}
	w := newWorld(t, sim.Options{}, func(c *fal.Config) { c.KeepMedia = time.Second })
	u, err := w.Upload(t.Context(), "cat.png", "image/png", strings.NewReader("picture"), 7)
	if err != nil {
		t.Fatal(err)
	}
	until.True(t, "an uploaded file is gone after a second", func() bool {
		m, err := w.Open(t.Context(), u, 0)
		if err == nil {
			_ = m.Body.Close()
		}
		return err != nil
	})
}

// TestALoRAStaysAtFal: it is used for months, however soon other files go.
func TestALoRAStaysAtFal(t *testing.T) {
	w := newWorld(t, sim.Options{MediaTTL: time.Nanosecond}, func(c *fal.Config) { c.KeepMedia = 48 * time.Hour })
	u, err := w.UploadToStay(t.Context(), "style.safetensors", "application/octet-stream", strings.NewReader("weights"), 7)
	if err != nil {
		t.Fatal(err)
	}
	if _, got := w.fetched(t, u); string(got) != "weights" || !strings.HasSuffix(u, "/style.safetensors") {
		t.Errorf("%s: %q", u, got)
	}
}

func TestTheSameLoRAsGoToTheSameMachine(t *testing.T) {
	w := newWorld(t, sim.Options{})
	hint := func(loras string) string {
		return w.ordered(t, time.Time{}, ltx.Setting{Key: "lora", Value: loras}).Get("X-Fal-Runner-Hint")
	}
	one := hint("owner/one")
	if one == "" || strings.Contains(one, "owner") || hint("owner/one@0.5") != one {
		t.Errorf("one LoRA: %q, with another scale %q", one, hint("owner/one@0.5"))
	}
	if both, turned := hint("owner/one, owner/two"), hint("owner/two, owner/one"); both != turned || both == one {
		t.Errorf("two LoRAs: %q, in another order %q", both, turned)
	}
	h := w.ordered(t, time.Time{})
	if h.Get("X-Fal-Runner-Hint") != "" {
		t.Errorf("without a LoRA: %q", h.Get("X-Fal-Runner-Hint"))
	}
	if h.Get("x-app-fal-disable-fallback") != "true" {
		t.Error("fal may send it to another endpoint")
	}
}
