package generate_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/internal/need"
)

// A scenario is a life of one or several jobs, in which the process is killed
// or stopped at each boundary between it and the world.
type scenario struct {
	name    string
	arrange func(*world)  // nil changes nothing
	jobs    int           // asked for one after the other at once; 0 = one
	takes   int           // videos that each asks for; 0 = one
	inputs  []ltx.Setting // the files that are given with each
	outside []happening   // what people and the provider do by themselves
	ends    []ending      // how a job may end
	// sure says that nobody dies, so that no outcome may be unknown.
	sure bool
	// lasts is how long it takes without a crash; 0 = 5 minutes.
	lasts time.Duration
}

// A happening is something that comes from outside some time after the first
// command. Who does it tries again while the process is down or says so.
type happening struct {
	after time.Duration
	does  func(*world, *process) error
}

// An ending is a way in which a job may end.
type ending struct {
	state  generate.State
	kind   generate.FailureKind
	hold   quota.HoldState
	videos int
	// unsent says that the job may end so only if the provider never heard of
	// it: it was killed between the intention to submit and the submit.
	unsent bool
}

// The endings that scenarios name.
var (
	delivered = ending{state: generate.Delivered, hold: quota.Settled, videos: 1}
	cancelled = ending{state: generate.Cancelled, hold: quota.Released}
	lostEnd   = ending{state: generate.Failed, kind: generate.FailLost, hold: quota.Released}
	// neverSent is a possible end of every life: whoever dies between the
	// intention and the submit leaves a job of which nobody knows whether it
	// was submitted.
	neverSent = ending{state: generate.Failed, kind: generate.FailLost, hold: quota.Released, unsent: true}
	// inTime is a cancel that came before the job was submitted, however long
	// that took.
	inTime = ending{state: generate.Cancelled, hold: quota.Released, unsent: true}
)

// failedAs is a job without a video that costs nothing.
func failedAs(kind generate.FailureKind) ending {
	return ending{state: generate.Failed, kind: kind, hold: quota.Released}
}

// firstJob is the job of the first command.
func firstJob(t *testing.T) string { return generate.NewID(ask(t, 0).Event) }

// press is somebody who presses Cancel on a job until the bot has heard it.
func press(n int, after time.Duration) happening {
	return happening{after: after, does: func(w *world, p *process) error {
		_, err := p.engine.Cancel(p.life(), generate.NewID(ask(w.t, n).Event), "test:1")
		if errors.Is(err, generate.ErrTooLate) || errors.Is(err, generate.ErrNoJob) {
			return nil
		}
		return err
	}}
}

// call is the provider that calls the webhook of the first job once it has
// one, again and again until it is heard.
func call(after time.Duration) happening {
	return happening{after: after, does: func(w *world, p *process) error {
		request, ok := w.provider.find(firstJob(w.t))
		if !ok {
			return nil
		}
		return p.engine.Arrived(p.life(), firstJob(w.t), request)
	}}
}

// find is the request under which the provider runs a job.
func (p *fakeProvider) find(job string) (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, j := range p.jobs {
		if j.asked.Job == job {
			return id, true
		}
	}
	return "", false
}

func busyError() error {
	return &generate.ProviderError{Op: "submit", Kind: generate.FailBusy, HTTPStatus: 429, Temporary: true, RetryAfter: 7 * time.Second}
}

func later(d time.Duration) error { return &generate.RetryError{After: d, Err: errReply} }

// oneAtATime lets a member have one job at the provider.
func oneAtATime(w *world) { w.policy.Member.JobsAtATime = 1 }

