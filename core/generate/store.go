package generate

import (
	"context"
	"errors"
	"time"

	"ltxbot/core/quota"
)

// A Store keeps jobs and hands them out to processes. Jobs and their holds
// live together: a method that changes both does so in one transaction. All
// methods may be called from many goroutines; what they did is durable when
// they return nil. An error other than those named means that the outcome is
// not known: read the job again.
type Store interface {
	// Record records j as Received, with Version 1: nothing is held for it,
	// and it is not handed out. If the job exists, it is returned with
	// ErrExists.
	Record(ctx context.Context, j Job) (Job, error)

	// Accept records j with its hold and puts it in line, or does nothing.
	// A job that is Received or Preparing, and whose stored version is still
	// j's, becomes Accepted. Any other that exists is returned with
	// ErrExists. Refusals are a *quota.LimitError. The job is recorded with
	// the reservation's Line and its Seq, with Version 1, and with Admitted
	// set if its turn has come at once; it is handed out by Claim.
	Accept(ctx context.Context, j Job, plan quota.Plan) (Job, error)

	// AcceptAll accepts all jobs of a batch or none, as Accept does one. If some
	// of them exist, these are returned with ErrExists. The refusal of one
	// refuses all.
	AcceptAll(ctx context.Context, batch []Asked) ([]Job, error)

	// Save replaces the stored job by j and bills its hold, if the stored
	// version is still j.Version; else it does nothing and returns
	// ErrConflict. The job returned has the next version. When the save
	// frees a slot, the jobs whose turn has come are admitted with it: each
	// gets Admitted, the next version, and a value on its claim's Changed.
	// A job's Team, Member and Line.Seq never change.
	Save(ctx context.Context, j Job, b quota.Billing) (Job, error)

	// Job reads a job, or returns ErrNoJob.
	Job(ctx context.Context, id string) (Job, error)

	// Jobs lists jobs, newest first.
	Jobs(ctx context.Context, q Query) ([]Job, error)

	// Place is the place of a waiting job in its team's line, from 1; 0 when
	// it does not wait. It is the order in which generatetest.Next would choose
	// the team's waiting jobs if they had no limits: members take turns.
	Place(ctx context.Context, id string) (int, error)

	// Now is the time by which the windows of limits are counted: that of the
	// server, if there is one, so that a process with a wrong clock spends
	// nobody's future. It is never less than it was before.
	Now(ctx context.Context) (time.Time, error)

	// Claim waits for an unfinished job that no live process works on and
	// claims it for this one. Each job is handed out to one process at a
	// time.
	Claim(ctx context.Context) (Claim, error)
}

// Asked is a job that is to be accepted, and what it needs of the ledger.
type Asked struct {
	Job  Job
	Plan quota.Plan
}

// A Claim is a job handed out to this process.
type Claim struct {
	Job Job
	// Changed has a value whenever the job may have been saved by somebody
	// else: a button was pressed, its turn has come. It may also have one
	// for a save by the claim's holder; the version tells.
	Changed <-chan struct{}
	// Lost is closed when another process has taken the job over. It is nil
	// where that can't happen.
	Lost <-chan struct{}
	// Doubtful says that the store has lost writes, and that more may have
	// happened to the job than its record says: one that is Accepted there
	// may have been submitted.
	Doubtful bool
	// Done ends the claim. A job that is still unfinished is handed out
	// again, to this process or another one.
	Done func()
}

// Query selects jobs. Zero fields select all.
type Query struct {
	Team       string
	Member     string
	Platform   string // of Channel
	Tenant     string // of Channel
	Channel    string // where it was asked for
	State      State
	Endpoint   string
	Unfinished bool
	Posted     string    // what was posted: a PostedFile or a PostedLink
	Before     time.Time // created before
	Limit      int       // at most so many; 0 = 100
}

// The errors of a Store that callers act on.
var (
	ErrNoJob    = errors.New("no such job")
	ErrExists   = errors.New("job exists")
	ErrConflict = errors.New("job was changed by somebody else")
	ErrClosed   = errors.New("store is closed")
)
