package slack_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ltxbot/bot"
	"ltxbot/bot/adapter"
	"ltxbot/bot/adapter/adaptertest"
	"ltxbot/bot/command"
	"ltxbot/bot/slack"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/internal/leak"
	"ltxbot/internal/parallel"
	"ltxbot/internal/until"
	sim "ltxbot/sim/slack"
)

// backoff is the program's pause after the first try of a call.
var backoff time.Duration

func TestMain(m *testing.M) {
	parallel.AtLeast(16) // they wait for the simulator
	backoff = slack.ShortenBackoff()
	leak.Verify(m)
}

func TestACallIsTriedAgainAfterAMoment(t *testing.T) {
	t.Parallel()
	if want := 200 * time.Millisecond; backoff != want {
		t.Errorf("the first pause is %s, want %s", backoff, want)
	}
}

// A stage is a workspace with a channel and people, and the bot.
type stage struct {
	t       *testing.T
	ctx     context.Context //nolint:containedctx // the test's own, with a deadline
	sim     *sim.Server
	ws      *sim.Workspace
	general *sim.Channel // public, with the bot
	ann     *sim.User
	bob     *sim.User
	engine  *adaptertest.Engine
	files   *adaptertest.Files
	bot     *slack.Bot
	cfg     slack.Config
	log     *adaptertest.Log
}

// quick is the timing of the bot in tests.
var quick = slack.Timing{Reconnect: 10 * time.Millisecond, Settle: 20 * time.Millisecond}

// A handClock is a clock of the bot that only moves when the test says so: what
// is compared with it does not depend on how fast the test is.
type handClock struct {
	began  time.Time
	passed atomic.Int64
}

func newHandClock() *handClock { return &handClock{began: time.Now()} }

func (c *handClock) now() time.Time { return c.began.Add(time.Duration(c.passed.Load())) }

func (c *handClock) advance(d time.Duration) { c.passed.Add(int64(d)) }

// appScopes are the scopes of the app as its manifest asks for them.
func appScopes(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, s := range slack.Scopes() {
		out = append(out, s.Name)
	}
	return out
}

// newStage starts a simulator and a bot that is connected to it.
func newStage(t *testing.T, change ...func(*slack.Config)) *stage {
	t.Helper()
	return newStageWith(t, quietSim(), change...)
}

func newStageWith(t *testing.T, opts sim.Options, change ...func(*slack.Config)) *stage {
	t.Helper()
	s := prepareStage(t, opts, change...)
	s.start()
	return s
}

// prepareStage is newStage without starting the bot. A busy machine has longer than
// three seconds to answer.
func prepareStage(t *testing.T, opts sim.Options, change ...func(*slack.Config)) *stage {
	t.Helper()
	opts.AnswerWithin = 30 * time.Second
	if opts.ShareDelay == 0 {
		opts.ShareDelay = 5 * time.Millisecond
	}
	if opts.PingInterval == 0 {
		opts.PingInterval = time.Second
	}
	if opts.App.Scopes == nil {
		opts.App.Scopes = appScopes(t)
	}
	opts.App.Events = slack.BotEvents()
	opts.App.Shortcuts = []sim.Shortcut{{CallbackID: slack.ShortcutGlobal}, {CallbackID: slack.ShortcutMessage, Message: true}}
	server, err := sim.Start(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	s := &stage{t: t, ctx: ctx, sim: server, engine: adaptertest.NewEngine(), files: &adaptertest.Files{}, log: &adaptertest.Log{}}
	s.ws = server.AddWorkspace(sim.WorkspaceSpec{ID: "T0ACME0001"})
	s.ann = s.ws.AddUser(sim.UserSpec{ID: "U0ANN00001", Name: "ann"})
	s.bob = s.ws.AddUser(sim.UserSpec{ID: "U0BOB00001", Name: "bob"})
	s.general = s.ws.AddChannel(sim.ChannelSpec{ID: "C0GENERAL1", Name: "general", Members: []*sim.User{s.ann, s.bob, s.ws.Bot()}})
	shelves, withLibrary := adaptertest.Library(rules(""), command.ParseOptions, s.files)
	service := bot.New(bot.Config{
		Generator: s.engine, Command: "/ltx", Catalog: text.BuiltInCatalog(), Rules: withLibrary, Library: shelves, LoRAs: s.files, Uploads: s.files,
		Usage: func(context.Context, quota.Asker) ([]quota.Gauge, error) { return nil, nil },
		Evidence: func(_ context.Context, path string) (generate.Evidence, error) {
			b, err := os.ReadFile(path)
			return generate.Evidence{SHA256: "of " + string(b)}, err
		},
	})
	t.Cleanup(service.Stop)
	s.cfg = slack.Config{
		BotToken: s.ws.BotToken(), AppToken: server.AppToken(), SigningSecret: server.SigningSecret(),
		APIURL: server.APIURL(), Service: service, Timing: quick,
		Config: adapter.Config{
			Version: "1.0", Now: server.Now,
			Logger: slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		},
	}
	for _, c := range change {
		c(&s.cfg)
	}
	s.bot = s.newBot()
	t.Cleanup(func() { s.noSecrets() })
	return s
}

// rules draw the same seed each time.
func rules(string) ltx.Rules { return ltx.Rules{Seed: func() int64 { return 7 }} }

// newBot makes a bot of the stage's config, as after a restart.
func (s *stage) newBot() *slack.Bot {
	s.t.Helper()
	b, err := slack.New(s.cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	s.engine.Courier = b.Courier()
	s.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.t.Context()), 30*time.Second)
		defer cancel()
		if err := b.Stop(ctx); err != nil {
			s.t.Errorf("stop: %v", err)
		}
	})
	return b
}

