package generate_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"sync"
	"time"

	"ltxbot/core/generate"
)

// fakeChannel is a conversation. Like a platform, it posts a message once for
// one nonce.
type fakeChannel struct {
	mu     sync.Mutex
	cards  map[string][]generate.State // what each job's card showed, in order
	last   map[string]generate.Job
	videos map[string]string // by nonce: the job's id
	gone   bool
	limit  int64   // bytes that it takes; a larger video is posted as a link
	refuse []error // of the next calls, cards and videos alike
	// noFiles says that uploads fail, busy that they come too early, and away
	// that everything fails.
	noFiles, busy, away bool
	why                 map[string]*generate.LinkError // by job: why its video is a link
	told                map[string]bool                // by job: its command was acknowledged
	slow                time.Duration                  // how long an upload takes
	posts               map[string]int                 // by job: how many videos were posted
	file                []byte                         // the last file
	// mute says that nobody can tell what was acknowledged.
	mute bool
	// unprepared are the errors of the next calls of Prepare.
	unprepared []error
	files      fakeFiles // that were given in it
}

func newFakeChannel() *fakeChannel {
	return &fakeChannel{
		cards: map[string][]generate.State{}, last: map[string]generate.Job{}, videos: map[string]string{}, limit: 1 << 20,
		why: map[string]*generate.LinkError{}, told: map[string]bool{}, posts: map[string]int{},
		files: fakeFiles{},
	}
}

func (c *fakeChannel) acknowledge(job string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told[job] = true
	return nil
}

// acknowledged reports whether the command of a job was.
func (c *fakeChannel) acknowledged(job string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.told[job]
}

func (c *fakeChannel) Acknowledged(_ context.Context, j generate.Job) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mute {
		return false, generate.ErrCannotTell
	}
	return c.told[j.ID], c.refusal()
}

func (c *fakeChannel) Prepare(_ context.Context, j generate.Job) (generate.Job, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.unprepared) > 0 {
		err := c.unprepared[0]
		c.unprepared = c.unprepared[1:]
		return j, err
	}
	j.Tiers = append(j.Tiers, "prepared")
	return j, nil
}

func (c *fakeChannel) Show(ctx context.Context, j generate.Job, keep generate.Keep) error {
	c.mu.Lock()
	if c.gone {
		c.mu.Unlock()
		return generate.ErrUnreachable
	}
	if err := c.refusal(); err != nil {
		c.mu.Unlock()
		return err
	}
	c.cards[j.ID] = append(c.cards[j.ID], j.State)
	c.last[j.ID] = j
	c.mu.Unlock()
	if j.Notes["card"] == "" {
		return keep(ctx, map[string]string{"card": "card-" + j.ID})
	}
	return nil
}

func (c *fakeChannel) Deliver(ctx context.Context, j generate.Job, v generate.Video, keep generate.Keep) (generate.Receipt, error) {
	c.mu.Lock()
	limit := c.limit
	c.mu.Unlock()
	f, err := v.Fetch(ctx, limit)
	var why *generate.LinkError
	if errors.As(err, &why) {
		f, err = generate.File{Name: v.Output.URL, Fit: generate.FitLink}, nil
	}
	if err != nil {
		return generate.Receipt{}, err
	}
	c.mu.Lock()
	slow := c.slow
	c.mu.Unlock()
	<-time.After(slow)
	if err := keep(ctx, map[string]string{"posting": "yes"}); err != nil {
		return generate.Receipt{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return generate.Receipt{}, generate.ErrUnreachable
	}
	if err := c.refusal(); err != nil {
		return generate.Receipt{}, err
	}
	if why == nil && c.noFiles {
		return generate.Receipt{}, errReply
	}
	if why == nil && c.busy {
		return generate.Receipt{}, &generate.RetryError{After: 4500 * time.Millisecond, Err: errReply}
	}
	c.videos[j.ID], c.why[j.ID] = f.Name, why
	c.posts[j.ID]++
	c.file, _ = os.ReadFile(f.Path)
	return generate.Receipt{Message: "video-" + j.ID, Fit: f.Fit, Mark: f.Mark, SHA256: f.SHA256}, nil
}

// refusal is the next error that was ordered, if any.
func (c *fakeChannel) refusal() error {
	if c.away {
		return errReply
	}
	if len(c.refuse) == 0 {
		return nil
	}
	err := c.refuse[0]
	c.refuse = c.refuse[1:]
	return err
}

// shown is what a job's card shows.
func (c *fakeChannel) shown(id string) generate.Job {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last[id]
}

func (c *fakeChannel) posted() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.videos)
}
