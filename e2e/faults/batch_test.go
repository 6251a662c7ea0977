package faults_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/store"
)

// judgeBatch looks at what came of a command for several videos: each is asked
// for and paid for once, and one card and one message show them all.
func (l *life) judgeBatch(s *store.Store, a asked) error {
	lead, err := s.Job(context.Background(), a.job)
	if errors.Is(err, generate.ErrNoJob) || err == nil && lead.Batch.Size == 0 {
		return l.judgeJob(s, a) // it was never accepted
	}
	if err != nil {
		return err
	}
	results, cards := 0, 0
	var card message
	files := map[string]int{}
	for _, m := range l.on.read() {
		for _, f := range m.files {
			files[f]++
		}
		switch {
		case m.result(a.job):
			results++
		case m.card(a.job):
			cards, card = cards+1, m
		}
	}
	var takes []generate.Job
	var told []string
	delivered, seeds := 0, map[int64]bool{}
	for _, id := range lead.TakeIDs() {
		j, err := s.Job(context.Background(), id)
		if err != nil {
			return fmt.Errorf("take %s: %w", id, err)
		}
		videos := 0
		for f, n := range files {
			if strings.Contains(f, id) {
				videos += n
			}
		}
		summary, err := l.judgeTake(s, j, videos)
		if err != nil {
			return err
		}
		if j.State == generate.Delivered {
			delivered++
		}
		takes, told, seeds[j.Request.Seed()] = append(takes, j), append(told, summary), true
	}
	summary := fmt.Sprintf("%s; %d results, %d cards", strings.Join(told, "; "), results, cards)
	switch {
	case len(takes) != l.mishap.takes || len(seeds) != l.mishap.takes:
		return fmt.Errorf("want %d takes with a seed each: %s", l.mishap.takes, summary)
	case results != min(delivered, 1):
		return fmt.Errorf("want one message with all videos: %s", summary)
	case cards != 1 || !card.says(lead.Whole(takes).State):
		return fmt.Errorf("its card does not say how it ended: %s: %q", summary, card.text)
	}
	return nil
}

// judgeTake looks at what came of one video of a batch, which ada sees so many
// times.
func (l *life) judgeTake(s *store.Store, j generate.Job, videos int) (summary string, _ error) {
	h, err := s.Hold(context.Background(), j.ID)
	if err != nil {
		return "", err
	}
	submits := l.submits(int(j.Request.Seed()))
	summary = fmt.Sprintf("take %d is %s (%s), its hold %s with %s charged; %d submits, %d videos",
		j.Batch.Index, j.State, j.Failure.Kind, h.State, h.Charged, submits, videos)
	switch {
	case j.State == generate.Delivered && videos == 1 && h.State == quota.Settled && h.Charged > 0 && submits == 1:
	case j.State.Terminal() && j.State != generate.Delivered && videos == 0 && h.State == quota.Released && h.Charged == 0 && submits <= 1 && l.may(j, submits):
	default:
		return "", errors.New(summary)
	}
	return summary, nil
}

// judgeSubmits looks for videos that fal was asked for and the bot knows nothing
// of.
func (l *life) judgeSubmits(s *store.Store) {
	jobs, err := s.Jobs(context.Background(), generate.Query{Limit: 100})
	if err != nil {
		l.t.Errorf("read jobs: %v", err)
	}
	known := 0
	for _, j := range jobs {
		if !j.Request.IsZero() {
			known += l.submits(int(j.Request.Seed()))
		}
	}
	taken := 0
	for _, s := range l.fal.Submits() {
		if s.RequestID != "" {
			taken++
		}
	}
	if known != taken {
		l.t.Errorf("%s: fal took %d submits, the bot knows of %d", l.story(), taken, known)
	}
}
