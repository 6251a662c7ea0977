package discord

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Limits of a request.
const (
	maxJSONBody    = 8 * mebibyte
	maxRequestBody = 512 * mebibyte // Cloudflare's
)

// An upload is one file part of a request, kept on disk.
type upload struct {
	index       int
	name        string
	contentType string
	path        string
	size        int64
	sha256      string
	kept        bool // it became an attachment
}

// A form is the body of a request.
type form struct {
	json    object // nil when the body is not an object
	array   []any
	uploads []*upload
}

// errBody is an error of the connection while reading; there is nobody to
// answer.
var errBody = errors.New("read body")

// readForm reads a JSON or multipart body. The caller discards the uploads
// that it does not keep.
func (s *Server) readForm(r *http.Request) (form, *apiError, error) {
	r.Body = http.MaxBytesReader(nil, r.Body, maxRequestBody)
	kind, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch kind {
	case "multipart/form-data":
		f, refused, err := s.readMultipart(multipart.NewReader(r.Body, params["boundary"]))
		if (refused != nil || err != nil) && f.uploads != nil {
			discard(f.uploads)
		}
		return f, refused, err
	case "application/json":
		raw, err := io.ReadAll(io.LimitReader(r.Body, maxJSONBody))
		if err != nil {
			return form{}, nil, fmt.Errorf("%w: %w", errBody, err)
		}
		f, refused := decodeForm(raw)
		return f, refused, nil
	default:
		raw, err := io.ReadAll(io.LimitReader(r.Body, maxJSONBody))
		if err != nil {
			return form{}, nil, fmt.Errorf("%w: %w", errBody, err)
		}
		if len(bytes.TrimSpace(raw)) == 0 && kind == "" {
			return form{}, nil, nil
		}
		return form{}, invalidForm(fieldError{
			code: "CONTENT_TYPE_INVALID", message: `Expected "Content-Type" header to be one of {'application/json', 'multipart/form-data'}.`,
		}), nil
	}
}

func decodeForm(raw []byte) (form, *apiError) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return form{}, errInvalidJSON
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return form{}, errInvalidJSON
	}
	switch v := v.(type) {
	case object:
		return form{json: v}, nil
	case []any:
		return form{array: v}, nil
	default:
		return form{}, invalidForm(fieldError{code: "MODEL_TYPE_CONVERT", message: "Only dictionaries may be used in a ModelType"})
	}
}

var filePart = regexp.MustCompile(`^files\[(\d)\]$`)

// readMultipart reads payload_json and files[0] to files[9].
// https://discord.com/developers/docs/reference#uploading-files
func (s *Server) readMultipart(parts *multipart.Reader) (form, *apiError, error) {
	f := form{json: object{}}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return f, nil, nil
		}
		if err != nil {
			return f, nil, fmt.Errorf("%w: %w", errBody, err)
		}
		name := part.FormName()
		match := filePart.FindStringSubmatch(name)
		switch {
		case name == "payload_json":
			raw, err := io.ReadAll(io.LimitReader(part, maxJSONBody))
			if err != nil {
				return f, nil, fmt.Errorf("%w: %w", errBody, err)
			}
			decoded, refused := decodeForm(raw)
			if refused != nil {
				return f, refused, nil
			}
			f.json = decoded.json
		case match != nil && part.FileName() != "":
			index, _ := strconv.Atoi(match[1])
			if slices.ContainsFunc(f.uploads, func(u *upload) bool { return u.index == index }) {
				return f, invalidForm(fieldError{path: name, code: "SIM_DUPLICATE_FILE", message: "The part was sent twice."}), nil
			}
			u, err := s.store(part, index, part.FileName(), part.Header.Get("Content-Type"))
			if err != nil {
				return f, nil, fmt.Errorf("%w: %w", errBody, err)
			}
			f.uploads = append(f.uploads, u)
		case strings.HasPrefix(name, "files["):
			return f, invalidForm(fieldError{path: "files", code: "BASE_TYPE_MAX_LENGTH", message: "Must be 10 or fewer in length, each with a filename."}), nil
		default:
			return f, invalidForm(fieldError{path: name, code: "SIM_UNKNOWN_PART", message: "Only payload_json and files[n] are documented."}), nil
		}
	}
}

// store keeps the bytes of a file on disk.
func (s *Server) store(r io.Reader, index int, name, contentType string) (*upload, error) {
	out, err := os.CreateTemp(s.dir, "upload-*")
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, sum), r)
	if closeErr := out.Close(); err == nil {
		err = closeErr
	}
	u := &upload{
		index: index, name: name, contentType: contentType, path: out.Name(), size: n,
		sha256: hex.EncodeToString(sum.Sum(nil)),
	}
	if err != nil {
		discard([]*upload{u})
		return nil, err
	}
	return u, nil
}

// discard removes the uploads that did not become attachments.
func discard(uploads []*upload) {
	for _, u := range uploads {
		if !u.kept {
			_ = os.Remove(u.path)
		}
	}
}

// planFiles returns the attachments that the message will have, and the names
// under which attachment:// may refer to the new ones. Nothing is stored yet;
// a message keeps them.
func (c *call) planFiles(check *checker, prefix string, body object, old *message) ([]*file, []string) {
	var files []*file
	var names []string
	channelID := c.uploadChannel
	add := func(u *upload, name, description string) {
		f := c.s.newFile(u, channelID, name, description)
		files = append(files, f)
		names = append(names, f.name)
	}
	listed := map[int]bool{}
	if body["attachments"] == nil {
		if old != nil {
			files = append(files, old.files...)
		}
	}
	for i, a := range objectsIn(body["attachments"]) {
		ref := idIn(a["id"])
		if f := old.file(ref); f != nil {
			kept := *f
			if a["description"] != nil {
				kept.description = textIn(a["description"])
			}
			files = append(files, &kept)
			continue
		}
		n := slices.IndexFunc(c.uploads, func(u *upload) bool { return strconv.Itoa(u.index) == ref })
		if n < 0 {
			check.add(prefix+join(at("attachments", i), "id"), "ATTACHMENT_NOT_FOUND", "No file or attachment has this id")
			continue
		}
		u := c.uploads[n]
		listed[u.index] = true
		name := u.name
		if a["filename"] != nil && textIn(a["filename"]) != "" {
			name = textIn(a["filename"])
		}
		add(u, name, textIn(a["description"]))
	}
	for _, u := range c.uploads {
		if listed[u.index] {
			continue
		}
		if old != nil && body["attachments"] != nil && c.version >= 10 {
			check.add(prefix+"attachments", "ATTACHMENT_NOT_LISTED", "files[%d] must be listed: since version 10 an edit lists every attachment", u.index)
			continue
		}
		add(u, u.name, "")
	}
	if len(files) > maxFiles {
		check.add(prefix+"attachments", "BASE_TYPE_MAX_LENGTH", "Must be %d or fewer in length.", maxFiles)
	}
	return files, names
}

func (m *message) file(id string) *file {
	if m == nil {
		return nil
	}
	for _, f := range m.files {
		if f.id == id {
			return f
		}
	}
	return nil
}
