package adapter

import (
	"context"
	"log/slog"

	"ltxbot/core/generate"
)

// ShowDeleted makes the card of a job say that its video was deleted: deleted
// records that, and show is the courier's.
func ShowDeleted(
	ctx context.Context, log *slog.Logger, job string,
	deleted func(context.Context, string) (generate.Job, generate.Keep, error),
	show func(context.Context, generate.Job, generate.Keep) error,
) {
	j, keep, err := deleted(ctx, job)
	if err == nil {
		err = show(ctx, j, keep)
	}
	if err != nil {
		log.WarnContext(ctx, "cannot show that a video was deleted", "job", job, "error", err)
	}
}
