package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ltxbot/app"
	"ltxbot/app/admin"
	"ltxbot/app/health"
	"ltxbot/config"
	"ltxbot/core/generate"
	"ltxbot/internal/parallel"
	"ltxbot/internal/until"
	simdiscord "ltxbot/sim/discord"
	simfal "ltxbot/sim/fal"
)

func TestMain(m *testing.M) {
	parallel.AtLeast(24) // they wait for jobs
	m.Run()
}

const adminToken = "correct-horse-battery"

// world is a running bot on Discord, and somebody in a channel with it.
type world struct {
	fal     *simfal.Server
	discord *simdiscord.Server
	channel *simdiscord.Channel
	ada     *simdiscord.User
	cfg     config.Config
	opts    app.Options
	app     *app.App
	log     *buffer
}

// buffer is a log that is read while it is written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// start is a world whose bot runs, with a log of that format.
func start(t *testing.T, format string) *world {
	t.Helper()
	w := prepare(t, format)
	w.run(t)
	return w
}

// prepare is a world whose bot does not run yet.
func prepare(t *testing.T, format string) *world {
	t.Helper()
	w := &world{log: &buffer{}}
	var err error
	if w.fal, err = simfal.Start(simfal.Options{Speed: 100}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.fal.Close)
	if w.discord, err = simdiscord.Start(simdiscord.Options{BotName: "ltx", IdentifyEvery: -1, AnswerWithin: answerLimit}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.discord.Close() })
	guild := w.discord.NewGuild("Acme")
	w.channel, w.ada = guild.NewChannel("videos"), w.discord.NewUser("ada")
	guild.Join(w.ada)
	cfg := config.Default()
	cfg.HTTP.Listen, cfg.HTTP.AdminToken = "127.0.0.1:0", config.NewSecret(adminToken)
	cfg.Store.URL = config.NewSecret("bolt:" + filepath.Join(t.TempDir(), "ltx.db"))
	cfg.Fal.Key = config.NewSecret(w.fal.Key())
	cfg.Fal.QueueURL, cfg.Fal.RestURL, cfg.Fal.APIURL = w.fal.QueueURL(), w.fal.RESTURL(), w.fal.APIURL()
	cfg.Fal.MediaHosts = []string{w.fal.MediaHost()}
	cfg.Discord.Token = config.NewSecret(w.discord.Token())
	cfg.Discord.ApplicationID, cfg.Discord.APIURL = w.discord.ApplicationID(), w.discord.APIURL()
	cfg.Slack.BotToken = config.Secret{}
	cfg.Media.FFmpeg = "" // each start would try whether it can encode
	opts := &slog.HandlerOptions{Level: slog.LevelDebug}
	var handler slog.Handler = slog.NewTextHandler(w.log, opts)
	if format == "json" {
		handler = slog.NewJSONHandler(w.log, opts)
	}
	w.cfg, w.opts = cfg, app.Options{Version: "1.2.3", Logger: slog.New(handler), CardPace: 50 * time.Millisecond}
	return w
}

func (w *world) run(t *testing.T) {
	t.Helper()
	if err := w.tryRun(t); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.stop(t) })
}

// tryRun starts the bot.
func (w *world) tryRun(t *testing.T) (err error) {
	t.Helper()
	if w.app, err = app.New(t.Context(), w.cfg, w.opts); err != nil {
		return err
	}
	return w.app.Start(t.Context())
}

func (w *world) stop(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 30*time.Second)
	defer cancel()
	if err := w.app.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// get reads a page of the bot.
func (w *world) get(t *testing.T, path string) (int, string) {
	t.Helper()
	return fetch(t, http.MethodGet, w.at(path), nil, nil)
}

// parts is /readyz.
func (w *world) parts(t *testing.T) (int, map[string]health.State) {
	t.Helper()
	status, body := w.get(t, "/readyz")
	var r health.Report
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	parts := map[string]health.State{}
	for _, p := range r.Parts {
		parts[p.Name] = p.State
	}
	return status, parts
}

