package generate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/core/usd"
	"ltxbot/internal/retry"
)

// Config is what an Engine is made of.
type Config struct {
	Store    Store
	Ledger   quota.Ledger
	Provider Provider
	Couriers map[string]Courier // by Place.Platform
	// Purger deletes what the provider keeps; nil = the bot may not.
	Purger Purger
	Media  MediaConfig
	Inputs InputConfig
	Copies CopyConfig

	Policy func() quota.Policy // the policy of this moment; a reload changes it

	// Refuses says why a member of these tiers may not have a request made, or
	// returns nil; nil = everybody may. It is asked once the tiers are known.
	Refuses func(r ltx.Request, tiers []string) ltx.Invalid
	// Price is what an endpoint costs.
	Price        func(endpoint string) ltx.Price
	BillFailures bool          // charge failures that the provider may bill
	Deadline     time.Duration // from submit until the provider is asked to stop
	Grace        time.Duration // how long a lost submit is looked for
	GiveUp       time.Duration // from the deadline until a job is given up that the provider does not end

	// Webhooks says that the provider calls when a job has ended: then it is
	// asked less often.
	Webhooks bool

	// CardPace is the least time between two edits of a card; 0 = the constant
	// of that name.
	CardPace time.Duration

	// Owner names this process among those that share the store. It is
	// different for each start.
	Owner string
	// OnChange is called after a job was saved in another state; from is
	// empty for a new job. It must not block.
	OnChange func(from State, j Job)
	Logger   *slog.Logger
}

// Engine takes jobs from a command to their end.
type Engine struct {
	cfg     Config
	log     *slog.Logger
	history *history
	polls   *limiter      // calls at the provider
	purging chan struct{} // has a value for each copy that is being deleted there
	edits   *limiter      // of cards
	streams *streams
	kept    atomic.Int64  // bytes of videos on disk that wait for another try
	inputs  chan struct{} // a token for each file on its way to the provider

	archiver *archiver

	mu      sync.Mutex
	stop    context.CancelFunc // soft: begin nothing new
	abort   context.CancelFunc // hard: give up what is under way
	hard    context.Context    //nolint:containedctx // the engine's own life, ended by Stop
	workers sync.WaitGroup
	working map[string]<-chan struct{} // by job: ends with the latest work on it in this process
	batches map[string]map[string]*run // by batch, by job: the takes that this process works on
}

// What a process does at most for all its jobs together, whatever their number.
const (
	pollsPerSecond = 50
	pollsAtATime   = 16 // fewer than the provider's client makes at a time: the rest is for calls that must not wait
	editsPerSecond = 20
	editsAtATime   = 64
)

// New makes an engine. It does nothing until Start.
func New(cfg Config) *Engine {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Refuses == nil {
		cfg.Refuses = func(ltx.Request, []string) ltx.Invalid { return nil }
	}
	if cfg.OnChange == nil {
		cfg.OnChange = func(State, Job) {}
	}
	cfg.CardPace = cmp.Or(cfg.CardPace, CardPace)
	e := &Engine{
		cfg: cfg, log: cfg.Logger, history: newHistory(), streams: newStreams(),
		polls: newLimiter(pollsPerSecond, pollsAtATime), purging: make(chan struct{}, purgesMost), edits: newLimiter(editsPerSecond, editsAtATime),
		working: map[string]<-chan struct{}{}, batches: map[string]map[string]*run{}, inputs: make(chan struct{}, inputsAtATime),
	}
	e.archiver = newArchiver(e)
	return e
}

// Start begins to work on the store's unfinished jobs and on those accepted
// from now on. It returns when it has begun.
func (e *Engine) Start(ctx context.Context) error {
	finished, err := e.cfg.Store.Jobs(ctx, Query{State: Delivered, Limit: historySeed})
	if err != nil {
		return fmt.Errorf("read past jobs: %w", err)
	}
	for _, j := range slices.Backward(finished) { // the latest is remembered longest
		e.history.add(j)
	}
	e.SweepFiles(ctx)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stop != nil {
		return errors.New("engine is running")
	}
	var soft context.Context
	e.hard, e.abort = context.WithCancel(context.WithoutCancel(ctx))
	soft, e.stop = context.WithCancel(e.hard)
	e.workers.Go(func() { e.polls.serve(soft) })
	e.workers.Go(func() { e.edits.serve(soft) })
	e.workers.Go(func() { e.claim(soft) })
	e.workers.Go(func() { e.watchReceived(soft) })
	e.archiver.start(soft, &e.workers)
	return nil
}

