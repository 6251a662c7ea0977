package slack_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"ltxbot/sim/slack"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestWhoMayTypeACommandWhere(t *testing.T) {
	w := newTown(t, slack.Options{})
	w.dial(answer(nil))
	partner := w.AddWorkspace(slack.WorkspaceSpec{Domain: "partner", NotInstalled: true})
	olga := partner.AddUser(slack.UserSpec{Name: "olga"})
	shared := w.ws.AddChannel(slack.ChannelSpec{Name: "shared", Members: []*slack.User{w.ann, olga, w.ws.Bot()}, Shared: []*slack.Workspace{partner}})
	guest := w.ws.AddUser(slack.UserSpec{Guest: true})
	gone := w.ws.AddUser(slack.UserSpec{})
	gone.Deactivate()
	for _, c := range []struct {
		name    string
		who     *slack.User
		where   *slack.Channel
		command string
		want    string
	}{
		{"a member in a channel", w.ann, w.general, "/ltx", ""},
		{"a member in a public channel they have not joined", w.bea, w.general, "/ltx", ""},
		{"a member in somebody else's direct messages", w.ws.AddUser(slack.UserSpec{}), w.theirs, "/ltx", "channel_not_found"},
		{"two people among themselves", w.bea, w.theirs, "/ltx", ""},
		{"a member in an archived channel", w.ann, w.archived, "/ltx", "is_archived"},
		{"a member in a read-only channel", w.ann, w.readOnly, "/ltx", "restricted_action_read_only_channel"},
		{"a command of another app", w.ann, w.general, "/giphy", "unknown_command"},
		{"a guest in a channel they were not invited to", guest, w.general, "/ltx", "channel_not_found"},
		{"somebody who has left", gone, w.general, "/ltx", "account_inactive"},
		{"a member in a shared channel", w.ann, shared, "/ltx", ""},
		{"a partner in a shared channel", olga, shared, "/ltx", "unknown_command"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := c.who.Slash(t.Context(), c.where, c.command, "x"); code(err) != c.want {
				t.Errorf("person sees %v, want %q", err, c.want)
			}
		})
	}
	if got := code(w.ann.SlashInThread(w.general, "1.000000", "/ltx")); got != "not_supported_in_threads" {
		t.Errorf("in a thread: %q", got)
	}
	t.Run("a partner may click", func(t *testing.T) {
		w.call("chat.postMessage", "channel", shared.ID(), "text", "x", "blocks", "["+actions("["+buttonX+"]")+"]")
		if _, err := olga.Click(t.Context(), shared.Messages()[0], "a#"); err != nil {
			t.Errorf("person sees %v", err)
		}
	})
}

func TestWhatIsTypedArrivesEscaped(t *testing.T) {
	w := newTown(t, slack.Options{App: slack.App{Commands: []slack.Command{{Name: "/ltx"}, {Name: "/raw", Raw: true}}}})
	group := w.ws.AddGroup("studio", w.ann)
	got := make(chan string, 1)
	w.dial(func(f frame) (any, bool) {
		text, _ := f.Payload["text"].(string)
		got <- text
		return nil, true
	})
	for _, c := range []struct{ name, command, typed, want string }{
		{"entities", "/ltx", "a < b & c > d", "a &lt; b &amp; c &gt; d"},
		{"a person", "/ltx", "for @ann.", "for <@" + w.ann.ID() + ">."},
		{"a name nobody has", "/ltx", "for @annabel", "for @annabel"},
		{"a public channel", "/ltx", "in #general", "in <#" + w.general.ID() + "|general>"},
		{"a private channel", "/ltx", "in #private", "in <#" + w.private.ID() + "|>"},
		{"a group", "/ltx", "@studio", "<!subteam^" + group + "|@studio>"},
		{"a link", "/ltx", "like https://x.test/a?b=1&c=2 this", "like <https://x.test/a?b=1&amp;c=2> this"},
		{"a mention that was typed by hand", "/ltx", "<@U1>", "&lt;@U1&gt;"},
		{"anything with should_escape off", "/raw", "@ann & <#general>", "@ann & <#general>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := w.ann.Slash(t.Context(), w.general, c.command, c.typed); err != nil {
				t.Fatal(err)
			}
			if text := <-got; text != c.want {
				t.Errorf("arrived as %q, want %q", text, c.want)
			}
		})
	}
}

