package faults_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/internal/need"
	simfal "ltxbot/sim/fal"
)

// A mailbox is the public address of the bot, where fal's webhooks arrive. It
// hands them on, and keeps what it got.
type mailbox struct {
	*httptest.Server
	bot atomic.Value // "127.0.0.1:port" of the bot
	// change, if set before a webhook comes, damages it.
	change func(*http.Request, []byte) []byte

	mu      sync.Mutex
	letters []letter
	answers []int
}

// A letter is one webhook as it came.
type letter struct {
	path   string
	header http.Header
	body   []byte
}

func newMailbox(t testing.TB) *mailbox {
	m := &mailbox{}
	m.Server = httptest.NewServer(m)
	t.Cleanup(m.Close)
	return m
}

func (m *mailbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if m.change != nil {
		body = m.change(r, body)
	}
	l := letter{path: r.URL.RequestURI(), header: r.Header.Clone(), body: body}
	status := m.hand(l)
	m.mu.Lock()
	m.letters = append(m.letters, l)
	m.answers = append(m.answers, status)
	m.mu.Unlock()
	w.WriteHeader(status)
}

// hand gives a letter to the bot and returns its answer.
func (m *mailbox) hand(l letter) int {
	to, _ := m.bot.Load().(string)
	req, err := http.NewRequest(http.MethodPost, "http://"+to+l.path, bytes.NewReader(l.body))
	if err != nil {
		return http.StatusBadGateway
	}
	req.Header = l.header
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return http.StatusBadGateway
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// got is what came so far, and how the bot answered.
func (m *mailbox) got() ([]letter, []int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]letter(nil), m.letters...), append([]int(nil), m.answers...)
}