// Stop ends the work: no job is begun, steps under way save what they have,
// until ctx is done; then they are given up. It may be called twice.
func (e *Engine) Stop(ctx context.Context) error {
	e.mu.Lock()
	stop, abort := e.stop, e.abort
	e.mu.Unlock()
	if stop == nil {
		return nil
	}
	stop()
	done := make(chan struct{})
	go func() {
		e.workers.Wait()
		close(done)
	}()
	select {
	case <-done:
		abort()
		return nil
	case <-ctx.Done():
		abort()
		<-done
		return fmt.Errorf("stop engine: %w", context.Cause(ctx))
	}
}

// claim takes jobs on and gives each a goroutine.
func (e *Engine) claim(ctx context.Context) {
	for {
		claim, err := e.cfg.Store.Claim(ctx)
		switch {
		case ctx.Err() != nil || errors.Is(err, ErrClosed):
			return
		case err != nil:
			e.log.ErrorContext(ctx, "cannot take a job from the store", "error", err)
			if !wait(ctx, time.Second) {
				return
			}
		default:
			r := newRun(e, claim)
			before, ended := e.following(r.id)
			e.workers.Go(func() {
				defer ended()
				if before != nil {
					<-before
					r.stale = true
				}
				r.work(ctx)
			})
		}
	}
}

// following returns what ends with the work of this process on a job that it
// has been given again, nil if there is none, and what is to be called when the
// new work has ended. A store that has failed over hands a job out at once:
// both would post its video.
func (e *Engine) following(job string) (before <-chan struct{}, ended func()) {
	done := make(chan struct{})
	e.mu.Lock()
	defer e.mu.Unlock()
	before = e.working[job]
	e.working[job] = done
	return before, func() {
		close(done)
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.working[job] == done {
			delete(e.working, job)
		}
	}
}

// An Ask is a request with who asks, and where.
type Ask struct {
	Event   string // names what happened at the platform; the same event is the same job
	Asker   quota.Asker
	Place   Place
	Request ltx.Request
	Parent  string            // the job it is remixed from, if any
	Notes   map[string]string // what the courier already knows of its messages
	Until   time.Time         // when the conversation stops taking messages; zero = never
	// PostBefore is until when messages are taken without fail; zero = always.
	PostBefore time.Time
}

// A Quote is what a job would cost, and what is left.
type Quote struct {
	Estimate usd.Micros
	Gauges   []quota.Gauge // the limits that apply, with the job counted in
}

// Quote says what a job would cost, without effect. Its error is the
// *quota.LimitError that Accept would return now, but for jobs at a time, which
// may wait.
func (e *Engine) Quote(ctx context.Context, a Ask) (Quote, error) {
	estimate := e.estimate(a.Request)
	policy := e.cfg.Policy()
	now, err := e.cfg.Store.Now(ctx)
	if err != nil {
		return Quote{}, fmt.Errorf("read time: %w", err)
	}
	state, err := e.cfg.Ledger.AdminState(ctx, a.Asker.Team, a.Asker.Member)
	if err != nil {
		return Quote{}, fmt.Errorf("read admin state: %w", err)
	}
	// What is not known before a file is read refuses nothing.
	least := a.Request.AtLeast(e.cfg.Price(a.Request.Endpoint())) * usd.Micros(a.Request.Count())
	reservation, err := policy.Plan("", a.Asker, least, now)(state)
	if err != nil {
		return Quote{Estimate: estimate}, err
	}
	// Nobody is refused by a counter without a limit, nor is it shown.
	reservation.Counts = slices.DeleteFunc(reservation.Counts, func(c quota.Count) bool { return c.Max == 0 })
	for i, c := range reservation.Counts {
		if c.Unit == quota.Videos {
			reservation.Counts[i].Add = int64(a.Request.Count())
		}
	}
	counters := reservation.Counters()
	read, err := e.cfg.Ledger.Used(ctx, a.Asker.Team, counters)
	if err != nil {
		return Quote{}, fmt.Errorf("read usage: %w", err)
	}
	used := quota.Sums(counters, read)
	entries, err := quota.Decide(reservation, used)
	if refusal, ok := errors.AsType[*quota.LimitError](err); ok && a.Request.Count() > 1 {
		refusal.Videos = a.Request.Count()
	}
	if err != nil {
		return Quote{Estimate: estimate}, err
	}
	return Quote{Estimate: estimate, Gauges: gaugesWith(reservation, entries, used)}, nil
}

