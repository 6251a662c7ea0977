// Package archive keeps copies of delivered videos: in a folder, or in a bucket
// that speaks S3. Who puts what there, and when, is core/generate's to decide.
//
// Names are relative paths with slashes: "acme/2026/11/k3f92mq7abcd.mp4". A
// backend refuses any other.
package archive

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path/filepath"
)

// An Archive keeps files by name. Its methods may be called from many goroutines
// and again after any error; their errors hold no secret.
type Archive interface {
	// Put writes size bytes of body as name, in place of what is there: all of
	// them or nothing.
	Put(ctx context.Context, name, contentType string, body io.ReadSeeker, size int64) error
	// Open reads name from offset on. The error is fs.ErrNotExist when it is not
	// there.
	Open(ctx context.Context, name string, offset int64) (io.ReadCloser, error)
	// Delete removes name. What is not there is removed.
	Delete(ctx context.Context, name string) error
}

// Config says where an archive is.
type Config struct {
	URL string // "file:///srv/videos", "s3://bucket/prefix"
	// The rest is for S3.
	Endpoint  string // "https://s3.example.com"; empty = that of AWS in the region
	Region    string
	AccessKey string
	SecretKey string
}

// New returns the archive that c names. It contacts nobody.
func New(c Config) (Archive, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, err
	}
	switch u.Scheme {
	case "file":
		return folder{filepath.FromSlash(u.Path)}, nil
	case "s3":
		return newS3(c, u)
	}
	return nil, fmt.Errorf("an archive is file:///FOLDER or s3://BUCKET/PREFIX, not %s", u.Scheme)
}

// Try writes, reads and removes a small file.
func Try(ctx context.Context, a Archive) error {
	name, text := "ltxbot-doctor-"+rand.Text()+".txt", []byte("written by ltxbot to try the archive; it may be deleted\n")
	if err := a.Put(ctx, name, "text/plain", bytes.NewReader(text), int64(len(text))); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if err := read(ctx, a, name, text); err != nil {
		return errors.Join(fmt.Errorf("read: %w", err), a.Delete(ctx, name))
	}
	if err := a.Delete(ctx, name); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	return nil
}

// read checks what a file holds but for its first byte, as a player that skips
// does.
func read(ctx context.Context, a Archive, name string, want []byte) error {
	body, err := a.Open(ctx, name, 1)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	got, err := io.ReadAll(io.LimitReader(body, int64(len(want))))
	if err == nil && !bytes.Equal(got, want[1:]) {
		err = errors.New("it holds something else than was written")
	}
	return err
}

// checkName refuses what is not a relative path of plain names.
func checkName(name string) error {
	if name == "." || !fs.ValidPath(name) || !filepath.IsLocal(filepath.FromSlash(name)) {
		return fmt.Errorf("%q can't be a name in the archive", name)
	}
	return nil
}
