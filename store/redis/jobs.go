package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"

	goredis "github.com/redis/go-redis/v9"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

// Accept records j with its hold and puts it in line, in one script. An id is
// known to the partition of its team: the same event must name the same team.
func (s *Store) Accept(ctx context.Context, j generate.Job, plan quota.Plan) (generate.Job, error) {
	if err := checkNames(j.ID, j.Team, j.Member); err != nil {
		return generate.Job{}, fmt.Errorf("accept job: %w", err)
	}
	out, err := s.accept(ctx, j, plan)
	return out, outcome("accept", j.ID, err)
}

func (s *Store) accept(ctx context.Context, j generate.Job, plan quota.Plan) (generate.Job, error) {
	ctx, cancel := s.limit(ctx)
	defer cancel()
	p, key, token := s.of(j.Team), quota.Key{Job: j.ID, Team: j.Team, Member: j.Member}, callToken()
	for n := 0; ; {
		r, d, err := s.planned(ctx, key, plan)
		if refused := (*planError)(nil); errors.As(err, &refused) {
			switch old, err := s.Job(ctx, j.ID); {
			case err == nil:
				return old, generate.ErrExists
			case !errors.Is(err, generate.ErrNoJob):
				return generate.Job{}, err
			}
			return generate.Job{}, refused.err
		}
		if err != nil {
			return generate.Job{}, err
		}
		j.Line, j.Admitted = r.Line, false
		record, err := encodeRecord(j)
		if err != nil {
			return generate.Job{}, err
		}
		var a *ask
		reply, err := s.guarded(ctx, p, r, func(ctx context.Context, e elsewhere) (list, error) {
			var err error
			if a, err = newAsk(r, e); err != nil {
				return nil, err
			}
			admitted := j
			admitted.Admitted = true
			return s.callList(ctx, p, acceptScript, a.arguments([]any{
				j.ID, token, seat(j.Team, j.Member), j.Team, d.member, d.team, e.closes, e.slots,
				record, sortable(j.Created), lifeOf(j), classOf(admitted), classOf(j),
				r.Line.MemberMax, r.Line.TeamMax, r.Line.BotMax, r.Line.WaitingMax,
			})...)
		})
		if err != nil {
			return generate.Job{}, err
		}
		switch reply.text(0) {
		case "accepted":
			s.reserved.add(j.ID)
			hold := reply.text(2)
			if hold == "" {
				hold = a.hold()
			}
			s.memory.note(j.ID, p.number, keptAs(reply.text(1), j, record), hold)
			j, err := withHead(j, reply.text(1))
			s.noteCapped(j)
			return j, err
		case "exists":
			k, err := decodeJob(reply.text(1))
			if err == nil {
				err = generate.ErrExists
			}
			return k.job, err
		case "limit":
			return generate.Job{}, refusal(r, reply)
		case "full":
			return generate.Job{}, &quota.LimitError{Reason: quota.LineFull, Line: int(reply.number(1))}
		case "settling":
			if n++; n > settleTries || !pause(ctx, backoff(n)) {
				return generate.Job{}, errSettling
			}
		default: // stale
			s.standings.put(seat(j.Team, j.Member), decided{reply.text(1), reply.text(2)})
		}
	}
}

// callToken names a call, so that a script knows a call it has seen before.
func callToken() string { return rand.Text()[:12] }

// noteCapped remembers that a job waits for a slot that all teams share.
func (s *Store) noteCapped(j generate.Job) {
	if j.Waiting() && j.Line.BotMax > 0 {
		s.capped.Add(1)
	}
}

// Save replaces the stored job by j, bills its hold and, when that frees a
// slot, admits the jobs of its team whose turn has come, in one script. While
// jobs wait for a slot that all teams share, they are admitted by a second
// step; should this process die in between, another one does it within a beat.
// A job whose hold is gone is saved nevertheless: what was asked for must come
// to an end. A save whose reply was lost, and after which somebody else has
// saved the job before it could be repeated, is reported as a conflict.
func (s *Store) Save(ctx context.Context, j generate.Job, b quota.Billing) (generate.Job, error) {
	out, err := s.save(ctx, j, b)
	return out, outcome("save", j.ID, err)
}

