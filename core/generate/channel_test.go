package generate_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
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
	notices             map[string]int                 // by job: how often its requester was told how it ended, by itself
	slow                time.Duration                  // how long an upload takes
	posts               map[string]int                 // by job: how many videos were posted
	messages            map[string][]string            // by the job that posted it: the jobs whose videos are in it
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
		why: map[string]*generate.LinkError{}, told: map[string]bool{}, notices: map[string]int{}, posts: map[string]int{}, messages: map[string][]string{},
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

// Acknowledged can't tell any more where a card has taken the place of the
// acknowledgement: it looks like a command that was never acknowledged.
func (c *fakeChannel) Acknowledged(_ context.Context, j generate.Job) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mute {
		return false, generate.ErrCannotTell
	}
	return c.told[j.ID] && len(c.cards[j.ID]) == 0, c.refusal()
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

// Tell posts once, as a platform does.
func (c *fakeChannel) Tell(ctx context.Context, j generate.Job, keep generate.Keep) error {
	if j.Notes["noticed"] != "" {
		return nil
	}
	c.mu.Lock()
	if c.gone {
		c.mu.Unlock()
		return generate.ErrUnreachable
	}
	if err := c.refusal(); err != nil {
		c.mu.Unlock()
		return err
	}
	c.notices[j.ID]++
	c.mu.Unlock()
	return keep(ctx, map[string]string{"noticed": "yes"})
}

// noticed is how often somebody was told how a job ended, by itself.
func (c *fakeChannel) noticed(id string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.notices[id]
}

func (c *fakeChannel) Deliver(ctx context.Context, j generate.Job, videos []generate.Video, keep generate.Keep) ([]generate.Receipt, error) {
	c.mu.Lock()
	limit := c.limit
	c.mu.Unlock()
	files := make([]generate.File, len(videos))
	links := make([]*generate.LinkError, len(videos))
	file := false
	for i, v := range videos {
		f, err := v.Fetch(ctx, limit)
		if errors.As(err, &links[i]) {
			f, err = generate.File{Name: v.Output.URL, Fit: generate.FitLink}, nil
		}
		if err != nil {
			return nil, err
		}
		files[i], file = f, file || links[i] == nil
	}
	c.mu.Lock()
	slow := c.slow
	c.mu.Unlock()
	<-time.After(slow)
	if err := keep(ctx, map[string]string{"posting": "yes"}); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return nil, generate.ErrUnreachable
	}
	if err := c.refusal(); err != nil {
		return nil, err
	}
	if file && c.noFiles {
		return nil, errReply
	}
	if file && c.busy {
		return nil, &generate.RetryError{After: 4500 * time.Millisecond, Err: errReply}
	}
	receipts := make([]generate.Receipt, len(videos))
	first := c.messages[j.ID] == nil
	for i, v := range videos {
		f := files[i]
		receipts[i] = generate.Receipt{Message: "video-" + j.ID, Fit: f.Fit, Mark: f.Mark, SHA256: f.SHA256}
		if i == 0 {
			receipts[i].Notes = map[string]string{"receipt": "kept"}
		}
		if first {
			c.messages[j.ID] = append(c.messages[j.ID], v.Job.ID)
		}
		if !slices.Contains(c.messages[j.ID], v.Job.ID) {
			continue // the message is there already, without it
		}
		c.videos[v.Job.ID], c.why[v.Job.ID] = f.Name, links[i]
		c.posts[v.Job.ID]++
		c.file = contentOf(f)
	}
	return receipts, nil
}

// contentOf is what is in a file; nothing if there is none.
func contentOf(f generate.File) []byte {
	r, err := f.Open()
	if err != nil {
		return nil
	}
	defer func() { _ = r.Close() }()
	content, _ := io.ReadAll(r)
	return content
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
