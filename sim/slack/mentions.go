package slack

import (
	"regexp"
	"slices"
	"strings"
)

// Pings says whom a message notified by mentioning them. Edits never do.
type Pings struct {
	// Users are the ids of everybody notified, once each, without the author.
	Users []string
	// Broadcasts are the group mentions: "channel", "here", "everyone", or
	// "subteam:" and a group's id.
	Broadcasts []string
	// Fallback are user ids and broadcasts that only the top-level text
	// mentions while blocks are shown in its place: notified or not, they do
	// not belong there.
	Fallback []string
}

var (
	mention   = regexp.MustCompile(`<(?:@([UW][A-Z0-9]+)|!(channel|here|everyone)|!subteam\^([A-Z0-9]+))(?:\|[^>]*)?>`)
	bareName  = regexp.MustCompile(`(^|[\s(])@([a-zA-Z0-9](?:[a-zA-Z0-9._-]*[a-zA-Z0-9])?)`)
	bareGroup = regexp.MustCompile(`(^|[\s(])@(channel|here|everyone)\b`)
)

// mentions are the user ids, "channel", "here", "everyone" and "subteam:…" that
// a text mentions.
func mentions(text string) []string {
	var found []string
	for _, m := range mention.FindAllStringSubmatch(text, -1) {
		switch {
		case m[1] != "":
			found = append(found, m[1])
		case m[2] != "":
			found = append(found, m[2])
		default:
			found = append(found, "subteam:"+m[3])
		}
	}
	return found
}

// blockMentions are what the texts within a decoded block mention. mrkdwn that
// is not verbatim turns a bare @channel into a mention.
// https://docs.slack.dev/messaging/formatting-message-text
func blockMentions(x any) []string {
	var found []string
	switch x := x.(type) {
	case []any:
		for _, item := range x {
			found = append(found, blockMentions(item)...)
		}
	case obj:
		switch x["type"] {
		case "plain_text":
			return nil
		case "mrkdwn":
			text := str(x["text"])
			if x["verbatim"] != true {
				text = bareGroup.ReplaceAllString(text, "$1<!$2>")
			}
			return mentions(text)
		case "markdown":
			return mentions(str(x["text"]))
		case "user":
			return []string{str(x["user_id"])}
		case "usergroup":
			return []string{"subteam:" + str(x["usergroup_id"])}
		case "broadcast":
			return []string{str(x["range"])}
		}
		for _, name := range sortedKeys(x) {
			found = append(found, blockMentions(x[name])...)
		}
	}
	return found
}

// pings works out whom a new message notifies; s.mu is held.
func (s *Server) pings(r *record) Pings {
	said := mentions(r.text)
	var p Pings
	if len(r.blocks) > 0 {
		shown := make([]string, 0, len(r.blocks))
		for _, b := range r.blocks {
			shown = append(shown, blockMentions(b)...)
		}
		p.Fallback = slices.DeleteFunc(said, func(m string) bool { return slices.Contains(shown, m) })
		said = shown
	}
	if r.to != nil || r.orphan {
		return Pings{Fallback: p.Fallback}
	}
	for _, m := range said {
		group, isGroup := strings.CutPrefix(m, "subteam:")
		switch {
		case isGroup:
			p.Broadcasts = append(p.Broadcasts, m)
			if g := r.ch.ws.group(group); g != nil {
				p.add(r, g.users...)
			}
		case m == "channel", m == "here", m == "everyone":
			if r.thread != "" && !r.broadcast {
				continue // not expanded in threads
			}
			p.Broadcasts = append(p.Broadcasts, m)
			for _, u := range r.ch.audience() {
				if m != "here" || !u.spec.Away {
					p.add(r, u)
				}
			}
		default:
			if u := s.users[m]; u != nil {
				p.add(r, u)
			}
		}
	}
	return p
}

func (p *Pings) add(r *record, users ...*User) {
	for _, u := range users {
		if u != r.author && !u.deleted && !slices.Contains(p.Users, u.spec.ID) {
			p.Users = append(p.Users, u.spec.ID)
		}
	}
}

// linkNames turns bare names into mentions, for link_names and parse=full.
func (s *Server) linkNames(w *Workspace, text string) string {
	text = bareGroup.ReplaceAllString(text, "$1<!$2>")
	return bareName.ReplaceAllStringFunc(text, func(found string) string {
		before, name, _ := strings.Cut(found, "@")
		for _, u := range w.people {
			if u.spec.Name == name {
				return before + "<@" + u.spec.ID + ">"
			}
		}
		return found
	})
}
