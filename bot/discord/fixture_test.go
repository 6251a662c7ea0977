package discord_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ltxbot/bot"
	"ltxbot/bot/adapter"
	"ltxbot/bot/adapter/adaptertest"
	"ltxbot/bot/command"
	"ltxbot/bot/discord"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/internal/parallel"
	sim "ltxbot/sim/discord"
)

// A stage is a guild with a channel and a person, and the bot.
type stage struct {
	t       *testing.T
	ctx     context.Context //nolint:containedctx // of one test, which is what a stage is for
	sim     *sim.Server
	guild   *sim.Guild
	general *sim.Channel
	ada     *sim.User
	engine  *adaptertest.Engine
	files   *adaptertest.Files
	bot     *discord.Bot
	cfg     discord.Config
	log     *adaptertest.Log
}

func TestMain(m *testing.M) {
	parallel.AtLeast(8) // they wait for the simulator
	m.Run()
}

// quick are the timeouts and pace of the gateway in tests.
var quick = discord.Timing{
	Handshake: 2 * time.Second, Identify: time.Millisecond,
	BackoffLeast: 5 * time.Millisecond, BackoffMost: 20 * time.Millisecond, Stable: time.Minute,
}

// newStage starts a simulator and a bot that is connected to it, with its
// commands registered.
func newStage(t *testing.T, change ...func(*discord.Config)) *stage {
	t.Helper()
	return newStageWith(t, unlimited, change...)
}

func newStageWith(t *testing.T, opts sim.Options, change ...func(*discord.Config)) *stage {
	t.Helper()
	s := prepareStage(t, opts, change...)
	s.start()
	return s
}

