package app

import (
	"context"
	"log/slog"
	"time"

	"ltxbot/config"
	"ltxbot/core/generate"
)

// How often old jobs are removed, and how long that may take; what is left then
// is for the next time.
const (
	retentionEvery   = 6 * time.Hour
	retentionTimeout = 10 * time.Minute
)

// keeper lets go of what is older than the config says, and of files that a
// crash has left. Several processes may do so.
type keeper struct {
	keep  config.Retention
	store *storage
	files *generate.Engine
	log   *slog.Logger
}

// tidy lets go of all that is too old now.
func (k keeper) tidy(ctx context.Context) {
	k.files.SweepFiles(ctx)
	k.applyRetention(ctx, time.Now())
}

// applyRetention removes all that is too old by now.
func (k keeper) applyRetention(ctx context.Context, now time.Time) {
	call, cancel := context.WithTimeout(ctx, retentionTimeout)
	defer cancel()
	n, err := k.store.ApplyRetention(call, cutoff(now, k.keep.Jobs.Duration), cutoff(now, k.keep.Prompts.Duration))
	if err != nil && ctx.Err() == nil {
		k.log.WarnContext(ctx, "cannot remove what is too old; it is tried again", "error", err)
	}
	if n > 0 {
		k.log.InfoContext(ctx, "removed what was too old", "jobs", n)
	}
}

// cutoff is the time of which everything before is too old; zero if nothing is.
func cutoff(now time.Time, keep time.Duration) time.Time {
	if keep <= 0 {
		return time.Time{}
	}
	return now.Add(-keep)
}