func TestWhatAnAcknowledgementShows(t *testing.T) {
	type seen struct{ Author, Text, To string }
	for _, c := range []struct {
		name    string
		payload any
		want    []seen
		code    string
	}{
		{"nothing", nil, nil, ""},
		{"an empty object", map[string]any{}, nil, ""},
		{"a text", "hello", []seen{{"ltx", "hello", "ann"}}, ""},
		{"an ephemeral message", map[string]any{"text": "hello"}, []seen{{"ltx", "hello", "ann"}}, ""},
		{"a message for all, with the command", map[string]any{"text": "hello", "response_type": "in_channel"}, []seen{{"ann", "/ltx a fox", ""}, {"ltx", "hello", ""}}, ""},
		{"only the command for all", map[string]any{"response_type": "in_channel"}, []seen{{"ann", "/ltx a fox", ""}}, ""},
		{
			"blocks that are wrong",
			map[string]any{"blocks": []any{map[string]any{"type": "x"}}},
			[]seen{{"slackbot", `/ltx failed with the error "invalid_command_response"`, "ann"}},
			"invalid_command_response",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newTown(t, slack.Options{})
			w.dial(answer(c.payload))
			if _, err := w.ann.Slash(t.Context(), w.private, "/ltx", "a fox"); code(err) != c.code {
				t.Errorf("person sees %v, want %q", err, c.code)
			}
			shown := w.private.Messages()
			got := make([]seen, 0, len(shown))
			for _, m := range shown {
				to := ""
				if m.EphemeralTo == w.ann.ID() {
					to = "ann"
				}
				got = append(got, seen{m.Author, m.Text, to})
			}
			if diff := cmp.Diff(c.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("channel (-want +got):\n%s", diff)
			}
			if n := len(w.private.Seen(w.bea)); n != strings.Count(c.name, "for all")+strings.Count(c.name, "with the command") {
				t.Errorf("somebody else sees %d messages", n)
			}
		})
	}
}

