package slack

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A File is an uploaded file.
type File struct {
	ID, Name, Title, AltText string
	// Size is in bytes; SHA256 is in hexadecimal.
	Size     int64
	SHA256   string
	Mimetype string
	// Permalink is the page people open, URL where the bytes are.
	Permalink, URL string
	// Shared are the ids of the channels it was shared in.
	Shared []string
}

// file is a file as Slack keeps it; its bytes are on disk.
type file struct {
	id, name, title, alt string
	length, size         int64
	sum, mimetype, path  string
	ws                   *Workspace
	owner                *User
	uploaded, completed  bool
	deleted              bool
	external             string // where it is, if that is not Slack
	shares               []share
	opened               []*Workspace // the installations whose forms it was put into
	s                    *Server
}

type share struct {
	ch         *Channel
	ts, thread string
}

func (f *file) snapshot() File {
	snap := File{
		ID: f.id, Name: f.name, Title: f.title, AltText: f.alt, Size: f.size, SHA256: f.sum, Mimetype: f.mimetype,
		Permalink: f.permalink(), URL: f.url(),
	}
	for _, sh := range f.shares {
		snap.Shared = append(snap.Shared, sh.ch.spec.ID)
	}
	return snap
}

// base is the address of the file without its name.
func (f *file) base() string {
	return cmp.Or(f.s.filesAt, f.s.base) + "/files-pri/" + f.ws.spec.ID + "-" + f.id + "/"
}

func (f *file) url() string {
	if f.external != "" {
		return f.external
	}
	return f.base() + f.name
}

// downloadURL is the address that a browser saves instead of showing it.
func (f *file) downloadURL() string {
	return f.base() + "download/" + f.name
}

// readable reports whether the app may look at the file with a token: it has
// uploaded it, was given it in a form, or is in a conversation that has it.
// https://docs.slack.dev/reference/scopes/files.read
func (f *file) readable(t *token) bool {
	if t.serves(f.ws) && f.owner == f.ws.bot || slices.ContainsFunc(f.opened, t.serves) {
		return true
	}
	return slices.ContainsFunc(f.shares, func(sh share) bool {
		return slices.ContainsFunc(append(slices.Clone(sh.ch.spec.Shared), sh.ch.ws), func(w *Workspace) bool {
			return t.serves(w) && sh.ch.has(w.bot)
		})
	})
}

func (f *file) permalink() string {
	return "https://" + f.ws.spec.Domain + ".slack.com/files/" + f.owner.spec.ID + "/" + f.id + "/" + f.name
}

// object is the file as files.info and messages carry it.
func (f *file) object() obj {
	if f.deleted {
		return obj{"id": f.id, "mode": "tombstone"}
	}
	public, private := obj{}, obj{}
	channels, groups, ims := []any{}, []any{}, []any{}
	for _, sh := range f.shares {
		entry := obj{"ts": sh.ts, "channel_name": sh.ch.spec.Name, "team_id": f.ws.spec.ID, "reply_users": []any{}, "reply_users_count": 0, "reply_count": 0}
		if sh.thread != "" {
			entry["thread_ts"] = sh.thread
		}
		into := private
		switch sh.ch.kind {
		case Public:
			into, channels = public, append(channels, sh.ch.spec.ID)
		case IM:
			ims = append(ims, sh.ch.spec.ID)
		case Private, MPIM:
			groups = append(groups, sh.ch.spec.ID)
		}
		entries, _ := into[sh.ch.spec.ID].([]any)
		into[sh.ch.spec.ID] = append(entries, entry)
	}
	shares := obj{}
	if len(public) > 0 {
		shares["public"] = public
	}
	if len(private) > 0 {
		shares["private"] = private
	}
	kind := strings.TrimPrefix(filepath.Ext(f.name), ".")
	o := obj{
		"id": f.id, "created": 1700000000, "timestamp": 1700000000, "name": f.name, "title": f.title, "mimetype": f.mimetype, "filetype": kind,
		"pretty_type": strings.ToUpper(kind), "user": f.owner.spec.ID, "user_team": f.ws.spec.ID, "editable": false, "size": f.size,
		"mode": "hosted", "is_external": false, "external_type": "", "is_public": len(public) > 0, "public_url_shared": false,
		"display_as_bot": false, "username": "", "url_private": f.url(), "url_private_download": f.downloadURL(), "permalink": f.permalink(),
		"media_display_type": mediaType(f.mimetype), "has_rich_preview": false, "file_access": "visible", "alt_txt": f.alt,
		"shares": shares, "channels": channels, "groups": groups, "ims": ims, "comments_count": 0,
	}
	if f.external != "" {
		o["mode"], o["is_external"], o["external_type"] = "external", true, "gdrive"
		delete(o, "url_private_download")
	}
	return o
}

