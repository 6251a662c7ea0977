package discord

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/textproto"
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
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	message, err := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="payload_json"`},
		"Content-Type":        {"application/json"},
	})
	if err != nil {
		return nil, err
	}
	if _, err := message.Write(payload); err != nil {
		return nil, err
	}
	if _, err := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {multipart.FileContentDisposition("files[0]", headerSafe(u.name))},
		"Content-Type":        {headerSafe(u.contentType)},
	}); err != nil {
		return nil, err
	}
	f := &form{file: u, contentType: w.FormDataContentType(), head: b.String()}
	b.Reset()
	if err := w.Close(); err != nil {
		return nil, err
	}
	f.tail = b.String()
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

// headerSafe leaves out what does not belong into a header.
func headerSafe(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return -1
		}
		return r
	}, text)
}
