package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

// Content is what a file is, as its bytes say. Its name says nothing.
type Content struct {
	Type          string  // "image/png"
	Width, Height int     // pixels, turned the way that people see it; 0 for sound
	Seconds       float64 // length; 0 for a picture that does not move
	FPS           float64 // pictures a second; 0 when there are none or it is not told
	Sound         bool
}

// ErrUnknownType says that a file is none that is read here.
var ErrUnknownType = errors.New("not a picture, sound or video of a known type")

// errDamaged says that a file of a known type can't be read: it is cut off, or
// was never whole.
var errDamaged = errors.New("file is damaged")

// source is a file that is read in small pieces.
type source struct {
	r    io.ReaderAt
	size int64
}

// at reads n bytes from offset on, or returns nil when there are not so many.
func (s source) at(offset int64, n int) []byte {
	if offset < 0 || offset > s.size-int64(n) {
		return nil
	}
	b := make([]byte, n)
	if got, _ := s.r.ReadAt(b, offset); got < n {
		return nil
	}
	return b
}

// upTo reads at most n bytes from offset on.
func (s source) upTo(offset int64, n int) []byte {
	return s.at(offset, int(max(0, min(int64(n), s.size-offset))))
}

// A signature is how files of one kind begin.
type signature struct {
	offset int
	magic  string
	read   func(source) (Content, error)
}

// signatures are the kinds of files that are read here. What comes first is
// tried first.
var signatures = []signature{
	{0, "\x89PNG\r\n\x1a\n", readPNG},
	{0, "\xff\xd8\xff", readJPEG},
	{0, "GIF87a", readGIF},
	{0, "GIF89a", readGIF},
	{8, "WEBP", readWebP},
	{8, "WAVE", readWAV},
	{4, "ftyp", readMP4},
	{4, "moov", readMP4},
	{4, "wide", readMP4},
	{0, "\x1a\x45\xdf\xa3", readWebM},
	{0, "OggS", readOgg},
	{0, "fLaC", readFLAC},
	{0, "ID3", readTagged},
	{0, "\xff", readFrames},
}

// largest is more than any width or height is, and longest more than any
// length, in seconds.
const (
	largest = 1 << 17
	longest = 1e6
)

// Inspect tells what a file of size bytes is. It reads little of it, whatever
// it holds. The error is ErrUnknownType, or says what is wrong with the file;
// then Type is there all the same.
func Inspect(r io.ReaderAt, size int64) (Content, error) {
	s := source{r, size}
	head := s.upTo(0, 16)
	for _, sig := range signatures {
		if len(head) < sig.offset || len(head[sig.offset:]) < len(sig.magic) || string(head[sig.offset:][:len(sig.magic)]) != sig.magic {
			continue
		}
		c, err := sig.read(s)
		if err == nil && !c.plausible() {
			err = fmt.Errorf("%w: %d x %d pixels, %v seconds", errDamaged, c.Width, c.Height, c.Seconds)
		}
		if err != nil {
			c = Content{Type: c.Type}
		}
		return c, err
	}
	return Content{}, ErrUnknownType
}

// plausible reports whether a file can be what its headers say.
func (c Content) plausible() bool {
	seen := c.Width > 0 && c.Height > 0 && c.Width < largest && c.Height < largest
	heard := c.Sound && c.Seconds > 0 && c.Width == 0 && c.Height == 0
	return (seen || heard) && c.Seconds >= 0 && c.Seconds < longest && !(c.FPS < 0) && !math.IsNaN(c.FPS) && !math.IsInf(c.FPS, 0)
}

// demuxers is what ffprobe calls the types that it may be asked about. It is
// told which one to use: others open files that the content names.
var demuxers = map[string]string{
	typeMP4: "mov", typeMOV: "mov", typeM4A: "mov", typeWebM: "matroska", typeWebA: "matroska", typeMatroska: "matroska",
	typeOgg: "ogg", typeFLAC: "flac", typeMP3: "mp3", typeAAC: "aac", typeWAV: "wav",
}

// An Inspector implements generate.Inspector. FFprobe, if it is there, is asked
// about files of a known type that are not read here.
type Inspector struct{ FFmpeg *FFmpeg }

// Inspect implements generate.Inspector.
func (i Inspector) Inspect(ctx context.Context, path string) (ltx.Media, error) {
	c, size, err := i.inspect(ctx, path)
	m := ltx.Media{
		Type: c.Type, Bytes: size, Width: c.Width, Height: c.Height, Seconds: c.Seconds, FPS: c.FPS,
		Sound: c.Sound && c.Width > 0, // of a clip
	}
	switch {
	case errors.Is(err, ErrUnknownType):
		err = &generate.InputError{Kind: generate.FailInputType, Err: err}
	case errors.Is(err, errDamaged):
		err = &generate.InputError{Kind: generate.FailInputBroken, Err: err}
	}
	return m, err
}

// inspect tells what the file at path is, and its size.
func (i Inspector) inspect(ctx context.Context, path string) (Content, int64, error) {
	r, err := os.Open(path) //nolint:gosec // a path of our own making
	if err != nil {
		return Content{}, 0, fmt.Errorf("inspect a file: %w", err)
	}
	defer func() { _ = r.Close() }()
	info, err := r.Stat()
	if err != nil {
		return Content{}, 0, fmt.Errorf("inspect a file: %w", err)
	}
	c, err := Inspect(r, info.Size())
	demuxer := demuxers[c.Type]
	if err == nil || i.FFmpeg == nil || demuxer == "" {
		return c, info.Size(), err
	}
	p, askErr := i.FFmpeg.ask(ctx, generate.File{Path: path, ContentType: c.Type}, "-f", demuxer)
	if askErr != nil {
		return c, info.Size(), errors.Join(err, askErr)
	}
	asked := Content{Type: c.Type, Width: p.width, Height: p.height, Seconds: p.seconds, FPS: p.fps, Sound: p.audio}
	if p.turned {
		asked.Width, asked.Height = asked.Height, asked.Width
	}
	if !asked.plausible() || asked.Seconds == 0 {
		return c, info.Size(), err
	}
	return asked, info.Size(), nil
}
