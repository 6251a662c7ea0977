package slack_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"ltxbot/sim/slack"
)

// town is a world with one conversation of every kind.
type town struct {
	*world

	outside, private, mpim, dm, theirs, archived, readOnly, threadOnly, noJoin *slack.Channel
	bea                                                                        *slack.User
}

func newTown(t *testing.T, o slack.Options) *town {
	t.Helper()
	w := newWorld(t, o)
	bea := w.ws.AddUser(slack.UserSpec{Name: "bea"})
	both, all := []*slack.User{w.ann, bea}, []*slack.User{w.ann, bea, w.ws.Bot()}
	add := func(spec slack.ChannelSpec) *slack.Channel { return w.ws.AddChannel(spec) }
	return &town{
		world: w, bea: bea,
		outside:    add(slack.ChannelSpec{Name: "outside", Members: both}),
		private:    add(slack.ChannelSpec{Name: "private", Kind: slack.Private, Members: both}),
		mpim:       add(slack.ChannelSpec{Kind: slack.MPIM, Members: both}),
		dm:         w.ann.DM(),
		theirs:     add(slack.ChannelSpec{Kind: slack.IM, Members: both}),
		archived:   add(slack.ChannelSpec{Name: "archived", Members: all, Archived: true}),
		readOnly:   add(slack.ChannelSpec{Name: "readonly", Members: all, ReadOnly: true}),
		threadOnly: add(slack.ChannelSpec{Name: "threadonly", Members: all, ThreadOnly: true}),
		noJoin:     add(slack.ChannelSpec{Name: "nojoin", Members: both, NoJoin: true}),
	}
}

func without(scopes ...string) []string {
	var left []string
	for _, s := range slack.AllScopes() {
		if !strings.Contains(" "+strings.Join(scopes, " ")+" ", " "+s+" ") {
			left = append(left, s)
		}
	}
	return left
}

func TestWhereTheAppMayPostAndShare(t *testing.T) {
	for _, c := range []struct {
		name        string
		channel     func(*town) *slack.Channel
		scopes      []string
		post, share string
	}{
		{"public, member", func(w *town) *slack.Channel { return w.general }, nil, "", ""},
		{"public, not member, chat:write.public", func(w *town) *slack.Channel { return w.outside }, nil, "", "not_in_channel"},
		{
			"public, not member, no chat:write.public", func(w *town) *slack.Channel { return w.outside }, without("chat:write.public"),
			"not_in_channel", "not_in_channel",
		},
		{"private, not member", func(w *town) *slack.Channel { return w.private }, nil, "channel_not_found", "channel_not_found"},
		{"group message, not member", func(w *town) *slack.Channel { return w.mpim }, nil, "channel_not_found", "channel_not_found"},
		{"the app's own direct messages", func(w *town) *slack.Channel { return w.dm }, nil, "", ""},
		{"direct messages of two people", func(w *town) *slack.Channel { return w.theirs }, nil, "channel_not_found", "channel_not_found"},
		{"archived", func(w *town) *slack.Channel { return w.archived }, nil, "is_archived", "posting_to_channel_denied"},
		{"read-only", func(w *town) *slack.Channel { return w.readOnly }, nil, "restricted_action_read_only_channel", "posting_to_channel_denied"},
		{"thread-only", func(w *town) *slack.Channel { return w.threadOnly }, nil, "restricted_action_thread_only_channel", "posting_to_channel_denied"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newTown(t, slack.Options{})
			if c.scopes != nil {
				w.ws.SetScopes(c.scopes...)
			}
			id := c.channel(w).ID()
			if got := w.call("chat.postMessage", "channel", id, "text", "x").str("error"); got != c.post {
				t.Errorf("post: %q, want %q", got, c.post)
			}
			u := w.call("files.getUploadURLExternal", "filename", "a.mp4", "length", "3")
			w.upload(u.str("upload_url"), []byte("abc"))
			files := `[{"id":"` + u.str("file_id") + `"}]`
			if got := w.call("files.completeUploadExternal", "files", files, "channel_id", id).str("error"); got != c.share {
				t.Errorf("share: %q, want %q", got, c.share)
			}
		})
	}
}

