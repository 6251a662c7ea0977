package bot_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/bot"
	"ltxbot/bot/command"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/library"
	"ltxbot/core/library/librarytest"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
)

// fakeRecords is a fakeGenerator that lets go of jobs.
type fakeRecords struct{ *fakeGenerator }

func (f fakeRecords) Jobs(_ context.Context, q generate.Query) ([]generate.Job, error) {
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

func (f fakeRecords) Save(_ context.Context, j generate.Job, _ quota.Billing) (generate.Job, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.jobs[j.ID] = j
	return j, nil
}

func (f fakeRecords) Remove(_ context.Context, j generate.Job) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.jobs, j.ID)
	return nil
}

func (f fakeRecords) ForgetDefaults(_ context.Context, of, member string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forgotten = append(f.forgotten, of+member)
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
		Generator: fakeRecords{g}, Records: fakeRecords{g}, Rules: rules,
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

// Who is blocked erases all of their data, too: their defaults are a part of it.
func TestSomebodyBlockedErasesTheirData(t *testing.T) {
	_, g := newArchive(t)
	j := g.jobs[jobA]
	j.Member = eve
	g.jobs[jobA] = j
	store := librarytest.NewMemory()
	service := bot.New(bot.Config{
		Generator: fakeRecords{g}, Records: fakeRecords{g}, Rules: rules,
		Library: library.NewOffice(library.OfficeConfig{
			Store: store, Shelf: library.NewShelf(store, slog.New(slog.DiscardHandler)), Rules: func() ltx.Rules { return rules("") }, Blocked: blocksEve,
		}),
	})
	m := service.JobsLine(t.Context(), caller(eve), "erase yes")
	if !slices.Equal(g.forgotten, []string{eve}) || !g.jobs[jobA].Request.IsZero() || !strings.Contains(m.String(), "are erased") {
		t.Errorf("the defaults of %v are forgotten, left is %q; they read %s", g.forgotten, g.jobs[jobA].Request.Prompt(), m.String())
	}
}

// TestTheProvidersCopyIsDeletedToo with what somebody erases. Where the bot can't
// do that, it says so.
func TestTheProvidersCopyIsDeletedToo(t *testing.T) {
	const kept = "keeps its own copies"
	for _, purges := range []bool{true, false} {
		_, g := newArchive(t)
		j := g.jobs[jobA]
		j.Submission.RequestID = "r-1"
		g.jobs[jobA] = j
		service := bot.New(bot.Config{
			Generator: fakeRecords{g}, Records: fakeRecords{g}, Purges: purges, Rules: rules,
			Usage: func(context.Context, quota.Asker) ([]quota.Gauge, error) { return nil, nil },
		})
		m := service.JobsLine(t.Context(), caller(ann), "erase yes")
		if got := strings.Contains(m.String(), kept); got == purges {
			t.Errorf("the provider's copies are deleted %v: %s", purges, m.String())
		}
		if after := g.jobs[jobA]; !after.Request.IsZero() || after.Purge.IsZero() == purges || (after.Submission.RequestID != "") != purges {
			t.Errorf("the provider's copies are deleted %v: it is from %s, of %q", purges, after.Purge, after.Submission.RequestID)
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

// batchOf makes two finished jobs of ann the takes of a batch.
func batchOf(g *fakeGenerator) (lead, second generate.Job) {
	lead = g.jobs[jobA]
	lead.Batch = generate.Batch{ID: lead.ID, Index: 1, Size: 2}
	lead.Batch.Posting = lead.TakeIDs()
	second = lead
	second.Batch.Posting = nil
	second.ID, second.Event, second.Batch.Index = lead.TakeIDs()[1], "second", 2
	g.jobs = map[string]generate.Job{lead.ID: lead, second.ID: second}
	return lead, second
}

func TestAllTakesOfAMemberAreErasedAndExported(t *testing.T) {
	d, g := newArchive(t)
	lead, second := batchOf(g)
	kept, err := generate.Export(t.Context(), fakeRecords{g}, "", ann)
	if err != nil || len(kept) != 2 || kept[0].Command == "" || kept[1].Command == "" {
		t.Errorf("the export has %+v, %v; want both takes", kept, err)
	}
	for _, p := range kept {
		if p.Batch != lead.ID || p.Take < 1 || p.Take > 2 {
			t.Errorf("job %s is take %d of %q, want that of %s", p.ID, p.Take, p.Batch, lead.ID)
		}
	}
	if got := d.Erase(t.Context(), caller(ann)).Plain; !strings.Contains(got, "2 videos") {
		t.Errorf("it says %q", got)
	}
	for _, id := range []string{lead.ID, second.ID} {
		if j := g.jobs[id]; !j.Request.IsZero() || j.Output.URL != "" || j.Batch.ID != lead.ID {
			t.Errorf("%s has %+v after it was erased", id, j)
		}
	}
}

func TestTheTakesOfABatchAreFoundAfterItWasErased(t *testing.T) {
	d, g := newArchive(t)
	lead, second := batchOf(g)
	d.Erase(t.Context(), caller(ann))
	if _, _, err := d.Delete(t.Context(), lead.ID, removed); err != nil {
		t.Errorf("its message was deleted: %v", err)
	}
	if g.jobs[second.ID].Notes[generate.NoteDeleted] == "" {
		t.Error("the second take is not known to be deleted")
	}
	delete(g.jobs, second.ID) // it was removed because of its age
	if _, _, err := d.Delete(t.Context(), lead.ID, removed); err != nil {
		t.Errorf("the message of a batch of which one take is not kept was deleted: %v", err)
	}
}
