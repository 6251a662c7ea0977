package faults_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ltxbot/app"
	"ltxbot/config"
	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/internal/flaky"
	"ltxbot/internal/testfile"
	simfal "ltxbot/sim/fal"
	"ltxbot/store"
	"ltxbot/store/storetest"
)

// stages are the platforms, as functions that build them.
var stages = []struct {
	name string
	make maker
}{
	{"Discord", func(t testing.TB, answerWithin time.Duration) stage { return newDiscord(t, answerWithin) }},
	{"Slack", func(t testing.TB, answerWithin time.Duration) stage { return newSlack(t, answerWithin) }},
}

// A maker builds a platform that waits so long for an answer to a command; 0 = as
// long as the real one.
type maker func(t testing.TB, answerWithin time.Duration) stage

// A world is everything around the bot: fal, a platform, the disk.
type world struct {
	t     testing.TB
	fal   *simfal.Server
	on    stage
	gate  *gate
	dir   string
	setup setup
	redis *flaky.Proxy    // how the bot reaches its store; nil = it is in a file
	ctx   context.Context //nolint:containedctx // the life of the world, which is that of its test
	// bringing: ada gives a picture with each command.
	bringing bool

	mu    sync.Mutex
	typed int
	log   bytes.Buffer
}

// A setup is how a world differs from the usual.
type setup struct {
	fal     simfal.Options
	config  string // lines of TOML
	falKeys string // lines of its [fal] table
	webhook string // the public address of the bot
	store   string // the address of the bot's store; empty = in a file
	// strict: the platform wants an answer within three seconds, as the real one.
	// Else it gives a busy machine more.
	strict bool
}

// testTimeout is how long a test waits for anything.
const testTimeout = 10 * time.Minute

func newWorld(t testing.TB, on maker, s setup) *world {
	t.Helper()
	if s.fal.Speed == 0 {
		s.fal.Speed = 1000
	}
	fal, err := simfal.Start(s.fal)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fal.Close)
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	t.Cleanup(cancel)
	answerWithin := 30 * time.Second
	if s.strict {
		answerWithin = 0
	}
	w := &world{t: t, fal: fal, on: on(t, answerWithin), gate: &gate{}, dir: t.TempDir(), setup: s, ctx: ctx}
	t.Cleanup(w.on.close)
	platform := w.gate.open(t, w.on.name(), w.on.address())
	w.on.filesAt(platform)
	w.writeConfig(w.gate.open(t, "fal", strings.TrimSuffix(fal.QueueURL(), "/queue")), platform)
	return w
}

// adminToken opens the bot's API.
const adminToken = "0123456789abcdef"

func (w *world) configPath() string { return filepath.Join(w.dir, "ltx.toml") }
func (w *world) storePath() string  { return filepath.Join(w.dir, "ltx.db") }

// writeConfig writes the bot's config, with fal and the platform at these
// addresses.
func (w *world) writeConfig(fal, platform string) {
	w.t.Helper()
	text := fmt.Sprintf(`[fal]
key = %q
queue_url = "%s/queue"
rest_url = "%s/rest"
api_url = "%s/api/v1"
media_hosts = [%q]
webhook_url = %q
%s
[http]
listen = "127.0.0.1:0"
admin_token = %q
[store]
url = %q
[media]
dir = %q
ffmpeg = ""
[log]
level = "debug"
%s
%s`, w.fal.Key(), fal, fal, fal, w.fal.MediaHost(), w.setup.webhook, w.setup.falKeys, adminToken,
		cmp.Or(w.setup.store, "bolt:"+w.storePath()), w.dir, w.setup.config, w.on.config(platform))
	testfile.Write(w.t, w.configPath(), text)
}

// Write keeps the bot's log for when a test fails.
func (w *world) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(p)
}

// logged is the bot's log so far.
func (w *world) logged() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

// start runs the bot within the test.
func (w *world) start() *app.App {
	w.t.Helper()
	a, err := w.tryStart()
	if err != nil {
		w.t.Fatalf("start: %v", err)
	}
	return a
}

