package discord_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ltxbot/bot/discord"
	"ltxbot/internal/ingress"
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
	sign := newSigner(t)
	refused := map[ingress.Reason]int{}
	guard := ingress.New(slog.New(slog.DiscardHandler), func(at ingress.Endpoint, why ingress.Reason) {
		if at != ingress.Discord {
			t.Errorf("refused at %s", at)
		}
		refused[why]++
	})
	s := prepareStage(t, unlimited, func(c *discord.Config) { c.Mode, c.PublicKey, c.Guard = discord.HTTP, sign.public(), guard })
	for name, change := range map[string]func(http.Header){
		"no signature":              func(h http.Header) { h.Del("X-Signature-Ed25519") },
		"a signature that is short": func(h http.Header) { h.Set("X-Signature-Ed25519", "abab") },
		"no time":                   func(h http.Header) { h.Del("X-Signature-Timestamp") },
		"a time that is too old": func(h http.Header) {
			h.Set("X-Signature-Timestamp", stampOf(s.sim.Now().Add(-5*time.Minute-2*time.Second)))
		},
		"a time that is to come": func(h http.Header) {
			h.Set("X-Signature-Timestamp", stampOf(s.sim.Now().Add(5*time.Minute+2*time.Second)))
		},
	} {
		r := sign.request(`{"type":1}`, s.sim.Now())
		change(r.Header)
		r.Body = unread{t}
		w := httptest.NewRecorder()
		s.bot.Handler().ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized {
			t.Errorf("%s: status %d", name, w.Code)
		}
	}
	if refused[ingress.Unsigned] != 3 || refused[ingress.Stale] != 2 {
		t.Errorf("counted %v", refused)
	}
}

// Whoever has recorded a signed request, a proxy's log for one, must not be
// able to give an admin's grant again.
func TestASignedInteractionCountsOnceWhileItIsFresh(t *testing.T) {
	t.Parallel()
	sign, api := newSigner(t), newRecorder(t)
	signedAt := time.Now()
	var passed atomic.Int64 // the bot's clock moves by hand
	now := func() time.Time { return signedAt.Add(time.Duration(passed.Load())) }
	s := prepareStage(t, unlimited, func(c *discord.Config) {
		c.Now = now
		c.Mode, c.PublicKey, c.APIURL = discord.HTTP, sign.public(), api.URL
	})
	s.check("start", s.bot.Start(s.ctx))
	const body = `{"id":"77","application_id":"2","type":2,"token":"t","guild_id":"3","channel_id":"4","locale":"en-US",
		"member":{"user":{"id":"5"},"roles":[],"permissions":"32"},"data":{"name":"ltx-admin","options":[{"type":1,"name":"status"}]}}`
	send := func(body string, at time.Time) int {
		w := httptest.NewRecorder()
		s.bot.Handler().ServeHTTP(w, sign.request(body, at))
		return w.Code
	}
	if code := send(body, signedAt); code != http.StatusAccepted {
		t.Fatalf("status %d", code)
	}
	select {
	case <-api.answers:
	case <-s.ctx.Done():
		t.Fatal("no answer")
	}
	for _, after := range []time.Duration{0, time.Minute, 4*time.Minute - time.Second} {
		passed.Add(int64(after))
		if code := send(body, signedAt); code != http.StatusConflict {
			t.Errorf("%s later the same request is answered %d", after, code)
		}
	}
	passed.Add(int64(time.Minute))
	if code := send(body, signedAt); code != http.StatusUnauthorized {
		t.Errorf("when it is stale it is answered %d", code)
	}
	for range 2 {
		if code := send(`{"type":1,"id":"78"}`, now()); code != http.StatusOK {
			t.Errorf("a ping that comes twice is answered %d", code)
		}
	}
	if code := send(strings.Replace(body, `"77"`, `"79"`, 1), now()); code != http.StatusAccepted {
		t.Errorf("another interaction is answered %d", code)
	}
	<-api.answers
	select {
	case more := <-api.answers:
		t.Errorf("a request that was refused is answered: %v", more)
	default:
	}
}
