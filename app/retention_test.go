package app_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/internal/testfile"
	"ltxbot/store/storetest"
)

// TestWhatIsTooOldIsRemoved starts the bot on a store with old jobs and a
// folder with what a crash has left.
func TestWhatIsTooOldIsRemoved(t *testing.T) {
	t.Parallel()
	w := prepare(t, "text")
	w.cfg.Media.Dir = t.TempDir()
	w.cfg.Retention.Prompts.Duration = 30 * 24 * time.Hour
	folders := map[string]bool{ // → stays
		"ltx-k3f92mq7abcd-1234567":  false,
		"ltx-m4f92mq7abcd-1234567":  true, // of today
		"ltx-k3f92mq7abcd-settings": true, // somebody else's
	}
	old := time.Now().Add(-72 * time.Hour)
	for name := range folders {
		dir := filepath.Join(w.cfg.Media.Dir, name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		testfile.Write(t, filepath.Join(dir, "original"), "x")
		if !strings.HasPrefix(name, "ltx-m4f") {
			if err := os.Chtimes(dir, old, old); err != nil {
				t.Fatal(err)
			}
		}
	}
	jobs := map[string]time.Duration{"k3f92mq7aaaa": 100 * 24 * time.Hour, "k3f92mq7bbbb": 60 * 24 * time.Hour, "k3f92mq7cccc": 24 * time.Hour}
	fillWithJobs(t, w.cfg.Store.Path(), jobs)
	w.run(t)
	w.logs(t, "removed what was too old")
	if _, err := w.app.Job(t.Context(), "k3f92mq7aaaa"); !errors.Is(err, generate.ErrNoJob) {
		t.Errorf("job of 100 days ago: got error %v, want ErrNoJob", err)
	}
	for id, forgotten := range map[string]bool{"k3f92mq7bbbb": true, "k3f92mq7cccc": false} {
		if j, err := w.app.Job(t.Context(), id); err != nil || j.Request.IsZero() != forgotten {
			t.Errorf("job %s: prompt forgotten %t, %v; want %t", id, j.Request.IsZero(), err, forgotten)
		}
	}
	for name, stays := range folders {
		if _, err := os.Stat(filepath.Join(w.cfg.Media.Dir, name)); (err == nil) != stays {
			t.Errorf("folder %s: %v, want it kept: %t", name, err, stays)
		}
	}
	if strings.Contains(w.log.String(), "private fox") {
		t.Error("the log has a prompt")
	}
}

// fillWithJobs makes a store with delivered jobs of some ages.
func fillWithJobs(t *testing.T, path string, ages map[string]time.Duration) {
	t.Helper()
	s, err := storetest.OpenFile(path, storetest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	request, err := ltx.Rules{}.Parse([]ltx.Setting{{Key: "prompt", Value: "a private fox"}, {Key: "seed", Value: "7"}})
	if err != nil {
		t.Fatal(err)
	}
	for id, age := range ages {
		at := time.Now().Add(-age)
		j := generate.Job{ID: id, Event: "discord:" + id, State: generate.Accepted, Team: "acme", Member: "discord:1", Request: request, Created: at}
		j, err := s.Accept(t.Context(), j, quota.Policy{Zone: time.UTC}.Plan(id, quota.Asker{Team: "acme", Member: "discord:1"}, 130_000, at))
		if err != nil {
			t.Fatal(err)
		}
		j.State, j.Shown, j.Finished = generate.Delivered, generate.Delivered, at
		if _, err := s.Save(t.Context(), j, quota.Settle(130_000)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
