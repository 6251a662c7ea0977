package bot_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/bot"
	"ltxbot/bot/command"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
)

// fakeArchive is a fakeGenerator that lets go of jobs.
type fakeArchive struct{ *fakeGenerator }

func (f fakeArchive) Jobs(_ context.Context, q generate.Query) ([]generate.Job, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []generate.Job
	for _, j := range f.jobs {
		if (q.Member == "" || j.Member == q.Member) && (q.Team == "" || j.Team == q.Team) {
			out = append(out, j)
		}
	}
	return out, f.read
}

func (f fakeArchive) Save(_ context.Context, j generate.Job, _ quota.Billing) (generate.Job, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.jobs[j.ID] = j
	return j, nil
}

func (f fakeArchive) Remove(_ context.Context, j generate.Job) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.jobs, j.ID)
	return nil
}

// newArchive is a service with two jobs of ann, one under way, and one of bob.
func newArchive(t *testing.T) (*bot.Service, *fakeGenerator) {
	t.Helper()
	g := &fakeGenerator{jobs: map[string]generate.Job{}}
	for id, member := range map[string]string{jobA: ann, jobB: ann, jobC: bob} {
		g.jobs[id] = generate.Job{
			ID: id, Event: "discord:" + id, State: generate.Delivered, Shown: generate.Delivered, Team: acme, Member: member,
			Request: request(t, "a private fox"), Output: ltx.Output{URL: "https://v3.fal.media/fox.mp4"},
			Place: generate.Place{Platform: "discord", Channel: "9", User: "1"},
		}
	}
	running := g.jobs[jobB]
	running.State, running.Shown = generate.Running, ""
	g.jobs[jobB] = running
	return bot.New(bot.Config{
		Generator: fakeArchive{g}, Archive: fakeArchive{g}, Rules: rules,
		Usage: func(context.Context, quota.Asker) ([]quota.Gauge, error) { return gauges(), g.read },
	}), g
}

func TestAJobWhosePromptIsForgottenSaysSoKindly(t *testing.T) {
	said := map[string]string{
		"en": "no longer kept", "de": "nicht mehr aufbewahrt", "es": "ya no se conservan", "fr": "ne sont plus conservés", "ja": "もう保存されていません",
	}
	service, g := newArchive(t)
	g.jobs[jobA] = g.jobs[jobA].WithoutPrompt()
	for _, action := range []view.Action{view.ActAgain, view.ActSame, view.ActEdit, view.ActDetails, view.ActRetry} {
		for locale, want := range said {
			c := caller(ann)
			c.Locale = locale
			p := service.Press(t.Context(), c, action, jobA)
			if p.Reply == nil || !strings.Contains(p.Reply.String(), want) {
				t.Errorf("%s in %s: %+v, want a reply with %q", action, locale, p, want)
			}
		}
	}
	if p := service.Press(t.Context(), caller(ann), view.ActDelete, jobA); !p.Delete {
		t.Errorf("the message can't be deleted: %+v", p)
	}
	if m := service.Jobs(t.Context(), caller(ann)); !strings.Contains(m.String(), jobA) {
		t.Errorf("the list lacks the job: %s", m.String())
	}
	if m := service.Show(t.Context(), caller(ann), jobA); m.Plain == "" {
		t.Error("the job's card is empty")
	}
}

// purgingArchive is one whose provider deletes its copies.
type purgingArchive struct {
	fakeArchive
	purged chan string // request ids
}

func (f purgingArchive) Purge(_ context.Context, s generate.Submission) error {
	f.purged <- s.RequestID
	return nil
}

