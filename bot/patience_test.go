package bot_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/bot"
	"ltxbot/core/generate"
	"ltxbot/core/library"
	"ltxbot/core/library/librarytest"
	"ltxbot/core/ltx"
	"ltxbot/core/team"
)

// stalledShelf and stalledOffice answer when their callers have given up.
type stalledShelf struct{ *librarytest.Memory }

func (stalledShelf) EditLoRA(ctx context.Context, _, _ string, _ func(*library.Entry, int) (*library.Entry, team.Record, error)) error {
	<-ctx.Done()
	return ctx.Err()
}

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
				shelf := stalledShelf{librarytest.NewMemory()}
				shelves := library.NewOffice(library.OfficeConfig{
					Store: shelf, Shelf: library.NewShelf(shelf, slog.New(slog.DiscardHandler)), Rules: func() ltx.Rules { return ltx.Rules{} }, Files: &fakeChecker{}, Blocked: blocksEve,
				})
				d := bot.New(bot.Config{Generator: g, Rules: rules, Office: stalledOffice{}, Library: shelves})
				begun := time.Now()
				tt.do(t.Context(), t, d)
				if took := time.Since(begun); took != tt.want {
					t.Errorf("given up after %s, want %s", took, tt.want)
				}
			})
		})
	}
}
