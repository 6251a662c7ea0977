package app_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"ltxbot/core/quota"
	"ltxbot/store/storetest"
)

// TestAHoldWithoutAJobIsGivenBack puts a hold into the store that a crash
// could have left, and starts the bot.
func TestAHoldWithoutAJobIsGivenBack(t *testing.T) {
	t.Parallel()
	w := prepare(t, "text")
	s, err := storetest.OpenFile(w.cfg.Store.Path(), storetest.Options{
		Logger: slog.New(slog.DiscardHandler),
		Now:    func() time.Time { return time.Now().Add(-time.Hour) },
	})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-time.Hour)
	plan := quota.Policy{Zone: time.UTC}.Plan("k3f92mq7abcd", quota.Asker{Team: "acme", Member: "discord:1"}, 130_000, at)
	if _, err := s.Reserve(t.Context(), quota.Key{Job: "k3f92mq7abcd", Team: "acme", Member: "discord:1"}, plan); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	w.run(t)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(w.log.String(), "released holds that had outlived their jobs") {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatalf("the hold is still held; log:\n%s", w.log.String())
		}
	}
}
