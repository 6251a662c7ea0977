package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/internal/flaky"
	"ltxbot/internal/redistest"
	simdiscord "ltxbot/sim/discord"
	simfal "ltxbot/sim/fal"
	simslack "ltxbot/sim/slack"
	"ltxbot/store"
	"ltxbot/store/redis"
	"ltxbot/store/storetest"
)

// world is the bots with all that they talk to, and people.
type world struct {
	t       *testing.T
	server  *redistest.Server
	redis   *flaky.Proxy // how the bots reach it
	store   *store.Store // as one more process, which takes no jobs
	fal     *simfal.Server
	discord *simdiscord.Server
	slack   *simslack.Server
	acme    *simslack.Workspace
	guild   *simdiscord.Guild
	general *simdiscord.Channel
	videos  *simslack.Channel
	members []*simdiscord.User
	people  []*simslack.User
	crowd   []*process
}

// people of each platform.
const peopleEach = 10

// answerWithin is how long a busy machine has to answer a command.
const answerWithin = 30 * time.Second

// newWorld is a world whose fal is so many times as fast as the real one.
func newWorld(t *testing.T, speed float64) *world {
	t.Helper()
	w := &world{t: t, server: redistest.Start(t, "--appendfsync", "always")}
	w.redis = flaky.New(t, w.server.Addr())
	var err error
	if w.fal, err = simfal.Start(simfal.Options{Speed: speed, Concurrency: 40}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.fal.Close)
	// Nothing is refused but to read too often, which looks after a kill could do.
	// Of the rest, Discord's headers tell how much there may be: the bots wait by
	// themselves.
	limits := simdiscord.RateLimits{Off: true, History: true}
	if w.discord, err = simdiscord.Start(simdiscord.Options{IdentifyEvery: -1, RateLimits: limits, AnswerWithin: answerWithin}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.discord.Close() })
	rates := map[string]int{"conversations.history": 50, "conversations.replies": 50} // a minute
	if w.slack, err = simslack.Start(simslack.Options{NoRateLimits: true, Rates: rates, ShareDelay: 20 * time.Millisecond, AnswerWithin: answerWithin}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.slack.Close)
	w.guild = w.discord.NewGuild("Acme")
	w.general = w.guild.NewChannel("videos")
	w.acme = w.slack.AddWorkspace(simslack.WorkspaceSpec{Domain: "acme"})
	members := []*simslack.User{w.acme.Bot()}
	for i := range peopleEach {
		u := w.discord.NewUser(fmt.Sprintf("user%d", i))
		w.guild.Join(u)
		w.members = append(w.members, u)
		w.people = append(w.people, w.acme.AddUser(simslack.UserSpec{Name: fmt.Sprintf("user%d", i)}))
	}
	w.videos = w.acme.AddChannel(simslack.ChannelSpec{Name: "videos", Members: append(members, w.people...)})
	w.store = storetest.Redis(t, w.url())
	return w
}

// url is the store of the bots.
func (w *world) url() string { return "redis://" + w.redis.Addr() + "/0" }

// process is a bot of this world.
func (w *world) process(name string) *process {
	w.t.Helper()
	port := redistest.FreePort(w.t)
	p := newProcess(w.t, name, fmt.Sprintf(`
[fal]
key = %q
queue_url = %q
rest_url = %q
api_url = %q
media_hosts = [%q]
grace = "10s"
[discord]
token = %q
application_id = %q
api_url = %q
[slack]
bot_token = %q
app_token = %q
signing_secret = %q
api_url = %q
[store]
url = %q
[http]
listen = "127.0.0.1:%d"
[quota]
waiting = 1000
[quota.member]
videos_per_day = 100000
usd_per_month = 100000.0
jobs_at_a_time = 8
[quota.team]
usd_per_month = 100000.0
jobs_at_a_time = 60
[quota.bot]
usd_per_month = 100000.0
`, w.fal.Key(), w.fal.QueueURL(), w.fal.RESTURL(), w.fal.APIURL(), w.fal.MediaHost(),
		w.discord.Token(), w.discord.ApplicationID(), w.discord.APIURL(),
		w.acme.BotToken(), w.slack.AppToken(), w.slack.SigningSecret(), w.slack.APIURL(),
		w.url(), port), port)
	w.crowd = append(w.crowd, p)
	return p
}

// story is what all processes have logged about a job.
func (w *world) story(job string) string {
	var b strings.Builder
	for _, p := range w.crowd {
		text, err := os.ReadFile(p.log.Name())
		if err != nil {
			return err.Error()
		}
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, job) {
				b.WriteString("\n" + p.name + ": " + strings.TrimSpace(line))
			}
		}
	}
	return b.String()
}

