package bot_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"ltxbot/bot"
	"ltxbot/bot/command"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/core/usd"
)

const (
	ann  = "discord:80351110224678912"
	bob  = "discord:80351110224678999"
	eve  = "discord:80351110224678666" // blocked where there is a library
	acme = "acme"
	jobA = "k3f92mq7abcd"
	jobB = "m4g03nr8bcde"
	jobC = "n5h14ps9cdef"
)

// fakeGenerator is an engine in memory.
type fakeGenerator struct {
	mu     sync.Mutex
	jobs   map[string]generate.Job
	quote  error
	cost   usd.Micros // that is quoted
	record error      // nil = record
	accept error      // nil = accept
	lost   bool       // Record stores the job and returns its error all the same
	hang   bool       // Record waits until its context is done
	stall  bool       // Accept and Job do
	read   error
	asked  []generate.Ask

	dropped   []string
	forgotten []string // whose defaults were, by team and member
	block     bool     // Quote waits until its context is done
}

func (f *fakeGenerator) Quote(ctx context.Context, _ generate.Ask) (generate.Quote, error) {
	if f.block {
		<-ctx.Done()
		return generate.Quote{}, ctx.Err()
	}
	return generate.Quote{Estimate: f.cost}, f.quote
}

func (f *fakeGenerator) Record(ctx context.Context, a generate.Ask) (generate.Job, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, a)
	j := generate.Job{
		ID: generate.NewID(a.Event), State: generate.Received, Event: a.Event, Team: a.Asker.Team, Member: a.Asker.Member,
		Place: a.Place, Request: a.Request, Parent: a.Parent, Created: time.Now(),
	}
	if f.hang {
		<-ctx.Done()
		return generate.Job{}, ctx.Err()
	}
	if old, ok := f.jobs[j.ID]; ok {
		return old, generate.ErrExists
	}
	if f.record == nil || f.lost {
		f.jobs[j.ID] = j
	}
	return j, f.record
}

func (f *fakeGenerator) Accept(ctx context.Context, j generate.Job) (generate.Job, error) {
	return f.take(ctx, j, generate.Accepted)
}

func (f *fakeGenerator) Prepare(ctx context.Context, j generate.Job) (generate.Job, error) {
	return f.take(ctx, j, generate.Preparing)
}

