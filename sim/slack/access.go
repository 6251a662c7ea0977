package slack

import (
	"regexp"
	"slices"
	"strings"
)

// userID and fileTarget are the forms of ids that the Web API tells apart.
// https://github.com/slackapi/bolt-js/issues/2115
var (
	userID     = regexp.MustCompile(`^[UW][A-Z0-9]{8,}$`)
	fileTarget = regexp.MustCompile(`^[CGDZ][A-Z0-9]{8,}$`)
)

// lookup finds the conversation that a call names by id, as far as the app may
// know that it exists: private ones only as a member.
func (s *Server) lookup(c *call, id string) (*Channel, *Workspace, error) {
	ch := s.channels[id]
	if ch == nil {
		return nil, nil, refuse("channel_not_found")
	}
	w := s.installation(c, ch)
	if w == nil || ch.kind != Public && !ch.has(w.bot) {
		return nil, nil, refuse("channel_not_found")
	}
	return ch, w, nil
}

// installation is the workspace in which the call's token can see ch, or nil.
func (s *Server) installation(c *call, ch *Channel) *Workspace {
	if c.token.serves(ch.ws) {
		return ch.ws
	}
	for _, w := range ch.spec.Shared {
		if c.token.serves(w) {
			return w
		}
	}
	return nil
}

// target finds the conversation that chat.postMessage names: by id, by a user's
// id for direct messages, or a public channel by name.
func (s *Server) target(c *call, name string) (*Channel, *Workspace, error) {
	if userID.MatchString(name) {
		u := s.users[name]
		w := s.workspace(c)
		switch {
		case u == nil || u.deleted || u.ws != w && !c.token.serves(u.ws):
			return nil, nil, refuse("channel_not_found")
		case u.spec.Bot:
			return nil, nil, refuse("cannot_dm_bot")
		}
		return s.dm(u.ws, u), u.ws, nil
	}
	if s.channels[name] == nil {
		plain := strings.TrimPrefix(name, "#")
		for _, ch := range s.workspace(c).rooms {
			if ch.kind == Public && ch.spec.Name == plain {
				return ch, s.workspace(c), nil
			}
		}
	}
	return s.lookup(c, name)
}

// mayPost refuses a message of the app to ch, as
// https://docs.slack.dev/reference/methods/chat.postMessage does.
func (s *Server) mayPost(c *call, ch *Channel, w *Workspace, thread string) error {
	switch {
	case ch.spec.Archived:
		return refuse("is_archived")
	case !ch.has(w.bot) && !c.token.has("chat:write.public"):
		return refuse("not_in_channel")
	case !ch.has(w.bot) && ch.ws != w:
		return refuse("not_in_channel")
	case ch.spec.ReadOnly:
		return refuse("restricted_action_read_only_channel")
	case ch.spec.ThreadOnly && thread == "":
		return refuse("restricted_action_thread_only_channel")
	}
	return nil
}

// mayShare refuses a file of the app in ch, where it must be a member.
// https://docs.slack.dev/reference/methods/files.completeUploadExternal
func (s *Server) mayShare(c *call, id, thread string) (*Channel, *Workspace, error) {
	ch, w, err := s.lookup(c, id)
	switch {
	case err != nil:
		return nil, nil, err
	case !ch.has(w.bot):
		return nil, nil, refuse("not_in_channel")
	case ch.spec.Archived, ch.spec.ReadOnly, ch.spec.ThreadOnly && thread == "":
		return nil, nil, refuse("posting_to_channel_denied")
	}
	return ch, w, nil
}

// scopeFor is the scope of a family (read or history) that a conversation of
// this kind needs.
func scopeFor(ch *Channel, suffix string) string {
	return map[Kind]string{Public: "channels:", Private: "groups:", MPIM: "mpim:", IM: "im:"}[ch.kind] + suffix
}

// audience are the people who read ch, without bots.
func (ch *Channel) audience() []*User {
	return slices.DeleteFunc(slices.Clone(ch.members), func(u *User) bool { return u.spec.Bot || u.deleted })
}