func TestTheWebAPIRefusesWhatSlackRefuses(t *testing.T) {
	big := strings.Repeat("x", 4001)
	view := `{"type":"modal","title":{"type":"plain_text","text":"T"},"blocks":[{"type":"divider"}]}`
	for _, c := range []struct {
		name, want string
		setup      func(*town)
		method     string
		args       func(*town) []string
	}{
		{"no such method", "unknown_method", nil, "chat.shout", nil},
		{"a token nobody has", "invalid_auth", nil, "auth.test", func(*town) []string { return []string{"token", "xoxb-no"} }},
		{"a revoked token", "token_revoked", func(w *town) { w.ws.RevokeToken() }, "auth.test", nil},
		{"the app token where the bot's is wanted", "not_allowed_token_type", nil, "chat.postMessage", func(w *town) []string { return []string{"token", w.AppToken()} }},
		{"the bot token where the app's is wanted", "not_allowed_token_type", nil, "apps.connections.open", nil},
		{
			"no scope to post", "missing_scope", func(w *town) { w.ws.SetScopes("commands") }, "chat.postMessage",
			func(w *town) []string { return []string{"channel", w.general.ID(), "text", "x"} },
		},
		{"no scope for history", "missing_scope", func(w *town) { w.ws.SetScopes(without("channels:history")...) }, "conversations.history", func(w *town) []string { return []string{"channel", w.general.ID()} }},
		{"nothing to say", "no_text", nil, "chat.postMessage", func(w *town) []string { return []string{"channel", w.general.ID()} }},
		{"a channel nobody has", "channel_not_found", nil, "chat.postMessage", func(*town) []string { return []string{"channel", "C00000000", "text", "x"} }},
		{"direct messages to a bot", "cannot_dm_bot", nil, "chat.postMessage", func(w *town) []string { return []string{"channel", w.ws.Bot().ID(), "text", "x"} }},
		{"a thread that is no timestamp", "invalid_thread_ts", nil, "chat.postMessage", func(w *town) []string { return []string{"channel", w.general.ID(), "text", "x", "thread_ts", "0"} }},
		{"blocks that are no JSON", "invalid_blocks_format", nil, "chat.postMessage", func(w *town) []string { return []string{"channel", w.general.ID(), "blocks", "{"} }},
		{"blocks that are no list", "invalid_blocks_format", nil, "chat.postMessage", func(w *town) []string { return []string{"channel", w.general.ID(), "blocks", "{}"} }},
		{"metadata without a type", "invalid_metadata_schema", nil, "chat.postMessage", func(w *town) []string {
			return []string{"channel", w.general.ID(), "text", "x", "metadata", `{"event_payload":{}}`}
		}},
		{"an edit of nothing", "message_not_found", nil, "chat.update", func(w *town) []string {
			return []string{"channel", w.general.ID(), "ts", "1.000000", "text", "x"}
		}},
		{"an edit of somebody else's message", "cant_update_message", nil, "chat.update", func(w *town) []string {
			return []string{"channel", w.general.ID(), "ts", w.ann.Say(w.general, "mine", "").TS, "text", "x"}
		}},
		{"an edit that is too long", "msg_too_long", nil, "chat.update", func(w *town) []string {
			return []string{"channel", w.general.ID(), "ts", w.say(w.general), "text", big}
		}},
		{"an edit in direct messages by user id", "channel_not_found", nil, "chat.update", func(w *town) []string {
			return []string{"channel", w.ann.ID(), "ts", w.say(w.dm), "text", "x"}
		}},
		{"deleting somebody else's message", "cant_delete_message", nil, "chat.delete", func(w *town) []string {
			return []string{"channel", w.general.ID(), "ts", w.ann.Say(w.general, "mine", "").TS}
		}},
		{"an ephemeral to somebody outside", "user_not_in_channel", nil, "chat.postEphemeral", func(w *town) []string {
			return []string{"channel", w.general.ID(), "user", w.bea.ID(), "text", "x"}
		}},
		{"joining a private channel", "channel_not_found", nil, "conversations.join", func(w *town) []string { return []string{"channel", w.private.ID()} }},
		{"joining direct messages", "method_not_supported_for_channel_type", nil, "conversations.join", func(w *town) []string { return []string{"channel", w.dm.ID()} }},
		{"joining an archived channel", "is_archived", nil, "conversations.join", func(w *town) []string { return []string{"channel", w.archived.ID()} }},
		{"joining where it is restricted", "restricted_action", nil, "conversations.join", func(w *town) []string { return []string{"channel", w.noJoin.ID()} }},
		{"history from outside", "not_in_channel", nil, "conversations.history", func(w *town) []string { return []string{"channel", w.outside.ID()} }},
		{"replies to nothing", "thread_not_found", nil, "conversations.replies", func(w *town) []string { return []string{"channel", w.general.ID(), "ts", "1.000000"} }},
		{"a user nobody is", "user_not_found", nil, "users.info", func(*town) []string { return []string{"user", "U00000000"} }},
		{"a group nobody has", "no_such_subteam", nil, "usergroups.users.list", func(*town) []string { return []string{"usergroup", "S00000000"} }},
		{"an upload of nothing", "invalid_arguments", nil, "files.getUploadURLExternal", func(*town) []string { return []string{"filename", "a", "length", "0"} }},
		{"an upload without a name", "invalid_arguments", nil, "files.getUploadURLExternal", func(*town) []string { return []string{"length", "1"} }},
		{"an upload of two gigabytes", "file_upload_size_restricted", nil, "files.getUploadURLExternal", func(*town) []string { return []string{"filename", "a", "length", "2147483648"} }},
		{"completing what was not uploaded", "file_not_found", nil, "files.completeUploadExternal", func(w *town) []string {
			id := w.call("files.getUploadURLExternal", "filename", "a", "length", "1").str("file_id")
			return []string{"files", `[{"id":"` + id + `"}]`}
		}},
		{"sharing with a user id", "invalid_arguments", nil, "files.completeUploadExternal", func(w *town) []string {
			return []string{"files", `[{"id":"` + w.uploaded() + `"}]`, "channel_id", w.ann.ID()}
		}},
		{"sharing with a markdown block", "internal_error", nil, "files.completeUploadExternal", func(w *town) []string {
			return []string{"files", `[{"id":"` + w.uploaded() + `"}]`, "channel_id", w.general.ID(), "blocks", `[{"type":"markdown","text":"x"}]`}
		}},
		{"a trigger that is none", "invalid_trigger_id", nil, "views.open", func(*town) []string { return []string{"trigger_id", "x", "view", view} }},
		{"a modal without a title", "invalid_arguments", nil, "views.open", func(*town) []string {
			return []string{"trigger_id", "x", "view", `{"type":"modal","blocks":[]}`}
		}},
		{"a modal of half a megabyte", "view_too_large", nil, "views.open", func(*town) []string {
			return []string{"trigger_id", "x", "view", `{"type":"modal","private_metadata":"` + strings.Repeat("x", 300_000) + `"}`}
		}},
		{"changing a view that is not there", "not_found", nil, "views.update", func(*town) []string { return []string{"view_id", "V00000000", "view", view} }},
		{"publishing a modal as Home", "invalid_arguments", nil, "views.publish", func(w *town) []string { return []string{"user_id", w.ann.ID(), "view", view} }},
		{"a hash for a Home that is not there", "hash_conflict", nil, "views.publish", func(w *town) []string {
			return []string{"user_id", w.ann.ID(), "hash", "1.x", "view", `{"type":"home","blocks":[]}`}
		}},
		{"a wrong client id", "invalid_client_id", nil, "oauth.v2.access", func(*town) []string { return []string{"client_id", "x"} }},
		{"an event nobody sent", "invalid_event_context", nil, "apps.event.authorizations.list", func(w *town) []string { return []string{"token", w.AppToken()} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newTown(t, slack.Options{})
			token := w.ws.BotToken()
			if c.setup != nil {
				c.setup(w)
			}
			args := []string{"token", token}
			if c.args != nil {
				args = append(args, c.args(w)...)
			}
			r := w.call(c.method, args...)
			if got := r.str("error"); got != c.want {
				t.Errorf("error %q, want %q (%v)", got, c.want, r)
			}
			if c.want == "missing_scope" && (r.str("needed") == "" || r.str("provided") == "") {
				t.Errorf("the refusal does not say what is needed: %v", r)
			}
		})
	}
}

