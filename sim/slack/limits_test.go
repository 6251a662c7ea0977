package slack_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ltxbot/sim/slack"
)

// try calls a method and returns the status and the Retry-After header.
func (w *world) try(method, token string, args url.Values) (int, string) {
	w.t.Helper()
	req := w.request(method, strings.NewReader(args.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Bearer "+token)
	_, res := w.send(req)
	return res.status, res.header.Get("Retry-After")
}

func TestRateLimitsHoldForEachMethodAndWorkspace(t *testing.T) {
	clock := slack.NewStoppedClock(time.Unix(1_700_000_000, 0))
	w := newWorld(t, slack.Options{Clock: clock})
	other := w.AddWorkspace(slack.WorkspaceSpec{})
	for i := range 20 {
		if status, _ := w.try("usergroups.list", w.ws.BotToken(), nil); status != http.StatusOK {
			t.Fatalf("call %d: status %d", i, status)
		}
	}
	status, wait := w.try("usergroups.list", w.ws.BotToken(), nil)
	if status != http.StatusTooManyRequests || wait != "60" {
		t.Errorf("status %d, Retry-After %q, want 429 and 60", status, wait)
	}
	if status, _ := w.try("usergroups.list", other.BotToken(), nil); status != http.StatusOK {
		t.Errorf("another workspace: status %d", status)
	}
	if status, _ := w.try("users.info", w.ws.BotToken(), nil); status != http.StatusOK {
		t.Errorf("another method: status %d", status)
	}
	clock.Advance(time.Minute)
	if status, _ := w.try("usergroups.list", w.ws.BotToken(), nil); status != http.StatusOK {
		t.Errorf("a minute later: status %d", status)
	}
}

func TestAChannelTakesOnePostPerSecondWithBursts(t *testing.T) {
	clock := slack.NewStoppedClock(time.Unix(1_700_000_000, 0))
	w := newWorld(t, slack.Options{Clock: clock})
	args := url.Values{"channel": {w.general.ID()}, "text": {"x"}}
	refused := 0
	for range 11 {
		if status, _ := w.try("chat.postMessage", w.ws.BotToken(), args); status != http.StatusOK {
			refused++
		}
	}
	if refused != 1 {
		t.Errorf("%d of 11 posts at once were refused, want 1", refused)
	}
}

func TestRateLimitsCanBeScaledAndSwitchedOff(t *testing.T) {
	for _, c := range []struct {
		name string
		o    slack.Options
		want int
	}{
		{"halved", slack.Options{RateScale: 0.5}, 10},
		{"overridden", slack.Options{Rates: map[string]int{"usergroups.list": 3}}, 3},
		{"off", slack.Options{NoRateLimits: true}, 30},
		{"off for others", slack.Options{NoRateLimits: true, Rates: map[string]int{"usergroups.list": 4}}, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.o)
			passed := 0
			for range 30 {
				if status, _ := w.try("usergroups.list", w.ws.BotToken(), nil); status == http.StatusOK {
					passed++
				}
			}
			if passed != c.want {
				t.Errorf("%d calls passed, want %d", passed, c.want)
			}
		})
	}
}

func TestFaultsHappenAsScripted(t *testing.T) {
	for _, c := range []struct {
		name   string
		fault  slack.Fault
		status int // 0: the connection breaks
		body   string
		posted int
	}{
		{"lost reply", slack.Fault{Kind: slack.LoseReply}, 0, "", 1},
		{"dropped before", slack.Fault{Kind: slack.DropBefore}, 0, "", 0},
		{"malformed reply", slack.Fault{Kind: slack.Malformed}, 200, `{"ok":true,"ts":"17`, 1},
		{"server error", slack.Fault{Kind: slack.HTTPStatus, Status: 502}, 502, "Bad Gateway", 0},
		{"rate limited", slack.Fault{Kind: slack.RateLimited, RetryAfter: 1500 * time.Millisecond}, 429, "ratelimited", 0},
		{"web page", slack.Fault{Kind: slack.HTML}, 200, "<!DOCTYPE html>", 0},
		{"named error", slack.Fault{Kind: slack.APIError, Error: "fatal_error"}, 200, "fatal_error", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, slack.Options{})
			c.fault.Method = "chat.postMessage"
			w.Inject(c.fault)
			send := func() (int, string) {
				req := w.request("chat.postMessage", strings.NewReader("text=x&channel="+w.general.ID()+"&token="+w.ws.BotToken()))
				req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				res, err := w.client.Do(req)
				if err != nil {
					return 0, ""
				}
				defer res.Body.Close()
				raw, err := io.ReadAll(res.Body)
				if err != nil {
					t.Fatal(err)
				}
				return res.StatusCode, string(raw)
			}
			status, body := send()
			if status != c.status || !strings.Contains(body, c.body) {
				t.Errorf("status %d, body %q; want %d, %q", status, body, c.status, c.body)
			}
			if got := len(w.general.Messages()); got != c.posted {
				t.Errorf("%d messages posted, want %d", got, c.posted)
			}
			if status, _ := send(); status != http.StatusOK {
				t.Errorf("the fault happened twice: status %d", status)
			}
		})
	}
}