// prepareStage is newStage without starting the bot. A busy machine has longer than
// three seconds to answer.
func prepareStage(t *testing.T, opts sim.Options, change ...func(*discord.Config)) *stage {
	t.Helper()
	opts.AnswerWithin = 30 * time.Second
	server, err := sim.Start(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	s := &stage{t: t, ctx: ctx, sim: server, engine: adaptertest.NewEngine(), files: &adaptertest.Files{}, log: &adaptertest.Log{}}
	s.guild = server.NewGuild("Acme")
	s.general = s.guild.NewChannel("general")
	s.ada = server.NewUser("ada")
	s.guild.Join(s.ada)
	shelves, withLibrary := adaptertest.Library(ltx.Rules{Seed: func() int64 { return 7 }}, command.ParseOptions, s.files)
	service := bot.New(bot.Config{
		Generator: s.engine, Command: "/ltx", Catalog: text.BuiltInCatalog(),
		Rules: withLibrary, Library: shelves, LoRAs: s.files, Uploads: s.files,
		Usage: func(context.Context, quota.Asker) ([]quota.Gauge, error) { return nil, nil },
		Evidence: func(_ context.Context, path string) (generate.Evidence, error) {
			b, err := os.ReadFile(path)
			return generate.Evidence{SHA256: "of " + string(b)}, err
		},
	})
	s.cfg = discord.Config{
		Token: server.Token(), ApplicationID: server.ApplicationID(), PublicKey: server.PublicKey(),
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
	return s
}

// newBot makes a bot of the stage's config, as after a restart.
func (s *stage) newBot() *discord.Bot {
	s.t.Helper()
	b, err := discord.New(s.cfg)
	if err != nil {
		s.t.Fatal(err)
	}
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
	s.sync()
	s.check("start", s.bot.Start(s.ctx))
}

// restart puts a new bot in the place of the old one.
func (s *stage) restart() {
	s.t.Helper()
	s.check("stop", s.bot.Stop(s.ctx))
	s.bot = s.newBot()
	s.check("start", s.bot.Start(s.ctx))
}

// ask lets ada type a command that makes a video, and returns its job.
func (s *stage) ask(line string) generate.Job {
	s.t.Helper()
	return s.job(s.types(line))
}

// running is ask for a job whose card shows that it is being made.
func (s *stage) running(line string) generate.Job {
	s.t.Helper()
	j := s.ask(line)
	s.mustShow(j.ID, generate.Running)
	return j
}

// job waits for the job that an interaction makes.
func (s *stage) job(i *sim.Interaction) generate.Job {
	s.t.Helper()
	for {
		select {
		case j := <-s.engine.Accepted:
			if j.Notes["secret_token"] == i.Token() {
				return j
			}
		case <-s.ctx.Done():
			s.t.Fatalf("no job was accepted; log:\n%s", s.log.String())
		}
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
		s.t.Fatalf("show %s: %v", state, err)
	}
}

// deliver delivers a video of so many bytes.
func (s *stage) deliver(id string, size int64) (generate.Receipt, error) {
	j := s.engine.Put(id, func(j *generate.Job) { j.State = generate.Delivering })
	r, err := one(s.bot.Courier().Deliver(s.ctx, j, []generate.Video{s.video(j, size)}, s.engine.Keep(id)))
	if err != nil {
		return r, err
	}
	return r, s.engine.Keep(id)(s.ctx, r.Notes) // as the engine does
}

func (s *stage) mustDeliver(id string, size int64) generate.Receipt {
	s.t.Helper()
	r, err := s.deliver(id, size)
	if err != nil {
		s.t.Fatalf("deliver: %v\nlog:\n%s", err, s.log.String())
	}
	return r
}

// video is a video of so many bytes that can be made smaller down to a
// megabyte.
func (s *stage) video(j generate.Job, size int64) generate.Video {
	return generate.Video{
		Job: j, Output: ltx.Output{URL: "https://v3.fal.media/files/b/" + j.ID + ".mp4"},
		Fetch: func(_ context.Context, limit int64) (generate.File, error) {
			f := generate.File{
				Path: filepath.Join(s.t.TempDir(), "video"), Name: "ltx-" + j.ID + ".mp4", Size: size,
				ContentType: "video/mp4", Fit: generate.FitOriginal, Mark: generate.MarkWritten, SHA256: "0a1b",
			}
			if size > limit {
				if limit < 1<<20 {
					return generate.File{}, &generate.LinkError{Err: &generate.TooLargeError{Size: size, Limit: limit}}
				}
				f.Size, f.Fit = limit, generate.FitReencoded
			}
			out, err := os.Create(f.Path)
			if err != nil {
				return generate.File{}, err
			}
			defer out.Close()
			if _, err := out.WriteString("\x00\x00\x00\x18ftypmp42"); err != nil {
				return generate.File{}, err
			}
			return f, out.Truncate(f.Size)
		},
	}
}

// card is the message with a job's card, as ada sees it.
func (s *stage) card(j generate.Job) sim.Message {
	s.t.Helper()
	got := s.read(j.ID)
	m, ok := s.sim.Message(got.Notes["card"])
	if !ok {
		s.t.Fatal("there is no card")
	}
	return m
}

// videos are the messages of a channel that carry a job's video.
func videos(ch *sim.Channel, id string) []sim.Message {
	var out []sim.Message
	for _, m := range ch.Messages() {
		if _, ok := m.Button(view.ButtonID(view.ActDelete, id)); ok {
			out = append(out, m)
		}
	}
	return out
}

// wantVideos checks how many messages carry a job's video.
func (s *stage) wantVideos(id string, want int) {
	s.t.Helper()
	if got := len(videos(s.general, id)); got != want {
		s.t.Errorf("%d videos, want %d", got, want)
	}
}

// response waits for the message that answers an interaction.
func (s *stage) response(i *sim.Interaction) sim.Message {
	s.t.Helper()
	m, err := i.WaitResponse(s.ctx, func(m sim.Message) bool { return !m.Loading })
	if err != nil {
		s.t.Fatalf("wait for the answer: %v\nlog:\n%s", err, s.log.String())
	}
	return m
}

// api calls the simulator as an operator's own script does.
type api struct{ s *stage }

func apiOf(s *stage) api { return api{s} }

func (a api) patch(path, body string) { a.do(http.MethodPatch, path, body) }
func (a api) post(path, body string)  { a.do(http.MethodPost, path, body) }

func (a api) do(method, path, body string) {
	a.s.t.Helper()
	r, err := http.NewRequestWithContext(a.s.ctx, method, a.s.sim.APIURL()+"/v10"+path, strings.NewReader(body))
	if err != nil {
		a.s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bot "+a.s.sim.Token())
	r.Header.Set("User-Agent", "DiscordBot (https://example.org, 1)")
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		a.s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		text, _ := io.ReadAll(resp.Body)
		a.s.t.Fatalf("%s %s: %d %s", method, path, resp.StatusCode, text)
	}
}

// newRefuser is a second bot on the stage, behind a proxy that refuses every
// file with a code that the simulator does not know.
func newRefuser(t *testing.T, s *stage, code int) *stage {
	t.Helper()
	target, err := url.Parse(s.sim.BaseURL())
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"code":%d,"message":"no"}`, code)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	second := *s
	second.cfg.APIURL = server.URL + "/api"
	second.bot = second.newBot()
	return &second
}

// one is the receipt of the only video.
func one(receipts []generate.Receipt, err error) (generate.Receipt, error) {
	if len(receipts) != 1 {
		return generate.Receipt{}, err
	}
	return receipts[0], err
}
