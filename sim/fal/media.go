package fal

import (
	"bytes"
	"crypto/rand"
	_ "embed" // the clips
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// The clips are made by testdata/clip.sh.
//
//go:generate sh -c "cd testdata && ./clip.sh"
var (
	//go:embed testdata/clip.mp4
	clipMP4 []byte
	//go:embed testdata/clip.webm
	clipWebM []byte
	//go:embed testdata/clip.mov
	clipMOV []byte
	//go:embed testdata/clip.gif
	clipGIF []byte
)

// A format is what a video_output_type gives.
type format struct {
	extension   string
	contentType string
	clip        []byte
}

var formats = map[string]format{
	"X264 (.mp4)":       {".mp4", "video/mp4", clipMP4},
	"VP9 (.webm)":       {".webm", "video/webm", clipWebM},
	"PRORES4444 (.mov)": {".mov", "video/quicktime", clipMOV},
	"GIF (.gif)":        {".gif", "image/gif", clipGIF},
}

func formatOf(name string) format {
	if f, ok := formats[name]; ok {
		return f
	}
	return formats["X264 (.mp4)"]
}

// Clip returns the MP4 that the simulator serves: 4 seconds of H.264 and AAC.
func Clip() []byte { return bytes.Clone(clipMP4) }

// A file is on the simulated CDN.
type file struct {
	dir, name   string
	contentType string
	content     io.ReaderAt
	size        int64
	made        time.Time
	gone        time.Time
	life        time.Duration // as its uploader asked; 0 = the simulator's
	uploaded    bool
}

// publish puts a clip on the CDN, padded to at least size bytes. The caller
// holds mu.
func (s *Server) publish(f format, size int64, now time.Time) *file {
	p := newPadded(f.clip, size)
	return s.store(&file{
		name: rand.Text() + f.extension, contentType: f.contentType, content: p, size: p.size, made: now, gone: now.Add(s.o.MediaTTL),
	})
}

// store gives f a place on the CDN. The caller holds mu.
func (s *Server) store(f *file) *file {
	f.dir = "0a" + strings.ToLower(rand.Text()[:6])
	s.files[f.dir+"/"+f.name] = f
	return f
}

func (s *Server) fileURL(f *file) string {
	return s.base.JoinPath("media/files/b", f.dir, f.name).String()
}

// ExpireMedia removes every file from the CDN.
func (s *Server) ExpireMedia() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.files)
}

// serveFile serves a file with ranges. It is public: a key has no business
// here.
func (s *Server) serveFile(w http.ResponseWriter, r *http.Request, fault Fault) {
	if r.Header.Get("Authorization") != "" {
		s.violate("GET %s: the key was sent to the CDN", r.URL.Path)
	}
	s.mu.Lock()
	f := s.files[r.PathValue("dir")+"/"+r.PathValue("name")]
	s.mu.Unlock()
	if f == nil || s.now().After(f.gone) {
		a := reply{status: http.StatusNotFound, header: http.Header{}, body: []byte("Not Found")}
		a.send(w)
		return
	}
	w.Header().Set("Content-Type", f.contentType)
	w.Header().Set("ETag", fmt.Sprintf("%q", f.dir))
	out := &counting{ResponseWriter: w, left: -1}
	if fault.Cut > 0 {
		out.left = int64(fault.Cut)
	}
	http.ServeContent(out, r, "", f.made, io.NewSectionReader(f.content, 0, f.size))
}

// counting breaks the connection off after left bytes unless that is negative.
type counting struct {
	http.ResponseWriter
	left int64
}

func (c *counting) Write(p []byte) (int, error) {
	if c.left < 0 || int64(len(p)) < c.left {
		if c.left >= 0 {
			c.left -= int64(len(p))
		}
		return c.ResponseWriter.Write(p)
	}
	_, _ = c.ResponseWriter.Write(p[:c.left])
	_ = http.NewResponseController(c.ResponseWriter).Flush()
	panic(http.ErrAbortHandler)
}

// padded is a clip with a "free" box of zeros behind it, which players skip:
// a valid MP4 of any size that takes no memory.
type padded struct {
	head []byte
	size int64
}

func newPadded(clip []byte, size int64) padded {
	const header = 16 // size 1 says that a 64-bit size follows the type
	rest := size - int64(len(clip))
	if rest < header {
		return padded{head: clip, size: int64(len(clip))}
	}
	head := append(bytes.Clone(clip), 0, 0, 0, 1, 'f', 'r', 'e', 'e')
	return padded{head: binary.BigEndian.AppendUint64(head, uint64(rest)), size: size}
}

func (p padded) ReadAt(b []byte, off int64) (int, error) {
	if off < 0 || off >= p.size {
		return 0, io.EOF
	}
	n := int(min(int64(len(b)), p.size-off))
	clear(b[:n])
	if off < int64(len(p.head)) {
		copy(b[:n], p.head[off:])
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}
