package discord_test

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"ltxbot/bot/discord"
	sim "ltxbot/sim/discord"
)

// newHTTPStage is newStage with interactions by HTTP.
func newHTTPStage(t *testing.T) (*stage, *httptest.Server) {
	t.Helper()
	s := newStage(t, func(c *discord.Config) { c.Mode = discord.HTTP })
	endpoint := httptest.NewServer(s.bot.Handler())
	t.Cleanup(endpoint.Close)
	if err := s.sim.SetInteractionsURL(s.ctx, endpoint.URL); err != nil {
		t.Fatal(err)
	}
	return s, endpoint
}

func TestInteractionsByHTTPMakeVideos(t *testing.T) {
	t.Parallel()
	s, _ := newHTTPStage(t)
	j := s.running("/ltx prompt:a cowboy")
	s.mustDeliver(j.ID, 1<<20)
	if got := len(videos(s.general, j.ID)); got != 1 || s.sim.Connected() != 0 {
		t.Errorf("%d videos, %d gateway connections", got, s.sim.Connected())
	}
	if choices := s.suggested(s.ada, "ltx", "size", sim.Arg("prompt", "a"), sim.Arg("size", "16")); len(choices) == 0 {
		t.Errorf("choices %v", choices)
	}
}

// signer signs requests as Discord does, with a key of its own.
type signer struct {
	t   *testing.T
	key ed25519.PrivateKey
}

func newSigner(t *testing.T) signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return signer{t, key}
}

func (s signer) public() string { return hex.EncodeToString(s.key.Public().(ed25519.PublicKey)) }

// stampOf is a time as Discord writes it in a header.
func stampOf(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }

func (s signer) request(body string, at time.Time) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/discord/interactions", strings.NewReader(body))
	stamp := stampOf(at)
	r.Header.Set("X-Signature-Timestamp", stamp)
	r.Header.Set("X-Signature-Ed25519", hex.EncodeToString(ed25519.Sign(s.key, []byte(stamp+body))))
	return r
}

func TestHTTPRefusesWhatDiscordDidNotSend(t *testing.T) {
	t.Parallel()
	sign := newSigner(t)
	s := prepareStage(t, unlimited, func(c *discord.Config) { c.Mode, c.PublicKey = discord.HTTP, sign.public() })
	s.start()
	now, ping := s.sim.Now(), `{"type":1}`
	tests := []struct {
		name   string
		change func(*http.Request)
		body   string
		at     time.Time
		want   int
	}{
		{name: "a ping", body: ping, at: now, want: 200},
		{name: "no signature", body: ping, at: now, want: 401, change: func(r *http.Request) { r.Header.Del("X-Signature-Ed25519") }},
		{name: "no timestamp", body: ping, at: now, want: 401, change: func(r *http.Request) { r.Header.Del("X-Signature-Timestamp") }},
		{name: "another body", body: ping, at: now, want: 401, change: func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(`{"type":2}`)) }},
		{name: "a forged signature", body: ping, at: now, want: 401, change: func(r *http.Request) { r.Header.Set("X-Signature-Ed25519", strings.Repeat("ab", 64)) }},
		{name: "a signature that is no hex", body: ping, at: now, want: 401, change: func(r *http.Request) { r.Header.Set("X-Signature-Ed25519", "zz") }},
		{name: "a recorded request", body: ping, at: now.Add(-time.Hour), want: 401},
		{name: "a request from the future", body: ping, at: now.Add(time.Hour), want: 401},
		{name: "no JSON", body: "hello", at: now, want: 400},
		{name: "a huge body", body: strings.Repeat("x", 2<<20), at: now, want: 413},
		{name: "a GET", body: "", at: now, want: 405, change: func(r *http.Request) { r.Method = http.MethodGet }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := sign.request(tt.body, tt.at)
			if tt.change != nil {
				tt.change(r)
			}
			w := httptest.NewRecorder()
			s.bot.Handler().ServeHTTP(w, r)
			if w.Code != tt.want {
				t.Errorf("status %d, want %d", w.Code, tt.want)
			}
			if tt.want == 200 && (strings.TrimSpace(w.Body.String()) != `{"type":1}` || w.Header().Get("Content-Type") != "application/json") {
				t.Errorf("answer is %q", w.Body)
			}
		})
	}
}

