package media

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"ltxbot/core/generate"
)

// Marker writes into finished videos that a model made them. It needs no other
// program, changes no picture and no sound, and reads a file only where its
// parts begin.
type Marker struct{}

// Mark implements generate.Marker.
func (Marker) Mark(in generate.File, m generate.Mark) (generate.File, error) {
	r, err := in.Open()
	if err != nil {
		return generate.File{}, fmt.Errorf("mark the video: %w", err)
	}
	defer func() { _ = r.Close() }()
	e, err := markEdit(r, in.Size, m)
	if err != nil {
		return generate.File{}, fmt.Errorf("mark the video: %w", err)
	}
	in.Patches = append(slices.Clip(in.Patches), e.patches...)
	in.Size = e.size
	return in, nil
}

// markEdit is what writes a mark into a file of so many bytes.
func markEdit(r io.ReaderAt, size int64, m generate.Mark) (edit, error) {
	c, err := open(r, size)
	if err != nil {
		return edit{}, err
	}
	found, err := c.look()
	switch {
	case err != nil:
		return edit{}, err
	case found.signed:
		return edit{}, fmt.Errorf("%w: it is signed", generate.ErrMarked)
	}
	if _, ok := found.mark(); ok {
		return edit{}, generate.ErrMarked
	}
	return c.edit(m)
}

// A container is a file of one format, as far as marks go.
type container interface {
	// look finds what the file says of itself.
	look() (found, error)
	// edit is what adds a mark. It is called after look.
	edit(m generate.Mark) (edit, error)
}

// found is what a file says of itself.
type found struct {
	packets [][]byte // of XMP
	marks   []generate.Mark
	signed  bool // it has a C2PA manifest, which a change would break
}

// maxPackets is how many packets of one file are read: the last ones.
const maxPackets = 16

func (f *found) add(packet []byte) {
	if len(f.packets) == maxPackets {
		f.packets = f.packets[1:]
	}
	f.packets = append(f.packets, packet)
}

// mark is the mark among what was found.
func (f found) mark() (generate.Mark, bool) {
	for _, p := range f.packets {
		if m, ok := readPacket(p); ok {
			return m, true
		}
	}
	if len(f.marks) > 0 {
		return f.marks[0], true
	}
	return generate.Mark{}, false
}

// errFormat says that a file has a format that can't be marked.
var errFormat = errors.New("not a file that can be marked")

// open tells the format of a file by its first bytes.
func open(r io.ReaderAt, size int64) (container, error) {
	s := source{r, size}
	switch head := s.upTo(0, 16); {
	case bytes.HasPrefix(head, []byte("GIF8")):
		return &gifFile{source: s}, nil
	case bytes.HasPrefix(head, []byte("\x1a\x45\xdf\xa3")):
		return &webmFile{source: s}, nil
	case len(head) >= 8 && string(head[4:8]) == "ftyp":
		return &mp4File{source: s}, nil
	}
	return nil, errFormat
}

// An edit changes a file: some of its bytes, and its size.
type edit struct {
	patches []generate.Patch
	size    int64
}

// editEnd is an edit of a file of which so many bytes stay, with tail after
// them.
func editEnd(keep int64, tail []byte) edit {
	return edit{[]generate.Patch{{At: keep, Bytes: tail}}, keep + int64(len(tail))}
}

// patch changes bytes that stay.
func (e *edit) patch(at int64, bytes []byte) {
	e.patches = append(e.patches, generate.Patch{At: at, Bytes: bytes})
}

// until reads until ctx is done.
type until struct {
	ctx context.Context //nolint:containedctx // of one copy
	r   io.Reader
}

func (u *until) Read(b []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(b)
}

// ReadEvidence reads what the file at path tells of where it comes from.
func ReadEvidence(ctx context.Context, path string) (generate.Evidence, error) {
	r, err := os.Open(path) //nolint:gosec // whoever asks names it
	if err != nil {
		return generate.Evidence{}, fmt.Errorf("read evidence of a file: %w", err)
	}
	defer func() { _ = r.Close() }()
	h := sha256.New()
	size, err := io.Copy(h, &until{ctx, r})
	if err != nil {
		return generate.Evidence{}, fmt.Errorf("read evidence of a file: %w", err)
	}
	e := generate.Evidence{SHA256: hex.EncodeToString(h.Sum(nil))}
	c, err := open(r, size)
	if err != nil {
		return e, nil // the hash is evidence enough
	}
	f, err := c.look()
	if err != nil {
		return e, nil
	}
	e.Signed = f.signed
	if m, ok := f.mark(); ok {
		e.Mark = &m
	}
	return e, nil
}
