package slack

import (
	"context"
	"slices"
)

// GlobalShortcut chooses one of the app's global shortcuts.
func (u *User) GlobalShortcut(ctx context.Context, callbackID string) (Receipt, error) {
	return u.shortcut(ctx, callbackID, nil)
}

// MessageShortcut chooses one of the app's shortcuts in the menu of a message,
// whoever wrote it.
func (u *User) MessageShortcut(ctx context.Context, m Message, callbackID string) (Receipt, error) {
	return u.shortcut(ctx, callbackID, &m)
}

func (u *User) shortcut(ctx context.Context, callbackID string, m *Message) (Receipt, error) {
	s := u.s
	s.mu.Lock()
	p, code := s.shortcutPayload(u, callbackID, m)
	s.mu.Unlock()
	if code != "" {
		return Receipt{}, &ActionError{Action: "shortcut", Code: code}
	}
	rec, err := s.deliver(ctx, "shortcut", envelope{kind: "interactive", to: toInteractions, payload: p})
	rec.TriggerID, rec.ResponseURL = str(p["trigger_id"]), str(p["response_url"])
	return rec, err
}

func (s *Server) shortcutPayload(u *User, callbackID string, m *Message) (obj, string) {
	known := slices.Contains(s.app.Shortcuts, Shortcut{CallbackID: callbackID, Message: m != nil})
	if !known || u.ws.token == nil {
		return nil, "unknown_shortcut"
	}
	if m == nil {
		p := s.interaction("shortcut", u, u.ws)
		p["callback_id"], p["action_ts"], p["trigger_id"] = callbackID, s.newTS(), s.newTrigger(u, u.ws, nil, nil)
		return p, ""
	}
	c := s.channels[m.Channel]
	if c == nil || !c.open(u) {
		return nil, "channel_not_found"
	}
	r := c.find(m.TS)
	if r == nil || r.to != nil {
		return nil, "message_not_found"
	}
	p := s.interaction("message_action", u, u.ws)
	p["callback_id"], p["action_ts"], p["trigger_id"] = callbackID, s.newTS(), s.newTrigger(u, u.ws, c, nil)
	message := r.object()
	foreignFiles(message, r.files, u.ws)
	p["channel"], p["message"], p["message_ts"] = obj{"id": c.spec.ID, "name": c.commandName()}, message, r.ts
	p["response_url"] = s.newResponseURL("actions", u.ws, u, c, r)
	return p, ""
}

// OpenHome opens the app's home, on the Home tab. The app gets the event
// app_home_opened.
func (u *User) OpenHome() {
	s := u.s
	dm := u.DM()
	s.mu.Lock()
	defer s.mu.Unlock()
	event := obj{"type": "app_home_opened", "user": u.spec.ID, "channel": dm.spec.ID, "tab": "home"}
	if u.home != nil {
		event["view"] = u.home.object()
	}
	s.emit(u.ws, event)
}