// gaugesWith are the counts of a reservation, with its entries counted in.
func gaugesWith(r quota.Reservation, entries []quota.Entry, used func(quota.Scope, string) int64) []quota.Gauge {
	then := func(scope quota.Scope, counter string) int64 {
		sum := used(scope, counter)
		for _, e := range entries {
			if e.Scope == scope && e.Counter == counter {
				sum += e.Add
			}
		}
		return sum
	}
	gauges := make([]quota.Gauge, len(r.Counts))
	for i, c := range r.Counts {
		sum := then(c.Scope, c.Counter)
		for _, other := range c.Also {
			sum += then(c.Scope, other)
		}
		gauges[i] = c.Gauge(sum)
		gauges[i].Extra = r.Extra(c, then)
	}
	return gauges
}

// estimate is what all videos of a request will cost at most, as far as is known
// before.
func (e *Engine) estimate(r ltx.Request) usd.Micros {
	return r.Estimate(e.cfg.Price(r.Endpoint())) * usd.Micros(r.Count())
}

// Usage reads the limits of a member, its team and the bot, and their use.
func (e *Engine) Usage(ctx context.Context, a quota.Asker) ([]quota.Gauge, error) {
	s, err := e.cfg.Ledger.AdminState(ctx, a.Team, a.Member)
	if err != nil {
		return nil, fmt.Errorf("read admin state: %w", err)
	}
	now, err := e.cfg.Store.Now(ctx)
	if err != nil {
		return nil, fmt.Errorf("read time: %w", err)
	}
	policy := e.cfg.Policy()
	r := quota.Reservation{Counts: policy.Counts(a, s, now), Grants: policy.Grants(s), At: now}
	counters := r.Counters()
	used, err := e.cfg.Ledger.Used(ctx, a.Team, counters)
	if err != nil {
		return nil, fmt.Errorf("read usage: %w", err)
	}
	return gaugesWith(r, nil, quota.Sums(counters, used)), nil
}

// ErrTooLate says that a job can't be cancelled any more.
var ErrTooLate = errors.New("job is past cancelling")

// Cancel asks to stop a job, or all takes of the batch that it leads. It is a
// wish: a job that the provider completes all the same is delivered. by is the
// member who asks.
func (e *Engine) Cancel(ctx context.Context, id, by string) (Job, error) {
	j, err := e.cancel(ctx, id, by)
	if !j.Leads() || err != nil && !errors.Is(err, ErrTooLate) {
		return j, err
	}
	for _, id := range j.TakeIDs()[1:] {
		switch _, other := e.cancel(ctx, id, by); {
		case other == nil:
			err = nil
		case !errors.Is(other, ErrTooLate) && !errors.Is(other, ErrNoJob):
			return j, other
		}
	}
	if whole, readErr := e.whole(ctx, j); readErr == nil {
		j = whole
	}
	return j, err
}

func (e *Engine) cancel(ctx context.Context, id, by string) (Job, error) {
	return e.edit(ctx, id, func(j *Job) error {
		if !j.State.Cancellable() {
			return ErrTooLate
		}
		if j.Cancel == nil {
			j.Cancel = &CancelRequest{By: by, At: time.Now()}
		}
		return nil
	})
}