// The first of the scenarios is the plain life of a job.
var scenarios = slices.Concat([]scenario{{name: "all goes well", ends: []ending{delivered}}}, batchScenarios, redeliveryScenarios, []scenario{
	{
		name:    "the reply to the submit is lost and the history knows the job",
		arrange: func(w *world) { w.provider.loseReply = true }, ends: []ending{delivered},
	},
	{
		name:    "the reply to the submit is lost and nobody knows the job",
		arrange: func(w *world) { w.provider.loseReply, w.provider.hidden = true, true }, ends: []ending{lostEnd, delivered},
	},
	{
		name:    "the webhook finds the lost job while it is looked for",
		arrange: func(w *world) { w.provider.loseReply, w.provider.hidden = true, true },
		outside: []happening{call(50 * time.Second)}, ends: []ending{delivered},
	},
	{
		name:    "the webhook comes long after the lost job was given up",
		arrange: func(w *world) { w.provider.loseReply, w.provider.hidden = true, true },
		outside: []happening{call(20 * time.Minute)}, ends: []ending{delivered}, lasts: 30 * time.Minute,
	},
	{
		name:    "the webhook comes before the reply to the submit",
		arrange: func(w *world) { w.provider.answer = 8 * time.Second; w.provider.hidden = true },
		outside: []happening{call(4 * time.Second)}, ends: []ending{delivered},
	},
	{
		name:    "the webhook comes three times",
		outside: []happening{call(30 * time.Second), call(45 * time.Second), call(46 * time.Second)}, ends: []ending{delivered},
	},
	{
		name: "the content checker refuses the result",
		arrange: func(w *world) {
			w.provider.fail = &generate.ProviderError{Op: "result", Kind: generate.FailRefused, HTTPStatus: 422, MayBill: true}
		}, ends: []ending{failedAs(generate.FailRefused)},
	},
	{
		name: "the provider refuses the submit",
		arrange: func(w *world) {
			w.provider.submitErr = []error{&generate.ProviderError{Op: "submit", Kind: generate.FailAccount, HTTPStatus: 403}}
		}, ends: []ending{failedAs(generate.FailAccount), delivered},
	},
	{
		name:    "the provider is busy, then the network is down, then all goes well",
		arrange: func(w *world) { w.provider.submitErr = []error{busyError(), generate.ErrNotSent} }, ends: []ending{delivered},
	},
	{
		name:    "the result is gone when it is fetched",
		arrange: func(w *world) { w.provider.forgetful = true },
		ends:    []ending{{state: generate.Failed, kind: generate.FailExpired, hold: quota.Settled}},
	},
	{name: "somebody cancels the job in the queue", outside: []happening{press(0, 3*time.Second)}, ends: []ending{cancelled, delivered}},
	{name: "somebody cancels the running job", outside: []happening{press(0, 20*time.Second)}, ends: []ending{cancelled, delivered}},
	{
		name: "somebody cancels a job that waits for its turn", arrange: oneAtATime, jobs: 2,
		outside: []happening{press(1, 20*time.Second)}, ends: []ending{delivered, cancelled},
	},
	{
		name:    "the provider completes the job that it was asked to stop",
		arrange: func(w *world) { w.provider.stubborn = true },
		outside: []happening{press(0, 20*time.Second)}, ends: []ending{delivered, inTime},
	},
	{
		name:    "the deadline passes",
		arrange: func(w *world) { w.provider.run = 2 * time.Hour },
		ends:    []ending{failedAs(generate.FailTimeout)}, lasts: 30 * time.Minute,
	},
	{
		name:    "the deadline passes and the provider completes the job all the same",
		arrange: func(w *world) { w.provider.run, w.provider.stubborn = 22*time.Minute, true },
		ends:    []ending{delivered}, lasts: 30 * time.Minute,
	},
	{name: "two jobs take turns", arrange: oneAtATime, jobs: 2, ends: []ending{delivered}},
	{
		name: "files go into the video", inputs: twoFiles,
		arrange: func(w *world) {
			w.channel.files["test:cat"], w.files["https://example.com/song.mp3"] = aPicture, aSound
		}, ends: []ending{delivered},
	},
	{
		name: "a file was deleted", inputs: twoFiles,
		arrange: func(w *world) { w.channel.files["test:cat"] = aPicture },
		ends:    []ending{{state: generate.Failed, kind: generate.FailInputGone}},
	},
	{
		name: "somebody cancels the job while a file is uploaded", inputs: twoFiles,
		arrange: func(w *world) {
			w.channel.files["test:cat"], w.files["https://example.com/song.mp3"] = aPicture, aSound
			w.provider.uploading = 20 * time.Second
		},
		outside: []happening{press(0, 5*time.Second)}, ends: []ending{{state: generate.Cancelled}, cancelled, delivered},
	},
	{
		name:    "the conversation asks to be left alone for a while",
		arrange: func(w *world) { w.channel.refuse = []error{later(2 * time.Second), later(20 * time.Second), errReply} },
		ends:    []ending{delivered},
	},
	{
		name:    "the conversation does not take the video at first",
		arrange: func(w *world) { w.provider.queue, w.provider.run = 0, 0 },
		outside: []happening{{after: 0, does: func(w *world, _ *process) error {
			w.channel.mu.Lock()
			defer w.channel.mu.Unlock()
			w.channel.refuse = []error{nil, later(3 * time.Second), errReply, later(20 * time.Second)}
			return nil
		}}}, ends: []ending{delivered},
	},
	{
		name:    "the video is too large for the conversation",
		arrange: func(w *world) { w.channel.limit = 8 }, ends: []ending{delivered},
	},
	{name: "the video is archived", arrange: archiving, takes: 2, ends: []ending{delivered}},
	{name: "the video is erased while it is archived", arrange: archiving, outside: []happening{erase(48 * time.Second)}, ends: []ending{delivered}},
	{name: "the video is deleted while it is archived", arrange: archiving, outside: []happening{deletes(48 * time.Second)}, ends: []ending{delivered}},
	{name: "the video is deleted once it is archived", arrange: archiving, outside: []happening{deletes(90 * time.Second)}, ends: []ending{delivered}},
	{
		name: "a deletion is taken back", arrange: archiving,
		outside: []happening{deletes(90 * time.Second), takesBack(100 * time.Second)}, ends: []ending{delivered},
	},
	{name: "a video that only the archive has goes into another", arrange: lapsed, inputs: lapsedClip, ends: []ending{delivered}},
	{
		name:    "the download breaks off",
		arrange: func(w *world) { w.provider.cut = 3 }, ends: []ending{delivered},
	},
	{
		name: "the conversation goes away while the video is made",
		outside: []happening{{after: 20 * time.Second, does: func(w *world, _ *process) error {
			w.channel.mu.Lock()
			defer w.channel.mu.Unlock()
			w.channel.gone = true
			return nil
		}}},
		ends: []ending{
			{state: generate.Failed, kind: generate.FailUnreachable, hold: quota.Settled},
			{state: generate.Failed, kind: generate.FailUnreachable, hold: quota.Released},
			delivered,
		},
	},
})