func (w *world) tryStart() (*app.App, error) {
	cfg, err := config.Load(w.configPath(), func(string) (string, bool) { return "", false })
	if err != nil {
		return nil, err
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	a, err := app.New(w.ctx, cfg, app.Options{Version: "test", Logger: slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		return nil, err
	}
	if err := a.Start(w.ctx); err != nil {
		return nil, err
	}
	w.t.Cleanup(func() { w.stop(a) })
	if err := w.on.connected(w.ctx); err != nil {
		return nil, fmt.Errorf("the bot did not connect: %w", err)
	}
	return a, nil
}

// stop stops the bot that runs within the test. It may be called twice.
func (w *world) stop(a *app.App) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	if err := a.Stop(ctx); err != nil {
		w.t.Errorf("stop: %v", err)
	}
}

// ask types a command for a video that no other command asks for, and returns
// its job and the seed by which fal knows it.
func (w *world) ask(more string) (job string, seed int) {
	w.t.Helper()
	job, seed, err := w.tryAsk(more)
	if err != nil {
		w.t.Fatalf("type a command: %v", err)
	}
	return job, seed
}

func (w *world) tryAsk(more string) (job string, seed int, err error) {
	w.mu.Lock()
	w.typed++
	seed = 7000 + w.typed
	w.mu.Unlock()
	say := w.on.say
	if w.bringing {
		say = w.on.bring
	}
	job, err = say(w.ctx, fmt.Sprintf("prompt:a red canoe %sseed:%d", more, seed))
	return job, seed, err
}

// took reports whether fal took a submit for the video with that seed.
func took(s simfal.Submit, seed int) bool {
	n, ok := s.Input()["seed"].(float64)
	return ok && n == float64(seed) && s.RequestID != ""
}

// submits is how often fal was asked for the video with that seed, and took it.
func (w *world) submits(seed int) int {
	n := 0
	for _, s := range w.fal.Submits() {
		if took(s, seed) {
			n++
		}
	}
	return n
}

// pictures is how often fal took a submit with that seed and a picture that is
// in its storage.
func (w *world) pictures(seed int) int {
	n := 0
	for _, s := range w.fal.Submits() {
		picture, _ := s.Input()["image_url"].(string)
		if took(s, seed) && strings.HasPrefix(picture, "http") {
			n++
		}
	}
	return n
}

// await waits until what ada sees satisfies ok. The error names what is
// missing.
func (w *world) await(what string, ok func([]message) bool) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok(w.on.read()) {
			return nil
		}
		select {
		case <-tick.C:
		case <-w.ctx.Done():
			return fmt.Errorf("waited in vain for %s; ada sees\n%s", what, transcript(w.on.read()))
		}
	}
}

// mustAwait is await for tests that can't go on without.
func (w *world) mustAwait(what string, ok func([]message) bool) {
	w.t.Helper()
	if err := w.await(what, ok); err != nil {
		w.t.Fatalf("%v\nlog:\n%s", err, w.logged())
	}
}

// cardSays waits until the card of a job says a text, or has said it.
func (w *world) cardSays(job, text string) message {
	w.t.Helper()
	var found message
	w.mustAwait("a card with "+text, func(seen []message) bool {
		for _, m := range seen {
			if m.card(job) && m.said(text) {
				found = m
				return true
			}
		}
		return false
	})
	return found
}

// finish waits until the job is over for the bot, and returns its record.
func (w *world) finish(a *app.App, job string) generate.Job {
	w.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		j, err := a.Job(w.ctx, job)
		if err == nil && j.State.Terminal() && j.Shown == j.State {
			return j
		}
		select {
		case <-tick.C:
		case <-w.ctx.Done():
			w.t.Fatalf("job %s is %s (%v) and does not end; ada sees\n%s\nlog:\n%s", job, j.State, err, transcript(w.on.read()), w.logged())
		}
	}
}

// books opens the store of a bot that does not run.
func (w *world) books(look func(*store.Store)) {
	w.t.Helper()
	if w.redis != nil {
		look(storetest.Redis(w.t, w.setup.store))
		return
	}
	store, err := storetest.OpenFile(w.storePath(), storetest.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	defer store.Close()
	look(store)
}

// hold reads the hold of a job of a bot that does not run.
func (w *world) hold(job string) (h quota.Hold, err error) {
	w.books(func(s *store.Store) { h, err = s.Hold(context.Background(), job) })
	return h, err
}

// transcript writes messages for a person who looks for a mistake.
func transcript(seen []message) string {
	var b strings.Builder
	for _, m := range seen {
		fmt.Fprintf(&b, "--- %s loading=%v files=%v buttons=%v\n%s\n", m.id, m.loading, m.files, m.buttons, m.text)
	}
	return b.String()
}

// hitKey marks the request whose answer kills.
type hitKey struct{}

func withHit(ctx context.Context) context.Context { return context.WithValue(ctx, hitKey{}, true) }