// slash lets ada choose the command and fill in its options.
func (w *world) slash(t *testing.T, options ...simdiscord.Argument) *simdiscord.Interaction {
	t.Helper()
	i, err := w.ada.Slash(t.Context(), w.channel, "ltx", options...)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// make types a command and waits until its requester was told the end.
func (w *world) make(t *testing.T, prompt string) generate.Job {
	t.Helper()
	i := w.slash(t, simdiscord.Arg("prompt", prompt))
	return w.over(t, generate.NewID("discord:"+i.ID))
}

// over waits until a job has ended and its card says so.
func (w *world) over(t *testing.T, job string) generate.Job {
	t.Helper()
	return w.await(t, job, func(j generate.Job) bool { return !j.Unfinished() })
}

// await waits until a job is as it should be.
func (w *world) await(t *testing.T, job string, is func(generate.Job) bool) (j generate.Job) {
	t.Helper()
	until.True(t, "job "+job+" is as it should be", func() bool {
		var err error
		j, err = w.app.Job(t.Context(), job)
		return err == nil && is(j)
	}, func() string { return "it is " + string(j.State) }, w.log.String)
	return j
}

// logs waits until the log says something.
func (w *world) logs(t *testing.T, text string) {
	t.Helper()
	until.True(t, "the log says "+text, func() bool { return strings.Contains(w.log.String(), text) }, w.log.String)
}

func TestAnOperatorSeesWhatTheBotDoes(t *testing.T) {
	t.Parallel()
	w := start(t, "text")
	status, parts := w.parts(t)
	if status != http.StatusOK || parts["store"] != health.OK || parts["engine"] != health.OK || parts["discord"] != health.OK {
		t.Errorf("a bot that runs is %d %v", status, parts)
	}
	if parts["fal"] != health.Unknown {
		t.Errorf("fal is %s before it was asked", parts["fal"])
	}
	if status, body := w.get(t, "/healthz"); status != http.StatusOK || !strings.Contains(body, "1.2.3") {
		t.Errorf("/healthz = %d %s", status, body)
	}
	j := w.make(t, "a fox")
	if j.State != generate.Delivered {
		t.Fatalf("the job is %s", j.State)
	}
	_, text := w.get(t, "/metrics")
	for _, line := range []string{
		`ltxbot_jobs_accepted_total{platform="discord"} 1`,
		`ltxbot_jobs_finished_total{kind="none",outcome="delivered"} 1`,
		`ltxbot_videos_marked_total{mark="written"} 1`,
		`ltxbot_provider_calls_total{op="submit",outcome="ok"} 1`,
		`ltxbot_ack_duration_seconds_count{platform="discord"} 1`,
		`ltxbot_charged_to_estimated_ratio_count 1`,
		`ltxbot_platform_connected{platform="discord"} 1`,
		`ltxbot_store_up 1`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("/metrics has no line %s", line)
		}
	}
	if !strings.Contains(text, "go_goroutines") || !strings.Contains(text, "process_open_fds") {
		t.Error("/metrics tells nothing of the process")
	}
	if strings.Contains(text, w.ada.ID) || strings.Contains(text, w.channel.ID) {
		t.Error("/metrics names a member or a channel")
	}
}

func TestARefusedAccountShowsAndChangesNothingElse(t *testing.T) {
	t.Parallel()
	w := start(t, "text")
	w.fal.Lock("Exhausted balance")
	if j := w.make(t, "a fox"); j.Failure.Kind != generate.FailAccount {
		t.Fatalf("the job is %s %s", j.State, j.Failure.Kind)
	}
	status, parts := w.parts(t)
	if status != http.StatusOK || parts["fal"] != health.Down {
		t.Errorf("a bot whose account is locked is %d %v", status, parts)
	}
}

func TestABotThatLosesItsPlatformIsNotReady(t *testing.T) {
	t.Parallel()
	w := start(t, "text")
	w.discord.GatewayFault(simdiscord.GatewayFault{Refuse: true, Times: -1})
	w.discord.DropGateway()
	until.True(t, "the bot is not ready", func() bool {
		status, parts := w.parts(t)
		return status == http.StatusServiceUnavailable && parts["discord"] == health.Down
	})
}

func TestTheAdminAPIIsThereWithItsToken(t *testing.T) {
	t.Parallel()
	w := start(t, "text")
	j := w.make(t, "a fox")
	base := "http://" + w.app.Addr()
	if status, _ := w.get(t, "/admin/api/jobs"); status != http.StatusUnauthorized {
		t.Errorf("without the token it answers %d", status)
	}
	client := admin.NewClient(base, adminToken)
	jobs, err := client.Jobs(t.Context(), generate.Query{})
	if err != nil || len(jobs) != 1 || jobs[0].ID != j.ID {
		t.Errorf("jobs = %v, %v", jobs, err)
	}
	var copied bytes.Buffer
	if err := client.Backup(t.Context(), &copied); err != nil || copied.Len() == 0 {
		t.Errorf("backup of %d bytes, %v", copied.Len(), err)
	}
}

// TestTheLogKeepsSecrets runs with the most talkative log, through a job that
// goes well and some that do not.
func TestTheLogKeepsSecrets(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			w := start(t, format)
			w.make(t, "a cerulean fox")
			w.make(t, "a cerulean nsfw fox")
			w.fal.Inject(simfal.Fault{Op: simfal.OpStatus, Status: http.StatusBadGateway, Body: "a cerulean page", Times: 2})
			w.make(t, "a cerulean owl")
			w.fal.Lock("Exhausted balance")
			w.make(t, "a cerulean hare")
			_ = admin.NewClient("http://"+w.app.Addr(), "wrong-"+adminToken).Backup(t.Context(), io.Discard)
			w.stop(t)
			log := w.log.String()
			if !strings.Contains(log, "job changed state") {
				t.Fatalf("the log says nothing:\n%s", log)
			}
			for name, secret := range map[string]string{
				"a prompt": "cerulean", "fal's key": w.fal.Key(), "Discord's token": w.discord.Token(), "the admin token": adminToken,
			} {
				if n := strings.Index(log, secret); n >= 0 {
					t.Errorf("the log tells %s: …%s…", name, log[max(0, n-200):min(len(log), n+100)])
				}
			}
		})
	}
}