// typed are the settings of each command.
func (sc scenario) typed() []ltx.Setting {
	if sc.takes == 0 {
		return sc.inputs
	}
	return append([]ltx.Setting{{Key: "count", Value: strconv.Itoa(sc.takes)}}, sc.inputs...)
}

// TestAKillAtEveryBoundary kills the process before and after each store write
// and each outside call of a job's life, starts it again, and looks whether
// all of it ended as if nothing had happened.
func TestAKillAtEveryBoundary(t *testing.T) {
	atEveryBoundary(t, crashAt)
}

// TestAStopAtEveryBoundary is the same with a process that is asked to stop.
func TestAStopAtEveryBoundary(t *testing.T) {
	atEveryBoundary(t, stopAt)
}

// stride is every how many-eth boundary is tried. The first one is random, so
// that all are, over many runs. The plain life is tried in full by .ci/run.
func stride(plain bool) int {
	slower := 1
	if need.Race {
		slower = 3
	}
	switch {
	case need.Thorough() && plain:
		return 1
	case need.Thorough():
		return 6
	case plain:
		return 10 * slower
	default:
		return 50 * slower
	}
}

func atEveryBoundary(t *testing.T, crash func(int) *crasher) {
	start := need.Seed(t)
	var mu sync.Mutex
	points := 0
	t.Run("group", func(t *testing.T) {
		for i, sc := range slices.Concat(scenarios[:1], need.Some(t, scenarios[1:], 4)) {
			t.Run(sc.name, func(t *testing.T) {
				t.Parallel()
				step := stride(i == 0)
				first := 1 + rand.New(rand.NewPCG(start, uint64(i))).IntN(step)
				for n := first; ; n += step {
					var c *crasher
					synctest.Test(t, func(t *testing.T) {
						c = crash(n) // its channel belongs to the bubble
						sc.play(t, c, crashAt(0))
					})
					if c.at == "" {
						break
					}
					mu.Lock()
					points++
					mu.Unlock()
				}
			})
		}
	})
	t.Logf("%d crash points", points)
}