func TestWhomAMessageNotifies(t *testing.T) {
	w := newTown(t, slack.Options{})
	away := w.ws.AddUser(slack.UserSpec{Name: "cyd", Away: true})
	w.general.Add(away, w.bea)
	group := w.ws.AddGroup("studio", w.bea)
	ann, bea, cyd := w.ann.ID(), w.bea.ID(), away.ID()
	mrkdwn := func(text, more string) string {
		return `[{"type":"section","text":{"type":"mrkdwn","text":"` + text + `"` + more + `}}]`
	}
	for _, c := range []struct {
		name string
		args []string
		want slack.Pings
	}{
		{"plain words", []string{"text", "hello ann"}, slack.Pings{}},
		{"a person", []string{"text", "hello <@" + ann + ">"}, slack.Pings{Users: []string{ann}}},
		{"an escaped mention", []string{"text", "hello &lt;@" + ann + "&gt;"}, slack.Pings{}},
		{"everybody", []string{"text", "<!channel>"}, slack.Pings{Users: []string{ann, cyd, bea}, Broadcasts: []string{"channel"}}},
		{"who is here", []string{"text", "<!here|here>"}, slack.Pings{Users: []string{ann, bea}, Broadcasts: []string{"here"}}},
		{"a group", []string{"text", "<!subteam^" + group + ">"}, slack.Pings{Users: []string{bea}, Broadcasts: []string{"subteam:" + group}}},
		{"a bare word in the text", []string{"text", "@channel @ann"}, slack.Pings{}},
		{"bare words with link_names", []string{"text", "@here @ann", "link_names", "true"}, slack.Pings{Users: []string{ann, bea}, Broadcasts: []string{"here"}}},
		{"a bare word in mrkdwn", []string{"text", "x", "blocks", mrkdwn("@channel", "")}, slack.Pings{Users: []string{ann, cyd, bea}, Broadcasts: []string{"channel"}}},
		{"a bare word in verbatim mrkdwn", []string{"text", "x", "blocks", mrkdwn("@channel", `,"verbatim":true`)}, slack.Pings{}},
		{"a mention in verbatim mrkdwn", []string{"text", "x", "blocks", mrkdwn("<@"+bea+">", `,"verbatim":true`)}, slack.Pings{Users: []string{bea}}},
		{"a mention in plain text", []string{"text", "x", "blocks", `[{"type":"header","text":{"type":"plain_text","text":"<!channel>"}}]`}, slack.Pings{}},
		{"a mention only in the fallback", []string{"text", "<!channel>", "blocks", mrkdwn("x", "")}, slack.Pings{Fallback: []string{"channel"}}},
		{"rich text", []string{"text", "x", "blocks", `[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"user","user_id":"` + bea + `"},{"type":"text","text":"<!here>"}]}]}]`}, slack.Pings{Users: []string{bea}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := w.call("chat.postMessage", append([]string{"channel", w.general.ID()}, c.args...)...)
			m, ok := w.general.Message(r.str("ts"))
			if !ok {
				t.Fatalf("not posted: %v", r)
			}
			if diff := cmp.Diff(c.want, m.Pings); diff != "" {
				t.Errorf("pings (-want +got):\n%s", diff)
			}
			w.Advance(time.Minute)
		})
	}
	t.Run("an edit", func(t *testing.T) {
		ts := w.say(w.general)
		w.call("chat.update", "channel", w.general.ID(), "ts", ts, "text", "<!channel>")
		if m, _ := w.general.Message(ts); len(m.Pings.Users) > 0 {
			t.Errorf("an edit notified %v", m.Pings)
		}
	})
}

