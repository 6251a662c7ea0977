package slack

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"os"
	"path/filepath"
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
	shares               []share
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

func (f *file) url() string {
	return f.s.base + "/files-pri/" + f.ws.spec.ID + "-" + f.id + "/" + f.name
}

func (f *file) permalink() string {
	return "https://" + f.ws.spec.Domain + ".slack.com/files/" + f.owner.spec.ID + "/" + f.id + "/" + f.name
}

// object is the file as files.info and messages carry it.
func (f *file) object() obj {
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
	return obj{
		"id": f.id, "created": 1700000000, "timestamp": 1700000000, "name": f.name, "title": f.title, "mimetype": f.mimetype, "filetype": kind,
		"pretty_type": strings.ToUpper(kind), "user": f.owner.spec.ID, "user_team": f.ws.spec.ID, "editable": false, "size": f.size,
		"mode": "hosted", "is_external": false, "external_type": "", "is_public": len(public) > 0, "public_url_shared": false,
		"display_as_bot": false, "username": "", "url_private": f.url(), "url_private_download": f.url(), "permalink": f.permalink(),
		"media_display_type": mediaType(f.mimetype), "has_rich_preview": false, "file_access": "visible", "alt_txt": f.alt,
		"shares": shares, "channels": channels, "groups": groups, "ims": ims, "comments_count": 0,
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
	f.mimetype = mime.TypeByExtension(filepath.Ext(f.name))
	if f.mimetype == "" {
		f.mimetype = map[string]string{".mp4": "video/mp4", ".webm": "video/webm", ".mov": "video/quicktime"}[filepath.Ext(f.name)]
	}
	if f.mimetype == "" {
		f.mimetype = "application/octet-stream"
	}
	return nil
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

// Upload shares a file in the channel as u, for an app that is asked to use it.
func (u *User) Upload(c *Channel, name string, content []byte) (Message, error) {
	u.s.mu.Lock()
	f := &file{s: u.s, id: u.s.newID("F"), name: name, title: name, length: int64(len(content)), ws: u.ws, owner: u}
	u.s.mu.Unlock()
	if err := f.save(strings.NewReader(string(content))); err != nil {
		return Message{}, err
	}
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	f.uploaded, f.completed = true, true
	u.s.files[f.id] = f
	r := &record{ch: c, author: u, files: []*file{f}}
	u.s.post(r)
	f.shares = append(f.shares, share{c, r.ts, ""})
	return r.snapshot(), nil
}
