package faults_test

import (
	"errors"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"ltxbot/app"
	"ltxbot/core/generate"
	"ltxbot/core/quota"
	simfal "ltxbot/sim/fal"
)

// A row is one fault: what happens, what the person reads in the end, what is
// charged, and when all is well again.
type row struct {
	area  string // where it happens
	fault string
	// on is the only platform that has this fault; empty = all have it.
	on    string
	setup setup
	words string // more words in the prompt
	// before arranges the fault before the command is typed, during while
	// the job is on its way. Either may be nil.
	before, during func(*rig)
	// meanwhile is what the card must have said on the way; may be empty.
	meanwhile string
	ends      outcome
	// charged is what it costs; empty says that there is no job.
	charged string
	// offers is a button that the last message must have; may be empty.
	offers string
	// recovers says when it is over, and within is how long the whole job may
	// take in this test.
	recovers string
	within   time.Duration
	link     bool // the video is a link
}

// An outcome is how a job ends.
type outcome struct {
	state generate.State
	kind  generate.FailureKind
}

var (
	arrives = outcome{state: generate.Delivered}
	noJob   = outcome{}
)

func fails(kind generate.FailureKind) outcome {
	return outcome{state: generate.Failed, kind: kind}
}

// A rig is a row under test.
type rig struct {
	*world
	t   testing.TB
	row row
	app *app.App
	job string
}

// running waits until the model works on the job.
func (r *rig) running() {
	r.t.Helper()
	r.until("the job runs", func() bool {
		j, err := r.app.Job(r.ctx, r.job)
		return err == nil && j.State == generate.Running
	})
}

// restart stops the bot, does something while it is down, and starts it.
func (r *rig) restart(while func()) {
	r.t.Helper()
	r.stop(r.app)
	if err := r.on.gone(r.ctx); err != nil {
		r.t.Fatal(err)
	}
	while()
	r.app = r.start()
}

// A finding is what came of a row.
type finding struct {
	reads, charged string
}

// findings are those of all rows, for the document.
type findings struct {
	mu  sync.Mutex
	all map[string]finding
}

func (f *findings) put(key string, one finding) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all[key] = one
}

// run puts the bot through the row.
func (one row) run(t *testing.T, on maker) finding {
	w := newWorld(t, on, one.setup)
	r := &rig{world: w, t: t, row: one}
	r.app = w.start()
	if one.before != nil {
		one.before(r)
	}
	began := time.Now()
	var n int
	r.job, n = w.ask(one.words)
	if one.during != nil {
		one.during(r)
	}
	if one.meanwhile != "" {
		w.cardSays(r.job, one.meanwhile)
	}
	if one.ends == noJob {
		return r.refused(n)
	}
	j := w.finish(r.app, r.job)
	took := time.Since(began)
	w.stop(r.app)
	if (outcome{j.State, j.Failure.Kind}) != one.ends {
		t.Fatalf("the job is %s (%s), want %s (%s); ada sees\n%s\nlog:\n%s",
			j.State, j.Failure.Kind, one.ends.state, one.ends.kind, transcript(w.on.read()), w.logged())
	}
	if took > one.within {
		t.Errorf("it took %s, want at most %s", took, one.within)
	}
	if got := w.submits(n); got > 1 {
		t.Errorf("fal was asked %d times", got)
	}
	return finding{reads: r.lastWord(j), charged: r.bill()}
}

// lastWord checks what ada sees in the end, and returns what it says.
func (r *rig) lastWord(j generate.Job) string {
	r.t.Helper()
	var videos, results int
	var last message
	for _, m := range r.on.read() {
		switch {
		case m.result(r.job):
			results++
			last = m
		case m.card(r.job) && j.State != generate.Delivered:
			last = m
		}
		if m.video(r.job) {
			videos++
		}
	}
	want := 0
	if j.State == generate.Delivered {
		want = 1
	}
	files := want
	if r.row.link {
		files = 0
	}
	if videos != files || results != want {
		r.t.Errorf("ada sees %d videos and %d messages about them, want %d:\n%s", videos, results, want, transcript(r.on.read()))
	}
	if r.row.offers != "" && !strings.Contains(strings.Join(last.buttons, "/"), r.row.offers) {
		r.t.Errorf("the last message offers %q, want %q among them", last.buttons, r.row.offers)
	}
	return gist(last.text)
}

// bill reads what was charged, and checks it.
func (r *rig) bill() string {
	r.t.Helper()
	h, err := r.hold(r.job)
	if err != nil {
		r.t.Fatal(err)
	}
	charged := "nothing"
	if h.State == quota.Settled {
		charged = h.Charged.String()
	}
	if h.State == quota.Held || charged != r.row.charged {
		r.t.Errorf("the hold is %s and %s is charged, want %s", h.State, charged, r.row.charged)
	}
	return charged
}

// refused checks that a command made no job, and returns what ada reads.
func (r *rig) refused(n int) finding {
	r.t.Helper()
	var said string
	r.mustAwait("a refusal", func(seen []message) bool {
		for _, m := range seen {
			if !m.loading && strings.Contains(m.text, "Reference") {
				said = gist(m.text)
				return true
			}
		}
		return false
	})
	if got := r.submits(n); got != 0 {
		r.t.Errorf("fal was asked %d times for a command that was refused", got)
	}
	if _, err := r.app.Job(r.ctx, r.job); !errors.Is(err, generate.ErrNoJob) {
		r.t.Errorf("there is a job, %v", err)
	}
	return finding{reads: said, charged: "nothing"}
}

// What is taken out of a text for the document, since it differs each time.
var (
	mentions = regexp.MustCompile(`<@\w+>`)
	links    = regexp.MustCompile(`\[([^\]]+)\]\([^)]*\)`)
	codes    = regexp.MustCompile("`[0-9A-Z]{8}`")
)

// gist is what a message says, without the request that it repeats.
func gist(text string) string {
	var keep []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(strings.NewReplacer("-# ", "", "**", "").Replace(line))
		switch {
		case line == "", strings.HasPrefix(line, ">"), strings.HasPrefix(line, "["), strings.HasPrefix(line, "a red canoe"),
			strings.HasPrefix(line, "The model read it as"), line == "Made by AI.", strings.Contains(line, "seed:"), strings.HasPrefix(line, "seed `"), strings.Contains(line, " today"):
			continue
		}
		line = mentions.ReplaceAllString(line, "@ada")
		line = links.ReplaceAllString(line, "$1 (a link)")
		keep = append(keep, codes.ReplaceAllString(line, "`…`"))
	}
	return strings.Join(keep, " / ")
}

// times is a fault of fal that happens so often.
func times(n int, f simfal.Fault) simfal.Fault {
	f.Times = n
	return f
}
