package slack

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Limits of uploads.
// https://docs.slack.dev/reference/methods/files.getUploadURLExternal
const (
	maxFileAlt      = 1000 // characters
	maxFileChannels = 100
	multipartSlack  = 64 << 10 // bytes of headers and boundaries around a part
)

func (s *Server) filesGetUploadURL(c *call) (obj, error) {
	name, err := c.need("filename")
	if err != nil {
		return nil, err
	}
	length, err := strconv.ParseInt(c.str("length"), 10, 64)
	w := s.workspace(c)
	alt := c.str("alt_txt")
	switch {
	case err != nil || length <= 0:
		return nil, refuse("invalid_arguments", "must be greater than 0 [json-pointer:/length]")
	case len([]rune(alt)) > maxFileAlt:
		return nil, refuse("invalid_arguments", "must be less than 1001 characters [json-pointer:/alt_txt]")
	case w.spec.NoUploads:
		return nil, refuse("file_uploads_disabled")
	case length > w.spec.MaxUpload:
		return nil, refuse("file_upload_size_restricted")
	case w.spec.Storage > 0 && w.used+length > w.spec.Storage:
		return nil, refuse("storage_limit_reached")
	}
	f := &file{s: s, id: s.newID("F"), name: strings.ReplaceAll(name, "/", "_"), title: name, alt: alt, length: length, ws: w, owner: w.bot}
	key := secret()
	s.uploads[key], s.files[f.id] = f, f
	return obj{"upload_url": s.base + "/upload/v1/" + key, "file_id": f.id}, nil
}

// serveUpload takes the bytes of a file, raw or as multipart. The URL is all
// the authorisation it wants.
func (s *Server) serveUpload(w http.ResponseWriter, r *http.Request) {
	if s.applyFault(w, r, "upload") {
		return
	}
	s.mu.Lock()
	f := s.uploads[r.PathValue("key")]
	if f == nil {
		s.mu.Unlock()
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	taken := *f
	s.mu.Unlock()
	r.Body = http.MaxBytesReader(w, r.Body, taken.length+multipartSlack)
	content, err := uploadedBytes(r)
	if err == nil {
		err = taken.save(content)
	}
	s.mu.Lock()
	status, problem := http.StatusOK, ""
	switch {
	case err != nil:
		status, problem = http.StatusBadRequest, "unreadable"
	case f.completed:
		status, problem = http.StatusGone, "completed"
	case taken.size != f.length:
		status, problem = http.StatusBadRequest, "length mismatch"
	default:
		f.path, f.size, f.sum, f.mimetype, f.uploaded = taken.path, taken.size, taken.sum, taken.mimetype, true
	}
	fault := s.fault("upload", true)
	entry := Request{Time: s.clock.Now(), Method: "upload", Args: obj{"file": f.id, "bytes": taken.size}, Status: status, Error: problem}
	if fault != nil {
		entry.Fault = fault.Kind
	}
	s.record(entry)
	s.changed()
	s.mu.Unlock()
	if fault != nil {
		s.breakReply(w, fault)
		return
	}
	w.WriteHeader(status)
	if problem != "" {
		s.write(w, "ERR - "+problem)
		return
	}
	s.write(w, "OK - "+strconv.FormatInt(taken.size, 10))
}

// uploadedBytes is the file within a request: the body, or the first file part
// of a form.
func uploadedBytes(r *http.Request) (io.Reader, error) {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		return r.Body, nil
	}
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return nil, err
	}
	parts := multipart.NewReader(r.Body, params["boundary"])
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, errors.New("no file in the form")
		}
		if err != nil {
			return nil, err
		}
		if part.FileName() != "" {
			return part, nil
		}
	}
}

func (s *Server) filesCompleteUpload(c *call) (obj, error) {
	files, err := s.uploadedFiles(c)
	if err != nil {
		return nil, err
	}
	blocks, err := c.value("blocks")
	if err != nil {
		return nil, refuse("invalid_blocks_format")
	}
	comment := c.str("initial_comment")
	if blocks != nil && comment == "" {
		if err := s.checkMessageBlocks(blocks, c.token.has("links.embed:write"), "/blocks"); err != nil {
			return nil, err
		}
		for _, b := range toBlocks(blocks) {
			if b["type"] == "markdown" {
				return nil, refuse("internal_error") // https://github.com/slackapi/python-slack-sdk/issues/1756
			}
		}
	} else {
		blocks = nil
	}
	channels, err := s.shareTargets(c)
	if err != nil {
		return nil, err
	}
	answer := []any{}
	for _, f := range files {
		f.completed = true
		f.ws.used += f.size
		o := f.object()
		o["mimetype"], o["filetype"], o["pretty_type"], o["shares"] = "", "", "", obj{}
		answer = append(answer, o)
	}
	for _, ch := range channels {
		if s.sharing < 0 {
			continue
		}
		r := &record{
			ch: ch, author: files[0].ws.bot, via: files[0].ws, text: comment, blocks: toBlocks(blocks), files: files,
			thread: c.str("thread_ts"),
		}
		s.clock.after(s, s.sharing, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.share(r)
		})
	}
	return obj{"files": answer}, nil
}

