package slack_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"ltxbot/sim/slack"
)

func TestACommandThatNobodyAcknowledgesTimesOut(t *testing.T) {
	for within, limit := range map[time.Duration]time.Duration{0: 3 * time.Second, time.Minute: time.Minute} {
		t.Run(limit.String(), func(t *testing.T) {
			clock := slack.NewStoppedClock(time.Unix(1_700_000_000, 0))
			w := newWorld(t, slack.Options{Clock: clock, AnswerWithin: within})
			arrived := make(chan struct{}, 1)
			w.dial(func(frame) (any, bool) {
				arrived <- struct{}{}
				return nil, false
			})
			result := make(chan error)
			go func() {
				_, err := w.ann.Slash(t.Context(), w.general, "/ltx", "x")
				result <- err
			}()
			<-arrived
			clock.Advance(limit - time.Millisecond)
			select {
			case err := <-result:
				t.Fatalf("gave up early: %v", err)
			default:
			}
			clock.Advance(time.Millisecond)
			if got := code(<-result); got != "operation_timeout" {
				t.Errorf("person sees %q", got)
			}
			last := w.general.Messages()
			if len(last) != 1 || last[0].EphemeralTo != w.ann.ID() || !strings.Contains(last[0].Text, `"operation_timeout"`) {
				t.Errorf("channel shows %+v", last)
			}
		})
	}
}

func TestACommandWithoutAConnectionFails(t *testing.T) {
	w := newWorld(t, slack.Options{})
	if _, err := w.ann.Slash(t.Context(), w.general, "/ltx", "x"); code(err) != "dispatch_failed" {
		t.Errorf("person sees %v", err)
	}
	defer w.AddGhost()()
	w.Inject(slack.Fault{Method: "socket", Kind: slack.HTTPStatus})
	go w.Advance(3 * time.Second)
	if w.Connections() != 1 {
		t.Error("the ghost does not count")
	}
}

func TestAGhostSwallowsItsShare(t *testing.T) {
	clock := slack.NewStoppedClock(time.Unix(1_700_000_000, 0))
	w := newWorld(t, slack.Options{Clock: clock})
	defer w.AddGhost()()
	result := make(chan error)
	go func() {
		_, err := w.ann.Slash(t.Context(), w.general, "/ltx", "x")
		result <- err
	}()
	for {
		clock.Advance(time.Second)
		select {
		case err := <-result:
			if code(err) != "operation_timeout" {
				t.Errorf("person sees %v", err)
			}
			return
		default:
		}
	}
}

func TestEachEnvelopeGoesToOneConnection(t *testing.T) {
	w := newWorld(t, slack.Options{Seed: 7})
	got := make(chan int, 100)
	for i := range 3 {
		w.dial(func(frame) (any, bool) {
			got <- i
			return nil, true
		})
	}
	for range 30 {
		w.slash("x")
	}
	seen := map[int]int{}
	for range len(got) {
		seen[<-got]++
	}
	if total := seen[0] + seen[1] + seen[2]; total != 30 || len(seen) != 3 {
		t.Errorf("30 commands arrived as %v", seen)
	}
}

