package bot_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ltxbot/bot"
	"ltxbot/bot/command"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/core/quota/quotatest"
	"ltxbot/core/team"
	"ltxbot/core/usd"
	"ltxbot/internal/golden"
)

const (
	chief    = "discord:80351110224670001"
	annSlack = "slack:T0123ABCD:U0123ABCD"
)

// officeService is a service with an office on a ledger in memory.
type officeService struct {
	*bot.Service

	store  *quotatest.Memory
	office *team.Office
	log    strings.Builder
	jobs   int
}

// operator gives an order as the operator.
func (o *officeService) operator(t *testing.T, line string) {
	t.Helper()
	order, err := team.ParseOrder(strings.Fields(line))
	if err != nil {
		t.Fatal(err)
	}
	order.Team = acme
	if _, err := o.office.Do(t.Context(), team.Actor{Operator: true, From: "api"}, order); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
}

func newOfficeService(t *testing.T) *officeService {
	t.Helper()
	o := &officeService{store: quotatest.NewMemory(time.Now)}
	policy := quota.Policy{
		Member: quota.Limits{JobsAtATime: 2, Windows: []quota.WindowLimit{{Window: quota.Day, Videos: 10}, {Window: quota.Month, USD: 10 * usd.Dollar}}},
		Team:   quota.Limits{Windows: []quota.WindowLimit{{Window: quota.Month, USD: 200 * usd.Dollar}}},
	}
	office := team.NewOffice(team.OfficeConfig{
		ParseMember: parseMember,
		Store:       o.store, Policy: func() quota.Policy { return policy },
		Linkable: func(string) bool { return true },
	})
	o.office = office
	o.Service = bot.New(bot.Config{
		Rules: rules, Generator: &fakeGenerator{}, Office: office, Account: office.Account,
		Logger: slog.New(slog.NewTextHandler(&o.log, nil)),
	})
	for _, m := range []string{ann, ann, bob} {
		o.jobs++
		job := fmt.Sprintf("job%d", o.jobs)
		a := quota.Asker{Team: acme, Member: m}
		_, err := o.store.Reserve(t.Context(), quota.Key{Job: job, Team: acme, Member: m}, policy.Plan(job, a, 130_000, time.Now()))
		if err != nil {
			t.Fatal(err)
		}
		if o.jobs != 2 {
			if _, err := o.store.Bill(t.Context(), job, quota.Settle(128_500), time.Now()); err != nil {
				t.Fatal(err)
			}
		}
	}
	return o
}

func admin(locale string) bot.Caller {
	return bot.Caller{Platform: "discord", Member: chief, Team: acme, Admin: true, Locale: locale}
}

