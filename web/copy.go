package web

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"time"

	"ltxbot/core/generate"
)

// Archive is where copies of videos are. Of an error nothing is told to people.
type Archive interface {
	// Open reads a file from offset on, or returns fs.ErrNotExist.
	Open(ctx context.Context, name string, offset int64) (io.ReadCloser, error)
}

// archived is the name of a job's video in the archive, "" if it can't be played
// from there.
func (s *Server) archived(j generate.Job) string {
	if s.cfg.Archive == nil {
		return ""
	}
	return j.Copy.Video()
}

// copy serves the video of a job from the archive, or a part of it, to who may
// see it.
func (s *Server) copy(q *request) error {
	j, err := s.theJob(q)
	if err != nil {
		return err
	}
	name := s.archived(j)
	if name == "" || !q.opens(j) {
		return errNoVideo
	}
	body := &archivedVideo{ctx: q.Context(), to: http.NewResponseController(q.w), from: s.cfg.Archive, name: name, size: j.Copy.Size}
	defer body.close()
	if err := body.open(); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = errNoVideo
		}
		return err
	}
	h := q.w.Header()
	h.Set("Content-Type", j.Copy.ContentType())
	h.Set("Content-Disposition", `inline; filename="`+generate.FileStem(j.ID)+j.Copy.Ext+`"`)
	h.Set("ETag", `"`+j.Copy.SHA256+`"`)
	h.Set("Cache-Control", "private, no-cache") // who may see it is asked each time
	http.ServeContent(q.w, q.Request, "", j.Copy.At, body)
	return nil
}

// playLimit is how long a player may not read, and an archive not answer.
const playLimit = 30 * time.Second

// archivedVideo reads a file of the archive from where it is sought to. It holds no
// more of it than is being copied.
type archivedVideo struct {
	ctx  context.Context //nolint:containedctx // that of the request which reads it
	to   *http.ResponseController
	from Archive
	name string
	size int64
	at   int64
	body io.ReadCloser // from at on; nil until it is needed
}

func (v *archivedVideo) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += v.at
	case io.SeekEnd:
		offset += v.size
	}
	if offset < 0 {
		return v.at, errors.New("sought before the beginning")
	}
	if offset != v.at {
		v.close()
	}
	v.at = offset
	return offset, nil
}

func (v *archivedVideo) Read(b []byte) (int, error) {
	if v.at >= v.size {
		return 0, io.EOF
	}
	if err := v.open(); err != nil {
		return 0, err
	}
	body := v.body
	stalled := time.AfterFunc(playLimit, func() { _ = body.Close() })
	defer stalled.Stop()
	n, err := body.Read(b)
	v.at += int64(n)
	_ = v.to.SetWriteDeadline(time.Now().Add(playLimit)) // not every connection has one
	return n, err
}

func (v *archivedVideo) open() (err error) {
	if v.body == nil {
		v.body, err = v.from.Open(v.ctx, v.name, v.at)
	}
	return err
}

func (v *archivedVideo) close() {
	if v.body != nil {
		_ = v.body.Close()
		v.body = nil
	}
}
