package demo_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"

	page "ltxbot/web/demo"
)

// One press opens the console as who one is on the page, by the sign-in of Discord.
func TestTheConsoleOpensAsWhoOneIsOnThePage(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for name, sees := range map[string]string{"ada": "<small>admin</small>", "ben": "<small>member</small>"} {
		scene, err := s.Scene(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, scene.Console, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		browser := &http.Client{Jar: jar}
		resp, err := browser.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || !strings.Contains(string(body), name+" "+sees) {
			t.Errorf("%s comes to %s, %v:\n%s", name, resp.Request.URL, err, body)
		}
	}
}

func TestTheConsoleIsAtTheSameAddressAfterThePlugWasPulled(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	address, token := s.d.Console()
	if len(token) < 16 {
		t.Errorf("the operator's token is %q", token)
	}
	answers := func() bool {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/sign-in", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}
	if !answers() {
		t.Fatalf("no console is at %s", address)
	}
	s.do("ben", page.Action{Kind: page.Pull, Key: "kill"})
	s.until("ben", "the bot is down", func(c page.Scene) bool { return c.Ledger.Down })
	if answers() {
		t.Error("the console answers while the bot is down")
	}
	s.do("ben", page.Action{Kind: page.Pull, Key: "start"})
	s.until("ben", "the bot is up", func(c page.Scene) bool { return !c.Ledger.Down })
	if again, _ := s.d.Console(); again != address || !strings.HasPrefix(again, "http://127.0.0.1:") || !answers() {
		t.Errorf("the console is at %s, and was at %s", again, address)
	}
}