// TestEveryOrderIsAnswered gives each order that there is, as it is typed,
// and compares what is read with a golden file.
func TestEveryOrderIsAnswered(t *testing.T) {
	lines := []string{
		"", "help",
		"show <@80351110224678912>", "show", "top", "export", "log",
		"set <@80351110224678912> videos_per_day 25 for the launch", "set team usd/month 300", "set team usd/month 150", "set <@80351110224678912> jobs none",
		"show <@80351110224678912>",
		"unset <@80351110224678912> all", "unset <@80351110224678912> all",
		`grant <@80351110224678912> videos:5 usd:2.5 expires:7d reason:"sorry for yesterday"`, "grant team usd:20", "bot quota grant team usd:20",
		"show 80351110224678912", "revoke team", "revoke <@80351110224678912>",
		"block <@80351110224678912> spam", "show <@80351110224678912>", "unblock <@80351110224678912>",
		"reset <@80351110224678912>", "reset team", "pause over budget", "show", "resume", "log", "log <@80351110224678912>",
		"bot quota set <@80351110224678912> videos_per_day 5", "set <@80351110224678912> videos_per_day 6", "unset <@80351110224678912> all",
		"grant <@80351110224678912> videos:5", "reset <@80351110224678912>", "bot quota block <@80351110224678912> crypto ads",
		"unblock <@80351110224678912>", "block <@80351110224678912>", "show <@80351110224678912>", "bot quota pause over budget", "resume",
		"bot quota set team usd_per_month 50", "unset team all", "teams",
		"export last", "frobnicate", "blok <@1>", "grant", "unlik", "block @nobody", "set <@1> videos_per_day zero", "reload",
	}
	for file, locale := range map[string]string{"en": "en-US", "de": "de-AT", "fr": "fr", "es": "es-ES", "ja": "ja"} {
		t.Run(file, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newOfficeService(t)
				var b strings.Builder
				for _, line := range lines {
					if order, ok := strings.CutPrefix(line, "bot quota "); ok {
						d.operator(t, order)
						fmt.Fprintf(&b, "== the operator: %s\n\n", order)
						continue
					}
					m := d.OrderLine(t.Context(), admin(locale), command.VerbAdmin, line)
					fmt.Fprintf(&b, "== admin %s\n%s\n", line, m)
				}
				mine := bot.Caller{Platform: "discord", Member: ann, Team: acme, Locale: locale}
				for _, line := range []string{"", "unlink", "link NOSUCHCODE", "pause"} {
					fmt.Fprintf(&b, "== quota %s\n%s\n", line, d.OrderLine(t.Context(), mine, command.VerbQuota, line))
				}
				golden.Equal(t, "orders."+file+".txt", b.String())
			})
		})
	}
}

