package app

import (
	"context"
	"log/slog"

	"ltxbot/app/metrics"
	"ltxbot/archive"
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

// OpenArchive opens the archive of a config, nil if there is none.
func OpenArchive(c config.Archive) (archive.Archive, error) {
	if !c.On() {
		return nil, nil //nolint:nilnil // there may be no archive
	}
	return archive.New(archive.Config{
		URL: c.URL, Endpoint: c.Endpoint, Region: c.Region, AccessKey: c.AccessKey.Reveal(), SecretKey: c.SecretKey.Reveal(),
	})
}

// newCopies says where copies of delivered videos are kept.
func newCopies(files archive.Archive, store *storage, m *metrics.Metrics) generate.CopyConfig {
	if files == nil {
		return generate.CopyConfig{}
	}
	return generate.CopyConfig{Files: files, Queue: store, Observe: m.Archived}
}
