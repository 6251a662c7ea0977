package generatetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/core/quota/quotatest"
)

// model is a store in a slice. Of the rules it uses Next over all of
// its jobs, however the store finds out who is next.
type model struct {
	jobs   []generate.Job // in order of arrival
	served map[string]int64
	turn   int64
	line   *quota.Line // limits of now; nil = those recorded with each job
}

func (m *model) find(id string) *generate.Job {
	i := slices.IndexFunc(m.jobs, func(j generate.Job) bool { return j.ID == id })
	if i < 0 {
		return nil
	}
	return &m.jobs[i]
}

func (m *model) waiting() []generate.Job { return m.where(generate.Job.Waiting) }

func (m *model) where(keep func(generate.Job) bool) []generate.Job {
	var out []generate.Job
	for _, j := range m.jobs {
		if keep(j) {
			out = append(out, j)
		}
	}
	return out
}

// admit gives free slots to whose turn it is.
func (m *model) admit(saved string) {
	waiting := m.waiting()
	for i := range waiting {
		if m.line != nil {
			seq := waiting[i].Line.Seq
			waiting[i].Line = *m.line
			waiting[i].Line.Seq = seq
		}
	}
	for _, next := range Next(waiting, m.where(generate.Job.HoldsSlot), m.served) {
		j := m.find(next.ID)
		j.Admitted = true
		if j.ID != saved {
			j.Version++
		}
		m.turn++
		m.served[j.Team+"\x00"+j.Member] = m.turn
	}
}

// accept is what Accept does to the line; refused with the number of jobs
// that wait.
func (m *model) accept(j generate.Job) (accepted generate.Job, waiting int, ok bool) {
	waiting = len(m.where(func(o generate.Job) bool {
		return o.Waiting() && o.Team == j.Team && o.Member == j.Member
	}))
	m.jobs = append(m.jobs, j)
	m.admit(j.ID)
	last := len(m.jobs) - 1
	accepted = m.jobs[last]
	if !accepted.Admitted && waiting >= j.Line.WaitingMax {
		m.jobs = m.jobs[:last]
		return generate.Job{}, waiting, false
	}
	return accepted, waiting, true
}

// place is the place of a job in its team's line.
func (m *model) place(j generate.Job) int {
	team := m.where(func(o generate.Job) bool { return o.Waiting() && o.Team == j.Team })
	for i := range team {
		team[i].Line = quota.Line{Seq: team[i].Line.Seq}
	}
	order := Next(team, nil, m.served)
	return 1 + slices.IndexFunc(order, func(o generate.Job) bool { return o.ID == j.ID })
}

// machine drives a store and the model through the same history.
type machine struct {
	t      *testing.T
	h      Harness
	s      Store
	m      *model
	clock  *quotatest.Clock
	line   quota.Line // limits of most jobs
	claims map[string]generate.Claim
	next   int
}

// machineSteps bounds a history: a store on a disk takes a few milliseconds
// for each step.
const machineSteps = 40

func testMachine(t *testing.T, h Harness) {
	rapid.Check(t, func(rt *rapid.T) {
		w := &machine{
			t: t, h: h, m: &model{served: map[string]int64{}}, clock: quotatest.NewClock(noon),
			line:   drawLine(rt),
			claims: map[string]generate.Claim{},
		}
		w.s = h.Open(t, w.clock.Now)
		w.s.SetLimits(func(string, string, []string, quota.AdminState) quota.Line { return w.line })
		w.m.line = &w.line
		defer func() {
			if err := w.s.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		}()
		actions := map[string]func(*rapid.T){
			"accept": w.accept, "accept again": w.acceptAgain, "save": w.save, "save stale": w.saveStale,
			"claim": w.claim, "done": w.done, "reopen": w.reopen,
		}
		names := []string{
			"accept", "accept", "accept", "accept", "save", "save", "save", "save", "save",
			"claim", "claim", "done", "save stale", "accept again", "reopen",
		}
		for range rapid.IntRange(1, machineSteps).Draw(rt, "steps") {
			actions[rapid.SampledFrom(names).Draw(rt, "action")](rt)
			w.check(rt)
		}
	})
}