func TestWebhooks(t *testing.T) {
	t.Parallel()
	var trials []trial
	for _, tt := range []struct {
		name   string
		setup  setup
		before func(*rig, *mailbox)
		during func(*rig, *mailbox)
		after  func(*rig, *mailbox)
	}{
		{
			name: "a lost submit is found by the webhook", setup: setup{fal: simfal.Options{HistoryLag: 1e6 * time.Hour, Speed: 1}},
			before: func(r *rig, _ *mailbox) { lose(r) },
		},
		{
			name:   "a webhook long after the job was given up brings it back",
			setup:  setup{falKeys: impatient, fal: simfal.Options{HistoryLag: 1e6 * time.Hour, Speed: 1, Timing: simfal.Timing{Run: 14 * time.Second}}},
			before: func(r *rig, _ *mailbox) { lose(r) },
			during: func(r *rig, _ *mailbox) {
				r.cardSays(r.job, "No video")
				r.until("the video is there", func() bool { j, err := r.app.Job(r.ctx, r.job); return err == nil && j.State == generate.Delivered })
			},
		},
		{
			name:  "a webhook brings back a job whose submit was refused",
			setup: setup{fal: simfal.Options{Speed: 1, Timing: simfal.Timing{Run: 8 * time.Second}}},
			before: func(r *rig, _ *mailbox) {
				r.fal.Inject(simfal.Fault{Op: simfal.OpSubmit, Status: http.StatusUnprocessableEntity, Handle: true, Body: `{"detail":[{"loc":["body","fps"],"msg":"no","type":"less_than_equal"}]}`})
			},
			during: func(r *rig, _ *mailbox) {
				r.cardSays(r.job, "No video")
				r.until("the video is there", func() bool { j, err := r.app.Job(r.ctx, r.job); return err == nil && j.State == generate.Delivered })
			},
		},
		{
			name: "a webhook is believed where the status can't be read",
			before: func(r *rig, _ *mailbox) {
				r.fal.Inject(simfal.Fault{Op: simfal.OpStatus, Status: 503, Times: -1})
				r.fal.Inject(simfal.Fault{Op: simfal.OpStream, Status: 503, Times: -1})
			},
		},
		{name: "the same webhook comes again and again", after: func(r *rig, m *mailbox) {
			letters, _ := m.got()
			for range 3 {
				if got := m.hand(letters[0]); got != http.StatusOK {
					r.t.Errorf("the bot answered %d to a webhook that it knows, want 200", got)
				}
			}
		}},
		{name: "a webhook with a wrong signature changes nothing", before: func(_ *rig, m *mailbox) {
			m.change = func(_ *http.Request, body []byte) []byte { return append(body, ' ') }
		}, after: func(r *rig, m *mailbox) { refusedAll(r, m, http.StatusUnauthorized) }},
		{name: "a webhook for a job that somebody made up changes nothing", before: func(_ *rig, m *mailbox) {
			m.change = func(q *http.Request, body []byte) []byte {
				q.URL.RawQuery = strings.Replace(q.URL.RawQuery, "job=", "job=x", 1)
				return body
			}
		}, after: func(r *rig, m *mailbox) { refusedAll(r, m, http.StatusNotFound) }},
		{
			name:  "a webhook that comes before the answer to the submit is asked to come again",
			setup: setup{fal: simfal.Options{HistoryLag: 1e6 * time.Hour, Speed: 10}},
			before: func(r *rig, m *mailbox) {
				r.gate.hold = func(resp *http.Response) {
					if resp.Request.Method == http.MethodPost && strings.Contains(resp.Request.URL.Path, "/text-to-video") {
						r.until("the webhook has come", func() bool { letters, _ := m.got(); return len(letters) > 0 })
					}
				}
			},
			after: func(r *rig, m *mailbox) {
				if _, answers := m.got(); answers[0] != http.StatusServiceUnavailable {
					r.t.Errorf("the bot answered %v, want 503 at first", answers)
				}
				r.until("the webhook is heard", func() bool { _, answers := m.got(); return answers[len(answers)-1] == http.StatusOK })
			},
		},
		{name: "after a rotation of the keys the bot asks by itself until it knows the new one", before: func(r *rig, m *mailbox) {
			first, _ := r.ask("")
			r.cardSays(first, "Done")
			// One that comes before the submit is saved is asked to come again.
			r.until("the first webhook is heard", func() bool { _, answers := m.got(); return slices.Contains(answers, http.StatusOK) })
			if err := r.fal.RotateKey(); err != nil {
				r.t.Fatal(err)
			}
		}},
	} {
		trials = append(trials, trial{tt.name, func(t *testing.T) {
			m := newMailbox(t)
			tt.setup.webhook = m.URL
			w := newWorld(t, stages[0].make, tt.setup)
			r := &rig{world: w, t: t}
			r.app = w.start()
			m.bot.Store(r.app.Addr())
			if tt.before != nil {
				tt.before(r, m)
			}
			var n int
			r.job, n = w.ask("")
			if tt.during != nil {
				tt.during(r, m)
			}
			j := w.finish(r.app, r.job)
			r.until("the webhook has come", func() bool { letters, _ := m.got(); return len(letters) > 0 })
			if tt.after != nil {
				tt.after(r, m)
			}
			w.stop(r.app)
			if h, err := w.hold(r.job); err != nil || j.State != generate.Delivered || h.State != quota.Settled || h.Charged == 0 {
				t.Errorf("the job is %s (%s), its hold %s with %s charged, %v; want it delivered and paid\nlog:\n%s", j.State, j.Failure.Kind, h.State, h.Charged, err, w.logged())
			}
			if got := w.submits(n); got != 1 {
				t.Errorf("fal was asked %d times, want once", got)
			}
			videos := 0
			for _, seen := range w.on.read() {
				if seen.video(r.job) {
					videos++
				}
			}
			if videos != 1 {
				t.Errorf("ada sees %d videos, want one", videos)
			}
		}})
	}
	together(t, need.Some(t, trials, 4))
}

// refusedAll checks that the bot took in no webhook.
func refusedAll(r *rig, m *mailbox, want int) {
	r.t.Helper()
	_, answers := m.got()
	for _, got := range answers {
		if got != want {
			r.t.Errorf("the bot answered %d to a forged webhook, want %d", got, want)
		}
	}
}
