package adapter_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"ltxbot/bot/adapter"
)

func TestAPanicIsLoggedAndApologizedForWithTheSameIncident(t *testing.T) {
	var logged bytes.Buffer
	log := slog.New(slog.NewTextHandler(&logged, nil))
	incidents := map[string]bool{}
	for range 2 {
		told := ""
		func() {
			defer adapter.Guard(t.Context(), log, func(incident string) { told = incident }, "interaction", "7")
			panic("out of cowboys")
		}()
		if len(told) != 8 || incidents[told] {
			t.Errorf("the incident is %q, want eight digits that are new", told)
		}
		incidents[told] = true
		for _, want := range []string{"incident=" + told, "interaction=7", `panic="out of cowboys"`, "guard_test.go"} {
			if !strings.Contains(logged.String(), want) {
				t.Errorf("the log lacks %s:\n%s", want, &logged)
			}
		}
	}
}

func TestAHandlerThatDoesNotPanicNeedsNoApology(t *testing.T) {
	defer adapter.Guard(t.Context(), slog.New(slog.DiscardHandler), func(string) { t.Error("somebody apologized") })
}