// say posts as the app and returns the timestamp.
func (w *world) say(c *slack.Channel) string {
	w.t.Helper()
	return w.call("chat.postMessage", "channel", c.ID(), "text", "said").str("ts")
}

// uploaded is the id of a file whose bytes have arrived.
func (w *world) uploaded() string {
	w.t.Helper()
	u := w.call("files.getUploadURLExternal", "filename", "a.mp4", "length", "3")
	if status := w.upload(u.str("upload_url"), []byte("abc")); status != http.StatusOK {
		w.t.Fatalf("upload: status %d", status)
	}
	return u.str("file_id")
}

func TestPoliciesOfTheWorkspace(t *testing.T) {
	w := newWorld(t, slack.Options{})
	for _, c := range []struct {
		name, want, method string
		spec               slack.WorkspaceSpec
		args               []string
	}{
		{"no uploads", "file_uploads_disabled", "files.getUploadURLExternal", slack.WorkspaceSpec{NoUploads: true}, []string{"filename", "a", "length", "1"}},
		{"storage used up", "storage_limit_reached", "files.getUploadURLExternal", slack.WorkspaceSpec{Storage: 5}, []string{"filename", "a", "length", "6"}},
		{"no user groups on this plan", "plan_upgrade_required", "usergroups.list", slack.WorkspaceSpec{NoUserGroups: true}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			ws := w.AddWorkspace(c.spec)
			if got := w.call(c.method, append([]string{"token", ws.BotToken()}, c.args...)...).str("error"); got != c.want {
				t.Errorf("error %q, want %q", got, c.want)
			}
		})
	}
}

