package app_test

import (
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"ltxbot/app"
)

func TestTheLogNamesThePlatformThatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		if err := app.StartSilent(t.Context(), slog.New(slog.NewTextHandler(&log, nil)), "slack", "discord"); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"discord", "slack"} {
			if strings.Count(log.String(), "tried again\" platform="+name+"\n") != 1 {
				t.Errorf("%s is not named once:\n%s", name, log.String())
			}
		}
	})
}
