package media

import (
	"context"
	_ "embed" // the sample
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"ltxbot/core/generate"
)

// sample is half a second of H.264 and AAC. It is made by testdata/sample.sh.
//
//go:generate sh -c "cd testdata && ./sample.sh"
//go:embed testdata/sample.mp4
var sample []byte

// trialLimit is long enough for ffmpeg to start on a busy machine.
const trialLimit = 30 * time.Second

// Trial re-encodes a small video in the way of a large one. An error says what
// ffmpeg lacks: many builds come without libx264.
func (f *FFmpeg) Trial(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, trialLimit, fmt.Errorf("ffmpeg takes longer than %s for a small video", trialLimit))
	defer cancel()
	dir, err := os.MkdirTemp("", "ltx-trial-")
	if err != nil {
		return fmt.Errorf("try ffmpeg: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	in := generate.File{Path: filepath.Join(dir, "in.mp4"), Name: "in.mp4", Size: int64(len(sample)), ContentType: mp4}
	if err := os.WriteFile(in.Path, sample, 0o600); err != nil {
		return fmt.Errorf("try ffmpeg: %w", err)
	}
	p, err := f.ask(ctx, in)
	if err != nil {
		return err
	}
	if !p.audio || !p.codecPlays() {
		return errors.New("ffprobe does not know H.264 and AAC")
	}
	job := encode{f: f, in: in, probe: p, dir: dir}
	out, err := job.twoPass(ctx, filepath.Join(dir, "out.mp4"), leastKbps, 1)
	if err != nil {
		return err
	}
	if out.Size == 0 {
		return errors.New("ffmpeg wrote an empty file")
	}
	return nil
}
