package slack_test

import (
	"fmt"
	"strings"
	"testing"

	"ltxbot/sim/slack"

	"github.com/google/go-cmp/cmp"
)

func TestTheAppIsToldOfMessagesThatConcernIt(t *testing.T) {
	w := newTown(t, slack.Options{})
	got := make(chan string, 20)
	ids := map[any]bool{}
	w.dial(func(f frame) (any, bool) {
		event, _ := f.Payload["event"].(map[string]any)
		_, edited := event["edited"]
		_, byBot := event["bot_id"]
		ids[f.Payload["event_id"]] = true
		got <- strings.TrimSpace(fmt.Sprint(event["type"], " ", event["subtype"], " edited:", edited, " bot:", byBot))
		return nil, true
	})
	bot := "<@" + w.ws.Bot().ID() + ">"
	w.ann.Say(w.general, "no mention", "")
	said := w.ann.Say(w.general, "a fox for "+bot+"!", "")
	w.must(w.ann.EditMessage(said, "two foxes for "+bot))
	w.ann.Say(w.outside, bot+" is not here", "")
	direct := w.ann.Say(w.dm, "hello "+bot, "")
	w.must(w.ann.EditMessage(direct, "good bye"))
	w.dm.Delete(direct.TS)
	w.share(w.dm, "", "", slack.FileSpec{Name: "a.png", Content: []byte("x")})
	if r := w.call("chat.postMessage", "channel", w.dm.ID(), "text", "mine"); r["ok"] != true {
		t.Fatal(r)
	}
	want := map[string]int{
		"app_mention <nil> edited:false bot:false":       1,
		"app_mention <nil> edited:true bot:false":        1,
		"message <nil> edited:false bot:false":           1,
		"message message_changed edited:false bot:false": 1,
		"message message_deleted edited:false bot:false": 1,
		"message file_share edited:false bot:false":      1,
		"file_shared <nil> edited:false bot:false":       1,
		"message <nil> edited:false bot:true":            1,
	}
	seen := map[string]int{}
	for range len(want) {
		seen[<-got]++
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if len(ids) != len(want) {
		t.Errorf("%d event ids", len(ids))
	}
}

func TestDirectMessagesNeedTheScope(t *testing.T) {
	w := newTown(t, slack.Options{App: slack.App{Scopes: without("im:history")}})
	got := make(chan string, 2)
	w.dial(func(f frame) (any, bool) {
		event, _ := f.Payload["event"].(map[string]any)
		got <- fmt.Sprint(event["type"])
		return nil, true
	})
	w.ann.Say(w.dm, "hello", "")
	w.mention("hello", "")
	if kind := <-got; kind != "app_mention" {
		t.Errorf("the first event is %s", kind)
	}
}

func TestAMutedSocketIsGreetedAndSilent(t *testing.T) {
	w := newWorld(t, slack.Options{})
	unmute := w.MuteSocketMode()
	r := w.call("apps.connections.open", "token", w.AppToken())
	if r["ok"] != true || !strings.Contains(fmt.Sprint(r["response_metadata"]), "Socket Mode is not turned on") {
		t.Errorf("opening: %v", r)
	}
	w.dial(answer(nil))
	if _, err := w.ann.Slash(t.Context(), w.general, "/ltx", "help"); code(err) != "dispatch_failed" {
		t.Errorf("a command: %v", err)
	}
	unmute()
	if _, err := w.ann.Slash(t.Context(), w.general, "/ltx", "help"); err != nil {
		t.Errorf("a command after it: %v", err)
	}
}