func drawLine(rt *rapid.T) quota.Line {
	return quota.Line{
		MemberMax:  rapid.IntRange(0, 2).Draw(rt, "member max"),
		TeamMax:    rapid.IntRange(0, 3).Draw(rt, "team max"),
		BotMax:     rapid.SampledFrom([]int{0, 0, 3, 5}).Draw(rt, "bot max"),
		WaitingMax: rapid.IntRange(0, 4).Draw(rt, "waiting max"),
	}
}

func (w *machine) plan(line quota.Line) quota.Plan {
	return func(quota.AdminState) (quota.Reservation, error) {
		return quota.Reservation{At: w.clock.Now(), Estimate: cost, Line: line}, nil
	}
}

func (w *machine) accept(rt *rapid.T) {
	w.next++
	w.clock.Advance(time.Second)
	line := w.line
	if rapid.IntRange(0, 4).Draw(rt, "other limits") == 0 { // an override, a reload of the config
		line = drawLine(rt)
		w.change(rt, line)
	}
	asked := generate.Job{
		ID: fmt.Sprintf("job%d", w.next), State: generate.Accepted, Estimate: cost, Created: w.clock.Now(),
		Team:   rapid.SampledFrom([]string{"acme", "globex"}).Draw(rt, "team"),
		Member: rapid.SampledFrom([]string{"discord:1", "discord:2", "discord:3"}).Draw(rt, "member"),
		Line:   line,
	}
	got, err := w.s.Accept(context.Background(), asked, w.plan(line))

	// The order of arrival is the store's to number.
	asked.Version, asked.Line.Seq = 1, got.Line.Seq
	if err != nil {
		asked.Line.Seq = 1 << 40
	} else if last := len(w.m.jobs) - 1; last >= 0 && got.Line.Seq <= w.m.jobs[last].Line.Seq {
		rt.Fatalf("arrival is number %d after number %d", got.Line.Seq, w.m.jobs[last].Line.Seq)
	}
	want, waiting, ok := w.m.accept(asked)
	var limit *quota.LimitError
	if errors.As(err, &limit) && limit.Reason == quota.LineFull && !ok {
		if limit.Line != waiting {
			rt.Fatalf("refusal says that %d jobs wait, want %d", limit.Line, waiting)
		}
		return
	}
	if err != nil || !ok {
		rt.Fatalf("accept: got error %v; the model accepts it: %t", err, ok)
	}
	if diff := jobDiff(want, got); diff != "" {
		rt.Fatalf("accepted job (-want +got):\n%s", diff)
	}
}

// change makes a store whose limits are those of now change them.
func (w *machine) change(rt *rapid.T, line quota.Line) {
	w.line = line
	if err := w.s.Admit(context.Background()); err != nil {
		rt.Fatalf("admit: %v", err)
	}
	w.m.admit("")
}

// some draws a job that was accepted; nil when there is none.
func (w *machine) some(rt *rapid.T) *generate.Job {
	if len(w.m.jobs) == 0 {
		return nil
	}
	return &w.m.jobs[rapid.IntRange(0, len(w.m.jobs)-1).Draw(rt, "job")]
}

func (w *machine) acceptAgain(rt *rapid.T) {
	j := w.some(rt)
	if j == nil {
		return
	}
	again := generate.Job{ID: j.ID, State: generate.Accepted, Team: j.Team, Member: j.Member, Created: w.clock.Now()}
	got, err := w.s.Accept(context.Background(), again, w.plan(w.line))
	if !errors.Is(err, generate.ErrExists) {
		rt.Fatalf("accept %s again: got error %v, want ErrExists", j.ID, err)
	}
	if diff := jobDiff(*j, got); diff != "" {
		rt.Fatalf("job that exists (-want +got):\n%s", diff)
	}
}