func (s *stage) start() {
	s.t.Helper()
	s.check("start", s.bot.Start(s.ctx))
	if s.cfg.Mode == slack.HTTP {
		return
	}
	s.connected(2)
}

// stop stops the bot and waits until Slack has noticed: what it sends to a
// connection that has just been closed is lost.
func (s *stage) stop() {
	s.t.Helper()
	s.check("stop", s.bot.Stop(s.ctx))
	s.connected(0)
}

// restart puts a new bot in the place of the old one.
func (s *stage) restart() {
	s.t.Helper()
	s.stop()
	s.bot = s.newBot()
	s.start()
}

// until waits for something that the simulator does not tell of.
func (s *stage) until(what string, done func() bool) {
	s.t.Helper()
	until.True(s.t, what, done, s.log.String)
}

// noSecrets looks for what must not be in the log.
func (s *stage) noSecrets() {
	log := s.log.String()
	for _, secret := range []string{s.cfg.BotToken, s.cfg.AppToken, s.cfg.SigningSecret, "/commands/", "/actions/", "/upload/", "ticket="} {
		if secret != "" && strings.Contains(log, secret) {
			s.t.Errorf("the log holds a secret or its place: %q", secret)
		}
	}
	if strings.Contains(log, "cowboy") {
		s.t.Error("the log holds a prompt")
	}
}

const cowboy = "a cowboy walks through a dusty town camera:dolly_in"

// ask lets ann type a command that makes a video, and returns its job.
func (s *stage) ask(line string) generate.Job {
	s.t.Helper()
	s.slash(s.ann, s.general, line)
	return s.job()
}

// shown is ask for a job whose card shows a state.
func (s *stage) shown(line string, state generate.State) generate.Job {
	s.t.Helper()
	j := s.ask(line)
	s.mustShow(j.ID, state)
	return j
}

// job waits for the next job.
func (s *stage) job() generate.Job {
	s.t.Helper()
	select {
	case j := <-s.engine.Accepted:
		return j
	case <-time.After(time.Minute):
		s.t.Fatalf("no job was accepted; log:\n%s", s.log.String())
	}
	return generate.Job{}
}

// wantJobs checks how many jobs were accepted.
func (s *stage) wantJobs(n int) {
	s.t.Helper()
	if got := s.engine.Count(); got != n {
		s.t.Errorf("%d jobs, want %d", got, n)
	}
}

// show makes the card show a job in a state.
func (s *stage) show(id string, state generate.State) error {
	j := s.engine.Put(id, func(j *generate.Job) { j.State = state })
	return s.bot.Courier().Show(s.ctx, j, s.engine.Keep(id))
}

func (s *stage) mustShow(id string, state generate.State) {
	s.t.Helper()
	if err := s.show(id, state); err != nil {
		s.t.Fatalf("show %s: %v\nlog:\n%s", state, err, s.log.String())
	}
}

// content is the video that tests deliver.
const content = "\x00\x00\x00\x18ftypmp42 a video"

