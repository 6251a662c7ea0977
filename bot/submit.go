package bot

import (
	"context"
	"errors"
	"time"

	"ltxbot/bot/view"
	"ltxbot/core/generate"
)

// How long an ask may take on its way to an accepted job.
const (
	// recordWithin bounds what comes before the acknowledgement. Both platforms
	// wait three seconds for it.
	recordWithin = 2 * time.Second
	// acceptWithin bounds what comes after it. What it leaves is taken up by the
	// engine.
	acceptWithin = 20 * time.Second
)

// A Responder answers the event of an ask on its platform.
type Responder interface {
	// Check adds to g what the courier must know to answer where it was asked,
	// or says why that can't be. It asks nobody.
	Check(g *generate.Ask) *view.Message
	// Refuse says why there will be no video, to who asked and nobody else.
	Refuse(ctx context.Context, m view.Message)
	// Acknowledge tells the platform that there is a job. It adds to j what the
	// courier learns from the answer. It returns ErrUnacknowledged when who
	// asked is known not to see it, and ErrElsewhere when another process
	// answers. After any other error the job goes on: its card will tell.
	Acknowledge(ctx context.Context, j *generate.Job) error
}

// The errors of a Responder that decide what becomes of the job.
var (
	ErrUnacknowledged = errors.New("the platform did not take the acknowledgement")
	ErrElsewhere      = errors.New("another process answers the event")
)

// Submit makes a job of an ask and answers its event by r: with a refusal, or
// with an acknowledgement, which is given when the job is recorded. From then on
// the job will end with exactly one message to who asked. The same event is the
// same job. ok reports whether there is a job.
func (svc *Service) Submit(ctx context.Context, a Ask, r Responder) (j generate.Job, ok bool) {
	quick, cancel := context.WithTimeout(ctx, recordWithin)
	defer cancel()
	typed := a
	g, refusal := svc.prepare(quick, &a)
	if refusal == nil {
		refusal = r.Check(&g)
	} else if a.Identify != nil {
		// Nothing is recorded, so there is time: it is said in their language.
		typed.Caller, typed.Identify = a.Identify(ctx), nil
		return svc.Submit(ctx, typed, r)
	}
	if refusal != nil {
		r.Refuse(ctx, *refusal)
		return generate.Job{}, false
	}
	j, err := svc.cfg.Generator.Record(quick, g)
	known := errors.Is(err, generate.ErrExists)
	if err != nil && !known {
		svc.notRecorded(ctx, g, err, a.Caller, r)
		return generate.Job{}, false
	}
	switch err := r.Acknowledge(ctx, &j); {
	case errors.Is(err, ErrElsewhere):
		return j, true
	case errors.Is(err, ErrUnacknowledged):
		if !known {
			svc.drop(ctx, j.ID)
		}
		return generate.Job{}, false
	case err != nil:
		svc.log.WarnContext(ctx, "acknowledgement was not confirmed", "job", j.ID, "error", err)
	}
	if j.State == generate.Received {
		j = svc.takeOn(ctx, j, a.Identify != nil)
	}
	svc.recent.add(j)
	return j, true
}

// takeOn takes on a job that was acknowledged. unidentified says that its
// courier must find out first who asks.
func (svc *Service) takeOn(ctx context.Context, j generate.Job, unidentified bool) generate.Job {
	ctx, cancel := context.WithTimeout(ctx, acceptWithin)
	defer cancel()
	take := svc.cfg.Generator.Accept
	if unidentified {
		take = svc.cfg.Generator.Prepare
	}
	taken, err := take(ctx, j)
	if err != nil {
		svc.log.ErrorContext(ctx, "a job that was acknowledged can't be accepted now; it is taken up later", "job", j.ID, "error", err)
		return j
	}
	return taken
}

// notRecorded tells the caller that the store does not answer and there is no
// job. If the job was recorded after all, it ends it.
func (svc *Service) notRecorded(ctx context.Context, g generate.Ask, err error, c Caller, r Responder) {
	r.Refuse(ctx, svc.sorry(ctx, c, "error.not_now", "record job", err))
	svc.drop(ctx, generate.NewID(g.Event))
}

// drop ends a job that was recorded, but whose requester has seen that it failed.
func (svc *Service) drop(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readLimit)
	defer cancel()
	if err := svc.cfg.Generator.Drop(ctx, id); err != nil {
		svc.log.WarnContext(ctx, "cannot end a job that was not acknowledged; it is taken up later", "job", id, "error", err)
	}
}