// Whoever runs the bot reads in the log what admins of teams order, and what
// they were refused.
func TestOrdersOfTeamAdminsAreLogged(t *testing.T) {
	d := newOfficeService(t)
	d.operator(t, "pause")
	for _, line := range []string{"grant <@80351110224678912> videos:5 reason:secret", "resume", "set team usd_per_month none", "show", "top"} {
		d.OrderLine(t.Context(), admin("en"), command.VerbAdmin, line)
	}
	d.OrderLine(t.Context(), caller(ann), command.VerbAdmin, "resume") // no admin
	var got []string
	for line := range strings.Lines(d.log.String()) {
		_, line, _ = strings.Cut(strings.TrimSpace(line), " level=")
		got = append(got, line)
	}
	const said = `INFO msg="a team admin gave an order about quotas" `
	want := []string{
		said + "verb=grant team=" + acme + " by=" + chief + " member=" + ann + " outcome=done",
		said + "verb=resume team=" + acme + " by=" + chief + ` member="" outcome=operator_stopped`,
		said + "verb=set team=" + acme + " by=" + chief + ` member="" outcome=above_operator`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

// Rights are those of the moment: nothing that was shown before gives any.
func TestOrdersOfWhoIsNoAdminAreRefused(t *testing.T) {
	d := newOfficeService(t)
	for _, v := range team.Verbs() {
		if v.Who == team.Everybody {
			continue
		}
		for name, m := range map[string]view.Message{
			"from a form": d.Order(t.Context(), caller(ann), team.Order{Verb: v.Name}),
			"typed":       d.OrderLine(t.Context(), caller(ann), command.VerbAdmin, v.Name),
			"as a quota":  d.OrderLine(t.Context(), caller(ann), command.VerbQuota, v.Name),
		} {
			want := "Only an admin of this team can do that."
			if v.Who == team.Operators {
				want = "Only whoever runs this bot can do that."
			}
			if !strings.HasPrefix(m.Plain, want) {
				t.Errorf("%s %s: got %q, want %q", v.Name, name, m.Plain, want)
			}
		}
	}
	m := d.Order(t.Context(), admin("en"), team.Order{Verb: "pause", Team: "globex"})
	if !strings.Contains(m.Plain, "your own team only") {
		t.Errorf("an admin pauses another team: %q", m.Plain)
	}
}

// Members are named as each platform writes them.
func TestMembersAreNamedAsTheyAreTyped(t *testing.T) {
	slackAdmin := bot.Caller{Platform: "slack", Member: "slack:T0123ABCD:U0000BOSS", Team: acme, Admin: true, Locale: "en"}
	for _, test := range []struct {
		as   bot.Caller
		line string
		want string
	}{
		{slackAdmin, "admin block @U0123ABCD spam", annSlack},
		{slackAdmin, "/ltx admin block @U0123ABCD", annSlack},
		{slackAdmin, "admin block @U0123ABCD", annSlack},
		{slackAdmin, "admin block @U0123ABCD", annSlack},
		{slackAdmin, "admin block discord:80351110224678912", ann},
		{admin("en"), "admin block <@80351110224678912>", ann},
		{admin("en"), "admin block slack:T0123ABCD:U0123ABCD", annSlack},
	} {
		d := newOfficeService(t)
		line, err := command.Parse(test.line)
		if err != nil || line.Verb != command.VerbAdmin {
			t.Fatalf("%s: got %+v, %v", test.line, line, err)
		}
		d.OrderLine(t.Context(), test.as, line.Verb, strings.Join(line.Args, " "))
		s, err := d.store.AdminState(t.Context(), acme, test.want)
		if err != nil || s.Member.Blocked == nil {
			t.Errorf("%s: %s is not blocked, %v", test.line, test.want, err)
		}
	}
}

func TestLinkedAccountsAreOnePerson(t *testing.T) {
	d := newOfficeService(t)
	onSlack := bot.Caller{Platform: "slack", Member: annSlack, Team: acme, Locale: "en"}
	offer := d.OrderLine(t.Context(), caller(ann), command.VerbQuota, "link")
	_, rest, _ := strings.Cut(offer.Plain, "quota link ")
	code, _, _ := strings.Cut(rest, ",")
	if m := d.OrderLine(t.Context(), onSlack, command.VerbQuota, "link "+code); !strings.Contains(m.Plain, "share their limits now") {
		t.Fatalf("got %q", m.Plain)
	}
	g := newGeneratorService(t, d)
	old := job(t, jobA, cowboy, "running") // asked for on Discord
	old.Member = ann
	g.jobs[jobA] = old
	if m := g.service.Cancel(t.Context(), onSlack, jobA); !strings.Contains(m.Plain, "is being cancelled") {
		t.Errorf("the own job of another account: %q", m.Plain)
	}
	a, refusal := submit(t, g.service, bot.Ask{
		Event: "slack:1", Caller: onSlack, Settings: ltx.SettingsOf(map[string]string{"prompt": "a cowboy"}),
		Place: generate.Place{Platform: "slack", Tenant: "T0123ABCD", User: "U0123ABCD"},
	})
	if refusal != nil || a.Asker.Member != ann {
		t.Errorf("asked for by %s, %v; want the account with the limits", a.Asker.Member, refusal)
	}
	// The video mentions the account that asked for it.
	asked := job(t, jobB, cowboy, "delivering")
	asked.Member, asked.Place = a.Asker.Member, a.Place
	if got := view.Result(g.service.Printer(asked.Place.Locale), asked, view.ResultFacts{}).Blocks[0].Spans[0].Member; got != annSlack {
		t.Errorf("the video mentions %s, want %s", got, annSlack)
	}
}

// generatorService is a service with jobs, and the accounts of another one.
type generatorService struct {
	*fakeGenerator

	service *bot.Service
}

func newGeneratorService(t *testing.T, d *officeService) generatorService {
	t.Helper()
	office := team.NewOffice(team.OfficeConfig{
		Store: d.store, Policy: func() quota.Policy { return quota.Policy{} }, Linkable: func(string) bool { return true },
	})
	g := &fakeGenerator{}
	service := newService(g) // makes the map of jobs
	service.Stop()
	return generatorService{g, bot.New(bot.Config{Generator: g, Rules: rules, Account: office.Account})}
}

// What somebody asked for while two accounts were linked stays theirs when
// they are not linked any more.
func TestWhatWasAskedForWhileAccountsWereLinkedIsErasedAndExportedAfterwards(t *testing.T) {
	service, g := newArchive(t)
	linked := g.jobs[jobC]
	linked.Member, linked.Place = ann, generate.Place{Platform: "slack", Tenant: "T0123ABCD", User: "U0123ABCD", Member: annSlack}
	g.jobs[jobC] = linked
	onSlack := bot.Caller{Platform: "slack", Member: annSlack, Team: acme, Locale: "en"}
	export := func(c bot.Caller) []string {
		t.Helper()
		text, err := service.Mine(t.Context(), c)
		var all bot.Export
		if err := errors.Join(err, json.Unmarshal(text, &all)); err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, j := range all.Jobs {
			ids = append(ids, j.ID)
		}
		slices.Sort(ids)
		return ids
	}
	if diff := cmp.Diff([]string{jobC}, export(onSlack)); diff != "" {
		t.Errorf("export (-want +got):\n%s", diff)
	}
	both := onSlack
	both.Member, both.Also = ann, []string{annSlack}
	if got := export(both); len(got) != 3 {
		t.Errorf("while they are linked %q is exported, want each of three jobs once", got)
	}
	if m := service.Show(t.Context(), onSlack, jobC); !strings.Contains(m.String(), "private fox") {
		t.Errorf("the own job: %s", m.String())
	}
	if m := service.Erase(t.Context(), onSlack); !strings.Contains(m.Plain, "1 video are erased") {
		t.Errorf("erase: %s", m.Plain)
	}
	if !g.jobs[jobC].Request.IsZero() || g.jobs[jobA].Request.IsZero() {
		t.Error("the wrong jobs were erased")
	}
}

func TestAServiceWithoutAnOfficeSaysSo(t *testing.T) {
	d := newService(&fakeGenerator{})
	if m := d.Order(t.Context(), admin("en"), team.Order{Verb: "pause"}); !strings.Contains(m.Plain, "not possible right now") {
		t.Errorf("got %q", m.Plain)
	}
}

// brokenOffice answers nothing.
type brokenOffice struct{}

func (brokenOffice) Do(context.Context, team.Actor, team.Order) (team.Report, error) {
	return team.Report{}, errors.New("disk on fire")
}

func TestATroubleOfTheStoreIsNotShown(t *testing.T) {
	d := bot.New(bot.Config{Office: brokenOffice{}})
	m := d.Order(t.Context(), admin("en"), team.Order{Verb: "pause"})
	if strings.Contains(m.Plain, "fire") || !strings.Contains(m.Plain, "Reference") {
		t.Errorf("got %q", m.Plain)
	}
}

func TestOnlyAnAdminSeesTheTeamAtAGlance(t *testing.T) {
	d := newOfficeService(t)
	var seen []string
	for _, m := range d.Summary(t.Context(), admin("en-US")) {
		seen = append(seen, m.String())
	}
	all := strings.Join(seen, "\n")
	if !strings.Contains(all, "of $200") || !strings.Contains(all, "80351110224678912") {
		t.Errorf("an admin sees %q, want the team's budget and who has spent the most", all)
	}
	member := admin("en-US")
	member.Admin = false
	if got := d.Summary(t.Context(), member); got != nil {
		t.Errorf("a member sees %v, want nothing", got)
	}
}

// parseMember knows full names, ids, and mentions with an id in them.
func parseMember(text, home string) (string, bool) {
	id, _, _ := strings.Cut(strings.Trim(text, "<@!>"), "|")
	switch {
	case strings.Contains(text, ":"):
		return text, true
	case id != "" && strings.Trim(id, "0123456789") == "":
		return "discord:" + id, true
	case strings.HasPrefix(id, "U") && strings.HasPrefix(home, "slack:"):
		return home[:strings.LastIndexByte(home, ':')+1] + id, true
	}
	return "", false
}
