package faults_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ltxbot/app/admin"
	"ltxbot/core/generate"
	"ltxbot/internal/flaky"
	"ltxbot/internal/need"
	"ltxbot/internal/redistest"
	"ltxbot/store"
)

// TestKillRoundTheAcknowledgement kills the program round the acknowledgement
// of a command: at a request to the platform or fal, at a question to the store,
// or so many microseconds after the command was typed. Whoever saw the
// acknowledgement must see one end, and whoever did not sees no more than that
// the command failed, or one end all the same.
func TestKillRoundTheAcknowledgement(t *testing.T) {
	t.Parallel()
	need.Spare(t) // what was not acknowledged is watched until it must have ended
	build(t)
	start := need.Seed(t)
	var trials []trial
	for i, s := range stages {
		for k, engine := range []string{"bolt", "redis"} {
			random := rand.New(rand.NewPCG(start, uint64(i*2+k)))
			blows := blowsFor(engine)
			random.Shuffle(len(blows), func(a, b int) { blows[a], blows[b] = blows[b], blows[a] })
			if !need.Thorough() {
				blows = blows[:commandsEach]
			}
			for chunk := range slices.Chunk(blows, commandsEach) {
				trials = append(trials, trial{fmt.Sprintf("%s %s %s", s.name, engine, chunk[0].name), func(t *testing.T) {
					receive(t, s.make, engine, chunk)
				}})
			}
		}
	}
	together(t, trials)
}

// commandsEach is how many commands, each with a kill, one world sees.
const commandsEach = 5

// A blow is a kill at a point near an acknowledgement.
type blow struct {
	name   string
	strike func(*world, *process)
}

// blowsFor are the points at which the program is killed on an engine.
func blowsFor(engine string) []blow {
	var out []blow
	for n := 1; n <= 4; n++ {
		for _, after := range []bool{false, true} {
			out = append(out, blow{fmt.Sprintf("request %d, after %v", n, after), func(w *world, p *process) { w.gate.arm(n, after, p.strike) }})
		}
	}
	after := []float64{0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 60, 90} // milliseconds
	if engine == "redis" {
		after = after[:14]
		for n := 1; n <= 8; n++ {
			out = append(out, blow{fmt.Sprintf("exchange %d with the store", n), func(w *world, p *process) {
				from := w.redis.Exchanges()
				go func() {
					tick := time.NewTicker(20 * time.Microsecond)
					defer tick.Stop()
					for w.redis.Exchanges() < from+n && p.alive() {
						<-tick.C
					}
					p.strike()
				}()
			}})
		}
	}
	for _, ms := range after {
		d := time.Duration(ms * float64(time.Millisecond))
		out = append(out, blow{"after " + d.String(), func(_ *world, p *process) { time.AfterFunc(d, p.strike) }})
	}
	return out
}

// alive reports whether the process has not ended.
func (p *process) alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// received is a command during which the program was killed.
type received struct {
	job   string
	seed  int
	blow  string
	acked func() bool
}

// receive types commands, each in a program that is killed while it takes the
// command in, and looks what became of them.
func receive(t *testing.T, on maker, engine string, blows []blow) {
	s := setup{falKeys: `grace = "2s"`, strict: true}
	var redis *flaky.Proxy
	if engine == "redis" {
		redis = flaky.New(t, redistest.Start(t, "--appendfsync", "always").Addr())
		s.store = "redis://" + redis.Addr()
	}
	w := newWorld(t, on, s)
	w.redis = redis
	var commands []received
	log := 0
	p := w.spawn()
	for _, b := range blows {
		b.strike(w, p)
		commands = append(commands, w.typeInto(p, b.name))
		w.gate.disarm()
		if err := w.on.gone(w.ctx); err != nil {
			t.Fatal(err)
		}
		log = len(w.logged())
		p = w.spawn()
	}
	for _, c := range commands {
		if c.acked() {
			w.mustAwait(fmt.Sprintf("the end of %s, killed at %s", c.job, c.blow), func(seen []message) bool { return ends(seen, c.job) > 0 })
		}
	}
	w.mustEnd(log) // those that were not acknowledged end without a sign
	if _, code, err := p.terminate(); err != nil || code != 0 {
		t.Errorf("the bot stopped with code %d, %v", code, err)
	}
	w.books(func(s *store.Store) {
		for _, c := range commands {
			if err := w.judgeReceived(s, c); err != nil {
				t.Errorf("killed at %s, job %s: %v\nada sees\n%s\nlog:\n%s", c.blow, c.job, err, transcript(w.on.read()), w.logged())
			}
		}
		books, err := s.VerifyLedger(context.Background())
		if err != nil || len(books.Wrong) > 0 || !books.Totals.Balanced() || books.Totals.Held != 0 {
			t.Errorf("the books are %+v, %v; want balanced and nothing held", books, err)
		}
	})
}