func TestClicksCarryWhatTheAppNeeds(t *testing.T) {
	w := newTown(t, slack.Options{})
	got := make(chan frame, 1)
	w.dial(func(f frame) (any, bool) {
		got <- f
		return nil, true
	})
	menu := `{"type":"static_select","action_id":"size","options":` + many(3, `{"text":{"type":"plain_text","text":"Size #"},"value":"#"}`) + `}`
	w.call("chat.postMessage", "channel", w.general.ID(), "text", "x", "blocks", "["+actions("["+menu+","+buttonX+"]")+"]")
	m := w.general.Messages()[0]
	w.click(m, "size", "Size 2")
	<-got
	w.click(m, "a#")
	p := reply((<-got).Payload)
	for _, c := range []struct {
		path []string
		want string
	}{
		{[]string{"type"}, "block_actions"},
		{[]string{"user", "id"}, w.ann.ID()},
		{[]string{"user", "team_id"}, w.ws.ID()},
		{[]string{"container", "type"}, "message"},
		{[]string{"container", "message_ts"}, m.TS},
		{[]string{"container", "channel_id"}, w.general.ID()},
		{[]string{"channel", "name"}, "general"},
		{[]string{"message", "ts"}, m.TS},
		{[]string{"state", "values", m.Blocks[0]["block_id"].(string), "size", "selected_option", "value"}, "2"},
	} {
		if got := p.str(c.path...); got != c.want {
			t.Errorf("%s is %q, want %q", strings.Join(c.path, "."), got, c.want)
		}
	}
	if p.str("trigger_id") == "" || p.str("response_url") == "" {
		t.Error("no trigger or response URL")
	}
	for _, c := range []struct {
		name, element string
		who           *slack.User
		value         []string
		want          string
	}{
		{"a button that is not there", "nope", w.ann, nil, "element_not_found"},
		{"an option that is not there", "size", w.ann, []string{"Size 9"}, "invalid_input"},
		{"somebody who cannot see it", "a#", w.AddWorkspace(slack.WorkspaceSpec{}).AddUser(slack.UserSpec{}), nil, "message_not_found"},
	} {
		if _, err := c.who.Click(t.Context(), m, c.element, c.value...); code(err) != c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// In a form the app is told of what is chosen where it has asked for that.
func TestAnInputTellsTheAppWhenItDispatches(t *testing.T) {
	w := newWorld(t, slack.Options{})
	got := make(chan frame, 1)
	w.dial(func(f frame) (any, bool) {
		if f.Payload["type"] == "block_actions" {
			got <- f
		}
		return nil, true
	})
	menu := func(id, more string) string {
		return `{"type":"input","block_id":"` + id + `","label":` + plainX + more + `,"element":{"type":"static_select","action_id":"` + id + `","options":` + many(2, optionX) + `}}`
	}
	form := w.open(`{"type":"modal","title":` + plainX + `,"submit":` + plainX + `,"blocks":[` + menu("quiet", "") + `,` + menu("told", `,"dispatch_action":true`) + `]}`)
	if _, err := w.ann.Click(t.Context(), form, "quiet", "1"); code(err) != "not_dispatched" {
		t.Errorf("a choice that nobody asked for: %v", err)
	}
	w.click(form, "told", "0")
	p := reply((<-got).Payload)
	for id, want := range map[string]string{"quiet": "1", "told": "0"} {
		if value := p.str("view", "state", "values", id, id, "selected_option", "value"); value != want {
			t.Errorf("%s is %q, want %q", id, value, want)
		}
	}
}

func TestAnEphemeralIsSeenAndClickedByOnePerson(t *testing.T) {
	w := newTown(t, slack.Options{})
	w.general.Add(w.bea)
	got := make(chan frame, 1)
	w.dial(func(f frame) (any, bool) {
		got <- f
		return nil, true
	})
	w.call("chat.postEphemeral", "channel", w.general.ID(), "user", w.ann.ID(), "text", "x", "blocks", "["+actions("["+buttonX+"]")+"]")
	m := w.general.Messages()[0]
	if len(w.general.Seen(w.bea)) != 0 || len(w.general.Seen(w.ann)) != 1 {
		t.Error("the wrong people see it")
	}
	if _, err := w.bea.Click(t.Context(), m, "a#"); code(err) != "message_not_found" {
		t.Errorf("somebody else clicks: %v", err)
	}
	w.click(m, "a#")
	if f := <-got; f.Payload["message"] != nil {
		t.Error("the payload repeats the ephemeral message")
	}
}

func TestChoicesFromTheApp(t *testing.T) {
	w := newWorld(t, slack.Options{})
	var reply any
	w.dial(func(f frame) (any, bool) {
		if f.Payload["type"] != "block_suggestion" || f.Payload["value"] != "fox" {
			t.Errorf("payload is %v", f.Payload)
		}
		return reply, true
	})
	w.call("chat.postMessage", "channel", w.general.ID(), "text", "x", "blocks", "["+actions(`[{"type":"external_select","action_id":"lora"}]`)+"]")
	m := w.general.Messages()[0]
	option := map[string]any{"text": map[string]any{"type": "plain_text", "text": "Fox"}, "value": "fox"}
	reply = map[string]any{"options": []any{option}}
	got, err := w.ann.Suggest(t.Context(), m, "lora", "fox")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]slack.Option{{Label: "Fox", Value: "fox"}}, got); diff != "" {
		t.Errorf("options (-want +got):\n%s", diff)
	}
	tooMany := slices.Repeat([]any{option}, 101)
	reply = map[string]any{"options": tooMany}
	if _, err := w.ann.Suggest(t.Context(), m, "lora", "fox"); code(err) != "invalid_options" {
		t.Errorf("101 options: %v", err)
	}
	if _, err := w.ann.Suggest(t.Context(), m, "lora", "fo"); code(err) != "query_too_short" {
		t.Errorf("two letters: %v", err)
	}
}

