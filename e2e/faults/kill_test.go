package faults_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/internal/need"
	simfal "ltxbot/sim/fal"
	"ltxbot/store"
)

// turns is how many bots are tried at a time, in all tests: they mostly wait.
// With the race detector and other packages beside it, more of them would be
// too slow for the three seconds in which Discord wants an answer.
var turns = make(chan struct{}, most())

func most() int {
	if need.Thorough() {
		return 12
	}
	return 20
}

// together runs tests at the same time, more than there are processors.
func together(t *testing.T, tests []trial) {
	t.Helper()
	var wg sync.WaitGroup
	for _, one := range tests {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			t.Run(one.name, one.run)
		})
	}
	wg.Wait()
}

// A trial is one test among many.
type trial struct {
	name string
	run  func(*testing.T)
}

// TestKill9 kills the program again and again while it works, at a request
// that a simulator gets or at any time, and looks from outside whether anything
// was lost, paid twice or posted twice.
func TestKill9(t *testing.T) {
	t.Parallel()
	need.Spare(t)
	lives := 1
	if need.Thorough() {
		lives = 20
	}
	kills := kill(t, need.Seed(t), lives)
	t.Logf("%d kills", kills)
}

// TestSoak is TestKill9 for LTXBOT_SOAK minutes.
func TestSoak(t *testing.T) {
	minutes, err := strconv.ParseFloat(os.Getenv("LTXBOT_SOAK"), 64)
	if err != nil || minutes <= 0 {
		t.Skip("LTXBOT_SOAK is not set to a number of minutes")
	}
	until := time.Now().Add(time.Duration(minutes * float64(time.Minute)))
	kills := 0
	for n := need.Seed(t); time.Now().Before(until) && !t.Failed(); n++ {
		kills += kill(t, n, 20)
		t.Logf("%d kills so far, the last seed was %d", kills, n)
	}
}

// kill goes through that many lives on each platform, and says how many kills
// there were.
func kill(t *testing.T, start uint64, lives int) int {
	build(t)
	var kills atomic.Int64
	var trials []trial
	for n := range lives {
		for i, s := range stages {
			trials = append(trials, trial{fmt.Sprintf("%s %d", s.name, n), func(t *testing.T) {
				random := rand.New(rand.NewPCG(start, uint64(n*len(stages)+i)))
				kills.Add(int64(newLife(t, s.make, random).live()))
			}})
		}
	}
	together(t, trials)
	return int(kills.Load())
}

// A mishap is what goes wrong in a life besides the kills.
type mishap struct {
	name   string
	words  string // more words in the prompt
	arrive func(*world)
	cancel bool // ada presses Cancel
	file   bool // ada gives a picture
	takes  int  // so many videos of one command; 0 = one
}

var mishaps = []mishap{
	{name: "nothing"},
	{name: "nothing"},
	{name: "the reply to a submit is lost", arrive: func(w *world) { w.fal.Inject(simfal.Fault{Op: simfal.OpSubmit, Lose: true}) }},
	{name: "the platform loses answers", arrive: func(w *world) { w.on.stammer(2) }},
	{name: "fal refuses the prompt", words: "nsfw "},
	{name: "fal falls back", words: "goes-back "},
	{name: "fal answers 503 for a while", arrive: func(w *world) {
		for _, op := range []simfal.Op{simfal.OpStatus, simfal.OpResult, simfal.OpStream} {
			w.fal.Inject(simfal.Fault{Op: op, Status: 503, Body: "<html>", Times: 2})
		}
	}},
	{name: "ada cancels", cancel: true},
	{name: "ada asks for two", words: "count:2 ", takes: 2},
	{name: "ada asks for two and cancels", words: "count:2 ", takes: 2, cancel: true},
	{name: "ada gives a picture", file: true},
	{name: "ada gives a picture, and fal's storage answers 503 for a while", file: true, arrive: func(w *world) {
		w.fal.Inject(simfal.Fault{Op: simfal.OpUpload, Status: 503, Body: "<html>", Times: 2})
	}},
}

// A life is one world with one bot that is killed several times.
type life struct {
	*world
	t      *testing.T
	random *rand.Rand
	mishap mishap
	jobs   []asked
	kills  []string
	videos string // the folder of the archive
}

// asked is a command that ada has typed.
type asked struct {
	job  string
	seed int
	made bool // the bot has a record of it
	// unsure: at the last kill it was not known whether it was acknowledged.
	unsure bool
	// message: ada has mentioned the bot.
	message bool
}

