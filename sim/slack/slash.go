package slack

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// Slash types a slash command in the channel and returns when the app has
// acknowledged it. Text is what the person types: @name, #channel and URLs are
// escaped as the command's manifest entry says. What the acknowledgement says
// is posted. An *ActionError is what the person sees when it does not work.
func (u *User) Slash(ctx context.Context, c *Channel, command, text string) (Receipt, error) {
	s := u.s
	s.mu.Lock()
	e, w, err := s.slash(u, c, command, text)
	s.mu.Unlock()
	if err != nil {
		return Receipt{}, err
	}
	rec, err := s.deliver(ctx, "slash command", e)
	rec.TriggerID, rec.ResponseURL = str(e.payload["trigger_id"]), str(e.payload["response_url"])
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		rec.TS, err = s.slashAnswer(u, w, c, strings.TrimSpace(command+" "+text), rec.Answer) //nolint:contextcheck // what the app does with it is not this call
	}
	if problem, ok := err.(*ActionError); ok { //nolint:errorlint // made here, never wrapped
		said := command + " failed with the error \"" + problem.Code + "\""
		s.post(&record{ch: c, author: u.ws.slack, to: u, text: said}) //nolint:contextcheck // what the app does with it is not this call
	}
	return rec, err
}

// SlashInThread types a slash command in a thread, where apps' commands do not
// work: it is always refused.
func (u *User) SlashInThread(*Channel, string, string) error {
	return &ActionError{Action: "slash command", Code: "not_supported_in_threads"}
}

// slash checks that u may use the command in c and builds its envelope; s.mu is
// held.
func (s *Server) slash(u *User, c *Channel, command, text string) (envelope, *Workspace, error) {
	known, ok := s.app.command(command)
	refused := func(code string) (envelope, *Workspace, error) {
		return envelope{}, nil, &ActionError{Action: "slash command", Code: code}
	}
	switch {
	case u.deleted:
		return refused("account_inactive")
	case !c.open(u):
		return refused("channel_not_found")
	case c.spec.Archived:
		return refused("is_archived")
	case c.spec.ReadOnly && !u.spec.Admin && !u.spec.Owner:
		return refused("restricted_action_read_only_channel")
	case !ok || u.ws.token == nil || !u.ws.token.has("commands"):
		return refused("unknown_command")
	}
	if !known.Raw {
		text = s.escape(u.ws, text)
	}
	w := u.ws
	p := obj{
		"token": s.creds.verification, "team_id": w.spec.ID, "team_domain": w.spec.Domain, "channel_id": c.spec.ID,
		"channel_name": c.commandName(), "user_id": u.spec.ID, "user_name": u.spec.Name, "command": command, "text": strings.TrimSpace(text),
		"api_app_id": s.app.ID, "is_enterprise_install": "false", "response_url": s.newResponseURL("commands", w, u, c, nil),
		"trigger_id": s.newTrigger(u, w, c, nil),
	}
	if w.spec.Enterprise != "" {
		p["enterprise_id"], p["enterprise_name"] = w.spec.Enterprise, w.spec.EnterpriseName
	}
	if w.token.org != "" {
		p["is_enterprise_install"] = "true"
	}
	return envelope{kind: "slash_commands", to: toCommands, payload: p, accepts: true}, w, nil
}

var (
	escapedAt   = regexp.MustCompile(`(^|[\s(])@([a-zA-Z0-9](?:[a-zA-Z0-9._-]*[a-zA-Z0-9])?)`)
	escapedRoom = regexp.MustCompile(`(^|[\s(])#([a-z0-9_-]+)`)
	escapedURL  = regexp.MustCompile(`https?://[^\s<>]+`)
	entities    = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
)

// escape is should_escape: entities for & < >, ids for names of people, groups
// and channels, and brackets around URLs.
// https://docs.slack.dev/interactivity/implementing-slash-commands
func (s *Server) escape(w *Workspace, typed string) string {
	text := entities.Replace(typed)
	text = escapedURL.ReplaceAllString(text, "<$0>")
	text = escapedAt.ReplaceAllStringFunc(text, func(found string) string {
		before, name, _ := strings.Cut(found, "@")
		if slices.Contains([]string{"here", "channel", "everyone"}, name) {
			return before + "<!" + name + ">"
		}
		for _, u := range w.people {
			if u.spec.Name == name {
				return before + "<@" + u.spec.ID + ">"
			}
		}
		for _, g := range w.groups {
			if g.handle == name {
				return before + "<!subteam^" + g.id + "|@" + name + ">"
			}
		}
		return found
	})
	return escapedRoom.ReplaceAllStringFunc(text, func(found string) string {
		before, name, _ := strings.Cut(found, "#")
		for _, c := range w.rooms {
			switch {
			case c.spec.Name != name || c.kind == IM:
			case c.kind == Public:
				return before + "<#" + c.spec.ID + "|" + name + ">"
			default:
				return before + "<#" + c.spec.ID + "|>"
			}
		}
		return found
	})
}

// slashAnswer posts what an acknowledgement carried; s.mu is held. in_channel
// shows everybody what was typed, even without a text.
func (s *Server) slashAnswer(u *User, w *Workspace, c *Channel, typed string, raw json.RawMessage) (ts string, err error) {
	m, args, err := s.contentOf(raw, w)
	if err != nil {
		return "", &ActionError{Action: "slash command", Code: "invalid_command_response"}
	}
	if args["response_type"] == "in_channel" {
		s.post(&record{ch: c, author: u, text: typed})
	}
	if m.text == "" && len(m.blocks) == 0 && len(m.attachments) == 0 {
		return "", nil
	}
	return s.answerIn(w, c, u, m, args).ts, nil
}
