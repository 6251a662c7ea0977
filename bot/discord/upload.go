package discord

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/textproto"
	"strings"

	"ltxbot/core/generate"
)

// An upload is a file on disk on its way into a message.
type upload struct {
	file generate.File
	alt  string // for people who do not see it
}

// sizeOf is how many bytes files have together.
func sizeOf(files []upload) (size int64) {
	for _, f := range files {
		size += f.file.Size
	}
	return size
}

// A form is a multipart body of a message and files. The files are read from
// disk as they are sent, and their size is known before, so that an upload costs
// no memory whatever its size.
// https://discord.com/developers/docs/reference#uploading-files
type form struct {
	files       []upload
	heads       []string // what comes before each file
	tail        string
	size        int64 // of the whole body
	contentType string
}

func newForm(payload []byte, files []upload) (*form, error) {
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
	f := &form{files: files, contentType: w.FormDataContentType(), size: sizeOf(files)}
	for i, u := range files {
		if _, err := w.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {multipart.FileContentDisposition(fmt.Sprintf("files[%d]", i), headerSafe(u.file.Name))},
			"Content-Type":        {headerSafe(u.file.ContentType)},
		}); err != nil {
			return nil, err
		}
		f.size += int64(b.Len())
		f.heads = append(f.heads, b.String())
		b.Reset()
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	f.size += int64(b.Len())
	f.tail = b.String()
	return f, nil
}

// open begins to read the body. touch is called while it is read. Whoever
// sends the body closes it.
func (f *form) open(touch func()) (io.ReadCloser, error) {
	out := &body{touch: touch}
	var parts []io.Reader
	for i, u := range f.files {
		file, err := u.file.Open()
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open the video: %w", err), out.Close())
		}
		out.files = append(out.files, file)
		parts = append(parts, strings.NewReader(f.heads[i]), file)
	}
	out.Reader = io.MultiReader(append(parts, strings.NewReader(f.tail))...)
	return out, nil
}

// body reads from several parts and closes the files among them.
type body struct {
	io.Reader
	files []io.Closer
	touch func()
}

// Close closes the files.
func (b *body) Close() error {
	errs := make([]error, 0, len(b.files))
	for _, f := range b.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
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
