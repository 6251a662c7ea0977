package slack

import (
	"context"
	"encoding/hex"
	"net/http"
	"slices"
	"time"
)

// eventRetries is when an event that was not acknowledged is sent again.
// https://docs.slack.dev/apis/events-api
func eventRetries() []time.Duration { return []time.Duration{0, time.Minute, 5 * time.Minute} }

// eventScope is the scope that an event needs besides a subscription.
func eventScope(kind string) string {
	return map[string]string{"app_mention": "app_mentions:read", "file_shared": "files:read", messageIM: "im:history"}[kind]
}

// messageIM is the subscription to messages in the app's direct messages. The
// type of its events is "message".
// https://docs.slack.dev/reference/events/message.im
const messageIM = "message.im"

// subscription is what an app must have subscribed to for an event.
func subscription(event obj) string {
	kind := str(event["type"])
	if kind == "message" {
		kind += "." + str(event["channel_type"])
	}
	return kind
}

// Emit sends an event of any type to the app, if it has subscribed to it.
func (w *Workspace) Emit(event map[string]any) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	w.s.emit(w, event)
}

// emit starts the delivery of an event; s.mu is held.
func (s *Server) emit(w *Workspace, event obj) {
	kind := subscription(event)
	scope := eventScope(kind)
	if w.token == nil || !slices.Contains(s.app.Events, kind) || scope != "" && !w.token.has(scope) {
		return
	}
	event["event_ts"] = s.newTS()
	id, ctxID := s.newID("Ev"), "4-"+secret()
	s.events[ctxID] = w
	payload := obj{
		"token": s.creds.verification, "team_id": w.spec.ID, "context_team_id": w.spec.ID, "context_enterprise_id": nil,
		"api_app_id": s.app.ID, "event": event, "type": "event_callback", "event_id": id, "event_time": s.clock.Now().Unix(),
		"authorizations": []any{w.authorization()}, "is_ext_shared_channel": false, "event_context": ctxID,
	}
	if w.spec.Enterprise != "" {
		payload["enterprise_id"], payload["context_enterprise_id"] = w.spec.Enterprise, w.spec.Enterprise
	}
	s.spawn(func(ctx context.Context) { s.deliverEvent(ctx, payload) })
}

func (w *Workspace) authorization() obj {
	a := obj{"enterprise_id": nil, "team_id": w.spec.ID, "user_id": w.bot.spec.ID, "is_bot": true, "is_enterprise_install": w.token.org != ""}
	if w.spec.Enterprise != "" {
		a["enterprise_id"] = w.spec.Enterprise
	}
	return a
}

// deliverEvent sends an event until it is acknowledged, at most four times.
func (s *Server) deliverEvent(ctx context.Context, payload obj) {
	e := envelope{kind: "events_api", to: toEvents, payload: payload}
	reason, again := s.tryEvent(ctx, e)
	for i, pause := range eventRetries() {
		if !again || !s.pause(ctx, pause) {
			return
		}
		e.retry, e.reason = i+1, reason
		reason, again = s.tryEvent(ctx, e)
	}
}

// tryEvent sends an event once. It returns why it should be sent again, and
// whether.
func (s *Server) tryEvent(ctx context.Context, e envelope) (reason string, again bool) {
	s.mu.Lock()
	viaHTTP := s.endpoints != Endpoints{}
	s.mu.Unlock()
	if !viaHTTP {
		_, code := s.deliverSocket(ctx, e)
		return map[string]string{"operation_timeout": "timeout"}[code], code != ""
	}
	to := s.url(toEvents)
	if to == "" {
		return "", false
	}
	res, code := s.send(ctx, e.request(to))
	switch {
	case code == "operation_timeout":
		return "http_timeout", true
	case code != "":
		return "connection_failed", true
	case res.status >= http.StatusBadRequest:
		return "http_error", res.header.Get("X-Slack-No-Retry") != "1"
	case res.status >= http.StatusMultipleChoices:
		return "too_many_redirects", true
	}
	return "", false
}

// pause waits on the server's clock and reports whether it is still running.
func (s *Server) pause(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return ctx.Err() == nil
	}
	due := make(chan struct{})
	defer s.clock.after(s, d, func() { close(due) })()
	select {
	case <-due:
		return true
	case <-ctx.Done():
		return false
	}
}

func (s *Server) eventAuthorizations(c *call) (obj, error) {
	w := s.events[c.str("event_context")]
	if w == nil || w.token == nil {
		return nil, refuse("invalid_event_context")
	}
	return obj{"authorizations": []any{w.authorization()}}, nil
}

// envelopeID is a random id in the form of Slack's.
func envelopeID() string {
	s := hex.EncodeToString([]byte(secret()))
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:32]
}