// TestTwoKillsAtRandomBoundaries kills the process, and the one after it.
func TestTwoKillsAtRandomBoundaries(t *testing.T) {
	t.Parallel()
	start := need.Seed(t)
	runs := 1
	if need.Thorough() {
		runs = 3
	}
	for i, sc := range need.Some(t, scenarios, 4) {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(start, uint64(i)))
			for range runs {
				first, second := 1+random.IntN(60), 1+random.IntN(40)
				synctest.Test(t, func(t *testing.T) { sc.play(t, crashAt(first), crashAt(second), crashAt(0)) })
			}
		})
	}
}

// play goes through the scenario with one process after the other, each with
// its crasher, and checks what came of it.
func (sc scenario) play(t *testing.T, crashes ...*crasher) {
	w := newWorld(t)
	if sc.arrange != nil {
		sc.arrange(w)
	}
	lasts := sc.lasts
	if lasts == 0 {
		lasts = 5 * time.Minute
	}
	present := &presence{}
	var outside sync.WaitGroup
	defer outside.Wait()
	over, stop := context.WithCancel(context.Background())
	defer stop()
	for i, c := range crashes {
		p := w.start(c)
		present.set(p)
		if i == 0 {
			for n := range max(1, sc.jobs) {
				outside.Go(func() { _, _ = p.submit(p.life(), ask(t, n, sc.typed()...)) })
			}
			for _, h := range sc.outside {
				outside.Go(func() { h.happen(over, w, present) })
			}
		}
		if i == len(crashes)-1 {
			elapse(time.Hour)
			sc.check(t, w, p, crashes)
			present.set(nil)
			stop()
			p.kill(t)
			return
		}
		select {
		case <-c.dead:
		case <-time.After(lasts):
		}
		present.set(nil)
		if c.gentle {
			p.quit(t, c)
		} else {
			p.kill(t)
		}
		elapse(10 * time.Second)
	}
}

// presence is the process that is there now, if one is.
type presence struct {
	mu sync.Mutex
	p  *process
}

func (n *presence) set(p *process) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.p = p
}

func (n *presence) get() *process {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.p
}

// happen does h when its time has come, again until it is heard.
func (h happening) happen(ctx context.Context, w *world, here *presence) {
	pause := h.after
	for {
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
		if p := here.get(); p != nil && h.does(w, p) == nil {
			return
		}
		pause = 5 * time.Second
	}
}

// stopWithin is how long a process may take to stop.
const stopWithin = 10 * time.Second

// quit stops the process as SIGTERM does.
func (p *process) quit(t *testing.T, c *crasher) {
	t.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	err := p.engine.Stop(ctx)
	if took := time.Since(began); took > stopWithin {
		t.Errorf("stopped %s: it took %s, want at most %s", c.at, took, stopWithin)
	}
	p.die()
	jobs, readErr := p.store.Jobs(context.Background(), generate.Query{Unfinished: true})
	if readErr != nil {
		t.Error(readErr)
	}
	for _, j := range jobs {
		if err == nil && j.State == generate.Submitting {
			t.Errorf("stopped %s: a job is left without anybody knowing whether it was submitted", c.at)
		}
	}
	if err := p.store.Close(); err != nil {
		t.Error(err)
	}
}