func (f *fakeGenerator) take(ctx context.Context, j generate.Job, to generate.State) (generate.Job, error) {
	if f.stall {
		<-ctx.Done()
		return j, ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.accept != nil {
		return j, f.accept
	}
	j.State = to
	f.jobs[j.ID] = j
	return j, nil
}

func (f *fakeGenerator) Discard(ctx context.Context, id string, notes map[string]string) (generate.Job, error) {
	if _, err := f.Note(ctx, id, notes); err != nil {
		return generate.Job{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	j := f.jobs[id]
	j.Purge = time.Now()
	f.jobs[id] = j
	return j, nil
}

func (f *fakeGenerator) Restore(ctx context.Context, id string, notes map[string]string) (generate.Job, error) {
	if _, err := f.Note(ctx, id, notes); err != nil {
		return generate.Job{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	j := f.jobs[id]
	j.Purge = time.Time{}
	f.jobs[id] = j
	return j, nil
}

func (f *fakeGenerator) Drop(_ context.Context, id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dropped = append(f.dropped, id)
	delete(f.jobs, id)
	return nil
}

// responder answers an event in memory.
type responder struct {
	check, refusal *view.Message
	asked          generate.Ask     // as it was checked
	acks           []generate.State // of the job when it was acknowledged
	err            error            // of the acknowledgement
}

func (r *responder) Check(g *generate.Ask) *view.Message {
	r.asked = *g
	return r.check
}

func (r *responder) Refuse(_ context.Context, m view.Message) { r.refusal = &m }

func (r *responder) Acknowledge(_ context.Context, j *generate.Job) error {
	r.acks = append(r.acks, j.State)
	return r.err
}

// submit is what an ask comes to: what is asked of the engine, or why not.
func submit(t *testing.T, d *bot.Service, a bot.Ask) (generate.Ask, *view.Message) {
	t.Helper()
	var r responder
	d.Submit(t.Context(), a, &r)
	return r.asked, r.refusal
}

func (f *fakeGenerator) Cancel(_ context.Context, id, by string) (generate.Job, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	j := f.jobs[id]
	if !j.State.Cancellable() {
		return j, generate.ErrTooLate
	}
	j.Cancel = &generate.CancelRequest{By: by, At: time.Now()}
	f.jobs[id] = j
	return j, nil
}

func (f *fakeGenerator) Note(_ context.Context, id string, notes map[string]string) (generate.Job, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	j, ok := f.jobs[id]
	if !ok {
		return generate.Job{}, generate.ErrNoJob
	}
	j.Notes = maps.Clone(notes)
	f.jobs[id] = j
	return j, nil
}

func (f *fakeGenerator) Job(ctx context.Context, id string) (generate.Job, error) {
	if f.stall {
		<-ctx.Done()
		return generate.Job{}, ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.read != nil {
		return generate.Job{}, f.read
	}
	j, ok := f.jobs[id]
	if !ok {
		return generate.Job{}, generate.ErrNoJob
	}
	return j, nil
}

func (f *fakeGenerator) Jobs(_ context.Context, q generate.Query) ([]generate.Job, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.read != nil {
		return nil, f.read
	}
	var out []generate.Job
	for _, j := range f.jobs {
		if q.Posted != "" && slices.Contains(j.Receipt.Posted(), q.Posted) || q.Posted == "" && j.Member == q.Member && j.Team == q.Team {
			out = append(out, j)
		}
	}
	slices.SortFunc(out, func(a, b generate.Job) int { return b.Created.Compare(a.Created) })
	return out, nil
}

// rules draw the same seed each time.
func rules(string) ltx.Rules { return ltx.Rules{Seed: func() int64 { return 4242 }} }

func newService(g *fakeGenerator) *bot.Service {
	if g.jobs == nil {
		g.jobs = map[string]generate.Job{}
	}
	return bot.New(bot.Config{
		Generator: g, Rules: rules,
		Usage: func(context.Context, quota.Asker) ([]quota.Gauge, error) { return gauges(), g.read },
	})
}

// request makes a request of a line as people type it.
func request(t *testing.T, line string) ltx.Request {
	t.Helper()
	l, err := command.Parse(line)
	if err != nil {
		t.Fatal(err)
	}
	r, err := rules("").Parse(l.Settings)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const cowboy = "a cowboy walks through a dusty town camera:dolly_in"

// secretLine uses a LoRA behind a token.
const secretLine = cowboy + " lora:https://civitai.com/api/download/models/123?token=hunter2@0.8 seed:7"

// job is ann's.
func job(t *testing.T, id, line string, state generate.State) generate.Job {
	t.Helper()
	return generate.Job{
		ID: id, State: state, Admitted: true, Team: acme, Member: ann,
		Place:    generate.Place{Platform: "discord", Tenant: "1", Channel: "2", User: "80351110224678912", Locale: "en-US"},
		Request:  request(t, line),
		Estimate: 128_500,
		Gauges:   gauges(),
		Created:  time.Now().Add(-90 * time.Second),
		Progress: generate.Progress{Position: -1},
	}
}

func gauges() []quota.Gauge {
	member, team := quota.Scope{Kind: quota.Member, ID: ann}, quota.Scope{Kind: quota.Team, ID: acme}
	midnight := time.Date(2000, 1, 2, 0, 0, 0, 0, time.UTC)
	month := time.Date(2000, 2, 1, 0, 0, 0, 0, time.UTC)
	return []quota.Gauge{
		{Scope: member, Unit: quota.Videos, Window: quota.Day, Used: 3, Max: 10, Resets: midnight},
		{Scope: member, Unit: quota.Dollars, Window: quota.Month, Used: 410_000, Max: int64(10 * usd.Dollar), Resets: month},
		{Scope: team, Unit: quota.Dollars, Window: quota.Month, Used: 4_100_000, Max: int64(200 * usd.Dollar), Resets: month},
		{Scope: member, Unit: quota.Videos, Window: quota.Month, Used: 17},
	}
}

func caller(member string) bot.Caller {
	return bot.Caller{Platform: "discord", Member: member, Team: acme, Locale: "en-US"}
}
