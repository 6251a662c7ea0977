package fal

import (
	"bytes"
	"crypto/md5" //nolint:gosec // what storages make entity tags of
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// How the storage takes files. The sizes are those of fal's own client and of
// the storage behind it.
// https://fal.ai/docs/documentation/model-apis/fal-cdn
const (
	maxWhole   = 90 << 20 // bytes of a file that is put in one request
	minPart    = 5 << 20  // bytes of a part but the last one
	maxPart    = 100 << 20
	signedFor  = 2 * time.Minute // how long a file may be put with one URL
	maxStorage = 512 << 20       // bytes of all files that clients have put here
)

// An upload is a file on its way to the storage.
type upload struct {
	file      string // its place on the CDN
	signature string
	signed    time.Time
	parts     map[int][]byte // of a file that comes in parts, else nil
}

// initiate answers POST /storage/upload/initiate, and …/initiate-multipart for a
// file that comes in parts, with a signed URL.
func (s *Server) initiate(r *http.Request, parts bool) reply {
	if a, no := s.refuse(r, keylessService); no {
		return a
	}
	var ask struct {
		Name string `json:"file_name"`
		Type string `json:"content_type"`
	}
	if json.NewDecoder(io.LimitReader(r.Body, maxInput)).Decode(&ask) != nil || ask.Name == "" || ask.Type == "" ||
		strings.ContainsAny(ask.Name, "/\\") {
		return jsonReply(http.StatusUnprocessableEntity, map[string]any{"detail": "file_name and content_type are required"})
	}
	if r.URL.Query().Get("storage_type") != "fal-cdn-v3" {
		s.violate("%s: storage_type is %q; fal's clients ask for fal-cdn-v3", r.URL.Path, r.URL.Query().Get("storage_type"))
	}
	life, wrong := lifetime(r.Header.Get("X-Fal-Object-Lifecycle"))
	if wrong != "" {
		s.violate("%s: X-Fal-Object-Lifecycle: %s", r.URL.Path, wrong)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	token := rand.Text()
	f := s.store(&file{name: ask.Name, contentType: ask.Type, content: bytes.NewReader(nil), made: s.now(), life: life})
	u := &upload{file: f.dir + "/" + f.name, signature: rand.Text(), signed: s.now()}
	path := "media/upload"
	if parts {
		u.parts = map[int][]byte{}
		path = "media/multipart"
	}
	s.uploads[token] = u
	return jsonReply(http.StatusOK, map[string]any{
		"upload_url": s.base.JoinPath(path, token).String() + "?" + url.Values{"signature": {u.signature}}.Encode(),
		"file_url":   s.fileURL(f),
	})
}

// forEver is how long a file is kept that shall never go.
const forEver = 100 * 365 * 24 * time.Hour

// lifetime reads a header that says how long a file is to be kept, 0 if it
// does not say.
// https://fal.ai/docs/documentation/model-apis/media-expiration
func lifetime(header string) (_ time.Duration, wrong string) {
	if header == "" {
		return 0, ""
	}
	var wish map[string]json.RawMessage
	if err := json.Unmarshal([]byte(header), &wish); err != nil {
		return 0, "it is not a JSON object"
	}
	var seconds *float64
	if err := json.Unmarshal(wish["expiration_duration_seconds"], &seconds); err != nil {
		return 0, "expiration_duration_seconds is no number"
	}
	for name := range wish {
		if name != "expiration_duration_seconds" && name != "initial_acl" && name != "allow_io_storage" {
			return 0, fmt.Sprintf("there is no %q", name)
		}
	}
	if seconds == nil {
		return forEver, ""
	}
	if *seconds <= 0 {
		return 0, "expiration_duration_seconds is not above 0"
	}
	return time.Duration(*seconds * float64(time.Second)), ""
}

// storageReply is what the storage answers, which is not fal's own.
func storageReply(status int, text string) reply {
	return reply{status: status, header: http.Header{"Content-Type": {"application/xml"}}, body: []byte(text)}
}

// signed finds the upload that a request is about, or refuses it.
func (s *Server) signed(r *http.Request, parts bool) (*upload, reply) {
	if r.Header.Get("Authorization") != "" {
		s.violate("%s %s: the key was sent to a signed URL", r.Method, r.URL.Path)
		return nil, storageReply(http.StatusBadRequest, "<Code>InvalidArgument</Code> Only one auth mechanism allowed")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.uploads[r.PathValue("token")]
	switch {
	case u == nil || r.URL.Query().Get("signature") != u.signature || (u.parts != nil) != parts:
		return nil, storageReply(http.StatusForbidden, "<Code>SignatureDoesNotMatch</Code>")
	case !parts && s.now().Sub(u.signed) > signedFor:
		return nil, storageReply(http.StatusForbidden, "<Code>AccessDenied</Code> Request has expired")
	}
	return u, reply{}
}

// receive reads a body that may have so many bytes.
func (s *Server) receive(r *http.Request, most int64) ([]byte, reply) {
	switch {
	case r.ContentLength < 0:
		return nil, storageReply(http.StatusLengthRequired, "<Code>MissingContentLength</Code>")
	case r.ContentLength > most:
		return nil, storageReply(http.StatusRequestEntityTooLarge, "<Code>EntityTooLarge</Code>")
	}
	b, err := io.ReadAll(r.Body)
	if err != nil || int64(len(b)) != r.ContentLength {
		return nil, storageReply(http.StatusBadRequest, "<Code>IncompleteBody</Code>")
	}
	return b, reply{}
}

// receiveWhole takes the bytes of a file, once.
func (s *Server) receiveWhole(r *http.Request) reply {
	u, no := s.signed(r, false)
	if u == nil {
		return no
	}
	content, no := s.receive(r, maxWhole)
	if no.status != 0 {
		return no
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.files[u.file]
	if f == nil || r.Header.Get("Content-Type") != f.contentType { // it is part of what was signed
		return storageReply(http.StatusForbidden, "<Code>SignatureDoesNotMatch</Code>")
	}
	return s.complete(r.PathValue("token"), content)
}

// receivePart takes a part, in place of one with the same number.
func (s *Server) receivePart(r *http.Request) reply {
	u, no := s.signed(r, true)
	if u == nil {
		return no
	}
	number, err := strconv.Atoi(r.PathValue("part"))
	if err != nil || number < 1 || number > 10_000 {
		return storageReply(http.StatusBadRequest, "<Code>InvalidArgument</Code> Part number must be an integer between 1 and 10000")
	}
	content, no := s.receive(r, maxPart)
	if no.status != 0 {
		return no
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u.parts[number] = content
	return jsonReply(http.StatusOK, map[string]any{"partNumber": number, "etag": tag(content)})
}

func tag(b []byte) string {
	sum := md5.Sum(b) //nolint:gosec // as above
	return strconv.Quote(hex.EncodeToString(sum[:]))
}

// completeParts makes a file of its parts.
func (s *Server) completeParts(r *http.Request) reply {
	u, no := s.signed(r, true)
	if u == nil {
		return no
	}
	var ask struct {
		Parts []struct {
			Number int    `json:"partNumber"`
			ETag   string `json:"etag"`
		} `json:"parts"`
	}
	if r.Header.Get("Content-Type") != "application/json" || json.NewDecoder(io.LimitReader(r.Body, maxInput)).Decode(&ask) != nil {
		return storageReply(http.StatusBadRequest, "<Code>MalformedXML</Code>")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var content []byte
	for i, p := range ask.Parts {
		part, ok := u.parts[p.Number]
		switch {
		case !ok || p.ETag != tag(part):
			return storageReply(http.StatusBadRequest, "<Code>InvalidPart</Code>")
		case i > 0 && p.Number <= ask.Parts[i-1].Number:
			return storageReply(http.StatusBadRequest, "<Code>InvalidPartOrder</Code>")
		case i < len(ask.Parts)-1 && len(part) < minPart:
			return storageReply(http.StatusBadRequest, "<Code>EntityTooSmall</Code>")
		}
		content = append(content, part...)
	}
	if len(ask.Parts) == 0 || len(ask.Parts) != len(u.parts) {
		s.violations = append(s.violations, fmt.Sprintf("%s: %d parts were put and %d are named", r.URL.Path, len(u.parts), len(ask.Parts)))
		return storageReply(http.StatusBadRequest, "<Code>InvalidPart</Code>")
	}
	return s.complete(r.PathValue("token"), content)
}

// complete puts an upload on the CDN. The caller holds mu.
func (s *Server) complete(token string, content []byte) reply {
	f := s.files[s.uploads[token].file]
	if s.stored += int64(len(content)); s.stored > maxStorage {
		return storageReply(http.StatusInsufficientStorage, "the simulator is full")
	}
	delete(s.uploads, token)
	life := s.o.MediaTTL
	if f.life > 0 {
		life = f.life
	}
	f.content, f.size, f.gone, f.uploaded = bytes.NewReader(content), int64(len(content)), s.now().Add(life), true
	return reply{status: http.StatusOK, header: http.Header{"Etag": {tag(content)}}}
}

// OpenStored opens a file that a client has put on the storage, by its URL.
func (s *Server) OpenStored(address string) (content *io.SectionReader, contentType string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.files {
		if f.uploaded && s.fileURL(f) == address {
			return io.NewSectionReader(f.content, 0, f.size), f.contentType, true
		}
	}
	return nil, "", false
}

// Stored lists the URLs of the files that clients have put on the storage.
func (s *Server) Stored() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var urls []string
	for _, place := range slices.Sorted(maps.Keys(s.files)) {
		if f := s.files[place]; f.uploaded {
			urls = append(urls, s.fileURL(f))
		}
	}
	return urls
}