// check looks at what a scenario came to.
func (sc scenario) check(t *testing.T, w *world, p *process, crashes []*crasher) {
	t.Helper()
	when := "without a crash"
	for _, c := range crashes {
		if c.at != "" {
			when = "killed " + c.at
		}
	}
	for n := range max(1, sc.jobs) {
		event := ask(t, n).Event
		for _, id := range takesOf(event, max(1, sc.takes)) {
			if err := sc.checkJob(t, w, p, id); err != nil {
				t.Errorf("%s: job %d, %s: %v", when, n, id, err)
			}
		}
		if sc.takes > 1 {
			if err := sc.checkBatch(t, w, p, event); err != nil {
				t.Errorf("%s: batch %d: %v", when, n, err)
			}
		}
	}
	if sc.jobs > 1 && w.provider.busiest > 1 {
		t.Errorf("%s: the provider had %d jobs at a time, want 1", when, w.provider.busiest)
	}
	if w.archive != nil {
		w.wantSettled(t, p)
	}
	books, err := p.store.VerifyLedger(t.Context())
	if err != nil || len(books.Wrong) > 0 || !books.Totals.Balanced() || books.Totals.Held != 0 {
		t.Errorf("%s: the books are %+v, %v; want balanced and nothing held", when, books, err)
	}
}

// checkJob looks at what came of one job.
func (sc scenario) checkJob(t *testing.T, w *world, p *process, id string) error {
	t.Helper()
	submits := w.provider.submitted(id)
	if submits > 1 {
		return fmt.Errorf("submitted %d times", submits)
	}
	j, err := p.store.Job(t.Context(), id)
	if errors.Is(err, generate.ErrNoJob) {
		if submits > 0 {
			return errors.New("submitted and never accepted")
		}
		return nil
	}
	if err != nil {
		return err
	}
	if j.Unfinished() {
		return fmt.Errorf("it is %s and its card shows %q, want it to be over", j.State, j.Shown)
	}
	if err := w.checkCopy(j); err != nil {
		return err
	}
	shown := w.channel.shown(id).State
	if j.Failure.Kind == generate.FailUnacknowledged {
		_, err := p.store.Hold(t.Context(), id)
		if w.channel.acknowledged(id) || shown != "" || submits > 0 || !errors.Is(err, quota.ErrNoHold) || len(j.Notes) > 0 {
			return fmt.Errorf("it is not acknowledged, but its card shows %q after %d submits, its hold %w, its notes %v", shown, submits, err, j.Notes)
		}
		return nil
	}
	if shown != j.State && !w.channel.gone && sc.takes == 0 {
		return fmt.Errorf("the card shows %q, the job is %q", shown, j.State)
	}
	videos := 0
	if w.channel.posted()[id] != "" {
		videos = 1
	}
	h, err := p.store.Hold(t.Context(), id)
	if err != nil && !errors.Is(err, quota.ErrNoHold) {
		return err
	}
	ends := slices.Clone(sc.ends)
	if !sc.sure {
		ends = append(ends, neverSent)
	}
	for _, e := range ends {
		if e.state == j.State && e.kind == j.Failure.Kind && e.hold == h.State && e.videos == videos && (!e.unsent || submits == 0) {
			return checkCharge(j, h)
		}
	}
	return fmt.Errorf("it is %s (%s), its hold %s, with %d videos after %d submits", j.State, j.Failure.Kind, h.State, videos, submits)
}

// checkCharge compares what the record and the ledger say was paid.
func checkCharge(j generate.Job, h quota.Hold) error {
	if h.State == quota.Settled && (h.Charged == 0 || h.Charged != j.Charged) || h.State == quota.Released && j.Charged != 0 {
		return fmt.Errorf("the hold is %s with %d charged, the record says %d", h.State, h.Charged, j.Charged)
	}
	return nil
}
