package app

import (
	"context"

	"ltxbot/core/generate"
	"ltxbot/media"
)

// newMedia says how videos are brought to disk. Without ffmpeg, or with one
// that can't encode, the bot runs all the same.
func (a *App) newMedia() generate.MediaConfig {
	files := generate.MediaConfig{Dir: a.cfg.Media.Dir, MaxBytes: a.cfg.Media.MaxBytes}
	if a.cfg.Media.FFmpeg == "" {
		return files
	}
	tool, err := media.Find(a.cfg.Media.FFmpeg)
	if err != nil {
		a.log.Warn("no ffmpeg: videos too large for a channel are posted as links", "error", err)
		return files
	}
	files.Fitter, a.tool = tool, tool
	return files
}

// startTrial tries whether ffmpeg can encode, beside everything else: the
// first video that is too large is too late to find out.
func (a *App) startTrial(ctx context.Context) {
	if a.tool == nil {
		return
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := a.tool.Trial(ctx); err != nil && ctx.Err() == nil {
			a.log.WarnContext(ctx, "ffmpeg can't encode: videos too large for a channel are posted as links", "error", err)
		}
	}()
	a.parts.started("ffmpeg trial", func(context.Context) error {
		stop()
		<-done
		return nil
	})
}
