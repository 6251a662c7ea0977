package slack_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"ltxbot/bot"
	"ltxbot/bot/slack"
	"ltxbot/bot/text"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	sim "ltxbot/sim/slack"
	"ltxbot/store"
	"ltxbot/store/storetest"
)

// provider makes a video as soon as it is let.
type provider struct {
	mu      sync.Mutex
	submits int
	let     bool
}

func (p *provider) Submit(_ context.Context, o generate.JobRequest) (generate.Submission, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.submits++
	return generate.Submission{RequestID: "r-" + o.Job, Endpoint: o.Endpoint}, nil
}

func (p *provider) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.let = true
}

func (p *provider) Status(context.Context, generate.Submission) (generate.Status, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.let {
		return generate.Status{Phase: generate.PhaseComplete, Position: -1, Percent: -1, Seconds: 40}, nil
	}
	return generate.Status{Phase: generate.PhaseRunning, Position: -1, Percent: 40}, nil
}

func (p *provider) Watch(ctx context.Context, s generate.Submission) iter.Seq2[generate.Status, error] {
	return func(yield func(generate.Status, error) bool) {
		status, err := p.Status(ctx, s)
		yield(status, err)
	}
}

func (p *provider) Result(_ context.Context, s generate.Submission) (generate.Result, error) {
	return generate.Result{Output: ltx.Output{URL: "https://v3.fal.media/" + s.RequestID + ".mp4", ContentType: "video/mp4"}}, nil
}

func (p *provider) Cancel(context.Context, generate.Submission) (generate.CancelOutcome, error) {
	return generate.CancelRequested, nil
}

func (p *provider) Find(context.Context, generate.JobRequest, time.Time, time.Time) ([]generate.Submission, error) {
	return nil, nil
}

func (p *provider) Open(context.Context, string, int64) (generate.Media, error) {
	return generate.Media{Body: io.NopCloser(strings.NewReader(content)), Size: int64(len(content)), ContentType: "video/mp4"}, nil
}

func (p *provider) Upload(context.Context, string, string, io.ReaderAt, int64) (string, error) {
	return "", errors.New("no file is given here")
}

// process is the bot with the real engine, on a store that outlives it.
type process struct {
	engine *generate.Engine
	store  *store.Store
	bot    *slack.Bot
}

// begin starts a process on the stage.
func (s *stage) begin(path string, n int, p *provider, quotas quota.Policy) *process {
	s.t.Helper()
	store, err := storetest.OpenFile(path, storetest.Options{Limits: storetest.Limits(func() quota.Policy { return quotas })})
	if err != nil {
		s.t.Fatal(err)
	}
	couriers := map[string]generate.Courier{}
	engine := generate.New(generate.Config{
		Store: store, Ledger: store, Provider: p, Couriers: couriers,
		Media:  generate.MediaConfig{Dir: s.t.TempDir(), MaxBytes: 1 << 20},
		Policy: func() quota.Policy { return quotas }, Price: func(string) ltx.Price { return ltx.Price{Unit: ltx.Megapixel, USD: 0.001805} }, GiveUp: 2 * time.Hour,
		Deadline: 20 * time.Minute, Grace: 3 * time.Minute, Owner: fmt.Sprint("process-", n),
		Logger: slog.New(slog.NewTextHandler(s.log, nil)), CardPace: 100 * time.Millisecond,
	})
	service := bot.New(bot.Config{
		Generator: engine, Command: "/ltx", Catalog: text.BuiltInCatalog(), Rules: rules, Usage: engine.Usage,
	})
	s.t.Cleanup(service.Stop)
	s.cfg.Service, s.cfg.Now = service, time.Now
	b, err := slack.New(s.cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	couriers["slack"] = b.Courier()
	if err := engine.Start(s.ctx); err != nil {
		s.t.Fatal(err)
	}
	if err := b.Start(s.ctx); err != nil {
		s.t.Fatal(err)
	}
	s.connected(2)
	return &process{engine: engine, store: store, bot: b}
}

// end stops a process; a killed one saves nothing more.
func (p *process) end(t *testing.T, kill bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 30*time.Second)
	defer cancel()
	if err := p.bot.Stop(ctx); err != nil {
		t.Error(err)
	}
	if kill {
		cancel()
	}
	_ = p.engine.Stop(ctx) // a killed one says that it was
	if err := p.store.Close(); err != nil {
		t.Error(err)
	}
}

func TestAJobSurvivesAKillOfTheProcess(t *testing.T) {
	t.Parallel()
	s := prepareStage(t, quietSim())
	path, p := t.TempDir()+"/ltx.db", &provider{}
	first := s.begin(path, 1, p, quota.Policy{})
	s.slash(s.ann, s.general, cowboy)
	card := s.reads(s.general, func(m sim.Message) bool { return strings.Contains(m.Text, "40 %") })
	first.end(t, true)
	s.connected(0)
	p.release()
	second := s.begin(path, 2, p, quota.Policy{})
	defer second.end(t, false)
	done := s.reads(s.general, func(m sim.Message) bool { return m.TS == card.TS && strings.HasPrefix(m.Text, "Done") })
	if len(videos(s.general)) != 1 || len(fromBot(s.general)) != 3 || p.submits != 1 {
		t.Errorf("%d submits, messages: %s", p.submits, texts(s.general))
	}
	if !strings.Contains(string(blocksJSON(t, done)), "/archives/C0GENERAL1/p") {
		t.Error("the card has no link to the video")
	}
	s.slash(s.bob, s.general, "jobs")
	s.whisper(s.bob, s.general, "You have no videos yet")
	s.slash(s.ann, s.general, "jobs")
	s.whisper(s.ann, s.general, "Recent")
}

func TestNoMoneyIsSpentForAChannelThatTakesNoCard(t *testing.T) {
	t.Parallel()
	s := prepareStage(t, quietSim())
	p := &provider{}
	run := s.begin(t.TempDir()+"/ltx.db", 1, p, quota.Policy{Member: quota.Limits{Windows: []quota.WindowLimit{{Window: quota.Day, Videos: 1}}}})
	defer run.end(t, false)
	secret := s.ws.AddChannel(sim.ChannelSpec{Name: "secret", Kind: sim.Private, Members: []*sim.User{s.ann}})
	s.slash(s.ann, secret, cowboy)
	answer := s.whisper(s.ann, secret, "/invite")
	s.until("no job is unfinished", func() bool {
		jobs, err := run.engine.Jobs(s.ctx, generate.Query{Unfinished: true})
		return err == nil && len(jobs) == 0
	})
	if p.submits != 0 {
		t.Fatalf("%d submits", p.submits)
	}
	// The quota was given back, so that the offer can be taken.
	p.release()
	s.click(s.ann, answer, "Send it to me in a direct message")
	s.reads(s.ann.DM(), func(m sim.Message) bool { return strings.HasPrefix(m.Text, "Done") })
	if len(videos(s.ann.DM())) != 1 || p.submits != 1 {
		t.Errorf("%d submits, direct messages: %s", p.submits, texts(s.ann.DM()))
	}
	s.slash(s.ann, s.general, cowboy)
	s.whisper(s.ann, s.general, "1 of your 1 video")
}
