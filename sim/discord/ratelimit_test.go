package discord_test

import (
	"strings"
	"testing"
	"time"

	"ltxbot/sim/discord"
)

// quickLimits enforces limits with windows too short to be met in a test that
// is about something else.
func quickLimits() discord.Options {
	return discord.Options{RateLimits: discord.RateLimits{Speed: 1e6}}
}

func TestABucketRunsOut(t *testing.T) {
	s := newStageWith(t, discord.Options{})
	for range 5 {
		if a := s.send(object{"content": "a"}); a.Status != 200 {
			t.Fatalf("answered %d", a.Status)
		}
	}
	a := s.send(object{"content": "a"})
	if a.Status != 429 || a.Header.Get("X-RateLimit-Scope") != "user" || a.Header.Get("X-RateLimit-Remaining") != "0" {
		t.Errorf("answered %d with %v", a.Status, a.Header)
	}
	if after, _ := a.JSON["retry_after"].(float64); after <= 0 || after > 5 {
		t.Errorf("retry_after is %v", a.JSON["retry_after"])
	}
	s.server.Advance(5 * time.Second)
	if a := s.send(object{"content": "a"}); a.Status != 200 {
		t.Errorf("after the window answered %d", a.Status)
	}
}

func TestWebhookTokensHaveTheirOwnBucket(t *testing.T) {
	s := newStageWith(t, discord.Options{})
	first, second := s.slash(), s.slash()
	s.ack(first)
	s.ack(second)
	edit := func(i *discord.Interaction) answer {
		return s.do("PATCH", s.hook(i, "/messages/@original"), object{"content": "b"})
	}
	for range 5 {
		edit(first)
	}
	if a := edit(first); a.Status != 429 {
		t.Errorf("the sixth edit was answered %d", a.Status)
	}
	if a := edit(second); a.Status != 200 {
		t.Errorf("another interaction's edit was answered %d", a.Status)
	}
}

func TestTheGlobalLimitSparesInteractions(t *testing.T) {
	fixed := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	s := newStageWith(t, discord.Options{Now: func() time.Time { return fixed }})
	i := s.slash()
	for n := range 60 {
		path := "/users/@me"
		if n%2 == 0 {
			path = "/applications/@me"
		}
		s.do("GET", path, nil)
	}
	a := s.do("GET", "/channels/"+s.general.ID, nil)
	if a.Status != 429 || a.Header.Get("X-RateLimit-Global") != "true" || a.Header.Get("X-RateLimit-Reset-After") != "" || a.JSON["global"] != true {
		t.Errorf("answered %d with %v", a.Status, a.Header)
	}
	s.ack(i)
}

func TestTooManyInvalidRequestsAreBanned(t *testing.T) {
	s := newStageWith(t, discord.Options{RateLimits: discord.RateLimits{Invalid: 2}})
	good := s.auth
	s.auth = "Bot wrong"
	for range 3 {
		s.do("GET", "/users/@me", nil)
	}
	s.auth = good
	a := s.do("GET", "/users/@me", nil)
	if a.Status != 429 || !strings.Contains(a.Header.Get("Content-Type"), "html") || a.Header.Get("Retry-After") == "" {
		t.Errorf("answered %d %q", a.Status, a.Raw)
	}
	if n := s.server.InvalidRequests(); n != 4 {
		t.Errorf("%d invalid requests were counted, want 4", n)
	}
}

func TestFaultsStrikeAsScripted(t *testing.T) {
	s := newStage(t)
	s.server.Inject(discord.Fault{Route: discord.RouteCreateMessage, Drop: true})
	lost := s.server.Inject(discord.Fault{Route: discord.RouteCreateMessage, LoseReply: true})
	s.server.Inject(discord.Fault{Route: discord.RouteCreateMessage, Status: 503, Times: 2})
	s.server.Inject(discord.Fault{Route: discord.RouteCreateMessage, BadGateway: true})
	s.server.Inject(discord.Fault{Route: discord.RouteCreateMessage, Limit: discord.SharedLimit, RetryAfter: time.Second})
	s.server.Inject(discord.Fault{Route: discord.RouteCreateMessage, Limit: discord.GlobalLimit, RetryAfter: time.Second})
	s.server.Inject(discord.Fault{Route: discord.RouteCreateMessage, Limit: discord.CloudflareLimit, RetryAfter: time.Minute})
	s.server.Inject(discord.Fault{Route: discord.RouteCreateMessage, Delay: time.Millisecond})
	for n, want := range []int{0, 1} {
		if _, err := s.try("POST", "/channels/"+s.general.ID+"/messages", object{"content": "a"}); err == nil {
			t.Errorf("request %d was answered", n)
		}
		if got := len(s.general.Messages()); got != want {
			t.Errorf("after request %d there are %d messages, want %d", n, got, want)
		}
	}
	if n := s.server.Struck(lost); n != 1 {
		t.Errorf("the reply was lost %d times", n)
	}
	for n, want := range []int{503, 503, 502, 429, 429, 429, 200, 200} {
		a := s.send(object{"content": "a"})
		if a.Status != want {
			t.Errorf("answer %d is %d, want %d", n, a.Status, want)
		}
		if isHTML := strings.HasPrefix(a.Raw, "<"); isHTML != (n == 2 || n == 5) {
			t.Errorf("answer %d is %q", n, a.Raw)
		}
	}
	if n := s.server.InvalidRequests(); n != 2 {
		t.Errorf("%d invalid requests were counted, want 2: shared ones do not count", n)
	}
}

// With the limits off, the lists of messages may have theirs: five pages in
// five seconds for each channel.
func TestTheHistoryIsLimitedWhereNothingElseIs(t *testing.T) {
	s := newStageWith(t, discord.Options{RateLimits: discord.RateLimits{Off: true, History: true}})
	list := func() int { return s.do("GET", "/channels/"+s.general.ID+"/messages", nil).Status }
	for n := range 6 {
		if a := s.send(object{"content": "a"}); a.Status != 200 {
			t.Errorf("post %d was answered %d", n, a.Status)
		}
		if got, want := list(), map[bool]int{true: 200, false: 429}[n < 5]; got != want {
			t.Errorf("list %d was answered %d, want %d", n, got, want)
		}
	}
	s.server.Advance(5 * time.Second)
	if got := list(); got != 200 {
		t.Errorf("after the window answered %d", got)
	}
}