func (s *Store) save(ctx context.Context, j generate.Job, b quota.Billing) (generate.Job, error) {
	ctx, cancel := s.limit(ctx)
	defer cancel()
	record, err := encodeRecord(j)
	if err != nil {
		return generate.Job{}, err
	}
	capped := s.capped.Load() != 0
	args := []any{
		j.ID, callToken(), seat(j.Team, j.Member), j.Version,
		flagText(j.Admitted), classOf(j), lifeOf(j), j.Line.MemberMax, j.Line.TeamMax, j.Line.BotMax, record,
	}
	args = append(append(args, billing(b, s.now())...), flagText(!capped), s.channel(), flagText(s.work.vouches(j.ID, j.Doubted)))
	p := s.of(j.Team)
	reply, err := s.callList(ctx, p, saveScript, args...)
	for n := 0; err == nil && reply.text(0) == "settling"; n++ {
		if n == settleTries || !pause(ctx, backoff(n)) {
			return generate.Job{}, errSettling
		}
		reply, err = s.callList(ctx, p, saveScript, args...)
	}
	if err != nil {
		return generate.Job{}, err
	}
	switch reply.text(0) {
	case "missing":
		return generate.Job{}, s.missing(ctx, j)
	case "conflict":
		return generate.Job{}, generate.ErrConflict
	case "moved":
		return generate.Job{}, errMoved
	}
	if reply.text(4) == "1" {
		s.log.ErrorContext(ctx, "redis: job has no hold to bill", slog.String("job", j.ID), slog.String("billing", string(b.Kind)))
	}
	s.memory.note(j.ID, p.number, keptAs(reply.text(1), j, record), reply.text(5))
	if j.Doubted {
		s.work.vouch(j.ID)
	}
	if j, err = withHead(j, reply.text(1)); err != nil {
		return generate.Job{}, err
	}
	if reply.number(3) > 0 {
		s.capped.Add(1)
	}
	if reply.text(2) == "1" && (capped || reply.number(3) > 0) {
		if err := s.admitAll(ctx); err != nil {
			s.log.WarnContext(ctx, "redis: free slot is left for the next beat", slog.String("job", j.ID), slog.Any("error", err))
			return j, nil
		}
		if j.Waiting() {
			return s.Job(ctx, j.ID)
		}
	}
	return j, nil
}

// settleTries is how often a call is made again while others may know better:
// for a second, so that a person is told soon.
const settleTries = 9

// errSettling says that Redis has lost writes which a process may still bring
// back: nothing is decided before.
var errSettling = fmt.Errorf("%w: it has lost writes, and they are being put back", ErrUnavailable)

var errMoved = errors.New("a job can't change its team or member")

// missing tells a job that does not exist from one of another team, and from
// one that was put back just now.
func (s *Store) missing(ctx context.Context, j generate.Job) error {
	there, err := s.Job(ctx, j.ID)
	switch {
	case err != nil:
		return err
	case there.Team == j.Team:
		return generate.ErrConflict
	default:
		return errMoved
	}
}

// Job reads a job.
func (s *Store) Job(ctx context.Context, id string) (generate.Job, error) {
	_, value, err := s.find(ctx, jobsKey, id)
	if errors.Is(err, goredis.Nil) {
		return generate.Job{}, generate.ErrNoJob
	}
	var k kept
	if err == nil {
		k, err = decodeJob(value)
	}
	return k.job, outcome("read", id, err)
}

// Place is the place of a waiting job in its team's line.
func (s *Store) Place(ctx context.Context, id string) (int, error) {
	ctx, cancel := s.limit(ctx)
	defer cancel()
	p, value, err := s.find(ctx, jobsKey, id)
	if errors.Is(err, goredis.Nil) {
		return 0, generate.ErrNoJob
	}
	var k kept
	if err == nil {
		k, err = decodeJob(value)
	}
	if err != nil || !k.job.Waiting() {
		return 0, outcome("find place of", id, err)
	}
	place, err := s.call(ctx, p, placeScript, id)
	n, _ := place.(int64)
	return int(n), outcome("find place of", id, err)
}
