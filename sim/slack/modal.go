package slack

import (
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
)

// maxInputFileBytes is the largest file that a file input takes.
// https://docs.slack.dev/reference/block-kit/block-elements/file-input-element
const maxInputFileBytes = 10 << 20

// SubmitView fills in the visible modal and presses its submit button. Values
// are named by block id, action id or label of the input, files by id; what is not named
// stays as it is. Mistakes that the client or the app finds come back as an
// *ActionError with the code invalid_form and Fields.
func (u *User) SubmitView(ctx context.Context, on View, values map[string][]string) (Receipt, error) {
	s := u.s
	s.mu.Lock()
	v := s.views[on.ID]
	code := ""
	switch {
	case v == nil || !v.open || v.kind != "modal" || u.top() != v:
		code = "view_not_found"
	case v.ws.token == nil:
		code = "app_not_installed"
	case v.submit == nil || v.submitOff:
		code = "no_submit_button"
	}
	if code != "" {
		s.mu.Unlock()
		return Receipt{}, &ActionError{Action: "submit", Code: code}
	}
	if problems := s.take(v, values); len(problems) > 0 {
		s.mu.Unlock()
		return Receipt{}, &ActionError{Action: "submit", Code: "invalid_form", Fields: problems}
	}
	p := s.interaction("view_submission", u, v.ws)
	p["trigger_id"], p["view"], p["response_urls"] = s.newTrigger(u, v.ws, v.origin, v), v.object(), s.responseURLs(v)
	s.changed()
	s.mu.Unlock()
	rec, err := s.deliver(ctx, "submit", envelope{kind: "interactive", to: toInteractions, payload: p, accepts: true})
	rec.TriggerID = str(p["trigger_id"])
	if err != nil {
		return rec, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.changed()
	return rec, s.submitted(v, rec.Answer)
}

// take fills in the inputs of a modal and returns what the client objects to,
// by block id.
func (s *Server) take(v *view, values map[string][]string) map[string]string {
	problems := map[string]string{}
	unused := map[string]bool{}
	for name := range values {
		unused[name] = true
	}
	for _, p := range v.blocks.placed() {
		block, action := str(p.block["block_id"]), str(p.el["action_id"])
		if v.state[block][action] == nil {
			continue
		}
		for _, name := range []string{block, action, textOf(p.block["label"])} {
			given, ok := values[name]
			if !ok || !unused[name] {
				continue
			}
			delete(unused, name)
			value, problem := choose(p.el, given, nil)
			if p.el["type"] == "external_select" && len(given) == 1 {
				value, problem = choose(p.el, given, []obj{{"text": obj{"type": "plain_text", "text": given[0]}, "value": given[0]}})
			}
			if problem == "" && p.el["type"] == "file_input" {
				problem = s.attach(v, p.el, value)
			}
			if problem != "" {
				problems[block] = problem
				break
			}
			v.state[block][action] = value
			break
		}
		required := p.block["type"] == "input" && p.block["optional"] != true
		if required && len(chosen(v.state[block][action])) == 0 && problems[block] == "" {
			problems[block] = "is required"
		}
	}
	for name := range unused {
		problems[name] = "no such input"
	}
	return problems
}

// attach puts file objects in place of the ids that somebody has chosen for a
// file input, and says what is wrong with them.
func (s *Server) attach(v *view, el, value obj) (problem string) {
	chosen, types := asList(value["files"]), asList(el["filetypes"])
	if most, ok := el["max_files"].(float64); len(chosen) > maxInputFiles || ok && float64(len(chosen)) > most {
		return "has too many files"
	}
	files := make([]any, 0, len(chosen))
	for _, id := range chosen {
		f := s.files[str(id)]
		if f == nil || f.owner != v.user || f.deleted {
			return "has no such file"
		}
		if ext := strings.ToLower(strings.TrimPrefix(filepath.Ext(f.name), ".")); len(types) > 0 && !slices.Contains(types, any(ext)) {
			return "takes no such type of file"
		}
		if f.size > maxInputFileBytes {
			return "is larger than 10 MB"
		}
		f.opened = append(f.opened, v.ws)
		files = append(files, f.object())
	}
	value["files"] = files
	return ""
}

// responseURLs are the URLs for conversations chosen in menus with
// response_url_enabled; s.mu is held.
func (s *Server) responseURLs(v *view) []any {
	urls := []any{}
	for _, p := range v.blocks.placed() {
		if p.el["response_url_enabled"] != true {
			continue
		}
		block, action := str(p.block["block_id"]), str(p.el["action_id"])
		for _, id := range chosen(v.state[block][action]) {
			if c := s.channels[id]; c != nil {
				urls = append(urls, obj{
					"block_id": block, "action_id": action, "channel_id": id,
					"response_url": s.newResponseURL("actions", v.ws, v.user, c, nil),
				})
			}
		}
	}
	return urls
}

// submitted does what the acknowledgement of a submission asks for: nothing
// closes the modal, response_action shows errors, another view, or clears all;
// s.mu is held.
func (s *Server) submitted(v *view, raw json.RawMessage) error {
	broken := &ActionError{Action: "submit", Code: "invalid_response_action"}
	var answer obj
	if text := ""; len(raw) > 0 && json.Unmarshal(raw, &answer) != nil && (json.Unmarshal(raw, &text) != nil || text != "") {
		return broken
	}
	switch answer["response_action"] {
	case nil:
		if len(answer) > 0 {
			return broken
		}
		v.user.closeViews(false)
	case "clear":
		v.user.closeViews(true)
	case "errors":
		return s.formErrors(v, asObj(answer["errors"]))
	case "update", "push":
		o, err := s.checkView(answer["view"], "modal", v.ws.token)
		if err != nil {
			return broken
		}
		if answer["response_action"] == "update" {
			if err := s.fill(v, o); err != nil {
				return broken
			}
			return nil
		}
		next, err := s.newView(o, v.user, v.ws, v.origin)
		if err != nil {
			return broken
		}
		if _, err := s.push(v.user, next); err != nil {
			return broken
		}
	default:
		return broken
	}
	return nil
}

// formErrors shows the app's objections beside the inputs, which must exist.
func (s *Server) formErrors(v *view, errors obj) error {
	v.errors = map[string]string{}
	for _, block := range sortedKeys(errors) {
		isInput := slices.ContainsFunc(v.blocks, func(b Block) bool { return b["block_id"] == block && b["type"] == "input" })
		if !isInput || str(errors[block]) == "" {
			return &ActionError{Action: "submit", Code: "invalid_response_action"}
		}
		v.errors[block] = str(errors[block])
	}
	if len(errors) == 0 {
		return &ActionError{Action: "submit", Code: "invalid_response_action"}
	}
	return &ActionError{Action: "submit", Code: "invalid_form", Fields: v.errors}
}

// CloseView closes the visible modal, or with all the whole stack. The app is
// told if the view asked for it.
func (u *User) CloseView(ctx context.Context, on View, all bool) error {
	s := u.s
	s.mu.Lock()
	v := s.views[on.ID]
	if v == nil || !v.open || u.top() != v {
		s.mu.Unlock()
		return &ActionError{Action: "close", Code: "view_not_found"}
	}
	var told []obj
	all = all || v.clearOnClose
	for _, gone := range u.closeViews(all) {
		if gone.notify && v.ws.token != nil {
			p := s.interaction("view_closed", u, v.ws)
			p["view"], p["is_cleared"] = gone.object(), all
			told = append(told, p)
		}
	}
	s.changed()
	s.mu.Unlock()
	for _, p := range told {
		if _, err := s.deliver(ctx, "close", envelope{kind: "interactive", to: toInteractions, payload: p}); err != nil {
			return err
		}
	}
	return nil
}
