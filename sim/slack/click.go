package slack

import (
	"context"
	"encoding/json"
	"maps"
)

// A Surface is something with buttons and inputs on it: a Message or a View.
type Surface interface {
	// place names it: a channel and a message, or a view.
	place() (channel, ts, view string)
}

func (m Message) place() (channel, ts, view string) { return m.Channel, m.TS, "" }

func (v View) place() (channel, ts, view string) { return "", "", v.ID }

// spot is a surface found again on the server, with the element acted on.
type spot struct {
	msg   *record
	view  *view
	ws    *Workspace // the installation that it belongs to
	block obj
	el    obj
}

// find finds the element with an action id, or a button with that label, on a
// surface that u can see; s.mu is held.
func (s *Server) find(u *User, on Surface, name string) (spot, string) {
	channel, ts, id := on.place()
	var sp spot
	var blocks Blocks
	if id != "" {
		v := s.views[id]
		if v == nil || !v.open || v.user != u || v.kind == "modal" && u.top() != v {
			return sp, "view_not_found"
		}
		sp.view, sp.ws, blocks = v, v.ws, v.blocks
	} else {
		c := s.channels[channel]
		if c == nil {
			return sp, "channel_not_found"
		}
		r := c.find(ts)
		if r == nil || r.orphan || r.via == nil || r.to != nil && r.to != u || !c.open(u) {
			return sp, "message_not_found"
		}
		sp.msg, sp.ws, blocks = r, r.via, r.blocks
	}
	if sp.ws.token == nil {
		return sp, "app_not_installed"
	}
	for _, byLabel := range []bool{false, true} {
		for _, p := range blocks.placed() {
			if !byLabel && p.el["action_id"] == name || byLabel && p.el["type"] == "button" && textOf(p.el["text"]) == name {
				sp.block, sp.el = p.block, p.el
				return sp, ""
			}
		}
	}
	return sp, "element_not_found"
}

// Click presses a button, or chooses values from a menu, on a message, a modal
// or the Home tab. The element is named by its action id, a button by its label
// too; values are option values or labels, ids or texts. It returns when the
// app has acknowledged it. A person who presses a button with a confirmation
// confirms it. What is chosen in an input that does not dispatch its actions is
// kept, and the app is not told: that is an *ActionError with the code
// not_dispatched.
// https://docs.slack.dev/reference/block-kit/blocks/input-block
func (u *User) Click(ctx context.Context, on Surface, name string, values ...string) (Receipt, error) {
	s := u.s
	s.mu.Lock()
	sp, code := s.find(u, on, name)
	if code != "" {
		s.mu.Unlock()
		return Receipt{}, &ActionError{Action: "click", Code: code}
	}
	action, problem := s.act(sp, values)
	if problem != "" {
		s.mu.Unlock()
		fields := map[string]string{str(sp.block["block_id"]): problem}
		return Receipt{}, &ActionError{Action: "click", Code: "invalid_input", Fields: fields}
	}
	if sp.block["type"] == "input" && sp.block["dispatch_action"] != true {
		s.changed()
		s.mu.Unlock()
		return Receipt{}, &ActionError{Action: "click", Code: "not_dispatched"}
	}
	p := s.interaction("block_actions", u, sp.ws)
	if u.ws.spec.NamesItself {
		p["team"], p["enterprise"] = u.ws.team(), u.ws.enterprise()
	}
	s.locate(p, u, sp)
	p["actions"] = []any{action}
	s.changed()
	s.mu.Unlock()
	rec, err := s.deliver(ctx, "click", envelope{kind: "interactive", to: toInteractions, payload: p})
	rec.TriggerID, rec.ResponseURL, rec.ActionTS = str(p["trigger_id"]), str(p["response_url"]), str(action["action_ts"])
	return rec, err
}

