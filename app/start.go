package app

import (
	"context"
	"log/slog"
	"time"

	"ltxbot/internal/retry"
)

// How patient a start is with a platform that does not answer. Jobs go on
// meanwhile, and the other platform takes commands.
const (
	platformPatience = 10 * time.Second // until the bot counts as started without it
	platformPause    = 2 * time.Second  // between tries, growing
	platformMost     = time.Minute
)

// start begins with all platforms at once. It returns when each is
// connected, or after a while when some are not: those are tried until they
// are. Its error is of a platform that refuses the bot for good.
func (ps platforms) start(ctx context.Context, parts *lifecycle, broken fatal, log *slog.Logger) error {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	parts.started("start of platforms", func(context.Context) error {
		end()
		return nil
	})
	outcomes := make(chan error, len(ps))
	for _, p := range ps {
		done := make(chan struct{})
		go func() {
			defer close(done)
			outcomes <- p.bring(life, log)
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
	patience := time.NewTimer(platformPatience)
	defer patience.Stop()
	for range ps {
		select {
		case err := <-outcomes:
			if err != nil {
				return err
			}
		case <-patience.C:
			log.WarnContext(ctx, "a platform does not answer; it is tried again")
			go awaitPlatforms(life, outcomes, broken)
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// awaitPlatforms passes on what ends a platform that was slow to start.
func awaitPlatforms(ctx context.Context, outcomes <-chan error, broken fatal) {
	for {
		select {
		case err := <-outcomes:
			if err != nil {
				broken.report(err)
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
		log.WarnContext(ctx, "cannot start a platform; it is tried again", "pause", pauses.After(n).String(), "error", err)
		if !retry.Wait(ctx, pauses.After(n)) {
			return nil
		}
	}
}
