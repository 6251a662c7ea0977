package adapter

import (
	"context"
	"log/slog"

	"ltxbot/core/generate"
)

// ShowDeleted makes the card of a job say that its videos were deleted.
func ShowDeleted(ctx context.Context, log *slog.Logger, courier generate.Courier, j generate.Job, keep generate.Keep) {
	if err := courier.Show(ctx, j, keep); err != nil {
		log.WarnContext(ctx, "cannot show that a video was deleted", "job", j.ID, "error", err)
	}
}
