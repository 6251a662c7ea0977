package slack

import (
	"slices"
	"strconv"
	"strings"
)

func (s *Server) conversationsInfo(c *call) (obj, error) {
	ch, w, err := s.lookup(c, c.str("channel"))
	if err != nil {
		return nil, err
	}
	if scope := scopeFor(ch, "read"); !c.token.has(scope) {
		return nil, c.token.missing(scope)
	}
	o := ch.object(w)
	if c.bool("include_num_members") {
		o["num_members"] = len(ch.members)
	}
	if c.bool("include_locale") {
		o["locale"] = "en-US"
	}
	return obj{"channel": o}, nil
}

func (s *Server) conversationsJoin(c *call) (obj, error) {
	ch, w, err := s.lookup(c, c.str("channel"))
	switch {
	case err != nil:
		return nil, err
	case ch.kind != Public:
		return nil, refuse("method_not_supported_for_channel_type")
	case ch.spec.Archived:
		return nil, refuse("is_archived")
	case ch.spec.NoJoin:
		return nil, refuse("restricted_action")
	}
	if ch.has(w.bot) {
		return obj{
			"channel": ch.object(w), "warning": "already_in_channel", "response_metadata": obj{"warnings": []any{"already_in_channel"}},
		}, nil
	}
	ch.members = append(ch.members, w.bot)
	s.changed()
	return obj{"channel": ch.object(w)}, nil
}

func (s *Server) conversationsOpen(c *call) (obj, error) {
	if id := c.str("channel"); id != "" {
		ch, w, err := s.lookup(c, id)
		if err != nil {
			return nil, err
		}
		return opened(ch, w, true, c), nil
	}
	names := strings.FieldsFunc(c.str("users"), func(r rune) bool { return r == ',' })
	w := s.workspace(c)
	var people []*User
	for _, id := range names {
		u := s.users[strings.TrimSpace(id)]
		switch {
		case u == nil:
			return nil, refuse("user_not_found")
		case u.deleted:
			return nil, refuse("user_disabled")
		case u.spec.Bot:
			return nil, refuse("cannot_dm_bot")
		}
		people = append(people, u)
	}
	switch {
	case len(people) == 0:
		return nil, refuse("users_list_not_supplied")
	case len(people) > 8:
		return nil, refuse("too_many_users")
	case len(people) == 1 && !c.token.has("im:write"):
		return nil, c.token.missing("im:write")
	case len(people) > 1 && !c.token.has("mpim:write"):
		return nil, c.token.missing("mpim:write")
	}
	if len(people) == 1 {
		before := len(w.rooms)
		ch := s.dm(w, people[0])
		s.changed()
		return opened(ch, w, len(w.rooms) == before, c), nil
	}
	ch := w.addChannel(ChannelSpec{Kind: MPIM, Members: append(people, w.bot)})
	s.changed()
	return opened(ch, w, false, c), nil
}

func opened(ch *Channel, w *Workspace, already bool, c *call) obj {
	o := obj{"channel": obj{"id": ch.spec.ID}}
	if c.bool("return_im") {
		o["channel"] = ch.object(w)
	}
	if already {
		o["no_op"], o["already_open"] = true, true
	}
	return o
}

// readable finds a conversation whose history the app may read.
func (s *Server) readable(c *call) (*Channel, error) {
	ch, w, err := s.lookup(c, c.str("channel"))
	if err != nil {
		return nil, err
	}
	if scope := scopeFor(ch, "history"); !c.token.has(scope) {
		return nil, c.token.missing(scope)
	}
	if !ch.has(w.bot) {
		return nil, refuse("not_in_channel")
	}
	return ch, nil
}

func (s *Server) conversationsHistory(c *call) (obj, error) {
	ch, err := s.readable(c)
	if err != nil {
		return nil, err
	}
	kept := ch.history(c, func(r *record) bool { return r.thread == "" || r.broadcast })
	slices.Reverse(kept)
	return page(c, kept, 100, 999)
}

func (s *Server) conversationsReplies(c *call) (obj, error) {
	ch, err := s.readable(c)
	if err != nil {
		return nil, err
	}
	parent := ch.find(c.str("ts"))
	if parent == nil {
		return nil, refuse("thread_not_found")
	}
	root := parent.ts
	if parent.thread != "" {
		root = parent.thread
	}
	reply, err := page(c, ch.history(c, func(r *record) bool { return r.ts != root && r.thread == root }), 1000, 1000)
	if err != nil {
		return nil, err
	}
	if first := ch.find(root); first != nil && !first.deleted { // on each page, whatever part is asked for
		messages, _ := reply["messages"].([]obj)
		reply["messages"] = append([]obj{ch.listed(c, first)}, messages...)
	}
	return reply, nil
}

// history are the messages that everybody sees, oldest first, within the times
// that a call names.
func (ch *Channel) history(c *call, keep func(*record) bool) []obj {
	var found []obj
	oldest, latest, inclusive := c.str("oldest"), c.str("latest"), c.bool("inclusive")
	for _, r := range ch.messages {
		outside := oldest != "" && (r.ts < oldest || r.ts == oldest && !inclusive) ||
			latest != "" && (r.ts > latest || r.ts == latest && !inclusive)
		if r.deleted || r.to != nil || r.orphan || outside || !keep(r) {
			continue
		}
		found = append(found, ch.listed(c, r))
	}
	return found
}

// listed is a message as lists have it.
func (ch *Channel) listed(c *call, r *record) obj {
	o := r.object()
	if !c.bool("include_all_metadata") {
		delete(o, "metadata")
	}
	if n := ch.replies(r.ts); n > 0 {
		o["thread_ts"], o["reply_count"] = r.ts, n
	}
	return o
}

func (ch *Channel) replies(ts string) int {
	n := 0
	for _, r := range ch.messages {
		if r.thread == ts && !r.deleted {
			n++
		}
	}
	return n
}

// page is the part of a list that limit and cursor ask for. A cursor names the
// last message of the page before.
func page(c *call, all []obj, limit, most int) (obj, error) {
	if text := c.str("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > most {
			return nil, refuse("invalid_limit")
		}
		limit = n
	}
	start := 0
	if cursor := c.str("cursor"); cursor != "" {
		start = 1 + slices.IndexFunc(all, func(o obj) bool { return o["ts"] == cursor })
		if start == 0 {
			return nil, refuse("invalid_cursor")
		}
	}
	end := min(len(all), start+limit)
	next := ""
	if end < len(all) {
		next, _ = all[end-1]["ts"].(string)
	}
	messages := all[start:end]
	if messages == nil {
		messages = []obj{}
	}
	return obj{"messages": messages, "has_more": next != "", "response_metadata": obj{"next_cursor": next}}, nil
}