// foreignFiles leaves in an event for w no more of the files of another
// organisation than their ids: the app has to ask for the rest.
// https://docs.slack.dev/reference/objects/file-object
func foreignFiles(event obj, files []*file, w *Workspace) {
	list := asList(event["files"])
	for i, f := range files {
		if f.owner.stranger(w) {
			list[i] = obj{"id": f.id, "created": 1700000000, "timestamp": 1700000000, "mode": "file_access", "file_access": "check_file_info"}
		}
	}
}

func mediaType(mimetype string) string {
	kind, _, _ := strings.Cut(mimetype, "/")
	if kind == "video" || kind == "audio" || kind == "image" {
		return kind
	}
	return "unknown"
}

// save writes the bytes of an upload to disk and notes size, hash and type. It
// reads at most one byte more than was announced.
func (f *file) save(r io.Reader) (err error) {
	out, err := os.CreateTemp(f.s.dir, f.id+"-")
	if err != nil {
		return fmt.Errorf("save file: %w", err)
	}
	defer func() {
		if cerr := out.Close(); err == nil {
			err = cerr
		}
	}()
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, sum), io.LimitReader(r, f.length+1))
	if err != nil {
		return fmt.Errorf("save file: %w", err)
	}
	f.path, f.size, f.sum = out.Name(), n, hex.EncodeToString(sum.Sum(nil))
	f.mimetype = mimetypeOf(f.name)
	return nil
}

// mimetypes are those that do not depend on the machine's table.
var mimetypes = map[string]string{
	".mp4": "video/mp4", ".webm": "video/webm", ".mov": "video/quicktime", ".mp3": "audio/mpeg", ".wav": "audio/wav", ".m4a": "audio/mp4",
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".gif": "image/gif",
}

func mimetypeOf(name string) string {
	ext := strings.ToLower(filepath.Ext(name))
	return cmp.Or(mimetypes[ext], mime.TypeByExtension(ext), "application/octet-stream")
}

// OpenFile opens the bytes of an uploaded file, for a page that plays it.
func (s *Server) OpenFile(id string) (*os.File, error) {
	s.mu.Lock()
	path := ""
	if f := s.files[id]; f != nil && !f.deleted {
		path = f.path
	}
	s.mu.Unlock()
	if path == "" {
		return nil, fmt.Errorf("open file %s: %w", id, os.ErrNotExist)
	}
	return os.Open(path)
}

// FileSpec describes a file that a person has.
type FileSpec struct {
	Name    string
	Content []byte
	// External is the address of a file that is elsewhere, such as in Google
	// Drive, and only linked in Slack.
	External string
}

// AddFile uploads a file that nobody else sees, as a client does for a form.
func (u *User) AddFile(spec FileSpec) (id string, err error) {
	f, err := u.addFile(spec)
	if err != nil {
		return "", err
	}
	return f.id, nil
}

func (u *User) addFile(spec FileSpec) (*file, error) {
	u.s.mu.Lock()
	f := &file{
		s: u.s, id: u.s.newID("F"), name: spec.Name, title: spec.Name, length: int64(len(spec.Content)), ws: u.ws, owner: u,
		external: spec.External, mimetype: mimetypeOf(spec.Name),
	}
	u.s.mu.Unlock()
	if spec.External == "" {
		if err := f.save(bytes.NewReader(spec.Content)); err != nil {
			return nil, err
		}
	}
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	f.uploaded, f.completed = true, true
	u.s.files[f.id] = f
	return f, nil
}

// Share posts a message of u with files, in a thread when threadTS is not
// empty. The text is Slack's mrkdwn, so <@U…> mentions somebody.
func (u *User) Share(c *Channel, text, threadTS string, specs ...FileSpec) (Message, error) {
	r := &record{ch: c, author: u, text: text, thread: threadTS, unfurl: true}
	for _, spec := range specs {
		f, err := u.addFile(spec)
		if err != nil {
			return Message{}, err
		}
		r.files = append(r.files, f)
	}
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	u.s.share(r)
	return r.snapshot(), nil
}

// DeleteFile deletes a file that u uploaded: a tombstone stays where it was
// shared.
func (u *User) DeleteFile(id string) error {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	f := u.s.files[id]
	if f == nil || f.owner != u || f.deleted {
		return &ActionError{Action: "delete file", Code: "file_not_found"}
	}
	f.deleted = true
	u.s.changed()
	return nil
}
