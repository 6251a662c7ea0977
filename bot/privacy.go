package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"ltxbot/bot/command"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
)

// eraseLimit is how long erasing somebody's data may take, in the store.
const eraseLimit = 20 * time.Second

// eraseEvery is how often somebody may have their data erased: looking for it
// reads all that is kept about them.
const eraseEvery = time.Minute

// JobsLine answers what was typed after the verb for jobs: nothing lists them,
// "erase" says what that would do, "erase yes" does it, and "verify" tells what is
// known of a video.
func (svc *Service) JobsLine(ctx context.Context, c Caller, order string) view.Message {
	args := command.Words(order)
	if what, ok := verifyOrder(args); ok {
		return svc.Verify(ctx, c, what)
	}
	switch {
	case len(args) == 0 || !command.JobsOrder(args):
		return svc.Jobs(ctx, c)
	case len(args) == 1:
		return view.Answer(svc.Printer(c.Locale), "job.erase")
	}
	return svc.Erase(ctx, c)
}

// Why nothing can be made of a job: what was asked for is no longer kept, or its
// video was deleted.
var (
	errGone    = errors.New("request is no longer kept")
	errDeleted = errors.New("video was deleted")
)

// kept reads a job that the caller may see and whose request is still there.
func (svc *Service) kept(ctx context.Context, c Caller, id string) (generate.Job, error) {
	j, err := svc.visible(ctx, c, id)
	if err == nil && j.Request.IsZero() {
		return j, errGone
	}
	return j, err
}

// Erase erases the caller's data in all teams: what was asked for, where, and
// where the videos are. What counts towards limits stays. It is done once a
// minute at most.
func (svc *Service) Erase(ctx context.Context, c Caller) view.Message {
	c = svc.known(ctx, c)
	if again, ok := svc.erased.start(c.Member, eraseEvery); !ok {
		return view.Answer(svc.Printer(c.Locale), "job.erase_soon", "since", text.SinceSpan(again))
	}
	ctx, cancel := context.WithTimeout(ctx, eraseLimit)
	defer cancel()
	total, err := svc.eraseMembers(ctx, append([]string{c.Member}, c.Also...))
	more := errors.Is(err, context.DeadlineExceeded) && total.Jobs > 0 // a platform waits no longer for an answer
	if err != nil && !more {
		svc.erased.undo(c.Member)
		return svc.sorry(ctx, c, "error.unreadable", "erase data", err)
	}
	return view.ErasedJobs(svc.Printer(c.Locale), total, more)
}

// eraseMembers erases the data of members, in the store and in what the service
// remembers.
func (svc *Service) eraseMembers(ctx context.Context, members []string) (generate.Erased, error) {
	if svc.cfg.Records == nil {
		return generate.Erased{}, errors.New("this store erases nothing")
	}
	done, err := generate.Erase(ctx, svc.cfg.Records, svc.cfg.Purges, "", members...)
	for _, m := range members {
		svc.Erased(m)
	}
	return done, err
}

// Erased makes the service forget what it remembers of a member whose data was
// erased.
func (svc *Service) Erased(member string) { svc.recent.drop(member) }

// Export is what is kept about somebody.
type Export struct {
	Members []string            `json:"members"` // the names of one person
	Usage   []quota.Gauge       `json:"usage"`   // in the team where it was asked for
	Jobs    []generate.Personal `json:"jobs"`    // newest first
	// Defaults are their own, in the team where it was asked for.
	Defaults []ltx.Setting `json:"defaults,omitempty"`
}

// Mine returns all that is kept about the caller, as JSON.
func (svc *Service) Mine(ctx context.Context, c Caller) ([]byte, error) {
	c = svc.known(ctx, c)
	all := Export{Members: append([]string{c.Member}, c.Also...)}
	var err error
	if all.Jobs, err = generate.Export(ctx, svc.cfg.Generator, "", all.Members...); err != nil {
		return nil, err
	}
	gauges, err := svc.cfg.Usage(ctx, quota.Asker{Team: c.Team, Member: c.Member, Tiers: c.Tiers})
	if err != nil {
		return nil, fmt.Errorf("export usage: %w", err)
	}
	all.Usage, all.Defaults = ofMember(gauges), svc.own(ctx, c)
	return json.MarshalIndent(all, "", "  ")
}

// drop forgets the jobs of a member in all teams, and those that it asked for
// while its account was linked with another one.
func (r *recent) drop(member string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, m := range r.members {
		asked := func(j generate.Job) bool { return j.Place.Member == member }
		if strings.HasSuffix(key, memberKey("", member)) || slices.ContainsFunc(m.jobs, asked) {
			delete(r.members, key)
		}
	}
}
