package bot_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ltxbot/bot"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

func TestACommandIsRecordedBeforeItIsAcknowledged(t *testing.T) {
	g := &fakeGenerator{}
	r := &responder{}
	j, ok := newService(g).Submit(t.Context(), ask(t, ann, cowboy), r)
	if !ok || j.State != generate.Accepted || g.jobs[j.ID].State != generate.Accepted {
		t.Errorf("the job is %s, %v", j.State, ok)
	}
	if diff := cmp.Diff([]generate.State{generate.Received}, r.acks); diff != "" {
		t.Errorf("acknowledged with the job in state (-want +got):\n%s", diff)
	}
}

func TestWhatIsRefusedIsNotRecorded(t *testing.T) {
	place := view.Message{Plain: "not here"}
	for name, c := range map[string]struct {
		fake *fakeGenerator
		line string
		r    *responder
		want string
	}{
		"a mistake": {&fakeGenerator{}, "a cat camera:sideways", &responder{}, "camera"},
		"the quota": {&fakeGenerator{quote: &quota.LimitError{Reason: quota.Paused}}, cowboy, &responder{}, "paused"},
		"the place": {&fakeGenerator{}, cowboy, &responder{check: &place}, "not here"},
		"the store": {&fakeGenerator{record: errors.New("store is away")}, cowboy, &responder{}, "Nothing was charged"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, ok := newService(c.fake).Submit(t.Context(), ask(t, ann, c.line), c.r); ok || len(c.fake.jobs) > 0 || len(c.r.acks) > 0 {
				t.Errorf("there is a job: %v, %v, acknowledged %v", ok, c.fake.jobs, c.r.acks)
			}
			if c.r.refusal == nil || !strings.Contains(c.r.refusal.Plain, c.want) {
				t.Errorf("refused with %v, want %q", c.r.refusal, c.want)
			}
		})
	}
}

func TestAnEventThatComesTwiceIsOneJob(t *testing.T) {
	g := &fakeGenerator{}
	d := newService(g)
	first, _ := d.Submit(t.Context(), ask(t, ann, cowboy), &responder{})
	again := &responder{}
	second, ok := d.Submit(t.Context(), ask(t, ann, cowboy), again)
	if !ok || first.ID != second.ID || len(g.jobs) != 1 || len(again.acks) != 1 {
		t.Errorf("the second time: job %s, %v, %d jobs, acknowledged %v", second.ID, ok, len(g.jobs), again.acks)
	}
}

// TestARecordThatIsLeftIsTakenOn is an event that is brought again since the
// process that recorded it was killed.
func TestARecordThatIsLeftIsTakenOn(t *testing.T) {
	g := &fakeGenerator{accept: errors.New("killed")}
	d := newService(g)
	d.Submit(t.Context(), ask(t, ann, cowboy), &responder{})
	g.accept = nil
	if j, ok := d.Submit(t.Context(), ask(t, ann, cowboy), &responder{}); !ok || j.State != generate.Accepted {
		t.Errorf("the job is %s, %v", j.State, ok)
	}
}

func TestWhatAnAcknowledgementComesTo(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want generate.State // empty = there is no job
	}{
		"taken":                    {nil, generate.Accepted},
		"not known":                {errors.New("timeout"), generate.Accepted},
		"refused":                  {bot.ErrUnacknowledged, ""},
		"another process is at it": {bot.ErrElsewhere, generate.Received},
	} {
		t.Run(name, func(t *testing.T) {
			g := &fakeGenerator{}
			j, ok := newService(g).Submit(t.Context(), ask(t, ann, cowboy), &responder{err: c.err})
			if ok != (c.want != "") || ok && g.jobs[j.ID].State != c.want {
				t.Errorf("the job is %s, %v", g.jobs[j.ID].State, ok)
			}
			if refused := c.want == ""; refused != (len(g.dropped) == 1) {
				t.Errorf("dropped %v", g.dropped)
			}
		})
	}
}