func TestShortcutsAndMentions(t *testing.T) {
	w := newTown(t, slack.Options{App: slack.App{Shortcuts: []slack.Shortcut{{CallbackID: "g"}, {CallbackID: "m", Message: true}}}})
	got := make(chan frame, 4)
	w.dial(func(f frame) (any, bool) {
		got <- f
		return nil, true
	})
	reply := w.bea.Say(w.general, "a fox in the snow", w.ann.Say(w.general, "ideas?", "").TS)
	w.shortcut(reply, "m")
	if f := <-got; f.Payload["type"] != "message_action" || f.Payload["message_ts"] != reply.TS {
		t.Errorf("message shortcut sent %v", f.Payload)
	}
	if _, err := w.ann.GlobalShortcut(t.Context(), "g"); err != nil {
		t.Fatal(err)
	}
	if f := <-got; f.Payload["type"] != "shortcut" || f.Payload["callback_id"] != "g" {
		t.Errorf("global shortcut sent %v", f.Payload)
	}
	if _, err := w.ann.GlobalShortcut(t.Context(), "m"); code(err) != "unknown_shortcut" {
		t.Errorf("a message shortcut without a message: %v", err)
	}
	w.mention("a fox", reply.ThreadTS)
	f := <-got
	event, _ := f.Payload["event"].(map[string]any)
	if event["type"] != "app_mention" || event["thread_ts"] != reply.ThreadTS || event["user"] != w.ann.ID() {
		t.Errorf("mention sent %v", f.Payload)
	}
	context, _ := f.Payload["event_context"].(string)
	if r := w.call("apps.event.authorizations.list", "token", w.AppToken(), "event_context", context); r["ok"] != true {
		t.Errorf("authorizations: %v", r)
	}
	if _, err := w.ann.Mention(w.outside, "a fox", ""); code(err) != "bot_not_in_channel" {
		t.Errorf("a mention where the app is not: %v", err)
	}
}