// recorder is an API that takes everything and remembers the answers to
// interactions.
type recorder struct {
	*httptest.Server
	answers chan map[string]any
}

func newRecorder(t *testing.T) *recorder {
	t.Helper()
	r := &recorder{answers: make(chan map[string]any, 10)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if strings.HasSuffix(q.URL.Path, "/callback") {
			var body map[string]any
			if err := json.NewDecoder(q.Body).Decode(&body); err != nil {
				t.Error(err)
			}
			r.answers <- body
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(r.Close)
	return r
}

func TestAdminCommandIsRefusedToOthersWhateverTheServerAllows(t *testing.T) {
	t.Parallel()
	sign, api := newSigner(t), newRecorder(t)
	s := prepareStage(t, unlimited, func(c *discord.Config) {
		c.Mode, c.PublicKey, c.APIURL = discord.HTTP, sign.public(), api.URL
	})
	s.check("start", s.bot.Start(s.ctx))
	for permissions, want := range map[int]string{0: "Only people with Manage Server", 1 << 5: "Version", 1 << 3: "Version"} {
		w := httptest.NewRecorder()
		s.bot.Handler().ServeHTTP(w, sign.request(fmt.Sprintf(`{"id":"%[1]d","application_id":"2","type":2,"token":"t","guild_id":"3",
			"channel_id":"4","locale":"en-US","member":{"user":{"id":"5"},"roles":[],"permissions":"%[1]d"},
			"data":{"name":"ltx-admin","options":[{"type":1,"name":"status"}]}}`, permissions), s.sim.Now()))
		if w.Code != http.StatusAccepted {
			t.Fatalf("status %d", w.Code)
		}
		select {
		case got := <-api.answers:
			if text := fmt.Sprint(got); !strings.Contains(text, want) {
				t.Errorf("permissions %d: %s", permissions, text)
			}
		case <-s.ctx.Done():
			t.Fatal("no answer")
		}
	}
}

func TestUnknownInteractionsAreAnsweredOrDropped(t *testing.T) {
	t.Parallel()
	sign, api := newSigner(t), newRecorder(t)
	s := prepareStage(t, unlimited, func(c *discord.Config) {
		c.Mode, c.PublicKey, c.APIURL = discord.HTTP, sign.public(), api.URL
	})
	s.check("start", s.bot.Start(s.ctx))
	const head = `{"id":"ID","application_id":"2","token":"t","guild_id":"3","channel_id":"4","locale":"en-US","member":{"user":{"id":"5"}},`
	number := 0
	for body, want := range map[string]string{
		head + `"type":2,"data":{"name":"imagine"}}`:                               "do not know this command",
		head + `"type":3,"data":{"custom_id":"v0:dance"}}`:                         "another version",
		head + `"type":5,"data":{"custom_id":"v0:form"}}`:                          "another version",
		head + `"type":4,"data":{"name":"ltx","options":[]}}`:                      "choices:[]",
		`{"id":"ID","type":2,"token":"t","user":{"id":"5"},"data":{"name":"ltx"}}`: "in servers only",
	} {
		number++
		body = strings.Replace(body, "ID", strconv.Itoa(number), 1)
		s.bot.Handler().ServeHTTP(httptest.NewRecorder(), sign.request(body, s.sim.Now()))
		select {
		case got := <-api.answers:
			if text := fmt.Sprint(got); !strings.Contains(text, want) {
				t.Errorf("%s is answered %s", body, text)
			}
		case <-s.ctx.Done():
			t.Fatalf("%s is not answered", body)
		}
	}
	for _, body := range []string{`{"id":"a","type":99}`, `{"id":"b","type":2,"data":[]}`, `{"id":"c","type":2,"data":{"options":{}}}`} {
		s.bot.Handler().ServeHTTP(httptest.NewRecorder(), sign.request(body, s.sim.Now()))
	}
}
