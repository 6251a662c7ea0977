package app

import (
	"context"
	"log/slog"

	"ltxbot/config"
	"ltxbot/core/generate"
	"ltxbot/media"
)

// newMedia says how videos are brought to disk. Without ffmpeg, or with one
// that can't encode, the bot runs all the same. trial tries whether ffmpeg can
// encode: the first video that is too large is too late to find out.
func newMedia(c config.Media, log *slog.Logger) (files generate.MediaConfig, trial func(context.Context)) {
	files, trial = generate.MediaConfig{Dir: c.Dir, MaxBytes: c.MaxBytes, Marker: media.Marker{}}, func(context.Context) {}
	if c.FFmpeg == "" {
		return files, trial
	}
	tool, err := media.Find(c.FFmpeg)
	if err != nil {
		log.Warn("no ffmpeg: videos too large for a channel are posted as links", "error", err)
		return files, trial
	}
	files.Fitter = tool
	return files, func(ctx context.Context) {
		if err := tool.Trial(ctx); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "ffmpeg can't encode: videos too large for a channel are posted as links", "error", err)
		}
	}
}
