package slack

import (
	"context"
	"slices"

	"ltxbot/bot/adapter"
	"ltxbot/core/generate"
)

// asideKinds are the ends of a job that was not accepted. They concern its
// requester alone.
var asideKinds = []generate.FailureKind{generate.FailQuota, generate.FailNotAllowed, generate.FailModel, generate.FailInterrupted, generate.FailUnprepared}

// aside reports whether the job ended before it was accepted, and has no card.
func (s *showing) aside() bool {
	return s.job.State == generate.Failed && s.Get(noteCard) == "" && slices.Contains(asideKinds, s.job.Failure.Kind)
}

// tellAside tells the requester, and nobody else, why the job was not
// accepted. It may be said twice if the process is killed in between: Slack
// does not tell whether such a message is there.
func (s *showing) tellAside(ctx context.Context) error {
	o := originOf(s.job)
	if s.job.Place.Private {
		o.Channel = ""
	}
	var err error
	if o.ResponseURL, err = s.responseURL(ctx, s.cfg.Now()); err != nil {
		return err
	}
	err = s.tellBy(ctx, o, s.card(s.layout(s.job.Place.Locale).only(s.job.Place.User)))
	if err != nil && !adapter.Lost(err) {
		return err
	}
	return s.Save(ctx, noteTold, "yes")
}
