package slack

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"
)

// A response URL may be used so often, for so long.
// https://docs.slack.dev/interactivity/handling-user-interaction
const (
	responseURLUses = 5
	responseURLLife = 30 * time.Minute
)

// responseURL lets the app answer an action where it happened, whether it is a
// member there or not.
type responseURL struct {
	ws      *Workspace
	user    *User
	ch      *Channel
	source  *record // the message that was acted on, or nil
	uses    int
	expires time.Time
}

// newResponseURL is a fresh URL under /commands/ or /actions/; s.mu is held.
func (s *Server) newResponseURL(under string, w *Workspace, u *User, ch *Channel, source *record) string {
	key := secret()
	s.urls[key] = &responseURL{ws: w, user: u, ch: ch, source: source, expires: s.clock.Now().Add(responseURLLife)}
	return s.base + "/" + under + "/" + key
}

func (s *Server) serveResponseURL(w http.ResponseWriter, r *http.Request) {
	if s.applyFault(w, r, "response_url") {
		return
	}
	raw, err := responseBody(w, r)
	s.mu.Lock()
	entry := Request{Time: s.clock.Now(), Method: "response_url", Status: http.StatusOK}
	var args obj
	if err == nil {
		args, err = s.respond(r.PathValue("key"), raw) //nolint:contextcheck // what the app does with it is not this call
	}
	entry.Args = args
	var refusal *apiError
	if errors.As(err, &refusal) {
		entry.Error, entry.Status = refusal.code, http.StatusBadRequest
		if refusal.code == "expired_url" || refusal.code == "used_url" {
			entry.Status = http.StatusNotFound
		}
	}
	fault := s.fault("response_url", true)
	if fault != nil {
		entry.Fault = fault.Kind
	}
	s.record(entry)
	s.changed()
	s.mu.Unlock()
	switch {
	case fault != nil:
		s.breakReply(w, fault)
	case refusal != nil:
		_, body, _ := answer(&call{}, nil, refusal)
		s.writeJSON(w, entry.Status, body)
	default:
		s.writeJSON(w, http.StatusOK, obj{"ok": true})
	}
}

// responseBody is the JSON of a request: its body, or the form field payload.
func responseBody(w http.ResponseWriter, r *http.Request) (json.RawMessage, error) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAPIBody))
	if err != nil {
		return nil, refuse("invalid_payload")
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && media == "application/x-www-form-urlencoded" {
		form, err := url.ParseQuery(string(raw))
		if err != nil {
			return nil, refuse("invalid_payload")
		}
		raw = []byte(form.Get("payload"))
	}
	return raw, nil
}

// respond carries out one use of a response URL; s.mu is held.
func (s *Server) respond(key string, raw json.RawMessage) (obj, error) {
	u := s.urls[key]
	switch {
	case u == nil || s.clock.Now().After(u.expires) || u.ws.token == nil:
		return nil, refuse("expired_url")
	case u.uses >= responseURLUses:
		return nil, refuse("used_url")
	}
	m, args, err := s.contentOf(raw, u.ws)
	if err != nil {
		return args, err
	}
	switch {
	case args["delete_original"] == true:
		if u.source != nil && (u.source.via == u.ws) {
			u.source.deleted = true
		}
	case m.text == "" && len(m.blocks) == 0 && len(m.attachments) == 0:
		return args, refuse("no_text")
	case args["replace_original"] == true && u.source != nil && u.source.via == u.ws && !u.source.deleted:
		m.gaveBlocks = true
		s.edit(u.source, m)
	default:
		s.answerIn(u.ws, u.ch, u.user, m, args)
	}
	u.uses++
	s.changed()
	return args, nil
}

// answerIn posts the app's answer to an action in ch, to its user alone unless
// it says in_channel.
func (s *Server) answerIn(w *Workspace, ch *Channel, u *User, m content, args obj) *record {
	r := &record{
		ch: ch, author: w.bot, via: w, text: cut(m.text, maxPostText), blocks: m.blocks, attachments: m.attachments, metadata: m.metadata,
		thread: str(args["thread_ts"]), unfurl: args["unfurl_media"] != false || args["unfurl_links"] == true,
	}
	if args["response_type"] != "in_channel" {
		r.to = u
	}
	s.post(r)
	return r
}
