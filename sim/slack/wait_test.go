package slack_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"ltxbot/sim/slack"
)

func TestAWaitThatEndsSaysWhatItWaitedFor(t *testing.T) {
	w := newWorld(t, slack.Options{})
	w.ann.Say(w.general, "good morning", "")
	empty := w.ws.AddChannel(slack.ChannelSpec{Name: "empty"})
	never := func(slack.Message) bool { return false }
	noView := func(slack.View) bool { return false }
	tests := map[string]struct {
		wait func(context.Context) error
		want string
	}{
		"anything": {
			func(ctx context.Context) error { return w.Wait(ctx, func() bool { return false }) },
			"wait for slack, 0 connections, 0 calls, the last none: ",
		},
		"connections": {
			func(ctx context.Context) error { return w.WaitConnected(ctx, 2) },
			"wait for 2 connections, there are 0: ",
		},
		"a message": {
			func(ctx context.Context) error { _, err := w.general.WaitMessage(ctx, never); return err },
			`wait for a message in #general, the last of 1 is "good morning": `,
		},
		"a message in an empty channel": {
			func(ctx context.Context) error { _, err := empty.WaitMessage(ctx, never); return err },
			"wait for a message in #empty, which is empty: ",
		},
		"a form": {
			func(ctx context.Context) error { _, err := w.ann.WaitView(ctx, noView); return err },
			"wait for a form of ann, none is open: ",
		},
		"a Home tab": {
			func(ctx context.Context) error { _, err := w.ann.WaitHome(ctx, noView); return err },
			"wait for the Home tab of ann, which is empty: ",
		},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			err := c.wait(ctx)
			if !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %v, want %q and why it ended", err, c.want)
			}
		})
	}
}
