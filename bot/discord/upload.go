package discord

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"
)

// An upload is a file on disk on its way into a message.
type upload struct {
	path        string
	name        string
	size        int64
	contentType string
}

// A form is a multipart body of a message and a file. The file is read from
// disk as it is sent, and its size is known before, so that an upload costs
// no memory whatever its size.
// https://discord.com/developers/docs/reference#uploading-files
type form struct {
	file        *upload
	head, tail  string
	size        int64 // of the whole body
	contentType string
}

func (u *upload) form(payload []byte) (*form, error) {
	var random [16]byte
	if _, err := rand.Read(random[:]); err != nil {
		return nil, err
	}
	boundary := "ltx" + hex.EncodeToString(random[:])
	f := &form{file: u, contentType: "multipart/form-data; boundary=" + boundary}
	f.head = "--" + boundary + "\r\n" +
		"Content-Disposition: form-data; name=\"payload_json\"\r\n" +
		"Content-Type: application/json\r\n\r\n" +
		string(payload) + "\r\n" +
		"--" + boundary + "\r\n" +
		"Content-Disposition: form-data; name=\"files[0]\"; filename=\"" + headerSafe(u.name) + "\"\r\n" +
		"Content-Type: " + headerSafe(u.contentType) + "\r\n\r\n"
	f.tail = "\r\n--" + boundary + "--\r\n"
	f.size = int64(len(f.head)) + u.size + int64(len(f.tail))
	return f, nil
}

// open begins to read the body. touch is called while it is read. Whoever
// sends the body closes it.
func (f *form) open(touch func()) (io.ReadCloser, error) {
	file, err := os.Open(f.file.path)
	if err != nil {
		return nil, fmt.Errorf("open the video: %w", err)
	}
	parts := io.MultiReader(strings.NewReader(f.head), io.LimitReader(file, f.file.size), strings.NewReader(f.tail))
	return &body{Reader: parts, Closer: file, touch: touch}, nil
}

// body reads from several parts and closes the file among them.
type body struct {
	io.Reader
	io.Closer
	touch func()
}

func (b *body) Read(p []byte) (int, error) {
	b.touch()
	return b.Reader.Read(p)
}

// headerSafe leaves out what would end a quoted value of a header.
func headerSafe(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return -1
		}
		return r
	}, text)
}