// promptOf is the n-th prompt; no two are the same.
func promptOf(n int) string { return fmt.Sprintf("fox number %04d", n) }

// promptIn finds a prompt in a text.
var promptIn = regexp.MustCompile(`fox number \d{4}`)

// slackShare is how many commands there are for one on Slack, where a workspace
// allows about one edit of a card in a second.
const slackShare = 10

// ask types the n-th command on one of the platforms. That it is not answered
// is what must be expected while the process that had it is being killed.
func (w *world) ask(ctx context.Context, n int) {
	if n%slackShare == 0 {
		_, _ = w.people[n/slackShare%peopleEach].Slash(ctx, w.videos, "/ltx", promptOf(n))
		return
	}
	_, _ = w.members[n%peopleEach].Slash(ctx, w.general, "ltx", simdiscord.Arg("prompt", promptOf(n)))
}

// jobs are all that were accepted.
func (w *world) jobs(ctx context.Context) []generate.Job {
	w.t.Helper()
	jobs, err := w.store.Jobs(ctx, generate.Query{Limit: 10_000})
	if err != nil && !errors.Is(err, redis.ErrUnavailable) {
		w.t.Fatal(err)
	}
	return jobs
}

// wait waits until ok holds for the jobs.
func (w *world) wait(ctx context.Context, what string, ok func([]generate.Job) bool) []generate.Job {
	w.t.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		jobs := w.jobs(context.WithoutCancel(ctx))
		if ok(jobs) {
			return jobs
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			for _, j := range jobs {
				if j.Unfinished() {
					w.t.Logf("job %s is %s, shown %s, version %d, submit %q", j.ID, j.State, j.Shown, j.Version, j.Submission.RequestID)
				}
			}
			w.t.Fatalf("waited in vain for %s: %d jobs", what, len(jobs))
		}
	}
}

// check compares what has happened with what may. Commands in forgotten were
// accepted by a process that has died with what Redis has lost: of them, all
// that is known is that they were not submitted twice. Those in unknown have
// their video, and may have ended as failed all the same.
func (w *world) check(ctx context.Context, jobs []generate.Job, forgotten, unknown map[string]bool) {
	w.t.Helper()
	submits := map[string]int{}
	for _, s := range w.fal.Submits() {
		prompt, _ := s.Input()["prompt"].(string)
		if submits[prompt]++; submits[prompt] > 1 {
			w.t.Errorf("%q was submitted %d times", prompt, submits[prompt])
		}
	}
	videos := w.videosByPrompt()
	states := map[generate.State]int{}
	accepted := map[string]bool{}
	refused := 0 // jobs that ended before they had a hold
	for _, j := range jobs {
		states[j.State]++
		prompt := j.Request.Prompt()
		if accepted[prompt] {
			w.t.Errorf("%q was accepted twice", prompt)
		}
		accepted[prompt] = true
		if j.Failure.Kind == generate.FailUnacknowledged || j.Failure.Kind == generate.FailInterrupted {
			refused++
		}
		want := 0
		if j.State == generate.Delivered || j.State == generate.Failed && unknown[prompt] {
			want = 1
		}
		if got := videos[prompt]; got != want {
			w.t.Errorf("job %s is %s and has %d video messages, want %d; it was doubted: %t%s", j.ID, j.State, got, want, j.Doubted, w.story(j.ID))
		}
	}
	for prompt := range submits {
		if !accepted[prompt] && !forgotten[prompt] {
			w.t.Errorf("%q was submitted and never accepted", prompt)
		}
	}
	if forgotten != nil { // bills were lost, and holds
		if _, err := w.store.Sweep(ctx); err != nil {
			w.t.Error(err)
		}
	}
	audit, err := w.store.VerifyLedger(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	total := audit.Totals
	if len(audit.Wrong) > 0 || total.Held != 0 || total.Settled+total.Released != total.Reserved ||
		int(total.Holds) > len(jobs) || int(total.Holds) < len(jobs)-refused && forgotten == nil {
		w.t.Errorf("ledger of %d jobs: %+v", len(jobs), audit)
	}
	w.t.Logf("%d jobs: %v; %d submits; ledger %+v", len(jobs), states, len(w.fal.Submits()), total)
}

// videosByPrompt counts the messages with a video on both platforms.
func (w *world) videosByPrompt() map[string]int {
	count := map[string]int{}
	for _, m := range w.general.Messages() {
		if len(m.Attachments) > 0 && !m.Deleted {
			count[promptIn.FindString(m.Text())]++
		}
	}
	for _, m := range w.videos.Messages() {
		for _, f := range m.Files {
			count[promptIn.FindString(f.AltText)]++
		}
	}
	return count
}