// again reports whether a command of which there is no record may still come: a
// message is delivered again when nobody has confirmed it.
func (a asked) again() bool { return !a.made && a.message }

func newLife(t *testing.T, on maker, random *rand.Rand) *life {
	t.Helper()
	speed := []float64{1.5, 5, 1000}[random.IntN(3)]
	videos := t.TempDir()
	w := newWorld(t, on, setup{
		fal:     simfal.Options{Speed: speed, HistoryLag: 200 * time.Millisecond},
		falKeys: `grace = "4s"`,
		strict:  true,
		config: fmt.Sprintf("[archive]\nurl = \"file://%s\"\n", videos) +
			"[quota]\nwaiting = 50\n[quota.member]\nvideos_per_day = 100\n", // nothing is refused
	})
	l := &life{world: w, t: t, random: random, videos: videos, mishap: mishaps[random.IntN(len(mishaps))]}
	w.bringing = l.mishap.file
	if l.mishap.arrive != nil {
		l.mishap.arrive(w)
	}
	return l
}

// live goes through the life and returns how often the bot was killed.
func (l *life) live() int {
	p := l.spawn()
	for range 1 + l.random.IntN(3) {
		l.type1()
	}
	for range 2 + l.random.IntN(3) {
		l.die(p)
		p = l.spawn()
		if l.random.IntN(3) == 0 {
			l.type1()
		}
	}
	l.gate.disarm()
	p.kill()
	l.kills = append(l.kills, "at the end")
	if err := l.on.gone(l.ctx); err != nil {
		l.t.Fatal(err)
	}
	l.recall()
	p = l.spawn()
	l.ending()
	took, code, err := p.terminate()
	if err != nil || code != 0 {
		l.t.Errorf("the bot stopped after %s with code %d, %v", took, code, err)
	}
	l.judge()
	return len(l.kills)
}

// type1 types a command and, in some lives, presses Cancel.
func (l *life) type1() {
	job, n, err := l.tryAsk(l.mishap.words)
	if err != nil {
		return // the bot was killed, and the platform said so
	}
	l.jobs = append(l.jobs, asked{job: job, seed: n, message: l.bringing && l.on.name() == "Slack"})
	if l.mishap.cancel {
		l.press(job)
	}
}