// deliver delivers a video.
func (s *stage) deliver(id string) (generate.Receipt, error) {
	j := s.engine.Put(id, func(j *generate.Job) { j.State = generate.Delivering })
	r, err := one(s.bot.Courier().Deliver(s.ctx, j, []generate.Video{s.video(j)}, s.engine.Keep(id)))
	if err != nil {
		return r, err
	}
	return r, s.engine.Keep(id)(s.ctx, r.Notes) // as the engine does
}

func (s *stage) mustDeliver(id string) generate.Receipt {
	s.t.Helper()
	r, err := s.deliver(id)
	if err != nil {
		s.t.Fatalf("deliver: %v\nlog:\n%s", err, s.log.String())
	}
	return r
}

// deliverAtLast delivers a video as the engine does: again and again.
func (s *stage) deliverAtLast(id string) (receipt generate.Receipt) {
	s.t.Helper()
	s.atLast("deliver", func() (err error) {
		receipt, err = s.deliver(id)
		return err
	})
	return receipt
}

// showAtLast shows a job as the engine does: again and again.
func (s *stage) showAtLast(id string, state generate.State) {
	s.t.Helper()
	s.atLast("show "+string(state), func() error { return s.show(id, state) })
}

// atLast tries something until it works, and lets the time pass in between
// that the bot asks for.
func (s *stage) atLast(what string, try func() error) {
	s.t.Helper()
	var err error
	for range 20 {
		if err = try(); err == nil {
			return
		}
		pause := time.Second
		if retry := retryOf(err); retry != nil {
			pause = retry.After
		}
		s.sim.Advance(pause)
	}
	s.t.Fatalf("%s: %v\nlog:\n%s", what, err, s.log.String())
}

// video is a small video.
func (s *stage) video(j generate.Job) generate.Video {
	return generate.Video{
		Job: j, Output: ltx.Output{URL: "https://v3.fal.media/files/b/" + j.ID + ".mp4"},
		Fetch: func(context.Context, int64) (generate.File, error) {
			path := filepath.Join(s.t.TempDir(), "video")
			err := os.WriteFile(path, []byte(content), 0o600)
			return generate.File{
				Path: path, Name: "ltx-" + j.ID + ".mp4", Size: int64(len(content)), ContentType: "video/mp4", Fit: generate.FitOriginal,
				Mark: generate.MarkWritten, SHA256: "0a1b",
			}, err
		},
	}
}

// notes are those of a job.
func (s *stage) notes(id string) map[string]string {
	s.t.Helper()
	j, err := s.engine.Job(s.ctx, id)
	if err != nil {
		s.t.Fatal(err)
	}
	return j.Notes
}

// fromBot are the messages of the bot in a channel that everybody sees.
func fromBot(ch *sim.Channel) []sim.Message {
	return slices.DeleteFunc(ch.Messages(), func(m sim.Message) bool { return !m.FromApp || m.EphemeralTo != "" })
}

// videos are the messages of a channel that carry a video.
func videos(ch *sim.Channel) []sim.Message {
	return slices.DeleteFunc(fromBot(ch), func(m sim.Message) bool { return len(m.Files) == 0 })
}

// results are the messages of a channel that have the buttons of a video.
func results(ch *sim.Channel, id string) []sim.Message {
	return slices.DeleteFunc(fromBot(ch), func(m sim.Message) bool {
		_, ok := m.Blocks.Button(view.ButtonID(view.ActDelete, id))
		return !ok
	})
}

// whisper waits for the next message that only u sees and that says something.
func (s *stage) whisper(u *sim.User, ch *sim.Channel, says string) sim.Message {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, time.Minute)
	defer cancel()
	m, err := ch.WaitMessage(ctx, func(m sim.Message) bool {
		return m.EphemeralTo == u.ID() && strings.Contains(m.Text+m.Blocks.Text(), says)
	})
	if err != nil {
		s.t.Fatalf("nobody told %s %q; log:\n%s\nmessages: %s", u.Name(), says, s.log.String(), texts(ch))
	}
	return m
}

// texts is what is said in a channel, for failures.
func texts(ch *sim.Channel) string {
	var out []string
	for _, m := range ch.Messages() {
		out = append(out, m.Text)
	}
	return strings.Join(out, "\n")
}

// one is the receipt of the only video.
func one(receipts []generate.Receipt, err error) (generate.Receipt, error) {
	if len(receipts) != 1 {
		return generate.Receipt{}, err
	}
	return receipts[0], err
}
