package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"ltxbot/app"
	"ltxbot/config"
	"ltxbot/core/generate"
	"ltxbot/sim/fal"
)

// A stage is the real bot with a simulated fal behind it.
type stage struct {
	fal *fal.Server
	app *app.App
}

// newStage starts the bot. set makes it a bot of some platform, with limits:
// who has the tier "studio" may make many videos, anybody else one a day.
func newStage(ctx context.Context, b *bench, set func(*config.Config, *config.Tier)) (_ *stage, err error) {
	s := &stage{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close(ctx))
		}
	}()
	quick := fal.Timing{Queue: 150 * time.Millisecond, Run: 300 * time.Millisecond}
	s.fal, err = fal.Start(fal.Options{Concurrency: 20, Timing: quick})
	if err != nil {
		return s, err
	}
	dir, err := os.MkdirTemp(b.tmp, "bot-")
	if err != nil {
		return s, err
	}
	cfg := config.Default()
	cfg.Fal.Key = config.NewSecret(s.fal.Key())
	cfg.Fal.QueueURL, cfg.Fal.RestURL, cfg.Fal.APIURL = s.fal.QueueURL(), s.fal.RESTURL(), s.fal.APIURL()
	cfg.Fal.MediaHosts = []string{s.fal.MediaHost()}
	cfg.HTTP.Listen = "127.0.0.1:0"
	cfg.Store.URL = config.NewSecret("bolt:" + dir + "/ltx.db")
	cfg.Media.Dir = dir
	cfg.Media.FFmpeg = "" // what is too large becomes a link
	cfg.Quota.Member = config.Limit{VideosPerDay: 1, USDPerMonth: 10, JobsAtATime: 1}
	cfg.Quota.Team = config.Limit{USDPerMonth: 200}
	studio := config.Tier{Name: "studio", Limit: config.Limit{VideosPerDay: 100, JobsAtATime: 3}}
	set(&cfg, &studio)
	cfg.Quota.Tiers = []config.Tier{studio}
	if err := cfg.Resolve(func(string) (string, bool) { return "", false }); err != nil {
		return s, err
	}
	if err := cfg.Validate(); err != nil {
		return s, err
	}
	logger := slog.New(slog.NewTextHandler(b.out, &slog.HandlerOptions{Level: slog.LevelError}))
	s.app, err = app.New(ctx, cfg, app.Options{Version: "contract", Logger: logger})
	if err != nil {
		return s, err
	}
	return s, s.app.Start(ctx)
}

// stopWithin is how long the bot may take to stop.
const stopWithin = 30 * time.Second

func (s *stage) close(ctx context.Context) error {
	var err error
	if s.app != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
		defer cancel()
		err = s.app.Stop(ctx)
	}
	if s.fal != nil {
		s.fal.Close()
	}
	return err
}

// lookEvery is how often the state of a job is looked at.
const lookEvery = 10 * time.Millisecond

// until waits until the job of an event is in one of the states.
func (s *stage) until(ctx context.Context, event string, states ...generate.State) (generate.Job, error) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	id := generate.NewID(event)
	for {
		j, err := s.app.Job(ctx, id)
		switch {
		case err == nil && slices.Contains(states, j.State):
			return j, nil
		case err == nil && j.State.Terminal():
			return j, fmt.Errorf("job %s is %s (%s), want %v", id, j.State, j.Failure.Kind, states)
		case err != nil && !errors.Is(err, generate.ErrNoJob):
			return j, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return j, fmt.Errorf("job %s is %q, want %v: %w", id, j.State, states, ctx.Err())
		}
	}
}

// A scene is one thing that people do with the bot.
type scene struct {
	name string
	play func(context.Context)
}

// stopped is a scene that something has ended.
type stopped struct{ err error }

// must ends the scene where something has failed.
func must(err error) {
	if err != nil {
		panic(stopped{err})
	}
}

// got is what a call returns that must not fail.
func got[T any](v T, err error) T {
	must(err)
	return v
}

// sceneLimit bounds one scene. The longest takes 12 seconds, most of them one.
const sceneLimit = 5 * time.Minute

// play plays scenes one after the other.
func (b *bench) play(ctx context.Context, scenes []scene) error {
	for _, s := range scenes {
		begin := time.Now()
		if err := s.within(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Fprintf(b.out, "   %s: ok, %.1f s\n", s.name, time.Since(begin).Seconds())
	}
	return nil
}

func (s scene) within(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, sceneLimit)
	defer cancel()
	defer func() {
		r := recover()
		if end, ok := r.(stopped); ok {
			err = end.err
		} else if r != nil {
			panic(r)
		}
	}()
	s.play(ctx)
	return nil
}
