package app

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"ltxbot/internal/retry"
)

// Timeouts of a start with a platform that does not answer. Jobs go on
// meanwhile, and the other platform takes commands.
const (
	platformTimeout = 10 * time.Second // until the bot counts as started without it
	platformPause   = 2 * time.Second  // between tries, growing
	platformMost    = time.Minute
)

// outcome is what came of the start of a platform.
type outcome struct {
	platform string
	err      error
}

// start begins with all platforms at once. It returns when each is
// connected, or after a while when some are not: those are tried until they
// are. Its error is of a platform that refuses the bot for good.
func (ps platforms) start(ctx context.Context, parts *lifecycle, broken fatal, log *slog.Logger) error {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	parts.started("start of platforms", func(context.Context) error {
		end()
		return nil
	})
	outcomes := make(chan outcome, len(ps))
	waiting := map[string]bool{}
	for _, p := range ps {
		waiting[p.name] = true
		done := make(chan struct{})
		go func() {
			defer close(done)
			outcomes <- outcome{p.name, p.bring(life, log)}
			select {
			case err := <-p.Fatal():
				broken.report(err)
			case <-life.Done():
			}
		}()
		parts.started("platform", func(ctx context.Context) error {
			end()
			err := p.Stop(ctx)
			<-done
			return err
		})
	}
	late := time.NewTimer(platformTimeout)
	defer late.Stop()
	for range ps {
		select {
		case o := <-outcomes:
			if o.err != nil {
				return o.err
			}
			delete(waiting, o.platform)
		case <-late.C:
			for _, name := range slices.Sorted(maps.Keys(waiting)) {
				log.WarnContext(ctx, "a platform does not answer; it is tried again", "platform", name)
			}
			go awaitPlatforms(life, outcomes, broken)
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// awaitPlatforms passes on what ends a platform that was slow to start.
func awaitPlatforms(ctx context.Context, outcomes <-chan outcome, broken fatal) {
	for {
		select {
		case o := <-outcomes:
			if o.err != nil {
				broken.report(o.err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// bring starts a platform, and tries again while the reason may pass.
func (p platform) bring(ctx context.Context, log *slog.Logger) error {
	pauses := retry.Backoff{First: platformPause, Most: platformMost}
	for n := 1; ; n++ {
		err := p.Start(ctx)
		switch {
		case err == nil, ctx.Err() != nil:
			return nil //nolint:nilerr // a start that was called off has no outcome
		case p.ForGood(err):
			return err
		}
		log.WarnContext(ctx, "cannot start a platform; it is tried again", "platform", p.name, "pause", pauses.After(n).String(), "error", err)
		if !retry.Wait(ctx, pauses.After(n)) {
			return nil
		}
	}
}