func (w *machine) save(rt *rapid.T) {
	j := w.some(rt)
	if j == nil {
		return
	}
	next := *j
	billing := quota.Keep()
	var states []generate.State
	for _, s := range generate.States {
		// A job that waits for its turn can only be given up.
		if j.State.CanBecome(s) && (!j.Waiting() || s.Terminal()) {
			states = append(states, s)
		}
	}
	switch {
	case len(states) > 0 && rapid.IntRange(0, 9).Draw(rt, "only notes") > 0:
		next.State = rapid.SampledFrom(states).Draw(rt, "state")
	case j.State.Terminal():
		next.Shown = j.State
	default:
		next.Notes = map[string]string{"note": strconv.FormatInt(j.Version, 10)}
	}
	if next.State == generate.Fetched {
		billing = quota.Settle(cost / 2)
	} else if next.State.Terminal() && next.State != generate.Delivered {
		billing = quota.Release()
	}
	want := next
	want.Version++
	freed := j.HoldsSlot() && !want.HoldsSlot()
	*j = want
	if freed {
		w.m.admit(want.ID)
	}
	got, err := w.s.Save(context.Background(), next, billing)
	if err != nil {
		rt.Fatalf("save %s as %s: %v", next.ID, next.State, err)
	}
	if diff := jobDiff(want, got); diff != "" {
		rt.Fatalf("saved job (-want +got):\n%s", diff)
	}
}

func (w *machine) saveStale(rt *rapid.T) {
	j := w.some(rt)
	if j == nil {
		return
	}
	stale := *j
	stale.State = generate.Failed
	stale.Version += rapid.SampledFrom([]int64{-1, 1, 7}).Draw(rt, "off by")
	if _, err := w.s.Save(context.Background(), stale, quota.Release()); !errors.Is(err, generate.ErrConflict) {
		rt.Fatalf("save of version %d of %d: got error %v, want ErrConflict", stale.Version, j.Version, err)
	}
}

// free are the unfinished jobs on which nobody works.
func (w *machine) free() []generate.Job {
	return w.m.where(func(j generate.Job) bool {
		_, claimed := w.claims[j.ID]
		return j.Unfinished() && !claimed
	})
}

func (w *machine) claim(rt *rapid.T) {
	free := w.free()
	if len(free) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	c, err := w.s.Claim(ctx)
	if err != nil {
		rt.Fatalf("claim, with %d jobs to hand out: %v", len(free), err)
	}
	i := slices.IndexFunc(free, func(j generate.Job) bool { return j.ID == c.Job.ID })
	if i < 0 {
		rt.Fatalf("job %s in state %s was handed out", c.Job.ID, c.Job.State)
	}
	if diff := jobDiff(free[i], c.Job); diff != "" {
		rt.Fatalf("job that is handed out (-want +got):\n%s", diff)
	}
	w.claims[c.Job.ID] = c
}

func (w *machine) done(rt *rapid.T) {
	if j := w.some(rt); j != nil && w.claims[j.ID].Done != nil {
		w.claims[j.ID].Done()
		delete(w.claims, j.ID)
	}
}

func (w *machine) reopen(*rapid.T) {
	w.s = w.h.Reopen(w.t, w.s, w.clock.Now)
	w.claims = map[string]generate.Claim{}
}

// check compares everything that can be read.
func (w *machine) check(rt *rapid.T) {
	ctx := context.Background()
	for _, want := range w.m.jobs {
		got, err := w.s.Job(ctx, want.ID)
		if err != nil {
			rt.Fatalf("job %s: %v", want.ID, err)
		}
		if diff := jobDiff(want, got); diff != "" {
			rt.Fatalf("job %s (-want +got):\n%s", want.ID, diff)
		}
		place, err := w.s.Place(ctx, want.ID)
		if err != nil || place != w.m.place(want) {
			rt.Fatalf("place of %s: got %d, %v; want %d", want.ID, place, err, w.m.place(want))
		}
	}
	query := generate.Query{Team: "acme", Unfinished: len(w.m.jobs)%2 == 0}
	jobs, err := w.s.Jobs(ctx, query)
	if err != nil {
		rt.Fatalf("list: %v", err)
	}
	want := w.m.where(func(j generate.Job) bool { return j.Team == query.Team && (!query.Unfinished || j.Unfinished()) })
	slices.SortFunc(want, func(a, b generate.Job) int { return cmp.Compare(b.Line.Seq, a.Line.Seq) })
	if diff := gocmp.Diff(ids(want), ids(jobs)); diff != "" {
		rt.Fatalf("list (-want +got):\n%s", diff)
	}
	if totals := quotatest.CheckLedger(rt, w.s); int(totals.Holds) != len(w.m.jobs) {
		rt.Fatalf("%d holds for %d jobs", totals.Holds, len(w.m.jobs))
	}
}

func ids(jobs []generate.Job) []string {
	var out []string
	for _, j := range jobs {
		out = append(out, j.ID)
	}
	return out
}