func TestTheJobOfAnotherIsNotDropped(t *testing.T) {
	g := &fakeGenerator{}
	d := newService(g)
	d.Submit(t.Context(), ask(t, ann, cowboy), &responder{err: bot.ErrElsewhere})
	if _, ok := d.Submit(t.Context(), ask(t, ann, cowboy), &responder{err: bot.ErrUnacknowledged}); ok || len(g.jobs) != 1 || len(g.dropped) > 0 {
		t.Errorf("%d jobs, dropped %v", len(g.jobs), g.dropped)
	}
}

// TestAStoreThatHangsIsAnsweredInTime is the answer within the three seconds
// of the platforms, and the end of what was recorded all the same.
func TestAStoreThatHangsIsAnsweredInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &fakeGenerator{hang: true}
		r, begun := &responder{}, time.Now()
		if _, ok := newService(g).Submit(t.Context(), ask(t, ann, cowboy), r); ok || r.refusal == nil || len(r.acks) > 0 {
			t.Errorf("there is a job: %v; refused with %v, acknowledged %v", ok, r.refusal, r.acks)
		}
		if took := time.Since(begun); took < time.Second || took > 2*time.Second {
			t.Errorf("answered after %s", took)
		}
		if len(g.dropped) != 1 {
			t.Errorf("dropped %v", g.dropped)
		}
	})
}

func TestWhoIsNotKnownYetIsAskedForAfterTheAcknowledgement(t *testing.T) {
	g := &fakeGenerator{quote: &quota.LimitError{Reason: quota.Paused}} // that is for whom the limits are known
	asked := 0
	a := ask(t, ann, cowboy)
	a.Identify = func(context.Context) bot.Caller {
		asked++
		return caller(ann)
	}
	j, ok := newService(g).Submit(t.Context(), a, &responder{})
	if !ok || j.State != generate.Preparing || asked > 0 {
		t.Errorf("the job is %s, %v, asked %d times who it is", j.State, ok, asked)
	}
}

func TestWhoIsNotKnownYetIsRefusedInTheirLanguage(t *testing.T) {
	a := ask(t, ann, "a cat camera:sideways")
	a.Caller.Locale = ""
	a.Identify = func(context.Context) bot.Caller {
		c := caller(ann)
		c.Locale = "de"
		return c
	}
	r := &responder{}
	if _, ok := newService(&fakeGenerator{}).Submit(t.Context(), a, r); ok || r.refusal == nil || !strings.Contains(r.refusal.Plain, "kann nicht") {
		t.Errorf("refused with %v", r.refusal)
	}
}

func TestACardSaysWhichLimitHadNoRoom(t *testing.T) {
	j := job(t, jobA, cowboy, generate.Failed)
	j.Failure = generate.Failure{Kind: generate.FailQuota, Refusal: &quota.LimitError{Reason: quota.LineFull, Line: 5}}
	if got := view.Card(newService(&fakeGenerator{}).Printer(j.Place.Locale), j).String(); !strings.Contains(got, "5 jobs waiting") || !strings.Contains(got, "Nothing was charged") {
		t.Errorf("the card says\n%s", got)
	}
}

func TestARefusalGivesTheRightLine(t *testing.T) {
	for line, want := range map[string]string{
		"a cat lora:a/b lora_scale:0.5": `/ltx prompt:"a cat" lora:a/b@0.5`,
		"a cat lora_scale:0.5 seed:7":   `/ltx prompt:"a cat" seed:7 lora:owner/repo@0.5`,
		"a cat width:1280 fps:24":       `/ltx prompt:"a cat" fps:24 size:1280x720`,
		"a cat --no hands, text":        `negative:`,
	} {
		_, refusal := submit(t, newService(&fakeGenerator{}), ask(t, ann, line))
		if refusal == nil || !strings.Contains(refusal.String(), want) {
			t.Errorf("%s: %v, want %q", line, refusal, want)
		}
	}
}
