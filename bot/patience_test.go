package bot_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/bot"
	"ltxbot/core/generate"
	"ltxbot/core/library"
	"ltxbot/core/ltx"
	"ltxbot/core/team"
)

// stalled is an office and a library that answer when their callers have given
// up.
type stalled struct{ bot.Library }

func (stalled) Check(ctx context.Context, _ team.Actor, _ team.Order) (library.Report, error) {
	<-ctx.Done()
	return library.Report{}, ctx.Err()
}

func (stalled) Defaults(context.Context, string, string) ([]ltx.Setting, error) { return nil, nil }

type stalledOffice struct{}

func (stalledOffice) Do(ctx context.Context, _ team.Actor, _ team.Order) (team.Report, error) {
	<-ctx.Done()
	return team.Report{}, ctx.Err()
}

// A store that hangs keeps nobody waiting longer than platforms take answers, and
// no worker longer than it must.
func TestWhatHangsIsGivenUp(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(context.Context, *testing.T, *bot.Service)
		want time.Duration
	}{
		{"a job that is accepted after its acknowledgement", func(ctx context.Context, t *testing.T, d *bot.Service) {
			t.Helper()
			r := &responder{}
			if _, ok := d.Submit(ctx, ask(t, ann, cowboy), r); !ok || len(r.acks) != 1 {
				t.Errorf("there is a job: %t, acknowledged %v", ok, r.acks)
			}
		}, 20 * time.Second},
		{"the form for a job", func(_ context.Context, _ *testing.T, d *bot.Service) { d.Remix(caller(ann), jobA, nil) }, time.Second}, //nolint:contextcheck // Remix bounds itself
		{"an order about quotas", func(ctx context.Context, _ *testing.T, d *bot.Service) {
			d.OrderLine(ctx, admin("en"), "admin", "pause")
		}, 5 * time.Second},
		{"an order about LoRAs", func(ctx context.Context, _ *testing.T, d *bot.Service) {
			d.LoRAsLine(ctx, admin("en"), "add film acme/film")
		}, 5 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &fakeGenerator{jobs: map[string]generate.Job{}, stall: true}
				d := bot.New(bot.Config{Generator: g, Rules: rules, Office: stalledOffice{}, Library: stalled{}, LoRAs: &fakeChecker{}})
				begun := time.Now()
				tt.do(t.Context(), t, d)
				if took := time.Since(begun); took != tt.want {
					t.Errorf("given up after %s, want %s", took, tt.want)
				}
			})
		})
	}
}