func TestTheEditWindowCloses(t *testing.T) {
	w := newWorld(t, slack.Options{})
	ws := w.AddWorkspace(slack.WorkspaceSpec{EditWindow: time.Minute})
	c := ws.AddChannel(slack.ChannelSpec{Members: []*slack.User{ws.Bot()}})
	ts := w.call("chat.postMessage", "token", ws.BotToken(), "channel", c.ID(), "text", "x").str("ts")
	for _, want := range []string{"", "edit_window_closed"} {
		if got := w.call("chat.update", "token", ws.BotToken(), "channel", c.ID(), "ts", ts, "text", "y").str("error"); got != want {
			t.Errorf("error %q, want %q", got, want)
		}
		w.Advance(2 * time.Minute)
	}
}

func TestHowACallMayBeSent(t *testing.T) {
	w := newWorld(t, slack.Options{})
	bearer, json := "Bearer "+w.ws.BotToken(), "application/json; charset=utf-8"
	post := `{"channel":"` + w.general.ID() + `","text":"x"}`
	for _, c := range []struct {
		name, method, contentType, auth, body string
		want                                  string
	}{
		{"JSON with the token in the header", "chat.postMessage", json, bearer, post, ""},
		{"JSON with the token inside", "chat.postMessage", json, "", `{"token":"` + w.ws.BotToken() + `"}`, "not_authed"},
		{"no token at all", "auth.test", "application/x-www-form-urlencoded", "", "x=y", "not_authed"},
		{"JSON to a method that takes forms", "files.getUploadURLExternal", json, bearer, `{"filename":"a","length":1}`, "invalid_arguments"},
		{"JSON that is broken", "chat.postMessage", json, bearer, "{", "invalid_json"},
		{"JSON that is a list", "chat.postMessage", json, bearer, "[]", "json_not_object"},
		{"another content type", "chat.postMessage", "text/plain", bearer, "x", "invalid_post_type"},
		{"no content type", "chat.postMessage", "", bearer, "x", "missing_post_type"},
		{"the app token in a form field", "apps.connections.open", "application/x-www-form-urlencoded", "", "token=" + w.AppToken(), "not_authed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			req := w.request(c.method, strings.NewReader(c.body))
			if c.contentType != "" {
				req.Header.Set("Content-Type", c.contentType)
			}
			if c.auth != "" {
				req.Header.Set("Authorization", c.auth)
			}
			r, res := w.send(req)
			if got := r.str("error"); got != c.want || res.status != http.StatusOK {
				t.Errorf("error %q, status %d, want %q", got, res.status, c.want)
			}
		})
	}
}
