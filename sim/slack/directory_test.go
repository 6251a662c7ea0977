package slack_test

import (
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ltxbot/sim/slack"
)

func TestWhatTheAppLearnsAboutPeople(t *testing.T) {
	w := newTown(t, slack.Options{})
	partner := w.AddWorkspace(slack.WorkspaceSpec{NotInstalled: true})
	olga := partner.AddUser(slack.UserSpec{Name: "olga", Owner: true})
	nobody := partner.AddUser(slack.UserSpec{})
	w.ws.AddChannel(slack.ChannelSpec{Name: "shared", Members: []*slack.User{w.ann, olga}, Shared: []*slack.Workspace{partner}})
	gone := w.ws.AddUser(slack.UserSpec{})
	gone.Deactivate()
	add := func(spec slack.UserSpec) *slack.User { return w.ws.AddUser(spec) }
	for _, c := range []struct {
		name string
		who  *slack.User
		want []string // the flags that are true
	}{
		{"a member", w.ann, nil},
		{"an admin", add(slack.UserSpec{Admin: true}), []string{"is_admin"}},
		{"an owner", add(slack.UserSpec{Owner: true}), []string{"is_admin", "is_owner"}},
		{"a guest", add(slack.UserSpec{Guest: true}), []string{"is_restricted"}},
		{"a guest of one channel", add(slack.UserSpec{SingleChannelGuest: true}), []string{"is_restricted", "is_ultra_restricted"}},
		{"a bot", w.ws.Bot(), []string{"is_bot"}},
		{"somebody who has left", gone, []string{"deleted"}},
		{"a partner's owner in a shared channel", olga, []string{"is_admin", "is_owner"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			user, _ := w.call("users.info", "user", c.who.ID())["user"].(map[string]any)
			var got []string
			for _, flag := range []string{"deleted", "is_admin", "is_owner", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger"} {
				if user[flag] == true {
					got = append(got, flag)
				}
			}
			if user["id"] != c.who.ID() || !cmp.Equal(got, c.want) {
				t.Errorf("flags %v of %v, want %v", got, user["id"], c.want)
			}
		})
	}
	if got := w.call("users.info", "user", nobody.ID()).str("error"); got != "user_not_visible" {
		t.Errorf("a partner's other user: %q", got)
	}
	w.ann.SetAdmin(true)
	r := w.call("users.info", "user", w.ann.ID(), "include_locale", "true")
	if user, _ := r["user"].(map[string]any); user["is_admin"] != true || user["locale"] != "en-US" {
		t.Errorf("after a promotion: %v", user)
	}
}

func TestWhatTheAppLearnsAboutGroupsAndChannels(t *testing.T) {
	w := newTown(t, slack.Options{})
	group := w.ws.AddGroup("studio", w.ann)
	w.ws.SetGroup(group, w.bea)
	ids, _ := w.call("usergroups.users.list", "usergroup", group)["users"].([]any)
	if diff := cmp.Diff([]any{w.bea.ID()}, ids); diff != "" {
		t.Errorf("group (-want +got):\n%s", diff)
	}
	groups, _ := w.call("usergroups.list", "include_users", "true")["usergroups"].([]any)
	if len(groups) != 1 || groups[0].(map[string]any)["handle"] != "studio" {
		t.Errorf("groups: %v", groups)
	}
	info, _ := w.call("conversations.info", "channel", w.outside.ID(), "include_num_members", "true")["channel"].(map[string]any)
	if info["is_member"] != false || info["num_members"] != 2.0 || info["name"] != w.outside.Name() {
		t.Errorf("info: %v", info)
	}
	if r := w.call("conversations.info", "channel", w.dm.ID()); r.str("channel", "user") != w.ann.ID() {
		t.Errorf("direct messages: %v", r)
	}
	opened := w.call("conversations.open", "users", w.ann.ID())
	if opened.str("channel", "id") != w.dm.ID() || opened["already_open"] != true {
		t.Errorf("opening again: %v", opened)
	}
	if r := w.call("conversations.open", "users", w.ann.ID()+","+w.bea.ID()); r["ok"] != true {
		t.Errorf("opening with two: %v", r)
	}
	w.ws.SetScopes(without("im:write", "groups:read")...)
	if r := w.call("conversations.open", "users", w.ann.ID()); r.str("needed") != "im:write" {
		t.Errorf("opening without the scope: %v", r)
	}
	w.private.Add(w.ws.Bot())
	if r := w.call("conversations.info", "channel", w.private.ID()); r.str("needed") != "groups:read" {
		t.Errorf("info without the scope: %v", r)
	}
	w.private.Remove(w.ws.Bot())
	if got := w.call("conversations.info", "channel", w.private.ID()).str("error"); got != "channel_not_found" {
		t.Errorf("info from outside: %q", got)
	}
	w.general.Archive(true)
	if got := w.call("chat.postMessage", "channel", "#general", "text", "x").str("error"); got != "is_archived" {
		t.Errorf("posting after archiving, by name: %q", got)
	}
}

func TestAPersonsFileReachesTheAppThroughAForm(t *testing.T) {
	w := newWorld(t, slack.Options{})
	got := make(chan frame, 1)
	w.dial(func(f frame) (any, bool) {
		if f.Payload["type"] == "view_submission" {
			got <- f
		}
		return nil, true
	})
	m := w.share(w.general, "", "", slack.FileSpec{Name: "fox.png", Content: []byte("png")})
	form := w.open(`{"type":"modal","title":` + plainX + `,"submit":` + plainX + `,"blocks":[{"type":"input","block_id":"image","label":` + plainX +
		`,"element":{"type":"file_input","action_id":"f"}}]}`)
	if _, err := w.ann.SubmitView(t.Context(), form, map[string][]string{"image": {"F00000000"}}); code(err) != "invalid_form" {
		t.Errorf("a file nobody has: %v", err)
	}
	if _, err := w.ann.SubmitView(t.Context(), form, map[string][]string{"image": {m.Files[0].ID}}); err != nil {
		t.Fatal(err)
	}
	p := reply((<-got).Payload)
	values, _ := p["view"].(map[string]any)["state"].(map[string]any)["values"].(map[string]any)["image"].(map[string]any)["f"].(map[string]any)
	files, _ := values["files"].([]any)
	if len(files) != 1 || files[0].(map[string]any)["name"] != "fox.png" {
		t.Errorf("the app got %v", values)
	}
	file, err := w.OpenFile(m.Files[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if raw, err := io.ReadAll(file); err != nil || string(raw) != "png" {
		t.Errorf("the file holds %q, %v", raw, err)
	}
	if all := w.Files(); len(all) != 1 || all[0].Name != "fox.png" {
		t.Errorf("files: %+v", all)
	}
}

func TestADroppedSocketIsForgotten(t *testing.T) {
	w := newWorld(t, slack.Options{})
	sock := w.dial(answer(nil))
	if !w.SendFrame(map[string]any{"type": "strange"}) {
		t.Error("no connection to send on")
	}
	w.DropSockets()
	<-sock.done
	w.connected(0)
}
