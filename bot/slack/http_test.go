package slack_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"ltxbot/bot/slack"
	"ltxbot/core/generate"
	sim "ltxbot/sim/slack"
)

// newHTTPStage is a stage whose bot is called by Slack.
func newHTTPStage(t *testing.T, change ...func(*slack.Config)) (*stage, string) {
	t.Helper()
	s := prepareStage(t, sim.Options{NoRateLimits: true}, append(change, func(c *slack.Config) {
		c.Mode = slack.HTTP
		c.AppToken = ""
	})...)
	mux := http.NewServeMux()
	s.bot.Register(mux)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s.sim.UseHTTP(sim.Endpoints{
		Commands: server.URL + slack.PathCommands, Interactions: server.URL + slack.PathInteractions,
		Options: server.URL + slack.PathOptions, Events: server.URL + slack.PathEvents,
	})
	s.start()
	return s, server.URL
}

func TestTheWholeWayWorksOverHTTP(t *testing.T) {
	t.Parallel()
	s, _ := newHTTPStage(t)
	form := s.form()
	sizes, err := s.ann.Suggest(s.ctx, form, "size", "9:1")
	if err != nil || len(sizes) == 0 {
		t.Errorf("sizes: %v, %v", sizes, err)
	}
	s.submitForm(s.ann, form, map[string][]string{"prompt": {"a cowboy"}})
	j := s.job()
	s.mustShow(j.ID, generate.Accepted)
	s.mustDeliver(j.ID)
	s.click(s.bob, results(s.general, j.ID)[0], "Same seed")
	s.job()
	s.mention(s.ann, s.general, cowboy, "")
	s.job()
	s.ann.OpenHome()
	s.home(s.ann, func(sim.View) bool { return true })
}

// request is a request to the bot, signed as Slack does unless changed.
func request(t *testing.T, s *stage, address, body string, change func(*http.Request)) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	stamp := strconv.FormatInt(s.sim.Now().Unix(), 10)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-Slack-Request-Timestamp", stamp)
	req.Header.Set("X-Slack-Signature", sim.Sign(s.cfg.SigningSecret, stamp, []byte(body)))
	if change != nil {
		change(req)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

func TestOnlySlackIsListenedTo(t *testing.T) {
	t.Parallel()
	s, base := newHTTPStage(t)
	t.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections)
	body := url.Values{
		"team_id": {s.ws.ID()}, "channel_id": {s.general.ID()}, "user_id": {s.ann.ID()}, "text": {cowboy}, "trigger_id": {"t1"},
	}.Encode()
	sign := func(stamp string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("X-Slack-Request-Timestamp", stamp)
			r.Header.Set("X-Slack-Signature", sim.Sign(s.cfg.SigningSecret, stamp, []byte(body)))
		}
	}
	tests := []struct {
		name   string
		body   string
		change func(*http.Request)
		status int
	}{
		{"no signature", body, func(r *http.Request) { r.Header.Del("X-Slack-Signature") }, http.StatusUnauthorized},
		{"another secret", body, func(r *http.Request) {
			r.Header.Set("X-Slack-Signature", sim.Sign("other", r.Header.Get("X-Slack-Request-Timestamp"), []byte(body)))
		}, http.StatusUnauthorized},
		{"another body", body + "&x=1", sign(strconv.FormatInt(s.sim.Now().Unix(), 10)), http.StatusUnauthorized},
		{"too old", body, sign(strconv.FormatInt(s.sim.Now().Add(-6*time.Minute).Unix(), 10)), http.StatusUnauthorized},
		{"from the future", body, func(r *http.Request) { sign(strconv.FormatInt(s.sim.Now().Add(6*time.Minute).Unix(), 10))(r) }, http.StatusUnauthorized},
		{"no time", body, sign("soon"), http.StatusUnauthorized},
		{"too large", strings.Repeat("a", 1<<20+1), nil, http.StatusRequestEntityTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if status, _ := request(t, s, base+slack.PathCommands, tt.body, tt.change); status != tt.status {
				t.Errorf("status %d, want %d", status, tt.status)
			}
		})
	}
	s.wantJobs(0)
	stamp := sign(strconv.FormatInt(s.sim.Now().Unix(), 10))
	if status, _ := request(t, s, base+slack.PathCommands, body, stamp); status != http.StatusOK {
		t.Errorf("a good request: %d", status)
	}
	if status, _ := request(t, s, base+slack.PathCommands, body, stamp); status != http.StatusConflict {
		t.Errorf("the same request once more: %d", status)
	}
	s.job()
	s.wantJobs(1)
}

// The vector of https://docs.slack.dev/authentication/verifying-requests-from-slack.
func TestTheSignatureOfTheDocumentationIsValid(t *testing.T) {
	t.Parallel()
	at := time.Unix(1531420618, 0)
	s, base := newHTTPStage(t, func(c *slack.Config) {
		c.SigningSecret = "8f742231b10e8888abcd99yyyzzz85a5"
		c.Now = func() time.Time { return at }
	})
	t.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections)
	body := strings.Join([]string{
		"token=xyzz0WbapA4vBCDEFasx0q6G", "team_id=T1DC2JH3J", "team_domain=testteamnow", "channel_id=G8PSS9T3V", "channel_name=foobar",
		"user_id=U2CERLKJA", "user_name=roadrunner", "command=%2Fwebhook-collect", "text=",
		"response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN",
		"trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
	}, "&")
	// As an interaction it is valid, and has no effect.
	status, _ := request(t, s, base+slack.PathInteractions, body, func(r *http.Request) {
		r.Header.Set("X-Slack-Request-Timestamp", "1531420618")
		r.Header.Set("X-Slack-Signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503")
	})
	if status != http.StatusOK {
		t.Errorf("status %d", status)
	}
}

func TestSlackMayCheckTheAddress(t *testing.T) {
	t.Parallel()
	s, base := newHTTPStage(t)
	t.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections)
	status, text := request(t, s, base+slack.PathEvents, `{"type":"url_verification","challenge":"abc","token":"x"}`, nil)
	if status != http.StatusOK || text != "abc" {
		t.Errorf("the challenge is answered by %d %q", status, text)
	}
	status, text = request(t, s, base+slack.PathCommands, "ssl_check=1&token=x", func(r *http.Request) { r.Header.Del("X-Slack-Signature") })
	if status != http.StatusOK || text != "" {
		t.Errorf("the check of the certificate is answered by %d %q", status, text)
	}
}