// Arrived takes in a hint that the provider has ended a job under a request
// id. It may come before the reply to the submit (then ErrNotReady: it is to be
// told again), in place of a reply that was lost, or long after the bot gave
// the job up or its submit was refused: then the job is taken up again, since
// it was paid for. What a person gave up stays so. A job is submitted once, so
// whatever request the hint names is the job's.
func (e *Engine) Arrived(ctx context.Context, id, requestID string) error {
	_, err := e.edit(ctx, id, func(j *Job) error {
		switch {
		case j.State == Unknown, // what it may have claimed in the history is a guess
			j.State.Terminal() && j.Unsure:
			j.takeUp(requestID, e.cfg.Deadline)
		case j.State == Submitting, j.State == Accepted:
			return ErrNotReady
		case j.State.Terminal() && j.Failure.Kind == FailGivenUp:
			e.log.WarnContext(ctx, "the provider has ended a job that a person gave up; it may be on the bill", "job", id, "request_id", requestID)
			return errNothingNew
		case j.State != Queued && j.State != Running:
			return errNothingNew
		case j.Submission.RequestID != requestID && j.State == Running:
			e.log.ErrorContext(ctx, "provider names another request for a job", "job", id, "request_id", requestID)
			return errNothingNew
		default: // the answer to the submit may have named a gateway's request
			j.takeUp(requestID, e.cfg.Deadline)
		}
		return nil
	})
	if errors.Is(err, errNothingNew) {
		return nil
	}
	return err
}

// errNothingNew says that a hint tells nothing that is not known.
var errNothingNew = errors.New("nothing new")

// takeUp goes on with a job whose request has ended at the provider.
func (j *Job) takeUp(requestID string, deadline time.Duration) {
	now := time.Now()
	j.Hinted = now
	if (j.State == Queued || j.State == Running) && j.Submission.RequestID == requestID {
		return
	}
	sub := Submission{RequestID: requestID, Endpoint: j.Endpoint}
	if j.Submission.RequestID == requestID {
		sub = j.Submission
	}
	j.revive(sub)
	if j.Deadline.Before(now) {
		j.Deadline = now.Add(deadline)
	}
}

// revive makes a job wait for the provider that was given up, or whose submit
// was lost.
func (j *Job) revive(s Submission) {
	j.State, j.Submission = Queued, s
	j.Failure, j.Finished, j.Shown = Failure{}, time.Time{}, ""
	j.Unsure, j.LookAt = false, time.Time{}
}

// Note adds to what the courier remembers of a job's messages, from outside
// the job's own steps: a pressed button brings a fresh token. What is secret of it is not kept for a
// job that is over.
func (e *Engine) Note(ctx context.Context, id string, notes map[string]string) (Job, error) {
	return e.edit(ctx, id, func(j *Job) error {
		if !j.underWay() {
			notes = withoutSecrets(notes)
		}
		j.Notes = merge(j.Notes, notes)
		return nil
	})
}

// Job reads a job, or returns ErrNoJob.
func (e *Engine) Job(ctx context.Context, id string) (Job, error) { return e.cfg.Store.Job(ctx, id) }

// Jobs lists jobs, newest first.
func (e *Engine) Jobs(ctx context.Context, q Query) ([]Job, error) { return e.cfg.Store.Jobs(ctx, q) }

// edit changes a job from outside its run, however often somebody else saves
// it in between.
func (e *Engine) edit(ctx context.Context, id string, change func(*Job) error) (Job, error) {
	return e.bill(ctx, id, func(j *Job) (quota.Billing, error) { return quota.Keep(), change(j) })
}

// bill is edit with a change of the job's hold.
func (e *Engine) bill(ctx context.Context, id string, change func(*Job) (quota.Billing, error)) (Job, error) {
	for {
		j, err := e.cfg.Store.Job(ctx, id)
		if err != nil {
			return Job{}, err
		}
		from := j.State
		b, err := change(&j)
		if err != nil {
			return j, err
		}
		saved, err := e.cfg.Store.Save(ctx, j, b)
		if err == nil && saved.State != from {
			e.cfg.OnChange(from, saved)
		}
		if !errors.Is(err, ErrConflict) {
			return saved, err
		}
	}
}

// wait pauses for d and reports whether ctx is still alive.
func wait(ctx context.Context, d time.Duration) bool { return retry.Wait(ctx, d) }