// press presses Cancel, if the card comes soon.
func (l *life) press(job string) {
	soon, cancel := context.WithTimeout(l.ctx, 2*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for soon.Err() == nil {
		for _, m := range l.on.read() {
			if m.card(job) && l.on.press(soon, m, "Cancel") == nil {
				return
			}
		}
		select {
		case <-tick.C:
		case <-soon.Done():
		}
	}
}

// die kills the bot at a request or at any time.
func (l *life) die(p *process) {
	limit := time.Duration(1+l.random.IntN(4000)) * time.Millisecond
	if l.random.IntN(4) > 0 {
		l.gate.arm(1+l.random.IntN(20), l.random.IntN(2) == 0, p.strike)
		limit = 8 * time.Second
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		p.kill()
	}
	where := l.gate.disarm()
	if where == "" {
		where = "at any time"
	}
	l.kills = append(l.kills, where)
	if err := l.on.gone(l.ctx); err != nil {
		l.t.Fatal(err)
	}
}

// recall reads which commands the bot has a record of.
func (l *life) recall() {
	l.books(func(s *store.Store) {
		for i := range l.jobs {
			j, err := s.Job(l.ctx, l.jobs[i].job)
			l.jobs[i].made = err == nil
			l.jobs[i].unsure = l.jobs[i].again() || err == nil && (j.State == generate.Received || j.Unconfirmed || j.Failure.Kind == generate.FailUnacknowledged)
			if err != nil && !errors.Is(err, generate.ErrNoJob) {
				l.t.Errorf("read job: %v", err)
			}
		}
	})
}

// unacknowledgedWithin is when a command of which nothing is to be seen was not
// acknowledged: ada has seen that it did not arrive, and nothing more is said.
const unacknowledgedWithin = 30 * time.Second

// ending waits until each job's card says how it ended.
func (l *life) ending() {
	for _, a := range l.jobs {
		if !a.made && !a.again() {
			continue
		}
		began, carded := time.Now(), false
		err := l.await("the end of "+a.job, func(seen []message) bool {
			for _, m := range seen {
				if m.card(a.job) && m.over() {
					return true
				}
				carded = carded || m.card(a.job)
			}
			return a.unsure && !carded && time.Since(began) > unacknowledgedWithin
		})
		if err != nil {
			l.t.Fatalf("%s: %v\nlog:\n%s", l.story(), err, l.logged())
		}
	}
}

// story is what happened in this life.
func (l *life) story() string {
	return fmt.Sprintf("mishap: %s; killed %s", l.mishap.name, strings.Join(l.kills, ", "))
}

// judge looks at what came of everything.
func (l *life) judge() {
	l.books(func(s *store.Store) {
		for _, a := range l.jobs {
			judge := l.judgeJob
			if l.mishap.takes > 1 {
				judge = l.judgeBatch
			}
			if err := judge(s, a); err != nil {
				l.t.Errorf("job %s: %v\n%s\nada sees\n%s\nlog:\n%s", a.job, err, l.story(), transcript(l.on.read()), l.logged())
			}
		}
		l.judgeSubmits(s)
		if err := l.judgeCopies(s); err != nil {
			l.t.Errorf("%s: %v\nlog:\n%s", l.story(), err, l.logged())
		}
		books, err := s.VerifyLedger(context.Background())
		if err != nil || len(books.Wrong) > 0 || !books.Totals.Balanced() || books.Totals.Held != 0 {
			l.t.Errorf("%s: the books are %+v, %v; want balanced and nothing held", l.story(), books, err)
		}
	})
	if bad := l.fal.Violations(); len(bad) > 0 {
		l.t.Errorf("fal's rules were broken: %q", bad)
	}
}

// judgeJob looks at what came of one command.
func (l *life) judgeJob(s *store.Store, a asked) error {
	seen := l.on.read()
	videos, results, cards := 0, 0, 0
	var card message
	for _, m := range seen {
		if m.video(a.job) {
			videos++
		}
		if m.result(a.job) {
			results++
		}
		if m.card(a.job) {
			cards, card = cards+1, m
		}
	}
	submits := l.submits(a.seed)
	if submits > 1 {
		return fmt.Errorf("fal was asked %d times", submits)
	}
	if with := l.pictures(a.seed); l.mishap.file && with != submits {
		return fmt.Errorf("fal was asked %d times, with the picture %d times", submits, with)
	}
	j, err := s.Job(context.Background(), a.job)
	if errors.Is(err, generate.ErrNoJob) {
		if submits+videos+cards > 0 {
			return fmt.Errorf("there is no record of it, but %d submits, %d videos, %d cards", submits, videos, cards)
		}
		return nil
	}
	if err != nil {
		return err
	}
	if k := j.Failure.Kind; k == generate.FailUnacknowledged || k == generate.FailInterrupted {
		if submits+videos+results > 0 {
			return fmt.Errorf("it ended before it was accepted (%s), but %d submits, %d videos, %d results", k, submits, videos, results)
		}
		return nil // TestKillRoundTheAcknowledgement looks at what is said of it
	}
	h, err := s.Hold(context.Background(), a.job)
	if err != nil {
		return err
	}
	summary := fmt.Sprintf("it is %s (%s), its hold %s with %s charged; %d submits, %d videos, %d results, %d cards",
		j.State, j.Failure.Kind, h.State, h.Charged, submits, videos, results, cards)
	switch {
	case !j.State.Terminal():
		return errors.New("it did not end: " + summary)
	case cards != 1 || !card.says(j.State):
		return fmt.Errorf("its card does not say how it ended: %s: %q", summary, card.text)
	case j.State == generate.Delivered && videos == 1 && results == 1 && h.State == quota.Settled && h.Charged > 0 && submits == 1:
	case j.State != generate.Delivered && videos+results == 0 && h.State == quota.Released && h.Charged == 0 && l.may(j, submits):
	default:
		return errors.New(summary)
	}
	return nil
}

// may reports whether a job may have ended without a video so.
func (l *life) may(j generate.Job, submits int) bool {
	switch j.Failure.Kind { //nolint:exhaustive // the other kinds have no cause here
	case generate.FailLost:
		return submits == 0 // killed between the intention and the submit
	case generate.FailRefused:
		return l.mishap.words != "" && l.mishap.takes == 0
	default:
		return j.State == generate.Cancelled && l.mishap.cancel
	}
}
