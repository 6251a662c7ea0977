package slack_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"ltxbot/bot/slack"
	"ltxbot/internal/ingress"
	sim "ltxbot/sim/slack"
)

// unread is a body that must not be looked at.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body is read")
	return 0, io.EOF
}

func (unread) Close() error { return nil }

func TestABodyIsReadOnlyUnderFreshHeadersOfASignature(t *testing.T) {
	t.Parallel()
	refused := map[ingress.Reason]int{}
	guard := ingress.New(slog.New(slog.DiscardHandler), func(at ingress.Endpoint, why ingress.Reason) {
		if at != ingress.Slack {
			t.Errorf("refused at %s", at)
		}
		refused[why]++
	})
	s := prepareStage(t, sim.Options{}, func(c *slack.Config) { c.Mode, c.AppToken, c.Guard = slack.HTTP, "", guard })
	stamp := func(after time.Duration) string { return strconv.FormatInt(s.sim.Now().Add(after).Unix(), 10) }
	good := "v0=" + strings.Repeat("ab", 32)
	for _, tt := range []struct {
		name, path, stamp, signature string
		length                       int64
	}{
		{"no signature", slack.PathEvents, stamp(0), "", 5},
		{"a signature that is short", slack.PathEvents, stamp(0), "v0=abab", 5},
		{"no time", slack.PathInteractions, "", good, 5},
		{"a time that is too old", slack.PathOptions, stamp(-5*time.Minute - 2*time.Second), good, 5},
		{"a time that is to come", slack.PathCommands, stamp(5*time.Minute + 2*time.Second), good, 5000},
		{"no signature, and too large to try the certificate", slack.PathCommands, stamp(0), "", 1025},
		{"no signature and no length", slack.PathCommands, stamp(0), "", -1},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, tt.path, unread{t})
		r.ContentLength = tt.length
		r.Header.Set("X-Slack-Request-Timestamp", tt.stamp)
		r.Header.Set("X-Slack-Signature", tt.signature)
		w := httptest.NewRecorder()
		s.bot.Handler().ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized {
			t.Errorf("%s: status %d", tt.name, w.Code)
		}
	}
	if refused[ingress.Unsigned] != 5 || refused[ingress.Stale] != 2 {
		t.Errorf("counted %v", refused)
	}
}

func TestCodesThatSomebodyMakesUpCostFewCallsToSlack(t *testing.T) {
	t.Parallel()
	clock := newHandClock()
	s := newShop(t, func(c *slack.Config) { c.Now = clock.now })
	tryIt := func() (int, string) {
		b := s.browser()
		return s.back(b, url.Values{"code": {"made-up"}, "state": {s.begin(b).Get("state")}})
	}
	before := s.exchanges()
	for range 30 {
		tryIt()
	}
	if n := s.exchanges() - before; n != 10 {
		t.Errorf("30 codes in a row cost %d calls to Slack, want 10", n)
	}
	if status, body := tryIt(); status != http.StatusTooManyRequests || !strings.Contains(body, "try again in a minute") {
		t.Errorf("%d %s", status, body)
	}
	clock.advance(time.Minute)
	s.mustInstall(s.stranger("beta").ws)
}

func TestALineThatIsTooLongIsRefusedUnread(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.mention(s.ann, s.general, strings.Repeat("a fox ", 2001), "")
	s.whisper(s.ann, s.general, "12005 characters")
	s.wantJobs(0)
}
