package generate_test

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/core/usd"
	"ltxbot/internal/need"
	"ltxbot/store"
	"ltxbot/store/kv/mem"
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
	records  *mem.Database     // that a developer's run has in place of the file at path
	maxStore int64             // size of the file at which writes are refused; 0 = no limit
	courier  generate.Courier  // nil = channel
	asked    generate.Provider // nil = provider
	deadline time.Duration     // 0 = 20 minutes
	// billFailures charges what the provider may bill.
	billFailures bool
	off          bool                                    // the platform is switched off
	dir          string                                  // of videos under way
	refuses      func(ltx.Request, []string) ltx.Invalid // nil = everybody may
	purger       generate.Purger                         // nil = the bot may not delete copies
	fitter       generate.Fitter                         // nil = there is no ffmpeg
	marker       generate.Marker                         // nil = nothing is marked
	maxBytes     int64                                   // of a download
	files        fakeFiles                               // that links lead to
	frames       generate.Frames                         // nil = there is no ffmpeg
	archive      *fakeArchive                            // nil = there is none
	// unread says that no job is received, so that nobody has to look for some.
	unread atomic.Bool
	// worn, if set, stands between each process and its store.
	worn func(generate.Store) generate.Store
}

func newWorld(t *testing.T) *world {
	return &world{
		t: t, path: t.TempDir() + "/ltx.db", dir: t.TempDir(), maxBytes: 1 << 20, records: mem.New(nil),
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

// mustSubmit is submit where nothing is in the way.
func (p *process) mustSubmit(t *testing.T, a generate.Ask) generate.Job {
	t.Helper()
	j, err := p.submit(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// accept makes job n, and returns its id.
func (p *process) accept(t *testing.T, n int) string {
	t.Helper()
	return p.mustSubmit(t, ask(t, n)).ID
}

// cancel lets the requester stop a job.
func (p *process) cancel(t *testing.T, id string) {
	t.Helper()
	if _, err := p.engine.Cancel(t.Context(), id, "test:1"); err != nil {
		t.Fatal(err)
	}
}

// arrived tells the process that the provider has ended a job, as a webhook does.
func (p *process) arrived(t *testing.T, w *world, id string) {
	t.Helper()
	if err := p.engine.Arrived(t.Context(), id, w.provider.requestOf(t, id)); err != nil {
		t.Fatal(err)
	}
}

// readJob reads a job, which must be there.
func (p *process) readJob(t *testing.T, id string) generate.Job {
	t.Helper()
	j, err := p.store.Job(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// run starts a process that nothing kills before the test ends.
func (w *world) run() *process {
	w.t.Helper()
	p := w.start(crashAt(0))
	w.t.Cleanup(func() { p.kill(w.t) })
	return p
}

// start begins a process that dies at a point of the crasher.
func (w *world) start(c *crasher) *process {
	w.t.Helper()
	limits := storetest.Limits(func() quota.Policy { return w.policy })
	if w.maxStore == 0 && need.Quick() {
		return w.join(store.New(w.records.Open(), store.Options{Logger: slog.New(slog.DiscardHandler), Limits: limits}), c)
	}
	return w.join(storetest.File(w.t, w.path, storetest.Options{MaxBytes: w.maxStore, Limits: limits}), c)
}

// join begins a process that shares a store with others.
func (w *world) join(store *store.Store, c *crasher) *process {
	w.t.Helper()
	var records generate.Store = heedfulStore{store, &w.unread}
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
	var copies generate.CopyConfig
	if w.archive != nil {
		copies = generate.CopyConfig{Files: crashArchive{w.archive, c}, Queue: crashQueue{store, c}, Observe: w.archive.observe}
	}
	w.starts++
	ctx, die := context.WithCancel(context.Background())
	engine := generate.New(generate.Config{
		Store:    crashStore{records, c},
		Ledger:   store,
		Provider: crashProvider{asked, c},
		Couriers: couriers,
		Purger:   w.purger,
		Refuses:  w.refuses,
		Media:    generate.MediaConfig{Dir: w.dir, MaxBytes: w.maxBytes, Fitter: w.fitter, Marker: w.marker},
		Inputs: generate.InputConfig{
			Links: crashLinks{w.files, c}, Inspector: fakeInspector{}, Frames: w.frames,
			MaxBytes: generate.InputSizes{Picture: 1 << 20, Sound: 2 << 20, Clip: 3 << 20},
		},
		Copies: copies,
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

// heedfulStore looks for received jobs only while there may be some. The engine
// asks every two seconds, and there are none in most of a test's hours.
type heedfulStore struct {
	generate.Store
	unread *atomic.Bool
}

func (s heedfulStore) Record(ctx context.Context, j generate.Job) (generate.Job, error) {
	defer s.unread.Store(false)
	return s.Store.Record(ctx, j)
}

func (s heedfulStore) Jobs(ctx context.Context, q generate.Query) ([]generate.Job, error) {
	if q.State == generate.Received {
		if s.unread.Swap(true) {
			return nil, nil
		}
		if all, err := s.Store.Jobs(ctx, generate.Query{State: q.State}); err != nil || len(all) > 0 {
			s.unread.Store(false)
		}
	}
	return s.Store.Jobs(ctx, q)
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

// virtual is a subtest in virtual time.
func virtual(test func(t *testing.T)) func(t *testing.T) {
	return func(t *testing.T) { synctest.Test(t, test) }
}

// elapse lets virtual time pass, and what happens then end; it is for use in a
// synctest bubble only.
func elapse(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}
