package media

import (
	"bytes"
	"context"
	"io"
	"time"

	"ltxbot/core/generate"
)

// Facts is what is known of a file.
type Facts struct {
	Seconds        float64
	Codec, Pixels  string
	Width, Height  int
	Audio, Playing bool
}

func (p probe) facts() Facts {
	return Facts{p.seconds, p.codec, p.pixels, p.width, p.height, p.audio, p.plays()}
}

// ErrOdd is what an MP4 gives that ffprobe must read.
var ErrOdd = errOdd

// Profiles are those of H.264 that play everywhere.
var Profiles = []int{profileBaseline, profileMain, profileHigh}

// Describe tells what an MP4 is from its boxes.
func Describe(path string) (Facts, error) {
	p, err := describe(path)
	return p.facts(), err
}

// DescribeBytes is the same for an MP4 in memory.
func DescribeBytes(b []byte) (Facts, bool, error) {
	x, err := readIndex(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return Facts{}, false, err
	}
	p, err := x.describe()
	return p.facts(), p.faststart, err
}

// Ask asks ffprobe.
func (f *FFmpeg) Ask(ctx context.Context, in generate.File) (Facts, error) {
	p, err := f.ask(ctx, in)
	return p.facts(), err
}

// MoveIndex writes an MP4 in memory with its index in front.
func MoveIndex(w io.Writer, b []byte) error {
	x, err := readIndex(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return err
	}
	return x.rewrite(w, bytes.NewReader(b))
}

// EncodeCores is how many of so many cores encode.
var EncodeCores = encodeCores

// UseCores makes the machine one of so many cores for encoding.
func (f *FFmpeg) UseCores(n int) { f.cores = make(chan struct{}, n) }

// How long ffmpeg may take for a video, and for the trial.
const (
	EncodeLimit = encodeLimit
	TrialLimit  = trialLimit
)

// LimitEncoding sets how long an encode may take.
func (f *FFmpeg) LimitEncoding(d time.Duration) { f.limit = d }

// MarkBytes marks a file in memory.
func MarkBytes(b []byte, m generate.Mark) ([]byte, error) {
	e, err := markEdit(bytes.NewReader(b), int64(len(b)), m)
	if err != nil {
		return nil, err
	}
	out := append(bytes.Clone(b), make([]byte, max(0, e.size-int64(len(b))))...)[:e.size]
	for _, p := range e.patches {
		copy(out[p.At:], p.Bytes)
	}
	return out, nil
}

// MarkOf reads the mark of a file in memory.
func MarkOf(b []byte) (generate.Mark, bool) {
	c, err := open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return generate.Mark{}, false
	}
	f, err := c.look()
	if err != nil {
		return generate.Mark{}, false
	}
	return f.mark()
}

// ReadPacket reads an XMP packet.
var ReadPacket = readPacket
