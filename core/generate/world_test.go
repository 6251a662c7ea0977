package generate_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/core/usd"
	"ltxbot/store"
	"ltxbot/store/storetest"
)

// world is everything outside of the process: the provider, the channel and
// the disk. It goes on when the process dies.
type world struct {
	t        *testing.T
	path     string
	provider *fakeProvider
	channel  *fakeChannel
	policy   quota.Policy
	starts   int
	options  storetest.Options
	courier  generate.Courier  // nil = channel
	asked    generate.Provider // nil = provider
	deadline time.Duration     // 0 = 20 minutes
	// billFailures charges what the provider may bill.
	billFailures bool
	off          bool            // the platform is switched off
	dir          string          // of videos under way
	fitter       generate.Fitter // nil = there is no ffmpeg
	marker       generate.Marker // nil = nothing is marked
	maxBytes     int64           // of a download
	files        fakeFiles       // that links lead to
	frames       generate.Frames // nil = there is no ffmpeg
	// worn, if set, stands between each process and its store.
	worn func(generate.Store) generate.Store
}

func newWorld(t *testing.T) *world {
	return &world{
		t: t, path: t.TempDir() + "/ltx.db", dir: t.TempDir(), maxBytes: 1 << 20,
		provider: newFakeProvider(), channel: newFakeChannel(),
		files: fakeFiles{},
		policy: quota.Policy{
			Member: quota.Limits{JobsAtATime: 2, Windows: []quota.WindowLimit{
				{Window: quota.Day, Videos: 10}, {Window: quota.Month, USD: 10 * usd.Dollar},
			}},
			Waiting: 5,
		},
	}
}

// price is that of fal's endpoints with and without LoRA.
func price(endpoint string) ltx.Price {
	if strings.HasSuffix(endpoint, "/reframe") {
		return ltx.Price{Unit: ltx.InputSecond, USD: 0.2}
	}
	if endpoint == plainEndpoint {
		return ltx.Price{Unit: ltx.Megapixel, USD: 0.001605}
	}
	return ltx.Price{Unit: ltx.Megapixel, USD: 0.001805}
}

// plainEndpoint takes no LoRAs.
const plainEndpoint = "fal-ai/ltx-2.3-22b/text-to-video"

// process is one run of the program in the world.
type process struct {
	engine *generate.Engine
	store  *store.Store
	life   func() context.Context
	die    context.CancelFunc
	// acknowledge tells the requester that the command has arrived.
	acknowledge func(ctx context.Context, job string) error
}

// submit makes a job of a command, as a platform's adapter does.
func (p *process) submit(ctx context.Context, a generate.Ask) (generate.Job, error) {
	j, err := p.engine.Record(ctx, a)
	if err != nil {
		return j, err
	}
	if err := p.acknowledge(ctx, j.ID); err != nil {
		return j, err
	}
	if j, err = p.engine.Accept(ctx, j); err == nil && j.Failure.Refusal != nil {
		err = j.Failure.Refusal
	}
	return j, err
}

// start begins a process that dies at a point of the crasher.
func (w *world) start(c *crasher) *process {
	w.t.Helper()
	options := w.options
	options.Limits = storetest.Limits(func() quota.Policy { return w.policy })
	store, err := storetest.OpenFile(w.path, options)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.join(store, c)
}

// join begins a process that shares a store with others.
func (w *world) join(store *store.Store, c *crasher) *process {
	w.t.Helper()
	var records generate.Store = store
	if w.worn != nil {
		records = w.worn(records)
	}
	var courier generate.Courier = w.channel
	if w.courier != nil {
		courier = w.courier
	}
	var asked generate.Provider = w.provider
	if w.asked != nil {
		asked = w.asked
	}
	deadline := cmp.Or(w.deadline, 20*time.Minute)
	couriers := map[string]generate.Courier{"test": crashCourier{courier, c}}
	if w.off {
		couriers = nil
	}
	w.starts++
	ctx, die := context.WithCancel(context.Background())
	engine := generate.New(generate.Config{
		Store:    crashStore{records, c},
		Ledger:   store,
		Provider: crashProvider{asked, c},
		Couriers: couriers,
		Media:    generate.MediaConfig{Dir: w.dir, MaxBytes: w.maxBytes, Fitter: w.fitter, Marker: w.marker},
		Inputs: generate.InputConfig{
			Links: crashLinks{w.files, c}, Inspector: fakeInspector{}, Frames: w.frames,
			MaxBytes: generate.InputSizes{Picture: 1 << 20, Sound: 2 << 20, Clip: 3 << 20},
		},
		Policy: func() quota.Policy { return w.policy },
		Price:  price, BillFailures: w.billFailures,
		Deadline: deadline,
		Grace:    3 * time.Minute,
		GiveUp:   2 * time.Hour,
		Owner:    fmt.Sprintf("process-%d", w.starts),
	})
	if err := engine.Start(ctx); err != nil {
		w.t.Fatal(err)
	}
	return &process{
		engine: engine, store: store, life: func() context.Context { return ctx }, die: die,
		acknowledge: func(ctx context.Context, job string) error {
			_, err := around(ctx, c, "acknowledge", func() (struct{}, error) { return struct{}{}, w.channel.acknowledge(job) })
			return err
		},
	}
}