func TestTenConnectionsAreTheMost(t *testing.T) {
	w := newWorld(t, slack.Options{})
	for range 10 {
		w.dial(answer(nil))
	}
	url := w.call("apps.connections.open", "token", w.AppToken()).str("url")
	ws, res, err := dialer().DialContext(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	res.Body.Close()
	var f frame
	if err := ws.ReadJSON(&f); err != nil || f.Type != "disconnect" || f.Reason != "too_many_websockets" {
		t.Errorf("the eleventh got %+v, %v", f, err)
	}
}

func TestASocketURLWorksOnce(t *testing.T) {
	w := newWorld(t, slack.Options{})
	url := w.call("apps.connections.open", "token", w.AppToken()).str("url")
	for i, want := range []int{http.StatusSwitchingProtocols, http.StatusForbidden} {
		ws, res, err := dialer().DialContext(t.Context(), url, nil)
		if res == nil || res.StatusCode != want {
			t.Fatalf("dial %d: %v %v", i, res, err)
		}
		res.Body.Close()
		if ws != nil {
			defer ws.Close()
		}
	}
}

func TestAConnectionIsWarnedAndThenRefreshed(t *testing.T) {
	clock := slack.NewStoppedClock(time.Unix(1_700_000_000, 0))
	w := newWorld(t, slack.Options{Clock: clock})
	sock := w.dial(answer(nil))
	clock.Advance(time.Hour)
	<-sock.done
	for _, want := range []string{"hello", "disconnectwarning", "disconnectrefresh_requested"} {
		if got := <-sock.types; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	w.connected(0)
	if !websocket.IsCloseError(sock.end, websocket.CloseNormalClosure) {
		t.Errorf("the connection ended with %v, want a close frame", sock.end)
	}
}

func TestADisconnectEndsWithACloseFrameAndADropWithout(t *testing.T) {
	w := newWorld(t, slack.Options{})
	asked := w.dial(answer(nil))
	w.Disconnect("refresh_requested")
	<-asked.done
	if !websocket.IsCloseError(asked.end, websocket.CloseNormalClosure) {
		t.Errorf("a disconnect ended with %v, want a close frame", asked.end)
	}
	w.connected(0)
	cut := w.dial(answer(nil))
	w.DropSockets()
	<-cut.done
	if websocket.IsCloseError(cut.end, websocket.CloseNormalClosure) {
		t.Errorf("a drop ended with %v", cut.end)
	}
}

func TestSocketModeCanBeSwitchedOff(t *testing.T) {
	w := newWorld(t, slack.Options{})
	sock := w.dial(answer(nil))
	w.SetSocketMode(false)
	<-sock.done
	<-sock.types
	if got := <-sock.types; got != "disconnectlink_disabled" {
		t.Errorf("got %q", got)
	}
	if got := w.call("apps.connections.open", "token", w.AppToken()).str("error"); got != "socket_mode_not_enabled" {
		t.Errorf("opening another: %q", got)
	}
}

// Slack drops some acknowledgements without a word; the person sees a timeout.
func TestAcknowledgementsThatAreDropped(t *testing.T) {
	for _, c := range []struct {
		name, want string
		ack        func(*websocket.Conn, string) error
	}{
		{"of 20 kB", "too large", func(ws *websocket.Conn, id string) error {
			return ws.WriteJSON(map[string]any{"envelope_id": id, "payload": map[string]any{"text": strings.Repeat("x", 20_480)}})
		}},
		{"in two frames", "fragmented", func(ws *websocket.Conn, id string) error {
			return writeFragments(ws, `{"envelope_id":`, `"`+id+`"}`)
		}},
		{"that is no JSON", "malformed", func(ws *websocket.Conn, _ string) error {
			return ws.WriteMessage(websocket.TextMessage, []byte("{"))
		}},
		{"of another envelope", "unknown", func(ws *websocket.Conn, _ string) error {
			return ws.WriteJSON(map[string]any{"envelope_id": "other"})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			clock := slack.NewStoppedClock(time.Unix(1_700_000_000, 0))
			w := newWorld(t, slack.Options{Clock: clock})
			ids := make(chan string, 1)
			sock := w.dial(func(f frame) (any, bool) {
				ids <- f.EnvelopeID
				return nil, false
			})
			result := make(chan error)
			go func() {
				_, err := w.ann.Slash(t.Context(), w.general, "/ltx", "x")
				result <- err
			}()
			id := <-ids
			if err := c.ack(sock.ws, id); err != nil {
				t.Fatal(err)
			}
			w.until(func() bool { return len(w.Acks()) == 1 })
			if got := w.Acks()[0].Dropped; got != c.want {
				t.Errorf("dropped as %q, want %q", got, c.want)
			}
			clock.Advance(3 * time.Second)
			if got := code(<-result); got != "operation_timeout" {
				t.Errorf("person sees %q", got)
			}
			if err := sock.ws.WriteJSON(map[string]any{"envelope_id": id}); err != nil {
				t.Fatal(err)
			}
			w.until(func() bool { return len(w.Acks()) == 2 })
			if got := w.Acks()[1].Dropped; got != "late" {
				t.Errorf("an acknowledgement after the deadline is %q, want late", got)
			}
		})
	}
}

// writeFragments writes one text message as frames that are not reassembled.
func writeFragments(ws *websocket.Conn, parts ...string) error {
	var raw []byte
	for i, part := range parts {
		first := byte(0)
		if i == 0 {
			first = websocket.TextMessage
		}
		if i == len(parts)-1 {
			first |= 0x80
		}
		raw = append(raw, first, 0x80|byte(len(part)), 0, 0, 0, 0)
		raw = append(raw, part...)
	}
	_, err := ws.NetConn().Write(raw)
	return err
}

func TestServersPing(t *testing.T) {
	w := newWorld(t, slack.Options{PingInterval: 10 * time.Millisecond})
	url := w.call("apps.connections.open", "token", w.AppToken()).str("url")
	ws, res, err := dialer().DialContext(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	pinged := make(chan struct{}, 100)
	ws.SetPingHandler(func(string) error {
		pinged <- struct{}{}
		return nil
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			if _, _, err := ws.ReadMessage(); err != nil {
				return
			}
		}
	}()
	<-pinged
	ws.Close()
	<-done
}

func TestEventsAreSentAgainUntilAcknowledged(t *testing.T) {
	clock := slack.NewStoppedClock(time.Unix(1_700_000_000, 0))
	w := newWorld(t, slack.Options{Clock: clock})
	attempts := make(chan int, 10)
	w.dial(func(f frame) (any, bool) {
		attempts <- f.Retry
		return nil, f.Retry == 2
	})
	w.mention("hello", "")
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for want := 0; want < 3; {
		select {
		case got := <-attempts:
			if got != want {
				t.Errorf("attempt %d, want %d", got, want)
			}
			want++
		case <-tick.C:
			clock.Advance(time.Second) // slower than frames travel, faster than the pauses
		}
	}
	w.until(func() bool { return len(w.Acks()) == 1 })
}

func TestPayloadsOfCommandsAreComplete(t *testing.T) {
	w := newWorld(t, slack.Options{})
	ws := w.AddWorkspace(slack.WorkspaceSpec{Enterprise: "E00000001", EnterpriseName: "Acme Corp", OrgInstall: true})
	kim := ws.AddUser(slack.UserSpec{Name: "kim"})
	room := ws.AddChannel(slack.ChannelSpec{Name: "secret", Kind: slack.Private, Members: []*slack.User{kim}})
	got := make(chan frame, 1)
	w.dial(func(f frame) (any, bool) {
		got <- f
		return nil, true
	})
	rec, err := kim.Slash(t.Context(), room, "/ltx", "a fox")
	if err != nil {
		t.Fatal(err)
	}
	f := <-got
	delete(f.Payload, "token")
	want := map[string]any{
		"team_id": ws.ID(), "team_domain": "acme", "enterprise_id": "E00000001", "enterprise_name": "Acme Corp", "channel_id": room.ID(),
		"channel_name": "privategroup", "user_id": kim.ID(), "user_name": "kim", "command": "/ltx", "text": "a fox", "api_app_id": w.AppID(),
		"is_enterprise_install": "true", "response_url": rec.ResponseURL, "trigger_id": rec.TriggerID,
	}
	gotJSON, _ := json.Marshal(f.Payload)
	wantJSON, _ := json.Marshal(want)
	if string(gotJSON) != string(wantJSON) {
		t.Errorf("payload\n got %s\nwant %s", gotJSON, wantJSON)
	}
	if f.Type != "slash_commands" || !f.Accepts {
		t.Errorf("envelope is %+v", f)
	}
}