// act is the entry of "actions" for an element, after taking over what was
// chosen; s.mu is held.
func (s *Server) act(sp spot, values []string) (obj, string) {
	action := obj{"type": sp.el["type"], "action_id": sp.el["action_id"], "block_id": sp.block["block_id"], "action_ts": s.newTS()}
	if sp.el["type"] == "button" {
		for _, field := range []string{"text", "value", "style", "url"} {
			if sp.el[field] != nil {
				action[field] = sp.el[field]
			}
		}
		return action, ""
	}
	chosen, problem := choose(sp.el, values, nil)
	if problem != "" {
		return nil, problem
	}
	var st state
	if sp.view != nil {
		st = sp.view.state
	} else {
		st = sp.msg.state
	}
	block, id := str(sp.block["block_id"]), str(sp.el["action_id"])
	if st[block][id] != nil {
		st[block][id] = chosen
	}
	maps.Copy(action, chosen)
	if sp.el["placeholder"] != nil {
		action["placeholder"] = sp.el["placeholder"]
	}
	return action, ""
}

// interaction is what every interaction payload has; s.mu is held.
func (s *Server) interaction(kind string, u *User, w *Workspace) obj {
	return obj{
		"type": kind, "token": s.creds.verification, "api_app_id": s.app.ID, "team": w.team(), "user": u.payload(),
		"enterprise": w.enterprise(), "is_enterprise_install": w.token.org != "",
	}
}

// locate adds where an interaction happened: container, channel, message or
// view, trigger and response URL; s.mu is held.
func (s *Server) locate(p obj, u *User, sp spot) {
	if v := sp.view; v != nil {
		p["container"], p["view"] = obj{"type": "view", "view_id": v.id}, v.object()
		p["trigger_id"] = s.newTrigger(u, sp.ws, nil, v)
		return
	}
	r := sp.msg
	container := obj{"type": "message", "message_ts": r.ts, "channel_id": r.ch.spec.ID, "is_ephemeral": r.to != nil}
	if r.thread != "" {
		container["thread_ts"] = r.thread
	}
	p["container"], p["channel"] = container, obj{"id": r.ch.spec.ID, "name": r.ch.commandName()}
	p["state"], p["trigger_id"] = r.state.payload(), s.newTrigger(u, sp.ws, r.ch, nil)
	p["response_url"] = s.newResponseURL("actions", sp.ws, u, r.ch, r)
	if r.to == nil {
		p["message"] = r.object() // what only one person sees is not repeated to the app
	}
}

// Suggest types into a menu with an external data source and returns the
// choices that the app offers.
func (u *User) Suggest(ctx context.Context, on Surface, name, typed string) ([]Option, error) {
	s := u.s
	s.mu.Lock()
	sp, code := s.find(u, on, name)
	least, given := sp.el["min_query_length"].(float64)
	if !given {
		least = 3
	}
	switch {
	case code != "":
	case sp.el["type"] != "external_select" && sp.el["type"] != "multi_external_select":
		code = "not_external"
	case float64(len([]rune(typed))) < least:
		code = "query_too_short"
	}
	if code != "" {
		s.mu.Unlock()
		return nil, &ActionError{Action: "suggest", Code: code}
	}
	p := s.interaction("block_suggestion", u, sp.ws)
	s.locate(p, u, sp)
	for _, absent := range []string{"trigger_id", "response_url", "state"} {
		delete(p, absent)
	}
	p["action_id"], p["block_id"], p["value"] = sp.el["action_id"], sp.block["block_id"], typed
	s.mu.Unlock()
	rec, err := s.deliver(ctx, "suggest", envelope{kind: "interactive", to: toOptions, payload: p, accepts: true})
	if err != nil {
		return nil, err
	}
	return suggested(rec.Answer)
}

// suggested are the choices of an answer to block_suggestion.
func suggested(raw json.RawMessage) ([]Option, error) {
	var answer obj
	v := &validation{surface: anywhere}
	if err := json.Unmarshal(raw, &answer); err != nil {
		v.errorf("", "not a JSON object")
	}
	answer["type"] = "static_select" // the same rules hold
	object(may("options", items(0, maxOptions, option(false, false))), may("option_groups", items(0, maxOptions, optionGroup)))(v, "", answer)
	if answer["options"] == nil && answer["option_groups"] == nil {
		v.errorf("", "missing required field: options")
	}
	if len(v.problems) > 0 {
		return nil, &ActionError{Action: "suggest", Code: "invalid_options", Fields: map[string]string{"": v.problems[0]}}
	}
	options := []Option{}
	for _, o := range optionsOf(answer) {
		options = append(options, Option{Label: textOf(o["text"]), Value: str(o["value"]), Description: textOf(o["description"])})
	}
	return options, nil
}
