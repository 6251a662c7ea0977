package adapter_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"ltxbot/bot/adapter"
	"ltxbot/core/generate"
)

func TestADeletedVideoIsShownOnceItIsRecorded(t *testing.T) {
	lost := errors.New("the store is lost")
	for _, c := range []struct {
		name            string
		deleted, showed error
		shown           string
	}{
		{"all is well", nil, nil, "j1"},
		{"it is not recorded", lost, nil, ""},
		{"it is not shown", nil, lost, "j1"},
	} {
		var logged bytes.Buffer
		shown := ""
		adapter.ShowDeleted(t.Context(), slog.New(slog.NewTextHandler(&logged, nil)), "j1",
			func(_ context.Context, id string) (generate.Job, generate.Keep, error) {
				return generate.Job{ID: id}, nil, c.deleted
			},
			func(_ context.Context, j generate.Job, _ generate.Keep) error {
				shown = j.ID
				return c.showed
			})
		failed := c.deleted != nil || c.showed != nil
		if shown != c.shown || failed != strings.Contains(logged.String(), "job=j1") {
			t.Errorf("%s: shown is %q, the log is %q", c.name, shown, &logged)
		}
	}
}