func TestAFaultCanWaitRepeatAndBeTakenBack(t *testing.T) {
	w := newWorld(t, slack.Options{})
	cancel := w.Inject(slack.Fault{Method: "*", Kind: slack.APIError, Error: "fatal_error", After: 1, Times: -1})
	for i, want := range []string{"", "fatal_error", "fatal_error"} {
		if got := w.call("auth.test").str("error"); got != want {
			t.Errorf("call %d: %q, want %q", i, got, want)
		}
	}
	cancel()
	if got := w.call("auth.test").str("error"); got != "" {
		t.Errorf("after taking it back: %q", got)
	}
}

func TestADelayFollowsTheClock(t *testing.T) {
	clock := slack.NewStoppedClock(time.Unix(1_700_000_000, 0))
	w := newWorld(t, slack.Options{Clock: clock})
	w.Inject(slack.Fault{Method: "auth.test", Kind: slack.Delay, Delay: time.Hour})
	done := make(chan reply)
	go func() { done <- w.call("auth.test") }()
	err := w.Wait(withTimeout(t, 30*time.Second), func() bool { return len(w.Requests("auth.test")) > 0 })
	if err != nil {
		t.Fatal(err)
	}
	select {
	case r := <-done:
		t.Fatalf("answered at once: %v", r)
	default:
	}
	clock.Advance(time.Hour)
	if r := <-done; r["ok"] != true {
		t.Errorf("got %v", r)
	}
}

func TestTheHistoryIsReadInPages(t *testing.T) {
	w := newTown(t, slack.Options{})
	c := w.general.ID()
	root := w.ann.Say(w.general, "0", "").TS
	for _, text := range []string{"1", "2", "3"} {
		w.ann.Say(w.general, text, "")
		w.ann.Say(w.general, "re "+text, root)
	}
	read := func(method string, args ...string) (texts, ts []string, more bool) {
		r := w.call(method, append([]string{"channel", c, "ts", root}, args...)...)
		list, _ := r["messages"].([]any)
		for _, m := range list {
			m, _ := m.(map[string]any)
			texts, ts = append(texts, m["text"].(string)), append(ts, m["ts"].(string))
		}
		more, _ = r["has_more"].(bool)
		return texts, ts, more
	}
	for _, tt := range []struct {
		method        string
		first, second []string
		bound         string // of the second page, by the last message of the first
	}{
		{"conversations.history", []string{"3", "2"}, []string{"1", "0"}, "latest"},
		{"conversations.replies", []string{"0", "re 1", "re 2"}, []string{"0", "re 3"}, "oldest"},
	} {
		first, ts, more := read(tt.method, "limit", "2")
		if diff := cmp.Diff(tt.first, first); diff != "" || !more {
			t.Fatalf("%s, more %t: %s", tt.method, more, diff)
		}
		last := ts[len(ts)-1]
		for _, args := range [][]string{{tt.bound, last}, {"cursor", last}} {
			second, _, more := read(tt.method, append(args, "limit", "2")...)
			if diff := cmp.Diff(tt.second, second); diff != "" || more {
				t.Errorf("%s %v, more %t: %s", tt.method, args, more, diff)
			}
		}
		for code, args := range map[string][]string{"invalid_cursor": {"cursor", "x"}, "invalid_limit": {"limit", "1001"}} {
			if got := w.call(tt.method, append([]string{"channel", c, "ts", root}, args...)...).str("error"); got != code {
				t.Errorf("%s %v: error %q, want %q", tt.method, args, got, code)
			}
		}
	}
}