// kill ends the process without letting it save anything more.
func (p *process) kill(t *testing.T) {
	t.Helper()
	p.leave()
	if err := p.store.Close(); err != nil {
		t.Fatal(err)
	}
}

// leave ends a process that shares its store with others.
func (p *process) leave() {
	p.die()
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	_ = p.engine.Stop(gone)
}

// ask is a valid command, different for each n.
func ask(t *testing.T, n int, more ...ltx.Setting) generate.Ask {
	t.Helper()
	r, err := ltx.Rules{}.Parse(append([]ltx.Setting{
		{Key: "prompt", Value: fmt.Sprintf("a red canoe on a lake, take %d", n)},
		{Key: "seed", Value: strconv.Itoa(1000 + n)},
	}, more...))
	if err != nil {
		t.Fatal(err)
	}
	return generate.Ask{
		Event:   fmt.Sprintf("test:%d", n),
		Asker:   quota.Asker{Team: "team", Member: "test:1"},
		Place:   generate.Place{Platform: "test", Channel: "c", User: "1"},
		Request: r,
	}
}

// fakeProvider makes videos in virtual time.
type fakeProvider struct {
	mu        sync.Mutex
	jobs      map[string]*fakeJob // by request id
	submits   map[string]int      // by job id
	queue     time.Duration
	run       time.Duration
	fail      *generate.ProviderError // of every result
	submitErr []error                 // of the next submits, before anything happened
	loseReply bool                    // of the next submit, after it was taken
	cancelErr error                   // of every cancel
	loseAll   bool                    // the replies of all submits
	hidden    bool                    // the history shows nothing
	media     string
	answer    time.Duration // how long the reply to a submit takes
	stubborn  bool          // completes what it was asked to stop
	forgetful bool          // has no result any more once it is asked for
	cut       int           // downloads that break off in the middle
	opened    int           // downloads that were begun
	openErr   error         // of every download
	drip      time.Duration // a download brings dripBytes each so long
	dripBytes int           // 0 = 1
	places    chan struct{} // holds one for each download under way; nil = there is no limit
	busiest   int           // most jobs that it had at a time

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
	order     generate.Order
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

func (p *fakeProvider) Submit(ctx context.Context, o generate.Order) (generate.Submission, error) {
	s, err := p.take(o)
	select {
	case <-time.After(p.answer):
		return s, err
	case <-ctx.Done():
		return generate.Submission{}, ctx.Err()
	}
}

// take takes in a submit, before it is answered.
func (p *fakeProvider) take(o generate.Order) (generate.Submission, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.submitErr) > 0 {
		err := p.submitErr[0]
		p.submitErr = p.submitErr[1:]
		return generate.Submission{}, err
	}
	p.submits[o.Job]++
	id := fmt.Sprintf("request-%s-%d", o.Job, p.submits[o.Job])
	p.jobs[id] = &fakeJob{order: o, at: time.Now()}
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

func (p *fakeProvider) Find(_ context.Context, o generate.Order, since, until time.Time) ([]generate.Submission, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.searches = append(p.searches, time.Now())
	if p.findErr != nil {
		return nil, p.findErr
	}
	var found []generate.Submission
	for id, j := range p.jobs {
		if !p.hidden && (!p.endedOnly || time.Since(j.at) >= p.queue+p.run) && j.order.Request.Seed() == o.Request.Seed() && j.order.Request.Prompt() == o.Request.Prompt() && !j.at.Before(since) && !j.at.After(until) {
			found = append(found, generate.Submission{RequestID: id, Endpoint: o.Endpoint})
		}
	}
	slices.SortFunc(found, func(a, b generate.Submission) int { return strings.Compare(a.RequestID, b.RequestID) })
	return found, nil
}

func (p *fakeProvider) Open(ctx context.Context, _ string, offset int64) (generate.Media, error) {
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

// crasher kills the process at the n-th boundary between it and the world.
// Each boundary is there twice: before the effect, and after it with the
// answer lost.
type crasher struct {
	mu    sync.Mutex
	left  int // boundaries until the crash; 0 = none
	at    string
	dead  chan struct{}
	count int
	// gentle lets everything pass: dead only says that the boundary was
	// reached, for a process that is stopped there and not killed.
	gentle bool
}

func crashAt(n int) *crasher { return &crasher{left: n, dead: make(chan struct{})} }

func stopAt(n int) *crasher { return &crasher{left: n, dead: make(chan struct{}), gentle: true} }

// pass is called at each boundary. Once the process is dead, nothing passes.
func (c *crasher) pass(ctx context.Context, name string) error {
	c.mu.Lock()
	select {
	case <-c.dead:
		return c.block(ctx)
	default:
	}
	c.count++
	if c.left > 0 {
		if c.left--; c.left == 0 {
			c.at = name
			close(c.dead)
			return c.block(ctx)
		}
	}
	c.mu.Unlock()
	return nil
}

// block holds a dead process until it is buried. The caller holds mu.
func (c *crasher) block(ctx context.Context) error {
	c.mu.Unlock()
	if c.gentle {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

// around runs do between two boundaries.
func around[T any](ctx context.Context, c *crasher, name string, do func() (T, error)) (T, error) {
	var zero T
	if err := c.pass(ctx, "before "+name); err != nil {
		return zero, err
	}
	v, err := do()
	if err := c.pass(ctx, "after "+name); err != nil {
		return zero, err
	}
	return v, err
}

type crashStore struct {
	generate.Store
	c *crasher
}

func (s crashStore) Record(ctx context.Context, j generate.Job) (generate.Job, error) {
	return around(ctx, s.c, "record", func() (generate.Job, error) { return s.Store.Record(ctx, j) })
}

func (s crashStore) Accept(ctx context.Context, j generate.Job, plan quota.Plan) (generate.Job, error) {
	return around(ctx, s.c, "accept", func() (generate.Job, error) { return s.Store.Accept(ctx, j, plan) })
}

func (s crashStore) Save(ctx context.Context, j generate.Job, b quota.Billing) (generate.Job, error) {
	return around(ctx, s.c, "save "+string(j.State), func() (generate.Job, error) { return s.Store.Save(ctx, j, b) })
}

type crashProvider struct {
	generate.Provider
	c *crasher
}

func (p crashProvider) Submit(ctx context.Context, o generate.Order) (generate.Submission, error) {
	return around(ctx, p.c, "submit", func() (generate.Submission, error) { return p.Provider.Submit(ctx, o) })
}

func (p crashProvider) Result(ctx context.Context, s generate.Submission) (generate.Result, error) {
	return around(ctx, p.c, "result", func() (generate.Result, error) { return p.Provider.Result(ctx, s) })
}

func (p crashProvider) Cancel(ctx context.Context, s generate.Submission) (generate.CancelOutcome, error) {
	return around(ctx, p.c, "cancel", func() (generate.CancelOutcome, error) { return p.Provider.Cancel(ctx, s) })
}

func (p crashProvider) Upload(ctx context.Context, name, contentType string, body io.ReaderAt, size int64) (string, error) {
	return around(ctx, p.c, "upload", func() (string, error) { return p.Provider.Upload(ctx, name, contentType, body, size) })
}

type crashLinks struct {
	generate.Links
	c *crasher
}

func (l crashLinks) Open(ctx context.Context, link string, most int64) (generate.Media, error) {
	return around(ctx, l.c, "open", func() (generate.Media, error) { return l.Links.Open(ctx, link, most) })
}

type crashCourier struct {
	generate.Courier
	c *crasher
}

func (k crashCourier) Show(ctx context.Context, j generate.Job, keep generate.Keep) error {
	_, err := around(ctx, k.c, "show "+string(j.State), func() (struct{}, error) {
		return struct{}{}, k.Courier.Show(ctx, j, keep)
	})
	return err
}

func (k crashCourier) OpenInput(ctx context.Context, j generate.Job, m ltx.Media) (generate.Media, error) {
	return around(ctx, k.c, "open", func() (generate.Media, error) { return k.Courier.OpenInput(ctx, j, m) })
}

func (k crashCourier) Deliver(ctx context.Context, j generate.Job, v generate.Video, keep generate.Keep) (generate.Receipt, error) {
	return around(ctx, k.c, "deliver", func() (generate.Receipt, error) { return k.Courier.Deliver(ctx, j, v, keep) })
}

// elapse lets virtual time pass; it is for use in a synctest bubble only.
func elapse(d time.Duration) { <-time.After(d) }