// running is what the program says when it runs.
var running = regexp.MustCompile(`msg="bot is running" .* http=(\S+)`)

// mustEnd waits until all jobs have ended in the program that was started last, when
// the log was so long, and ada has been told of all that she is told of.
func (w *world) mustEnd(log int) {
	w.t.Helper()
	r := &rig{world: w, t: w.t}
	r.until("all jobs have ended", func() bool {
		said := running.FindStringSubmatch(w.logged()[log:])
		if said == nil {
			return false
		}
		jobs, err := admin.NewClient(admin.BaseURL(said[1]), adminToken).Jobs(w.ctx, generate.Query{})
		seen := w.on.read()
		return err == nil && !slices.ContainsFunc(jobs, func(j admin.Job) bool {
			unseen := j.Failure != string(generate.FailUnacknowledged) && ends(seen, j.ID) == 0
			return unseen || !generate.State(j.State).Terminal()
		})
	})
}

// typeInto types a command into a program that will be killed, and waits until
// it is.
func (w *world) typeInto(p *process, at string) received {
	w.typed++
	c := received{seed: 7000 + w.typed, blow: at}
	typed := make(chan struct{})
	go func() {
		defer close(typed)
		c.job, c.acked = w.on.try(w.ctx, fmt.Sprintf("prompt:a red canoe seed:%d", c.seed))
	}()
	late := time.NewTimer(3 * time.Second)
	defer late.Stop()
	select {
	case <-p.done:
	case <-late.C:
		p.kill()
	}
	<-typed
	return c
}

// ends is how many messages say how a job ended.
func ends(seen []message, job string) int {
	n := 0
	for _, m := range seen {
		if strings.Contains(m.text, job) && !m.result(job) && (m.over() || m.aside && strings.Contains(m.text, "No video")) {
			n++
		}
	}
	return n
}

// judgeReceived looks at what came of one command.
func (w *world) judgeReceived(s *store.Store, c received) error {
	videos, offers := 0, 0
	seen := w.on.read()
	told := ends(seen, c.job)
	for _, m := range seen {
		if m.video(c.job) {
			videos++
		}
		if strings.Contains(m.text, c.job) && slices.Contains(m.buttons, "Make it") {
			offers++
		}
	}
	submits, acked := w.submits(c.seed), c.acked()
	j, err := s.Job(context.Background(), c.job)
	summary := fmt.Sprintf("acknowledged %v, %s (%s), %d submits, %d videos, told %d times, offered %d times",
		acked, j.State, j.Failure.Kind, submits, videos, told, offers)
	quiet := submits+videos+told == 0
	switch {
	case errors.Is(err, generate.ErrNoJob) && !acked && quiet:
	case err != nil:
		return fmt.Errorf("%w: %s", err, summary)
	case j.State == generate.Delivered && submits == 1 && videos == 1 && told == 1:
	case j.Failure.Kind == generate.FailLost && submits == 0 && videos == 0 && told == 1:
	case j.Failure.Kind == "interrupted" && w.on.name() == "Slack" && submits+videos == 0 && told == 1 && offers == 1:
	case j.Failure.Kind == "unacknowledged" && w.on.name() == "Discord" && !acked && quiet:
	default:
		return errors.New(summary)
	}
	return nil
}
