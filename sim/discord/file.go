package discord

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"mime"
	"net/http"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// attachmentURLLifetime is how long a signed attachment URL works.
// https://discord.com/developers/docs/reference#signed-attachment-cdn-urls
const attachmentURLLifetime = 24 * time.Hour

// looseFileLifetime is how long a file is kept that came with an interaction
// and is in no message. Discord says "a set period of time"; a day is assumed.
// https://discord.com/developers/docs/resources/message#attachment-object
const looseFileLifetime = 24 * time.Hour

// A file is an attachment of a message, or of an interaction.
type file struct {
	id          string
	server      *Server
	channelID   string
	message     *message
	name        string
	description string
	contentType string
	size        int64
	sha256      string
	spoiler     bool
	ephemeral   bool
	width       int // in pixels, of a picture
	height      int
	path        string // on disk
	upload      *upload
}

// json returns the attachment object.
// https://discord.com/developers/docs/resources/message#attachment-object
func (f *file) json() object {
	out := object{
		"id": f.id, "filename": f.name, "size": f.size, "url": f.url(), "proxy_url": f.url(),
		"content_type": f.contentType,
	}
	if f.description != "" {
		out["description"] = f.description
	}
	if f.ephemeral {
		out["ephemeral"] = true
	}
	if f.width > 0 {
		out["width"], out["height"] = f.width, f.height
	}
	if f.spoiler {
		out["flags"] = 1 << 3
	}
	return out
}

// url returns a freshly signed address of the bytes.
func (f *file) url() string {
	is := f.server.now()
	return cmp.Or(f.server.filesAt, f.server.BaseURL()) + f.signedPath(is, is.Add(attachmentURLLifetime))
}

func (f *file) signedPath(is, ex time.Time) string {
	folder := "attachments"
	if f.ephemeral {
		folder = "ephemeral-attachments"
	}
	where := fmt.Sprintf("/%s/%s/%s/%s", folder, f.channelID, f.id, f.name)
	query := fmt.Sprintf("ex=%x&is=%x", ex.Unix(), is.Unix())
	return where + "?" + query + "&hm=" + f.server.signature(where, query)
}

func (s *Server) signature(where, query string) string {
	mac := hmac.New(sha256.New, s.cdnKey)
	mac.Write([]byte(where + "?" + query))
	return hex.EncodeToString(mac.Sum(nil))
}

// gone reports whether the bytes are removed: with the message, or after a day
// where there is none.
func (f *file) gone() bool {
	if f.message == nil {
		return f.server.now().Sub(snowflakeTime(f.id)) >= looseFileLifetime
	}
	return f.message.deleted
}

// Attachments serves the bytes behind attachment URLs, with ranges. The
// server has it at /attachments/ and /ephemeral-attachments/; a page on
// another origin can mount it too.
func (s *Server) Attachments() http.Handler { return http.HandlerFunc(s.serveAttachment) }

func (s *Server) serveAttachment(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	query := fmt.Sprintf("ex=%s&is=%s", q.Get("ex"), q.Get("is"))
	expires, err := strconv.ParseInt(q.Get("ex"), 16, 64)
	signed := hmac.Equal([]byte(s.signature(r.URL.Path, query)), []byte(q.Get("hm")))
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if err != nil || !signed || len(parts) != 4 || s.Now().Unix() >= expires {
		http.Error(w, "This content is no longer available.", http.StatusNotFound)
		return
	}
	s.mu.Lock()
	f := s.world.files[parts[2]]
	gone := f == nil || f.gone()
	s.mu.Unlock()
	if gone {
		http.Error(w, "This content is no longer available.", http.StatusNotFound)
		return
	}
	data, err := os.Open(f.path)
	if err != nil {
		http.Error(w, "This content is no longer available.", http.StatusNotFound)
		return
	}
	defer func() { _ = data.Close() }()
	w.Header().Set("Content-Type", f.contentType)
	http.ServeContent(w, r, f.name, snowflakeTime(f.id), data)
}

var unsafeName = regexp.MustCompile(`[^A-Za-z0-9._-]`)

// cleanName returns the name that the service gives an uploaded file.
func cleanName(name string) string {
	name = unsafeName.ReplaceAllString(strings.ReplaceAll(path.Base(name), " ", "_"), "")
	name = strings.TrimLeft(name, ".")
	if name == "" {
		return "unknown"
	}
	return name
}

// contentTypes are the media types that do not depend on the machine's table.
var contentTypes = map[string]string{
	".mp4": "video/mp4", ".webm": "video/webm", ".mov": "video/quicktime", ".gif": "image/gif",
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp",
	".mp3": "audio/mpeg", ".wav": "audio/x-wav", ".m4a": "audio/mp4", ".ogg": "audio/ogg", ".flac": "audio/flac",
	".txt": "text/plain; charset=utf-8", ".json": "application/json; charset=utf-8",
}

func contentTypeOf(name, sent string) string {
	ext := strings.ToLower(path.Ext(name))
	if t := contentTypes[ext]; t != "" {
		return t
	}
	if t := mime.TypeByExtension(ext); t != "" {
		return t
	}
	if sent != "" {
		return sent
	}
	return "application/octet-stream"
}

// newFile makes an attachment of an upload. It exists for others only when a
// message has kept it.
func (s *Server) newFile(u *upload, channelID, name, description string) *file {
	f := &file{
		id: s.newID(), server: s, upload: u, channelID: channelID, name: cleanName(name), description: description,
		contentType: contentTypeOf(name, u.contentType), size: u.size, sha256: u.sha256, path: u.path,
		spoiler: strings.HasPrefix(name, "SPOILER_"),
	}
	f.width, f.height = sizeOf(f.path)
	return f
}

// keep stores the file as an attachment of m.
func (f *file) keep(m *message) {
	f.message, f.ephemeral = m, m.ephemeralTo != ""
	f.server.world.files[f.id] = f
	if f.upload != nil {
		f.upload.kept = true
	}
}
