package generate_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

// fakeProvider makes videos in virtual time.
type fakeProvider struct {
	mu        sync.Mutex
	jobs      map[string]*fakeJob // by request id
	submits   map[string]int      // by job id
	queue     time.Duration
	run       time.Duration
	fail      *generate.ProviderError            // of every result
	failOf    map[string]*generate.ProviderError // of the results of these jobs
	submitErr []error                            // of the next submits, before anything happened
	loseReply bool                               // of the next submit, after it was taken
	cancelErr error                              // of every cancel
	loseAll   bool                               // the replies of all submits
	hidden    bool                               // the history shows nothing
	media     string
	answer    time.Duration    // how long the reply to a submit takes
	stubborn  bool             // completes what it was asked to stop
	forgetful bool             // has no result any more once it is asked for
	cut       int              // downloads that break off in the middle
	opened    int              // downloads that were begun
	openErr   error            // of every download
	lost      map[string]error // of the downloads of these jobs' videos
	drip      time.Duration    // a download brings dripBytes each so long
	dripBytes int              // 0 = 1
	places    chan struct{}    // holds one for each download under way; nil = there is no limit
	busiest   int              // most jobs that it had at a time

	statusErr error // of every status
	resultErr error // of every result
	results   int   // how often a result was asked for
	statuses  int   // how often a status was asked for
	failed    bool  // says so with a complete status
	chatty    bool  // its stream repeats that the job runs
	hasty     bool  // its stream says at once that the job is done, with an error
	units     float64
	findErr   error // of every search
	endedOnly bool  // the history shows requests that have ended only
	searches  []time.Time

	uploads   []upload
	uploadErr []error       // of the next uploads
	uploading time.Duration // how long an upload takes
}

type fakeJob struct {
	asked     generate.JobRequest
	at        time.Time
	cancelled bool
	ran       time.Duration // until it was cancelled
}

func newFakeProvider() *fakeProvider {
	return &fakeProvider{
		jobs: map[string]*fakeJob{}, submits: map[string]int{},
		units: 70, queue: 5 * time.Second, run: 40 * time.Second, media: "\x00\x00\x00\x18ftypmp42 a video",
	}
}

var errReply = errors.New("connection reset")

func (p *fakeProvider) Submit(ctx context.Context, o generate.JobRequest) (generate.Submission, error) {
	s, err := p.take(o)
	select {
	case <-time.After(p.answer):
		return s, err
	case <-ctx.Done():
		return generate.Submission{}, ctx.Err()
	}
}

// take takes in a submit, before it is answered.
func (p *fakeProvider) take(o generate.JobRequest) (generate.Submission, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.submitErr) > 0 {
		err := p.submitErr[0]
		p.submitErr = p.submitErr[1:]
		return generate.Submission{}, err
	}
	p.submits[o.Job]++
	id := fmt.Sprintf("request-%s-%d", o.Job, p.submits[o.Job])
	p.jobs[id] = &fakeJob{asked: o, at: time.Now()}
	there := 0
	for _, j := range p.jobs {
		if !j.cancelled && time.Since(j.at) < p.queue+p.run {
			there++
		}
	}
	p.busiest = max(p.busiest, there)
	if p.loseReply || p.loseAll {
		p.loseReply = false
		return generate.Submission{}, errReply
	}
	return generate.Submission{RequestID: id, Endpoint: o.Endpoint}, nil
}

func (p *fakeProvider) Status(_ context.Context, s generate.Submission) (generate.Status, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.statuses++
	if p.statusErr != nil {
		return generate.Status{}, p.statusErr
	}
	return p.status(s)
}

func (p *fakeProvider) status(s generate.Submission) (generate.Status, error) {
	j, ok := p.jobs[s.RequestID]
	if !ok {
		return generate.Status{}, generate.ErrGone
	}
	switch age := time.Since(j.at); {
	case j.cancelled:
		return generate.Status{Phase: generate.PhaseComplete, Position: -1, Percent: -1, Seconds: j.ran.Seconds()}, nil
	case age >= p.queue+p.run:
		return generate.Status{Phase: generate.PhaseComplete, Position: -1, Percent: 100, Seconds: p.run.Seconds(), Failed: p.failed}, nil
	case age >= p.queue:
		return generate.Status{Phase: generate.PhaseRunning, Position: -1, Percent: int(100 * (age - p.queue) / p.run)}, nil
	default:
		return generate.Status{Phase: generate.PhaseQueued, Position: 1, Percent: -1}, nil
	}
}

