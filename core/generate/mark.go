package generate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// A Mark is what a video file says of itself for machines: that a model made
// it, which one, and for which job. Anybody can write one.
type Mark struct {
	Model string `json:"model"` // the endpoint
	Job   string `json:"job"`
}

// MarkRoom is how many bytes a mark adds to a file at most.
const MarkRoom = 4 << 10

// A Marker writes marks into files.
type Marker interface {
	// Mark returns in with a mark that says m: a copy in dir, of at most
	// MarkRoom bytes more. It returns ErrMarked for a file that has one, or
	// that must not be changed since it is signed. After any other error the
	// file is as it was, too.
	Mark(ctx context.Context, in File, dir string, m Mark) (File, error)
}

// ErrMarked says that a file says already what it is.
var ErrMarked = errors.New("file has a mark of its own")

// Marking is what became of the mark of a file that is posted.
type Marking string

// The outcomes of marking a file.
const (
	MarkWritten Marking = "written"
	MarkFound   Marking = "found"   // the file had one, or is signed
	MarkMissing Marking = "missing" // it can't be marked; the log says why
)

// marked is file with a mark, if it can have one within limit bytes, and with
// its hash. A video is never held back for the want of them.
func (m *media) marked(ctx context.Context, file File, limit int64) File {
	out, err := m.mark(ctx, file)
	switch {
	case err == nil && out.Size <= limit:
		file, file.Mark = out, MarkWritten
	case errors.Is(err, ErrMarked):
		file.Mark = MarkFound
	default:
		file.Mark = MarkMissing
		if err == nil {
			err = fmt.Errorf("the file has %d bytes with it, and %d fit", out.Size, limit)
		}
		m.e.log.WarnContext(ctx, "cannot write into the video that it was made by AI; it is posted without that", "job", m.job.ID, "type", file.ContentType, "error", err)
	}
	sum, err := file.hash()
	if err != nil {
		m.e.log.WarnContext(ctx, "cannot compute the hash of the video; it is not recognised later", "job", m.job.ID, "error", err)
	}
	file.SHA256 = sum
	return file
}

func (m *media) mark(ctx context.Context, file File) (File, error) {
	if m.e.cfg.Media.Marker == nil {
		return File{}, errors.New("nothing marks files")
	}
	return m.e.cfg.Media.Marker.Mark(ctx, file, m.dir, Mark{Model: m.job.Endpoint, Job: m.job.ID})
}

// room is how large a file may be that is marked afterwards.
func (m *media) room(limit int64) int64 {
	if m.e.cfg.Media.Marker == nil {
		return limit
	}
	return max(limit-MarkRoom, limit/2)
}

// hash is the SHA-256 of the file, in hexadecimal.
func (f File) hash() (sum string, err error) {
	r, err := f.Open()
	if err != nil {
		return "", err
	}
	defer func() { _ = r.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Evidence is what a file tells of where it comes from.
type Evidence struct {
	SHA256 string `json:"sha256"`           // of the whole file, in hexadecimal
	Mark   *Mark  `json:"mark,omitempty"`   // nil when it has none that says that a model made it
	Signed bool   `json:"signed,omitempty"` // it has a C2PA manifest, which is not checked
}