// TestTheProvidersCopyIsDeletedToo: with a video that somebody deletes, and with
// what somebody erases. Where the bot can't do that, it says so.
func TestTheProvidersCopyIsDeletedToo(t *testing.T) {
	const kept = "keeps its own copies"
	for _, purges := range []bool{true, false} {
		_, g := newArchive(t)
		j := g.jobs[jobA]
		j.Submission.RequestID = "r-1"
		g.jobs[jobA] = j
		archive := purgingArchive{fakeArchive{g}, make(chan string, 2)}
		cfg := bot.Config{Generator: fakeArchive{g}, Archive: fakeArchive{g}, Rules: rules, Usage: func(context.Context, quota.Asker) ([]quota.Gauge, error) { return nil, nil }}
		if purges {
			cfg.Archive = archive
		}
		service := bot.New(cfg)
		if _, _, err := service.Deleted(t.Context(), jobA); err != nil {
			t.Fatal(err)
		}
		service.Stop()
		m := service.JobsLine(t.Context(), caller(ann), "erase yes")
		if got := strings.Contains(m.String(), kept); got == purges {
			t.Errorf("the provider's copies are deleted %v: %s", purges, m.String())
		}
		if want := map[bool]int{true: 2, false: 0}[purges]; len(archive.purged) != want {
			t.Errorf("asked %d times, want %d", len(archive.purged), want)
		}
	}
}

func TestDataIsErasedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, g := newArchive(t)
		erase := func(member string) string {
			m := service.JobsLine(t.Context(), caller(member), "erase yes")
			return m.String()
		}
		g.read = errors.New("disk on fire")
		if got := erase(ann); !strings.Contains(got, "not possible right now") {
			t.Errorf("when the store does not answer: %s", got)
		}
		g.read = nil
		if got := erase(ann); !strings.Contains(got, "are erased") {
			t.Errorf("after a try that did not succeed: %s", got)
		}
		const soon = "ask again"
		<-time.After(59 * time.Second)
		if got := erase(ann); !strings.Contains(got, soon) {
			t.Errorf("within a minute: %s", got)
		}
		if got := erase(bob); strings.Contains(got, soon) {
			t.Errorf("somebody else: %s", got)
		}
		<-time.After(time.Second)
		if got := erase(ann); strings.Contains(got, soon) {
			t.Errorf("after a minute: %s", got)
		}
	})
}

func TestAMemberErasesTheirDataAfterTheyWereAsked(t *testing.T) {
	service, g := newArchive(t)
	line := func(order string) string {
		t.Helper()
		l, err := command.Parse(order)
		if err != nil || l.Verb != command.VerbJobs {
			t.Fatalf("%q is read as %+v, %v", order, l, err)
		}
		m := service.JobsLine(t.Context(), caller(ann), strings.Join(l.Args, " "))
		return m.String()
	}
	if got := line("jobs"); !strings.Contains(got, "a private fox") {
		t.Errorf("list: %s", got)
	}
	if got := line("jobs erase"); !strings.Contains(got, "/ltx jobs erase yes") || g.jobs[jobA].Request.IsZero() {
		t.Errorf("before it is sure: %s", got)
	}
	if got := line("jobs erase yes"); strings.Count(got, "1 video") != 2 {
		t.Errorf("erased: %s", got)
	}
	if !g.jobs[jobA].Request.IsZero() || g.jobs[jobA].Output.URL != "" {
		t.Errorf("it is kept: %+v", g.jobs[jobA])
	}
	if g.jobs[jobB].Request.IsZero() || g.jobs[jobC].Request.IsZero() {
		t.Error("a job under way, or of somebody else, was erased")
	}
	for _, choice := range service.Suggest(caller(ann), "job", jobA) {
		if strings.Contains(choice.Label, "fox") {
			t.Errorf("the prompt is still suggested: %s", choice.Label)
		}
	}
	service.Stop()
	if l, err := command.Parse("jobs erase the blackboard"); err != nil || l.Verb != "" {
		t.Errorf("prose is read as %+v, %v", l, err)
	}
}

func TestAMemberGetsAllThatIsKept(t *testing.T) {
	service, _ := newArchive(t)
	text, err := service.Mine(t.Context(), caller(ann))
	if err != nil {
		t.Fatal(err)
	}
	var got bot.Export
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Jobs) != 2 || len(got.Usage) == 0 || !strings.Contains(got.Jobs[0].Command, "a private fox") {
		t.Errorf("export: %s", text)
	}
	for _, g := range got.Usage {
		if g.Scope.Kind != quota.Member {
			t.Errorf("export tells the use of %s", g.Scope)
		}
	}
}
