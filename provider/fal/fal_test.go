package fal_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/internal/leak"
	"ltxbot/internal/parallel"
	"ltxbot/internal/until"
	"ltxbot/provider/fal"
	sim "ltxbot/sim/fal"
)

// A server that has answered before it read all lingers for half a second.
func TestMain(m *testing.M) {
	parallel.AtLeast(8) // they wait for answers that do not come
	leak.Verify(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

const (
	lora   = "fal-ai/ltx-2.3-22b/text-to-video/lora"
	noLoRA = "fal-ai/ltx-2.3-22b/text-to-video"
)

// prompt and the signature are what must never be in an error or a log.
const (
	prompt    = "a very private cowboy in a dusty town"
	signature = "X-Amz-Signature=deadbeef"
)

// A world is a client in front of a simulator.
type world struct {
	*fal.Client
	sim *sim.Server
	web *http.Client // for requests that the client would not make
	log *bytes.Buffer

	mu       sync.Mutex
	observed []string // "op outcome"
}

func (w *world) saw(op, outcome string, _ time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.observed = append(w.observed, op+" "+outcome)
}

func (w *world) lastSeen() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.observed) == 0 {
		return ""
	}
	return w.observed[len(w.observed)-1]
}

// newWorld starts a simulator and a client of it. It fails the test when the
// client breaks a rule of the provider, or logs a secret.
func newWorld(t *testing.T, o sim.Options, change ...func(*fal.Config)) *world {
	t.Helper()
	if o.Speed == 0 {
		o.Speed = 1000
	}
	s, err := sim.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	w := &world{sim: s, log: &bytes.Buffer{}, web: &http.Client{Transport: &http.Transport{}}}
	t.Cleanup(w.web.CloseIdleConnections)
	cfg := fal.Config{
		Key: fal.Key(s.Key()), QueueURL: s.QueueURL(), RESTURL: s.RESTURL(), APIURL: s.APIURL(),
		MediaHosts: []string{"fal.media", "*.fal.media", s.MediaHost()},
		Logger:     slog.New(slog.NewTextHandler(&lockedWriter{w: w.log}, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Observe:    w.saw,
		Retry:      fal.Retry{Base: time.Millisecond, Max: 5 * time.Millisecond},
		Timeouts:   fal.Timeouts{Submit: time.Minute, Call: time.Minute, Idle: time.Minute},
		Transport:  &http.Transport{},
	}
	for _, f := range change {
		f(&cfg)
	}
	w.Client = newClient(t, cfg)
	t.Cleanup(func() {
		if v := s.Violations(); len(v) > 0 {
			t.Errorf("the client broke a rule: %q", v)
		}
		assertClean(t, s.Key(), w.log.String())
	})
	return w
}

type lockedWriter struct {
	mu sync.Mutex
	w  *bytes.Buffer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func newClient(t *testing.T, cfg fal.Config) *fal.Client {
	t.Helper()
	c, err := fal.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// jobRequest asks for a video of the given prompt with a fixed seed.
func jobRequest(t *testing.T, text string, settings ...ltx.Setting) generate.JobRequest {
	t.Helper()
	settings = append([]ltx.Setting{{Key: "prompt", Value: text}, {Key: "seed", Value: "42"}}, settings...)
	r, err := ltx.Rules{}.Parse(settings)
	if err != nil {
		t.Fatal(err)
	}
	return generate.JobRequest{Job: "job1", Endpoint: lora, Request: r}
}

// plainJobRequest is one for the endpoint without LoRAs.
func plainJobRequest(t *testing.T, text string) generate.JobRequest {
	t.Helper()
	r, err := ltx.Rules{EndpointWithoutLoRA: noLoRA}.Parse([]ltx.Setting{{Key: "prompt", Value: text}, {Key: "seed", Value: "42"}})
	if err != nil {
		t.Fatal(err)
	}
	return generate.JobRequest{Job: "job1", Endpoint: noLoRA, Request: r}
}

func (w *world) submit(t *testing.T, text string) generate.Submission {
	t.Helper()
	s, err := w.Submit(t.Context(), jobRequest(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// await polls the status until the submission is complete.
func (w *world) await(t *testing.T, s generate.Submission) generate.Status {
	t.Helper()
	var st generate.Status
	until.True(t, "it is complete", func() bool {
		var err error
		if st, err = w.Status(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		return st.Phase == generate.PhaseComplete
	})
	return st
}

// assertClean fails when a text holds the key, half of it, the prompt or a
// signature.
func assertClean(t *testing.T, key, text string) {
	t.Helper()
	_, half, _ := strings.Cut(key, ":")
	for name, s := range map[string]string{"the key": key, "half the key": half, "the prompt": prompt, "a signature": signature, "part of a signature": "deadbeef"} {
		if strings.Contains(text, s) {
			t.Errorf("%s is in %q", name, text)
		}
	}
}

// assertError checks an error's text in every way it can be printed.
func (w *world) assertError(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Fatal("there is no error")
	}
	for ; err != nil; err = errors.Unwrap(err) {
		assertClean(t, w.sim.Key(), fmt.Sprintf("%v %+v %#v", err, err, err.Error()))
	}
}

func TestNewRefusesBadConfig(t *testing.T) {
	good := fal.Config{Key: "a:b", QueueURL: "https://queue.fal.run", RESTURL: "https://rest.fal.ai", APIURL: "https://api.fal.ai/v1"}
	for _, tc := range []struct {
		name   string
		change func(*fal.Config)
		want   string
	}{
		{"no key", func(c *fal.Config) { c.Key = " " }, "fal: the key is empty"},
		{"plain http", func(c *fal.Config) { c.QueueURL = "http://queue.fal.run" }, `fal: queue_url: "http://queue.fal.run": want https (http only on loopback)`},
		{"no host", func(c *fal.Config) { c.APIURL = "https://" }, `fal: api_url: "https:": want https://host/path`},
		{"a password", func(c *fal.Config) { c.RESTURL = "https://me:hunter2@rest.fal.ai" }, `fal: rest_url: "https://me:xxxxx@rest.fal.ai": want https://host/path`},
		{"any host", func(c *fal.Config) { c.MediaHosts = []string{"*"} }, `fal: media_hosts: "*": want a host, or "*." and a domain, or a loopback host:port`},
		{"any host of a top-level domain", func(c *fal.Config) { c.MediaHosts = []string{"*.media"} }, `fal: media_hosts: "*.media": want a host, or "*." and a domain, or a loopback host:port`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg := good
			tc.change(&cfg)
			_, err := fal.New(cfg)
			if err == nil || err.Error() != tc.want {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
	if c, err := fal.New(good); err != nil {
		t.Error(err)
	} else {
		c.Close()
	}
}

func TestKeyNeverPrints(t *testing.T) {
	k := fal.Key("id:0123456789abcdef")
	var b strings.Builder
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "key", k, "config", fal.Config{Key: k})
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10.3s", "%t"} {
		fmt.Fprintf(&b, verb+" ", k)
		fmt.Fprintf(&b, verb+" ", struct{ K fal.Key }{k})
	}
	text, err := k.MarshalText()
	b.Write(text)
	if err != nil || strings.Contains(b.String(), "0123") || strings.Contains(b.String(), "3031") {
		t.Errorf("printed: %s, %v", b.String(), err)
	}
}

func TestJobFromSubmitToVideo(t *testing.T) {
	w := newWorld(t, byHand())
	s := w.submit(t, prompt)
	if s.Endpoint != lora || s.StatusURL == "" || s.ResponseURL == "" || s.CancelURL == "" {
		t.Errorf("submission: %+v", s)
	}
	if _, err := w.Result(t.Context(), s); !errors.Is(err, generate.ErrNotReady) {
		t.Errorf("early result: %v", err)
	}
	if st, err := w.Status(t.Context(), s); err != nil || st.Phase != generate.PhaseQueued || st.Position < 0 || st.Percent != -1 {
		t.Errorf("first status: %+v, %v", st, err)
	}
	w.sim.Advance(4 * time.Hour)
	w.sim.Advance(17 * time.Hour)
	if st := w.await(t, s); st.Seconds <= 0 || st.Percent != -1 {
		t.Errorf("last status: %+v", st)
	}
	r, err := w.Result(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if r.BillableUnits != w.sim.Billed() || r.Output.Seed == nil || *r.Output.Seed != 42 || r.Output.Frames != 121 {
		t.Errorf("result: %+v", r)
	}
	m, err := w.Open(t.Context(), r.Output.URL, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Body.Close()
	var got bytes.Buffer
	if _, err := got.ReadFrom(m.Body); err != nil || !bytes.Equal(got.Bytes(), sim.Clip()) || m.Size != int64(got.Len()) || m.ContentType != "video/mp4" {
		t.Errorf("video: %d bytes of %d, %s, %v", got.Len(), m.Size, m.ContentType, err)
	}
	if n := w.sim.Count(sim.OpSubmit); n != 1 {
		t.Errorf("%d submits", n)
	}
}

func TestSubmitSendsEveryInputOnceAndAsked(t *testing.T) {
	w := newWorld(t, sim.Options{RefuseAtSubmit: true}, func(c *fal.Config) {
		c.WebhookURL = func(job string) string { return "https://bot.example/fal/webhook?job=" + job }
		c.UserAgent = "ltxbot/test"
	})
	if _, err := w.Submit(t.Context(), jobRequest(t, prompt)); err != nil {
		t.Fatal(err)
	}
	o := plainJobRequest(t, prompt)
	if _, err := w.Submit(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	sent := w.sim.Submits()
	first := sent[0]
	if first.Endpoint != lora || first.Webhook != "https://bot.example/fal/webhook?job=job1" ||
		first.Header.Get("User-Agent") != "ltxbot/test" || first.Header.Get("Content-Type") != "application/json" {
		t.Errorf("sent: %+v", first)
	}
	if want := inputs(t); len(first.Input()) != want || len(first.Ignored) > 0 {
		t.Errorf("%d inputs, want %d: %s", len(first.Input()), want, first.Body)
	}
	if in := sent[1].Input(); in["loras"] != nil || in["prompt"] != prompt || sent[1].Endpoint != noLoRA {
		t.Errorf("without a LoRA: %v", in)
	}
	o = jobRequest(t, prompt, ltx.Setting{Key: "lora", Value: "owner/repo"})
	o.Endpoint = noLoRA
	if _, err := w.Submit(t.Context(), o); !errors.Is(err, generate.ErrNotSent) {
		t.Errorf("a request for another endpoint: %v", err)
	}
}

func TestAppKeepsOwnerAndAlias(t *testing.T) {
	for endpoint, want := range map[string]string{
		lora:                            "fal-ai/ltx-2.3-22b",
		"fal-ai/flux":                   "fal-ai/flux",
		"workflows/acme/my-flow/x":      "workflows/acme/my-flow",
		"comfy/acme/my-flow":            "comfy/acme/my-flow",
		"comfy/acme":                    "",
		"fal-ai":                        "",
		"":                              "",
		"fal-ai/../secret":              "",
		"fal-ai//x":                     "",
		"fal-ai/a?b=c":                  "",
		"fal-ai/ltx-2.3-22b/%2e%2e/%20": "",
	} {
		if got, err := fal.AppOf(endpoint); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v", endpoint, got, err)
		}
	}
}

func TestOutcomesAreAClosedSet(t *testing.T) {
	if got := fal.Outcomes(); len(got) != len(generate.FailureKinds)+6 || len(fal.Ops()) != 12 {
		t.Errorf("ops %v, outcomes %v", fal.Ops(), got)
	}
}
