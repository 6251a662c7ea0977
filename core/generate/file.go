package generate

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"sync"
)

// File is media on disk.
type File struct {
	Path        string
	Patches     []Patch // make the media of what is at Path
	Name        string  // as a person sees it: "ltx-k3f92mq7abcd.mp4"
	Size        int64   // bytes, with the patches
	ContentType string
	Fit         Fit
	Mark        Marking // what became of the mark in it
	SHA256      string  // in hexadecimal; empty when not known
}

// A Patch is what is read in place of what is on the disk. It may go on after
// the end of the file there, or begin at it.
type Patch struct {
	At    int64
	Bytes []byte
}

// FileStem is the name of a job's video, without its extension.
func FileStem(job string) string { return "ltx-" + job }

// there reports whether the file is still on disk.
func (f File) there() bool {
	_, err := os.Stat(f.Path)
	return f.Path != "" && err == nil
}

// A Reader reads a File.
type Reader struct {
	*io.SectionReader

	file *os.File
}

// Close closes the file.
func (r *Reader) Close() error { return r.file.Close() }

// Open opens the file for reading.
func (f File) Open() (*Reader, error) {
	file, err := os.Open(f.Path)
	if err != nil {
		return nil, err
	}
	return &Reader{io.NewSectionReader(patched{file, f.Patches}, 0, f.Size), file}, nil
}

// patched reads a file through patches.
type patched struct {
	file    io.ReaderAt
	patches []Patch
}

func (p patched) ReadAt(b []byte, off int64) (int, error) {
	n, err := p.file.ReadAt(b, off)
	for _, patch := range p.patches {
		// What of the patch is in b, as a part of b.
		from, to := max(patch.At, off)-off, min(patch.At+int64(len(patch.Bytes)), off+int64(len(b)))-off
		if from < to && from <= int64(n) {
			copy(b[from:to], patch.Bytes[from+off-patch.At:])
			n = max(n, int(to))
		}
	}
	if n == len(b) && errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// hash is the SHA-256 of the file, in hexadecimal.
func (f File) hash() (sum string, err error) {
	r, err := f.Open()
	if err != nil {
		return "", err
	}
	defer func() { _ = r.Close() }()
	h := sha256.New()
	if _, err := copyMedia(h, r); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// buffers are for copying media: larger ones than those of io.Copy, since each
// part costs two calls of the system.
var buffers = sync.Pool{New: func() any { return new([128 << 10]byte) }}

// copyMedia is io.Copy with such a buffer.
func copyMedia(w io.Writer, r io.Reader) (int64, error) {
	buffer := buffers.Get().(*[128 << 10]byte) //nolint:forcetypeassert // the pool has nothing else
	defer buffers.Put(buffer)
	// Hidden are the methods that would copy in another way.
	return io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{r}, buffer[:])
}
