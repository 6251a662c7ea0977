package generate

import (
	"context"
	"errors"
	"fmt"
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
	// Mark returns in with a mark that says m: with patches that add at most
	// MarkRoom bytes. It returns ErrMarked for a file that has one, or that must
	// not be changed since it is signed.
	Mark(in File, m Mark) (File, error)
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
	out, err := m.mark(file)
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

func (m *media) mark(file File) (File, error) {
	if m.e.cfg.Media.Marker == nil {
		return File{}, errors.New("nothing marks files")
	}
	return m.e.cfg.Media.Marker.Mark(file, Mark{Model: m.job.Endpoint, Job: m.job.ID})
}

// room is how large a file may be that is marked afterwards.
func (m *media) room(limit int64) int64 {
	if m.e.cfg.Media.Marker == nil {
		return limit
	}
	return max(limit-MarkRoom, limit/2)
}

// Evidence is what a file tells of where it comes from.
type Evidence struct {
	SHA256 string `json:"sha256"`           // of the whole file, in hexadecimal
	Mark   *Mark  `json:"mark,omitempty"`   // nil when it has none that says that a model made it
	Signed bool   `json:"signed,omitempty"` // it has a C2PA manifest, which is not checked
}
