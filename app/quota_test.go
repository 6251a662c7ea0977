package app_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ltxbot/app/admin"
	"ltxbot/config"
	"ltxbot/core/generate"
	"ltxbot/core/team"
	"ltxbot/internal/golden"
	"ltxbot/internal/until"
	simdiscord "ltxbot/sim/discord"
)

// guildTeam makes the guild of the world a team of the config.
func (w *world) guildTeam(change func(*config.Team)) {
	team := config.Team{Name: "acme", DiscordGuilds: []string{w.channel.Guild().ID}}
	if change != nil {
		change(&team)
	}
	w.cfg.Teams = []config.Team{team}
}

// order gives an order as the command line does.
func (w *world) order(t *testing.T, form admin.Form, words ...string) (string, error) {
	t.Helper()
	return w.orderFor(t, "", form, words...)
}

// orderFor gives an order about a team.
func (w *world) orderFor(t *testing.T, of string, form admin.Form, words ...string) (string, error) {
	t.Helper()
	o, err := team.ParseOrder(words)
	if err != nil {
		t.Fatal(err)
	}
	o.Team = of
	var out bytes.Buffer
	err = admin.NewClient("http://"+w.app.Addr(), adminToken).Quota(t.Context(), o, form, &out)
	return out.String(), err
}

// A member with a limit of five who sends two hundred commands at once gets
// five videos, and fal is asked five times.
func TestABurstOfCommandsSubmitsWhatTheLimitAllows(t *testing.T) {
	t.Parallel()
	const commands, limit = 200, 5
	w := prepare(t, "text")
	w.cfg.Quota.Member = config.Limit{VideosPerDay: limit}
	w.cfg.Quota.Waiting = commands
	w.run(t)
	var all sync.WaitGroup
	for i := range commands {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			in, err := w.ada.Slash(ctx, w.channel, "ltx", simdiscord.Arg("prompt", fmt.Sprintf("fox number %d", i)))
			if err == nil {
				err = in.WaitAck(ctx)
			}
			if err != nil { // on a machine so busy that the bot gives up
				t.Logf("command %d: %v", i, err)
			}
		})
	}
	all.Wait()
	w.stop(t) // waits until every command is decided
	w.run(t)
	jobs, err := admin.NewClient("http://"+w.app.Addr(), adminToken).Jobs(t.Context(), generate.Query{Limit: commands})
	// A command that was recorded and then found no room, or that the machine
	// was too busy to acknowledge, is a job that has ended without cost.
	jobs = slices.DeleteFunc(jobs, func(j admin.Job) bool {
		return j.Failure == string(generate.FailQuota) || j.Failure == string(generate.FailUnacknowledged)
	})
	if err != nil || len(jobs) != limit {
		t.Errorf("%d of %d commands were accepted, %v; want %d", len(jobs), commands, err, limit)
	}
	for _, job := range jobs {
		if j := w.end(t, job.ID); j.State != generate.Delivered {
			t.Errorf("job %s is %s", j.ID, j.State)
		}
	}
	if got := len(w.fal.Submits()); got != limit {
		t.Errorf("fal was asked %d times, want %d", got, limit)
	}
}

// end waits for the end of a job.
func (w *world) end(t *testing.T, job string) generate.Job {
	t.Helper()
	return w.await(t, job, func(j generate.Job) bool { return j.State.Terminal() })
}

// TestEveryOrderWorksOverTheAPI gives each order that an operator has, and
// compares what the command line prints with a golden file.
func TestEveryOrderWorksOverTheAPI(t *testing.T) {
	t.Parallel()
	w := prepare(t, "text")
	w.guildTeam(nil)
	w.run(t)
	w.make(t, "a fox")
	ada := "discord:" + w.ada.ID
	var b strings.Builder
	for _, line := range []string{
		"show " + ada, "show team", "top",
		"set " + ada + " videos_per_day 1 too many", "set team usd_per_month 300", "grant " + ada + " videos:2 reason:sorry",
		"show " + ada, "revoke " + ada, "unset " + ada + " all", "unset " + ada + " all", "reset " + ada, "reset team",
		"block " + ada + " spam", "unblock " + ada, "pause holidays", "resume", "log", "log " + ada, "export last", "reload", "block nobody", "teams",
	} {
		text, err := w.order(t, admin.Text, strings.Fields(line)...)
		fmt.Fprintf(&b, "$ bot quota %s\n%s", line, text)
		if err != nil {
			fmt.Fprintf(&b, "bot: %v\n", err)
		}
		b.WriteString("\n")
	}
	got := stable(b.String(), ada)
	golden.Equal(t, "quota.txt", got)
}

