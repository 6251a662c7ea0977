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
	// it does not wait. It is the order in which Next would choose the team's
	// waiting jobs if they had no limits: members take turns.
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

// Next chooses which of the waiting jobs are admitted, in order, given the
// jobs that hold a slot. It is the rule that every store follows: a member
// who was served longest ago comes first, so that nobody with twenty jobs
// starves another; within a member, first come is first served.
//
// served is the order in which members were last admitted; 0 is never.
func Next(waiting, running []Job, served map[string]int64) []Job {
	byMember, byTeam := map[string]int{}, map[string]int{}
	for _, j := range running {
		byMember[j.Team+"\x00"+j.Member]++
		byTeam[j.Team]++
	}
	total := len(running)
	last := map[string]int64{}
	var turn int64
	for m, n := range served {
		last[m] = n
		turn = max(turn, n)
	}
	taken := map[string]bool{}
	var out []Job
	for {
		best := -1
		for i, j := range waiting {
			m := j.Team + "\x00" + j.Member
			if taken[j.ID] ||
				full(byMember[m], j.Line.MemberMax) || full(byTeam[j.Team], j.Line.TeamMax) || full(total, j.Line.BotMax) {
				continue
			}
			if best < 0 {
				best = i
				continue
			}
			b := waiting[best]
			mine, theirs := last[m], last[b.Team+"\x00"+b.Member]
			if mine < theirs || mine == theirs && j.Line.Seq < b.Line.Seq {
				best = i
			}
		}
		if best < 0 {
			return out
		}
		j := waiting[best]
		m := j.Team + "\x00" + j.Member
		taken[j.ID] = true
		byMember[m]++
		byTeam[j.Team]++
		total++
		turn++
		last[m] = turn
		out = append(out, j)
	}
}

func full(n, limit int) bool { return limit > 0 && n >= limit }