func TestAFormIsFilledInCorrectedAndSubmitted(t *testing.T) {
	w := newWorld(t, slack.Options{})
	var action any
	submissions := make(chan frame, 4)
	w.dial(func(f frame) (any, bool) {
		if f.Payload["type"] == "view_submission" || f.Payload["type"] == "view_closed" {
			submissions <- f
			return action, true
		}
		return nil, true
	})
	form := w.open(`{"type":"modal","callback_id":"form","notify_on_close":true,"title":` + plainX + `,"submit":` + plainX + `,"blocks":[
		{"type":"input","block_id":"prompt","label":{"type":"plain_text","text":"Prompt"},"element":{"type":"plain_text_input","action_id":"p","max_length":5}},
		{"type":"input","block_id":"camera","optional":true,"label":{"type":"plain_text","text":"Camera"},"element":{"type":"static_select","action_id":"c","options":` +
		many(2, optionX) + `}},
		{"type":"input","block_id":"where","label":{"type":"plain_text","text":"Where"},"element":{"type":"conversations_select","action_id":"w","response_url_enabled":true,"default_to_current_conversation":true}}]}`)
	for _, c := range []struct {
		name   string
		values map[string][]string
		want   map[string]string
	}{
		{"nothing typed", nil, map[string]string{"prompt": "is required"}},
		{"too much typed", map[string][]string{"Prompt": {"123456"}}, map[string]string{"prompt": "is too long"}},
		{"no such input", map[string][]string{"p": {"x"}, "Lens": {"x"}}, map[string]string{"Lens": "no such input"}},
	} {
		_, err := w.ann.SubmitView(t.Context(), form, c.values)
		var problem *slack.ActionError
		if !errors.As(err, &problem) || !cmp.Equal(problem.Fields, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	action = map[string]any{"response_action": "errors", "errors": map[string]any{"prompt": "not this"}}
	if _, err := w.ann.SubmitView(t.Context(), form, map[string][]string{"prompt": {"fox"}, "c": {"1"}}); code(err) != "invalid_form" {
		t.Fatal(err)
	}
	values := reply((<-submissions).Payload)
	if got := values.str("view", "state", "values", "prompt", "p", "value"); got != "fox" {
		t.Errorf("prompt arrived as %q", got)
	}
	if got := values.str("view", "state", "values", "camera", "c", "selected_option", "value"); got != "1" {
		t.Errorf("camera arrived as %q", got)
	}
	urls, _ := values["response_urls"].([]any)
	if len(urls) != 1 || urls[0].(map[string]any)["channel_id"] != w.general.ID() {
		t.Errorf("response URLs are %v", urls)
	}
	if got := w.ann.Views()[0].Errors["prompt"]; got != "not this" {
		t.Errorf("the form shows %q", got)
	}
	action = map[string]any{"response_action": "errors", "errors": map[string]any{"nope": "x"}}
	if _, err := w.ann.SubmitView(t.Context(), form, nil); code(err) != "invalid_response_action" {
		t.Errorf("errors for a block that is not there: %v", err)
	}
	action = map[string]any{"response_action": "push", "view": map[string]any{
		"type": "modal", "title": map[string]any{"type": "plain_text", "text": "Sure?"}, "blocks": []any{map[string]any{"type": "divider"}},
	}}
	if _, err := w.ann.SubmitView(t.Context(), form, nil); err != nil || len(w.ann.Views()) != 2 {
		t.Fatalf("push: %v, %d views", err, len(w.ann.Views()))
	}
	if _, err := w.ann.SubmitView(t.Context(), form, nil); code(err) != "view_not_found" {
		t.Errorf("submitting what lies below: %v", err)
	}
	for len(submissions) > 0 {
		<-submissions
	}
	w.must(w.ann.CloseView(t.Context(), w.ann.Views()[1], true))
	if f := <-submissions; f.Payload["type"] != "view_closed" || f.Payload["is_cleared"] != true {
		t.Errorf("closing sent %v", f.Payload)
	}
}

// open opens a modal for ann from a command.
func (w *world) open(view string) slack.View {
	w.t.Helper()
	rec := w.slash("")
	if r := w.call("views.open", "trigger_id", rec.TriggerID, "view", view); r["ok"] != true {
		w.t.Fatalf("views.open: %v", r)
	}
	views := w.ann.Views()
	return views[len(views)-1]
}

const emptyModal = `{"type":"modal","title":` + plainX + `,"blocks":[{"type":"divider"}]}`

func TestATriggerOpensOneViewWithinThreeSeconds(t *testing.T) {
	w := newWorld(t, slack.Options{Clock: slack.NewStoppedClock(time.Unix(1_700_000_000, 0))})
	w.dial(answer(nil))
	for _, c := range []struct {
		name string
		wait time.Duration
		want []string
	}{
		{"at once", 0, []string{"", "exchanged_trigger_id"}},
		{"too late", 3100 * time.Millisecond, []string{"expired_trigger_id"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := w.slash("")
			w.Advance(c.wait)
			for _, want := range c.want {
				if got := w.call("views.open", "trigger_id", rec.TriggerID, "view", emptyModal).str("error"); got != want {
					t.Errorf("error %q, want %q", got, want)
				}
			}
		})
	}
}

func TestModalsLieThreeDeep(t *testing.T) {
	w := newWorld(t, slack.Options{})
	w.dial(answer(nil))
	withButton := `{"type":"modal","title":` + plainX + `,"blocks":[` + actions("["+buttonX+"]") + `]}`
	w.open(withButton)
	for i, want := range []string{"", "", "push_limit_reached"} {
		views := w.ann.Views()
		rec := w.click(views[len(views)-1], "a#")
		if got := w.call("views.push", "trigger_id", rec.TriggerID, "view", withButton).str("error"); got != want {
			t.Errorf("push %d: error %q, want %q", i, got, want)
		}
	}
}

func TestViewsAreChangedUnderTheirHash(t *testing.T) {
	w := newWorld(t, slack.Options{})
	w.dial(answer(nil))
	v := w.open(emptyModal)
	args := []string{"view_id", v.ID, "view", emptyModal}
	if got := w.call("views.update", append(args, "hash", v.Hash)...).str("error"); got != "" {
		t.Errorf("first change: %q", got)
	}
	if got := w.call("views.update", append(args, "hash", v.Hash)...).str("error"); got != "hash_conflict" {
		t.Errorf("second change: %q", got)
	}
}