func TestAnExportIsCSV(t *testing.T) {
	t.Parallel()
	w := prepare(t, "text")
	w.guildTeam(nil)
	w.run(t)
	j := w.make(t, "a fox")
	text, err := w.order(t, admin.CSV, "export")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 2 {
		t.Fatalf("got %d rows, %v:\n%s", len(rows), err, text)
	}
	if row := rows[1]; row[1] != j.ID || row[2] != "discord:"+w.ada.ID || row[3] != "settled" {
		t.Errorf("got %q", row)
	}
}

func TestTheAPISaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	w := start(t, "text") // the guild is a team of its own
	for _, test := range []struct {
		method, path, body string
		status             int
		text               string
	}{
		{http.MethodGet, "quota", "", 200, `"usage":"set WHO LIMIT AMOUNT [REASON]"`},
		{http.MethodGet, "quota/show?team=discord:" + w.channel.Guild().ID, "", 200, `"verb":"show"`},
		{http.MethodGet, "quota/show", "", 400, "say which team: --team NAME"},
		{http.MethodGet, "quota/show?team=nobody", "", 400, "is not a team"},
		{http.MethodGet, "quota/show?team=discord:acme", "", 400, "is not a team"},
		{http.MethodGet, "quota/show?team=slack:12", "", 400, "is not a team"},
		{http.MethodGet, "quota/show?team=discord:999", "", 200, `"unknown_team":true`},
		{http.MethodGet, "quota/teams", "", 200, `"verb":"teams"`},
		{http.MethodGet, "quota/block?team=discord:1&member=discord:2", "", 405, "use POST"},
		{http.MethodGet, "quota/nothing?team=discord:1", "", 404, "is not a command"},
		{http.MethodGet, "quota/mine?team=discord:1", "", 404, "did you mean show?"},
		{http.MethodPost, "quota/block", `{"team":"discord:1","args":{"member":"ann"}}`, 400, "is not a member"},
		{http.MethodPost, "quota/unblock", `{"team":"discord:1","args":{"member":"discord:2"}}`, 409, "so already"},
		{http.MethodPost, "quota/block", `block everybody`, 400, "must be JSON"},
		{http.MethodPost, "quota/reload", "", 422, "the config stays as it was"},
	} {
		status, body := fetch(t, test.method, w.at(admin.Path+test.path), strings.NewReader(test.body), http.Header{"Authorization": {"Bearer " + adminToken}})
		if status != test.status || !strings.Contains(body, test.text) || !json.Valid([]byte(body)) {
			t.Errorf("%s %s: got %d %s, want %d with %q", test.method, test.path, status, body, test.status, test.text)
		}
	}
	if status, _ := w.get(t, "/admin/api/quota"); status != http.StatusUnauthorized {
		t.Errorf("without the token it answers %d", status)
	}
}

