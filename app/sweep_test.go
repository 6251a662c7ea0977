package app_test

import (
	"log/slog"
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
	w.logs(t, "released holds that had outlived their jobs")
}