// uploadedFiles are the files that a call wants to complete, with the titles
// it gives them. Each may be completed once.
func (s *Server) uploadedFiles(c *call) ([]*file, error) {
	x, err := c.value("files")
	list, ok := x.([]any)
	if err != nil || !ok || len(list) == 0 {
		return nil, refuse("invalid_arguments", "missing required field: files [json-pointer:]")
	}
	var files []*file
	for _, item := range list {
		o := asObj(item)
		f := s.files[str(o["id"])]
		if f == nil || !f.uploaded || f.completed || f.deleted || !c.token.serves(f.ws) {
			return nil, refuse("file_not_found")
		}
		if title := str(o["title"]); title != "" {
			f.title = title
		}
		files = append(files, f)
	}
	return files, nil
}

// shareTargets are the channels that a call wants to share its files in.
func (s *Server) shareTargets(c *call) ([]*Channel, error) {
	ids := strings.FieldsFunc(c.str("channels"), func(r rune) bool { return r == ',' })
	if id := c.str("channel_id"); id != "" {
		if !fileTarget.MatchString(id) {
			return nil, refuse("invalid_arguments", "input must match regex pattern: ^[CGDZ][A-Z0-9]{8,}$ [json-pointer:/channel_id]")
		}
		ids = []string{id}
	}
	thread := c.str("thread_ts")
	switch {
	case len(ids) > maxFileChannels:
		return nil, refuse("invalid_arguments", "no more than 100 items allowed [json-pointer:/channels]")
	case thread != "" && len(ids) != 1:
		return nil, refuse("invalid_arguments", "thread_ts needs exactly one channel [json-pointer:/thread_ts]")
	case thread != "" && !validTS(thread):
		return nil, refuse("invalid_thread_ts", thread+" is not a valid thread_ts")
	}
	var channels []*Channel
	for _, id := range ids {
		if !fileTarget.MatchString(id) {
			return nil, refuse("invalid_channel")
		}
		ch, _, err := s.mayShare(c, id, thread)
		if err != nil {
			return nil, err
		}
		channels = append(channels, ch)
	}
	return channels, nil
}

// share makes the message of an upload appear; s.mu is held.
func (s *Server) share(r *record) {
	s.post(r)
	for _, f := range r.files {
		if !r.ch.has(f.ws.bot) {
			continue
		}
		s.emit(f.ws, obj{
			"type": "file_shared", "file_id": f.id, "user_id": f.owner.spec.ID, "file": obj{"id": f.id}, "channel_id": r.ch.spec.ID,
		})
	}
}

// SetShareDelay changes how long a completed upload takes to appear. Less than
// nothing is never: Slack has said ok, and no message comes.
func (s *Server) SetShareDelay(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sharing = d
}

// Files are all files that have been completed and not deleted, oldest first.
func (s *Server) Files() []File {
	s.mu.Lock()
	defer s.mu.Unlock()
	byID := obj{}
	for id, f := range s.files {
		if f.completed && !f.deleted {
			byID[id] = f.snapshot()
		}
	}
	var files []File
	for _, id := range sortedKeys(byID) {
		if f, ok := byID[id].(File); ok {
			files = append(files, f)
		}
	}
	return files
}

func (s *Server) filesInfo(c *call) (obj, error) {
	f := s.files[c.str("file")]
	switch {
	case f == nil || !f.completed || !f.readable(c.token):
		return nil, refuse("file_not_found")
	case f.deleted:
		return nil, refuse("file_deleted")
	}
	return obj{"file": f.object(), "comments": []any{}, "response_metadata": obj{"next_cursor": ""}}, nil
}

func (s *Server) filesDelete(c *call) (obj, error) {
	f := s.files[c.str("file")]
	switch {
	case f == nil || !f.completed || !c.token.serves(f.ws):
		return nil, refuse("file_not_found")
	case f.deleted:
		return nil, refuse("file_deleted")
	case f.owner != f.ws.bot:
		return nil, refuse("cant_delete_file")
	}
	f.deleted = true
	f.ws.used -= f.size
	s.changed()
	return obj{}, nil
}

// serveDownload sends the bytes of a file to a token that may read it, and
// everybody else to the sign-in page.
func (s *Server) serveDownload(w http.ResponseWriter, r *http.Request) {
	if s.applyFault(w, r, "download") {
		return
	}
	_, id, _ := strings.Cut(r.PathValue("file"), "-")
	bearer := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	f, t := s.files[id], s.tokens[bearer]
	allowed := f != nil && t != nil && t.problem == "" && !f.deleted && f.uploaded && f.external == "" && t.has("files:read") && f.readable(t)
	var path, mimetype string
	if allowed {
		path, mimetype = f.path, f.mimetype
	}
	s.mu.Unlock()
	if !allowed {
		http.Redirect(w, r, "/signin?"+url.Values{"redir": {r.URL.Path}}.Encode(), http.StatusFound)
		return
	}
	w.Header().Set("Content-Type", mimetype)
	http.ServeFile(w, r, path)
}

func serveSignIn(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if _, err := io.WriteString(w, "<!DOCTYPE html><html><head><title>Sign in | Slack</title></head></html>"); err != nil {
		return
	}
}
