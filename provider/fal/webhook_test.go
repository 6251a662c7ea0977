package fal_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ltxbot/internal/until"
	"ltxbot/provider/fal"
	sim "ltxbot/sim/fal"
)

const hookBody = `{"request_id":"r1","gateway_request_id":"g1","status":"OK","payload":{"seed":1}}`

func TestWebhookIsVerified(t *testing.T) {
	now := time.Now()
	for _, tc := range []struct {
		name   string
		at     time.Time
		change func(http.Header)
		body   string
		ok     bool
	}{
		{name: "as signed", at: now, ok: true},
		{name: "five minutes old", at: now.Add(-299 * time.Second), ok: true},
		{name: "five minutes early", at: now.Add(299 * time.Second), ok: true},
		{name: "too old", at: now.Add(-302 * time.Second)},
		{name: "too early", at: now.Add(302 * time.Second)},
		{name: "another body", at: now, body: strings.Replace(hookBody, "OK", "NO", 1)},
		{name: "another request", at: now, change: func(h http.Header) { h.Set("X-Fal-Webhook-Request-Id", "r2") }},
		{name: "another user", at: now, change: func(h http.Header) { h.Set("X-Fal-Webhook-User-Id", "u2") }},
		{name: "another time", at: now, change: func(h http.Header) { h.Set("X-Fal-Webhook-Timestamp", strconv.FormatInt(now.Unix()+1, 10)) }},
		{name: "no time", at: now, change: func(h http.Header) { h.Set("X-Fal-Webhook-Timestamp", "now") }},
		{name: "no signature", at: now, change: func(h http.Header) { h.Del("X-Fal-Webhook-Signature") }},
		{name: "half a signature", at: now, change: func(h http.Header) { h.Set("X-Fal-Webhook-Signature", "abcd") }},
		{name: "no request id", at: now, change: func(h http.Header) { h.Del("X-Fal-Webhook-Request-Id") }},
		{name: "no header at all", at: now, change: func(h http.Header) { clear(h) }},
		{name: "far too long", at: now, body: strings.Repeat(" ", fal.MaxWebhook+1)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, sim.Options{}, func(c *fal.Config) { c.Now = func() time.Time { return now } })
			header := w.sim.Sign("r1", []byte(hookBody), tc.at)
			if tc.change != nil {
				tc.change(header)
			}
			body := hookBody
			if tc.body != "" {
				body = tc.body
			}
			hook, err := w.Webhooks().Verify(t.Context(), header, []byte(body))
			if !tc.ok {
				if !errors.Is(err, fal.ErrSignature) {
					t.Errorf("got %+v, %v", hook, err)
				}
				return
			}
			want := fal.Webhook{RequestID: "r1", GatewayRequestID: "g1", Status: fal.WebhookOK, Payload: []byte(`{"seed":1}`)}
			if diff := cmp.Diff(want, hook); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// TestWebhookVector signs with the key of RFC 8032, test 1, so that both sides
// of the simulator can't be wrong together.
func TestWebhookVector(t *testing.T) {
	seed, _ := hex.DecodeString("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
	const public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
	raw, _ := hex.DecodeString(public)
	x := base64.RawURLEncoding.EncodeToString(raw)
	at := time.Unix(1_767_225_600, 0)
	sum := sha256.Sum256([]byte(hookBody))
	message := "r1\nuser-7\n1767225600\n" + hex.EncodeToString(sum[:])
	header := http.Header{}
	header.Set("X-Fal-Webhook-Request-Id", "r1")
	header.Set("X-Fal-Webhook-User-Id", "user-7")
	header.Set("X-Fal-Webhook-Timestamp", "1767225600")
	header.Set("X-Fal-Webhook-Signature", hex.EncodeToString(ed25519.Sign(ed25519.NewKeyFromSeed(seed), []byte(message))))
	for name, tc := range map[string]struct {
		keys string
		ok   bool
	}{
		"its key":                  {`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"` + x + `"}]}`, true},
		"its key among others":     {`{"keys":[{"x":"AAAA"},{"kty":"RSA"},{"x":"` + strings.Repeat("A", 43) + `"},{"x":"` + x + `"}]}`, true},
		"another key":              {`{"keys":[{"x":"` + strings.Repeat("A", 43) + `"}]}`, false},
		"a key that is not base64": {`{"keys":[{"x":"***"}]}`, false},
		"no key":                   {`{"keys":[]}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, sim.Options{}, func(c *fal.Config) { c.Now = func() time.Time { return at } })
			w.sim.Inject(sim.Fault{Op: sim.OpJWKS, Status: 200, Body: tc.keys, Times: -1})
			if _, err := w.Webhooks().Verify(t.Context(), header, []byte(hookBody)); (err == nil) != tc.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestWebhookKeysAreCachedAndRenewed(t *testing.T) {
	now := time.Now()
	w := newWorld(t, sim.Options{}, func(c *fal.Config) { c.Now = func() time.Time { return now } })
	verify := func() error {
		_, err := w.Webhooks().Verify(t.Context(), w.sim.Sign("r1", []byte(hookBody), now), []byte(hookBody))
		return err
	}
	fetches := func(want int) {
		t.Helper()
		if n := w.sim.Count(sim.OpJWKS); n != want {
			t.Errorf("%d fetches, want %d", n, want)
		}
	}
	for range 5 {
		if err := verify(); err != nil {
			t.Fatal(err)
		}
	}
	fetches(1)
	if err := w.sim.RotateKey(); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if err := verify(); !errors.Is(err, fal.ErrSignature) {
			t.Errorf("a new key within the pause: %v", err)
		}
	}
	fetches(1)
	now = now.Add(61 * time.Second)
	if err := verify(); err != nil {
		t.Errorf("a new key after the pause: %v", err)
	}
	fetches(2)
	now = now.Add(23 * time.Hour)
	if err := verify(); err != nil {
		t.Error(err)
	}
	fetches(2)
	now = now.Add(2 * time.Hour)
	w.sim.Inject(sim.Fault{Op: sim.OpJWKS, Status: 404, Times: 1})
	for range 3 {
		if err := verify(); err == nil || errors.Is(err, fal.ErrSignature) {
			t.Errorf("old keys and no new ones: %v", err)
		}
	}
	fetches(3)
	now = now.Add(2 * time.Minute)
	if err := verify(); err != nil {
		t.Error(err)
	}
	fetches(4)
}

func TestWebhooksOfASimulatedJob(t *testing.T) {
	var mu sync.Mutex
	var hooks []fal.Webhook
	tries := map[string]int{}
	var w *world
	bot := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		hook, err := w.Webhooks().Verify(r.Context(), r.Header, body)
		mu.Lock()
		defer mu.Unlock()
		job := r.URL.Query().Get("job")
		if tries[job]++; err != nil || tries[job] < 3 {
			rw.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		hooks = append(hooks, hook)
	}))
	t.Cleanup(bot.Close)
	w = newWorld(t, sim.Options{}, func(c *fal.Config) {
		c.WebhookURL = func(job string) string { return bot.URL + "/fal/webhook?job=" + job }
	})
	for i, text := range []string{"a fine video", "nsfw"} {
		o := jobRequest(t, text)
		o.Job = fmt.Sprint("job", i)
		if _, err := w.Submit(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		until.True(t, "the webhook is heard", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(hooks) == i+1
		})
	}
	if h := hooks[0]; h.Status != fal.WebhookOK || !strings.Contains(string(h.Payload), `"video"`) || h.RequestID != w.sim.RequestIDs()[0] {
		t.Errorf("first: %+v", h)
	}
	if h := hooks[1]; h.Status != fal.WebhookError || h.Error != "Invalid status code: 422" || !strings.Contains(string(h.Payload), "content_policy_violation") {
		t.Errorf("second: %+v", h)
	}
	until.True(t, "each webhook was delivered three times", func() bool { return len(w.sim.Deliveries()) == 6 })
}

func FuzzWebhook(f *testing.F) {
	f.Add("r1", "u", "1767225600", strings.Repeat("ab", 64), []byte(hookBody))
	f.Add("", "", "", "", []byte(nil))
	c, err := fal.New(fal.Config{
		Key: "a:b", QueueURL: "https://q.example", RESTURL: "http://127.0.0.1:1", APIURL: "https://a.example",
		Retry: fal.Retry{Attempts: 1}, Now: func() time.Time { return time.Unix(1_767_225_600, 0) },
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(c.Close)
	f.Fuzz(func(t *testing.T, id, user, stamp, sig string, body []byte) {
		h := http.Header{"X-Fal-Webhook-Request-Id": {id}, "X-Fal-Webhook-User-Id": {user}, "X-Fal-Webhook-Timestamp": {stamp}, "X-Fal-Webhook-Signature": {sig}}
		if hook, err := c.Webhooks().Verify(t.Context(), h, body); err == nil {
			t.Errorf("verified without a key: %+v", hook)
		}
	})
}