func TestAReloadChangesLimitsAndKeepsHolds(t *testing.T) {
	t.Parallel()
	w := prepare(t, "text")
	w.guildTeam(nil)
	w.cfg.Quota.Member = config.Limit{VideosPerDay: 1}
	next := w.cfg
	w.opts.Load = func() (config.Config, error) { return next, next.Validate() }
	w.run(t)
	w.make(t, "a fox")
	used := func() string {
		t.Helper()
		text, err := w.order(t, admin.Text, "show", "discord:"+w.ada.ID)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(text) {
			if strings.Contains(line, "videos today") {
				line, _, _ = strings.Cut(line, " · ")
				return line
			}
		}
		return text
	}
	if got := used(); got != "1 of 1 videos today" {
		t.Fatalf("before: %s", got)
	}
	next.Quota.Member.VideosPerDay = 3
	next.Quota.Tiers = []config.Tier{{Name: "crew", SlackGroups: []string{"S0614TZR7"}}}
	next.Fal.USDPerMegapixel, next.Store.URL = 0.5, config.NewSecret("bolt:elsewhere.db")
	text, err := w.order(t, admin.JSON, "reload")
	var r team.Report
	if err := errors.Join(err, json.Unmarshal([]byte(text), &r)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"fal.usd_per_megapixel", "store.url", "quota.tier.slack_groups"}, r.Restart); diff != "" {
		t.Errorf("keys that need a restart (-want +got):\n%s", diff)
	}
	if got := used(); got != "1 of 3 videos today" {
		t.Errorf("after: %s", got)
	}
	next.Quota.Member.VideosPerDay = -5
	var refused *admin.Error
	if _, err := w.order(t, admin.JSON, "reload"); !errors.As(err, &refused) || !strings.Contains(refused.Text, "quota.member.videos_per_day") {
		t.Errorf("a bad file: got %v", err)
	}
	if got := used(); got != "1 of 3 videos today" {
		t.Errorf("after a bad file: %s", got)
	}
	if j := w.make(t, "another fox"); j.State != generate.Delivered {
		t.Errorf("the job is %s", j.State)
	}
}

// A tier and a team can have no limit where the default has one.
func TestNoLimitInATier(t *testing.T) {
	t.Parallel()
	w := prepare(t, "text")
	w.guildTeam(func(team *config.Team) { team.USDPerMonth = config.NoLimit })
	w.cfg.Quota.Member = config.Limit{VideosPerDay: 1}
	w.cfg.Quota.Team = config.Limit{USDPerMonth: 0.000001}
	w.cfg.Quota.Tiers = []config.Tier{{Name: "studio", Members: []string{"discord:" + w.ada.ID}, Limit: config.Limit{VideosPerDay: config.NoLimit}}}
	if err := w.cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	w.run(t)
	for i := range 3 {
		if j := w.make(t, fmt.Sprintf("fox %d", i)); j.State != generate.Delivered {
			t.Fatalf("the job is %s", j.State)
		}
	}
}

// stable writes what is different in each run as if it were not.
func stable(text, ada string) string {
	text = strings.ReplaceAll(text, ada, "discord:ADA")
	text = changing.ReplaceAllString(text, "SOON")
	month := time.Now().UTC()
	text = strings.ReplaceAll(text, month.Format("2006-01"), "THIS MONTH")
	return strings.ReplaceAll(text, time.Date(month.Year(), month.Month(), 0, 0, 0, 0, 0, time.UTC).Format("2006-01"), "LAST MONTH")
}

// changing is a span of time from now.
var changing = regexp.MustCompile(`in [0-9]+ (?:second|minute|hour|day)s?|[0-9]+ (?:second|minute|hour|day)s? ago|just now`)

// The admins of a team read in their channel that its budget is half used,
// once, whatever restarts.
func TestAdminsReadInTheirChannelThatTheBudgetIsUsed(t *testing.T) {
	t.Parallel()
	w := prepare(t, "text")
	office := w.channel.Guild().NewChannel("office")
	w.guildTeam(func(team *config.Team) {
		team.AdminChannel, team.VideosPerDay = "discord:"+office.ID, 2
	})
	w.run(t)
	w.make(t, "a fox")
	for range 2 { // each start looks at once
		w.stop(t)
		w.run(t)
		until.True(t, "a warning is posted", func() bool { return len(office.MessagesFor(w.ada)) > 0 }, w.log.String)
	}
	told := office.MessagesFor(w.ada)
	if len(told) != 1 || !strings.Contains(told[0].Text(), "50 % of the team's budget is used: 1 of 2 videos today") {
		t.Errorf("told %+v", told)
	}
}