func (p *fakeProvider) Watch(ctx context.Context, s generate.Submission) iter.Seq2[generate.Status, error] {
	return func(yield func(generate.Status, error) bool) {
		for {
			p.mu.Lock()
			st, err := p.status(s)
			if p.chatty {
				st, err = generate.Status{Phase: generate.PhaseRunning, Position: -1, Percent: 10}, nil
			}
			if p.hasty {
				st, err = generate.Status{Phase: generate.PhaseComplete, Position: -1, Percent: -1, Failed: true}, nil
			}
			p.mu.Unlock()
			if err != nil || !yield(st, nil) || st.Phase == generate.PhaseComplete {
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(4 * time.Second):
			}
		}
	}
}

func (p *fakeProvider) Result(_ context.Context, s generate.Submission) (generate.Result, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	j, ok := p.jobs[s.RequestID]
	p.results++
	switch {
	case p.resultErr != nil:
		return generate.Result{}, p.resultErr
	case !ok, p.forgetful:
		return generate.Result{}, generate.ErrGone
	case j.cancelled:
		return generate.Result{}, &generate.ProviderError{Op: "result", Kind: generate.FailCancelled, HTTPStatus: 499}
	case time.Since(j.at) < p.queue+p.run:
		return generate.Result{}, generate.ErrNotReady
	case p.fail != nil:
		return generate.Result{}, p.fail
	case p.failOf[j.asked.Job] != nil:
		return generate.Result{}, p.failOf[j.asked.Job]
	}
	return generate.Result{Output: ltx.Output{URL: "https://media.test/" + s.RequestID}, BillableUnits: p.units}, nil
}

func (p *fakeProvider) Cancel(_ context.Context, s generate.Submission) (generate.CancelOutcome, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	j, ok := p.jobs[s.RequestID]
	switch {
	case p.cancelErr != nil:
		return "", p.cancelErr
	case !ok:
		return generate.CancelUnknown, nil
	case j.cancelled || time.Since(j.at) >= p.queue+p.run:
		return generate.CancelTooLate, nil
	}
	j.cancelled, j.ran = !p.stubborn, max(0, time.Since(j.at)-p.queue)
	return generate.CancelRequested, nil
}

func (p *fakeProvider) Find(_ context.Context, o generate.JobRequest, since, until time.Time) ([]generate.Submission, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.searches = append(p.searches, time.Now())
	if p.findErr != nil {
		return nil, p.findErr
	}
	var found []generate.Submission
	for id, j := range p.jobs {
		if !p.hidden && (!p.endedOnly || time.Since(j.at) >= p.queue+p.run) && j.asked.Request.Seed() == o.Request.Seed() && j.asked.Request.Prompt() == o.Request.Prompt() && slices.Equal(j.asked.Request.LoRAs(), o.Request.LoRAs()) && !j.at.Before(since) && !j.at.After(until) {
			found = append(found, generate.Submission{RequestID: id, Endpoint: o.Endpoint})
		}
	}
	slices.SortFunc(found, func(a, b generate.Submission) int { return strings.Compare(a.RequestID, b.RequestID) })
	return found, nil
}

func (p *fakeProvider) Open(ctx context.Context, url string, offset int64) (generate.Media, error) {
	leave := func() {}
	if p.places != nil {
		select {
		case p.places <- struct{}{}:
			leave = func() { <-p.places }
		case <-ctx.Done():
			return generate.Media{}, ctx.Err()
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opened++
	if p.openErr != nil {
		leave()
		return generate.Media{}, p.openErr
	}
	if made, ok := p.jobs[path.Base(url)]; ok && p.lost[made.asked.Job] != nil {
		leave()
		return generate.Media{}, p.lost[made.asked.Job]
	}
	rest := p.media[offset:]
	if p.cut > 0 {
		p.cut--
		rest = rest[:len(rest)/2]
	}
	body := fakeBody{ctx, p.drip, max(1, p.dripBytes), strings.NewReader(rest), leave}
	return generate.Media{Body: body, Offset: offset, Size: int64(len(p.media)), ContentType: "video/mp4"}, nil
}

// fakeBody is the rest of a video; each so long it brings so many bytes.
type fakeBody struct {
	ctx   context.Context //nolint:containedctx // of the download
	every time.Duration   // 0 = all at once
	bytes int
	io.Reader
	close func()
}

func (b fakeBody) Read(p []byte) (int, error) {
	if b.every == 0 {
		return b.Reader.Read(p)
	}
	select {
	case <-time.After(b.every):
		return b.Reader.Read(p[:min(b.bytes, len(p))])
	case <-b.ctx.Done():
		return 0, b.ctx.Err()
	}
}

func (b fakeBody) Close() error {
	b.close()
	return nil
}

// submitted is how often a job was submitted.
func (p *fakeProvider) submitted(job string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.submits[job]
}
