package bot_test

import (
	"errors"
	"slices"
	"strconv"
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
)

// ask is what an adapter makes of a typed line.
func ask(t *testing.T, member, line string) bot.Ask {
	t.Helper()
	l, err := command.Parse(line)
	if err != nil {
		t.Fatal(err)
	}
	return bot.Ask{Event: "discord:1", Caller: caller(member), Place: generate.Place{Platform: "discord"}, Settings: l.Settings}
}

func TestSubmitMakesARequestOfWhatWasTyped(t *testing.T) {
	d := newService(&fakeGenerator{})
	g, refusal := submit(t, d, ask(t, ann, cowboy+" private:yes"))
	if refusal != nil {
		t.Fatal(refusal)
	}
	if g.Request.Camera() != "dolly_in" || g.Asker.Member != ann || g.Asker.Team != acme || g.Event != "discord:1" {
		t.Errorf("prepared %+v", g)
	}
	if !g.Place.Private || g.Place.Locale != "en-US" {
		t.Errorf("the place is %+v; it must be private and know the language", g.Place)
	}
}

func TestSubmitRefusesWithTheLineToCorrect(t *testing.T) {
	d := newService(&fakeGenerator{})
	_, refusal := submit(t, d, ask(t, ann, "a cowboy camera:dolly_inn lora:https://civitai.com/api/download/models/1?token=hunter2@0.5"))
	if refusal == nil {
		t.Fatal("a camera that does not exist was accepted")
	}
	got := refusal.String() + refusal.Plain
	for _, want := range []string{"Did you mean dolly_in?", `/ltx prompt:"a cowboy" camera:dolly_in lora:https://civitai.com/api/download/models/1@0.5`} {
		if !strings.Contains(got, want) {
			t.Errorf("the refusal does not say %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "hunter2") {
		t.Errorf("the refusal shows a secret:\n%s", got)
	}
}

// The line that a refusal offers can be sent as it is: what nobody understood is
// not in it, neither as an option nor as words that are paid for.
func TestTheLineToSendAgainIsWithoutFlagsOfOtherTools(t *testing.T) {
	for typed, want := range map[string]string{
		"a lion --v 6 --ar 16:9":                                       `/ltx prompt:"a lion" ar:16:9`,
		"a lion --stylize 500 --chaos 20 on a rock":                    `/ltx prompt:"a lion on a rock"`,
		"a lion --sref https://example.com/a.png":                      `/ltx prompt:"a lion"`,
		"a lion --вес 5 --камера dolly_in":                             `/ltx prompt:"a lion"`,
		"a lion count:9 model=pro":                                     `/ltx prompt:"a lion" count:4 model:pro`,
		"a lion --no people --ar 16:9":                                 `/ltx prompt:"a lion" ar:16:9 negative:people`,
		`{"prompt": "a lion", "made_up": "https://example.com/a.png"}`: `/ltx prompt:"a lion"`,
		"a lion made_up:7":                                             `/ltx prompt:"a lion"`,
		"a lion duraton:5":                                             `/ltx prompt:"a lion" duration:5`,
	} {
		_, refusal := submit(t, newService(&fakeGenerator{}), ask(t, ann, typed))
		if refusal == nil {
			t.Errorf("%q was accepted", typed)
			continue
		}
		last := refusal.Blocks[len(refusal.Blocks)-1]
		if last.Kind != view.Code || last.Spans[0].Text != want {
			t.Errorf("%q: offered %v, want %s", typed, last.Spans, want)
		}
	}
}

// TestALineThatIsWrongIsNotOfferedToBeSentAgain types what nobody but the person can
// correct: the same line would be refused in the same way. It is shown as what was
// typed, which is gone elsewhere on some platforms.
func TestALineThatIsWrongIsNotOfferedToBeSentAgain(t *testing.T) {
	for _, typed := range []string{
		"a lion size:banana", "a lion lora:a/b@9", "a lion style:dask", "a lion camera:focus_shift", "a lion size:16:9 size:1:1",
		"a lion seed:abc steps:50", "a lion seed:abc steps:60", "a lion duration:4 frames:49", "camera:static", "a lion edit:retake", "a lion edit:extend",
	} {
		_, refusal := submit(t, newService(&fakeGenerator{}), ask(t, ann, typed))
		if refusal == nil || strings.Contains(refusal.String(), "send it again") || !strings.Contains(refusal.String(), "You typed:") {
			t.Errorf("%q: %v, want a refusal that does not tell to send it again", typed, refusal)
		}
	}
}

// What a form adds by itself is in the line, too: without the clip and the edit it
// would be a video of the words alone.
func TestTheLineOfAFormThatIsRefusedMeansWhatTheFormMeant(t *testing.T) {
	g := &fakeGenerator{jobs: map[string]generate.Job{}}
	d := newService(g)
	g.jobs[jobA] = job(t, jobA, cowboy+" seed:7", generate.Delivered)
	for _, tt := range []struct {
		name     string
		step     view.Action
		settings []ltx.Setting
		want     string
	}{
		{
			"a part made anew, of a length that nobody can correct", view.ActRetake,
			[]ltx.Setting{{Key: "prompt", Value: "a dog runs"}, {Key: "duration", Value: "-3"}},
			`You typed: | /ltx prompt:"a dog runs" duration:-3 clip:job:` + jobA + ` edit:retake`,
		},
		{
			"a longer video, with a model that is nearly named", view.ActExtend,
			[]ltx.Setting{{Key: "prompt", Value: "a dog runs"}, {Key: "model", Value: "prp"}},
			`Correct it and send it again: | /ltx prompt:"a dog runs" model:pro clip:job:` + jobA + ` edit:extend`,
		},
		{
			"an option in the text of the prompt that does not exist", view.ActRetake,
			[]ltx.Setting{{Key: "prompt", Value: "a dog runs --stylize 5"}},
			`Correct it and send it again: | /ltx prompt:"a dog runs" clip:job:` + jobA + ` edit:retake`,
		},
		{
			"another one like it", "",
			[]ltx.Setting{{Key: "seed", Value: "abc"}},
			`You typed: | /ltx prompt:"a cowboy walks through a dusty town" camera:dolly_in seed:abc`,
		},
	} {
		a := bot.Ask{Event: "e", Caller: caller(ann), Prompt: bot.FieldPrompt, Parent: jobA, Step: tt.step, Settings: tt.settings}
		_, refusal := submit(t, d, a)
		if refusal == nil {
			t.Errorf("%s: accepted", tt.name)
			continue
		}
		last := refusal.Blocks[len(refusal.Blocks)-2:]
		if got := last[0].Spans[0].Text + " | " + last[1].Spans[0].Text; got != tt.want {
			t.Errorf("%s: offered\n%s, want\n%s", tt.name, got, tt.want)
		}
	}
}

func TestAValueOfAnotherModelNamesTheModel(t *testing.T) {
	for typed, want := range map[string]string{
		"a lion camera:focus_shift":      "Possible with model:ltx-2.5 or model:ltx-2.5-pro.",
		"a lion model:quality steps:45":  "Possible with model:ltx-2.3.",
		"a lion model:quality lora:a/b":  "Possible with model:ltx-2.3 or model:distilled.",
		"a lion model:ltx-2.5 steps:20":  "Models that can: ltx-2.3",
		"a lion model:distilled seed:-9": "between 0 and",
	} {
		_, refusal := submit(t, newService(&fakeGenerator{}), ask(t, ann, typed))
		if refusal == nil || !strings.Contains(refusal.Plain, want) || strings.Contains(refusal.Plain, "Possible") != strings.HasPrefix(want, "Possible") {
			t.Errorf("%q: %v, want %s", typed, refusal, want)
		}
	}
}

func TestSubmitRefusesWhatIsOverTheQuota(t *testing.T) {
	g := &fakeGenerator{quote: &quota.LimitError{Reason: quota.Paused}}
	_, refusal := submit(t, newService(g), ask(t, ann, cowboy))
	if refusal == nil || !strings.Contains(refusal.Plain, "paused") {
		t.Errorf("refusal is %v", refusal)
	}
}

func TestSubmitGoesOnWhenTheQuotaCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		_, refusal := submit(t, newService(&fakeGenerator{block: true}), ask(t, ann, cowboy))
		if took := time.Since(begun); refusal != nil || took > 500*time.Millisecond {
			t.Errorf("after %s: %v", took, refusal)
		}
	})
}

// world has a job of ann, a private one of ann, and one of bob.
func world(t *testing.T) (*bot.Service, *fakeGenerator) {
	t.Helper()
	private := job(t, jobB, secretLine+" private:yes", generate.Running)
	bobs := job(t, jobC, cowboy+" lora:a/b", generate.Delivered)
	bobs.Member = bob
	g := &fakeGenerator{jobs: map[string]generate.Job{
		jobA: job(t, jobA, secretLine, generate.Running), jobB: private, jobC: bobs,
	}}
	return newService(g), g
}

func TestPressObeysWhoMayDoWhat(t *testing.T) {
	admin := caller(bob)
	admin.Admin = true
	stranger := caller(bob)
	stranger.Team = "others"
	for _, c := range []struct {
		name   string
		who    bot.Caller
		action view.Action
		job    string
		want   string // "ask", "form", "delete" or what the reply says
	}{
		{"the owner cancels", caller(ann), view.ActCancel, jobA, "is being cancelled"},
		{"another member cannot cancel", caller(bob), view.ActCancel, jobA, "or an admin can do that"},
		{"an admin cancels", admin, view.ActCancel, jobA, "is being cancelled"},
		{"the owner deletes", caller(ann), view.ActDelete, jobA, "delete"},
		{"another member cannot delete", caller(bob), view.ActDelete, jobA, "or an admin can do that"},
		{"an admin deletes", admin, view.ActDelete, jobA, "delete"},
		{"anybody repeats", caller(bob), view.ActAgain, jobA, "ask"},
		{"anybody repeats with the same seed", caller(bob), view.ActSame, jobA, "ask"},
		{"anybody tries again", caller(bob), view.ActRetry, jobA, "ask"},
		{"anybody edits", caller(bob), view.ActEdit, jobA, "form"},
		{"anybody sees the details", caller(bob), view.ActDetails, jobA, "Job k3f92mq7abcd"},
		{"a private job is its owner's", caller(ann), view.ActAgain, jobB, "ask"},
		{"nobody else repeats a private job", caller(bob), view.ActAgain, jobB, "This video is private"},
		{"nobody else edits a private job", caller(bob), view.ActEdit, jobB, "This video is private"},
		{"nobody else sees its details, not even an admin", admin, view.ActDetails, jobB, "This video is private"},
		{"an admin stops a private job", admin, view.ActCancel, jobB, "is being cancelled"},
		{"another team's job does not exist", stranger, view.ActDetails, jobA, "There is no job"},
		{"a finished job cannot be cancelled", caller(bob), view.ActCancel, jobC, "It is already over"},
		{"a job that is gone", caller(ann), view.ActAgain, "aaaaaaaaaaaa", "There is no job"},
		{"a button of another version", caller(ann), "dance", jobA, "is gone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, _ := world(t)
			p := d.Press(t.Context(), c.who, c.action, c.job)
			got := "nothing"
			switch {
			case p.Reply != nil:
				got = p.Reply.Plain
			case p.Ask != nil:
				got = "ask"
			case p.Form != nil:
				got = "form"
			case p.Delete:
				got = "delete"
			}
			if !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestARetryTakesANewSeedWhenTheModelMadeNothing: with the same one it would
// make nothing again.
func TestARetryTakesANewSeedWhenTheModelMadeNothing(t *testing.T) {
	for kind, want := range map[generate.FailureKind]int64{generate.FailNoMedia: 4242, generate.FailProvider: 7} {
		d, g := world(t)
		j := g.jobs[jobA]
		j.State, j.Failure.Kind = generate.Failed, kind
		g.jobs[jobA] = j
		p := d.Press(t.Context(), caller(bob), view.ActRetry, jobA)
		if p.Ask == nil || p.Ask.Request.Seed() != want {
			t.Errorf("after %s: %+v, want seed %d", kind, p.Ask, want)
		}
	}
}

func TestAgainTakesANewSeedAndSameDoesNot(t *testing.T) {
	d, _ := world(t)
	for action, want := range map[view.Action]int64{view.ActAgain: 4242, view.ActSame: 7, view.ActRetry: 7} {
		p := d.Press(t.Context(), caller(bob), action, jobA)
		g, refusal := submit(t, d, *p.Ask)
		if refusal != nil {
			t.Fatal(refusal)
		}
		if g.Request.Seed() != want || g.Parent != jobA || g.Asker.Member != bob {
			t.Errorf("%s: seed %d, parent %q, asker %q", action, g.Request.Seed(), g.Parent, g.Asker.Member)
		}
	}
}

func TestEditKeepsTheSecretOfALinkThatItDoesNotShow(t *testing.T) {
	d, _ := world(t)
	form := d.Press(t.Context(), caller(bob), view.ActEdit, jobA).Form
	var settings []ltx.Setting
	for _, f := range form.Fields {
		if strings.Contains(f.Value, "hunter2") {
			t.Errorf("the form shows a secret: %q", f.Value)
		}
		if f.Kind != view.Files {
			settings = append(settings, ltx.Setting{Key: f.Key, Value: f.Value})
		}
	}
	settings[0].Value = "a cowboy rides"
	g, refusal := submit(t, d, bot.Ask{Event: "e", Caller: caller(bob), Settings: settings, Parent: jobA})
	if refusal != nil {
		t.Fatal(refusal)
	}
	if path := g.Request.LoRAs()[0].Path; path != "https://civitai.com/api/download/models/123?token=hunter2" {
		t.Errorf("the LoRA is %q", path)
	}
	if g.Request.Prompt() != "a cowboy rides" || g.Request.Seed() != 7 || g.Request.Camera() != "dolly_in" {
		t.Errorf("edited into %v", g.Request.Settings())
	}
}

func TestEditInAShortFormKeepsWhatItDoesNotAskFor(t *testing.T) {
	d, g := world(t)
	j := job(t, jobA, cowboy+" steps:30 lora:a/b seed:7", generate.Delivered)
	g.jobs[jobA] = j
	prepared, refusal := submit(t, d, bot.Ask{
		Event: "e", Caller: caller(ann), Parent: jobA,
		Settings: []ltx.Setting{{Key: "prompt", Value: "a dog"}, {Key: "camera", Value: ""}},
	})
	if refusal != nil {
		t.Fatal(refusal)
	}
	r := prepared.Request
	if r.Prompt() != "a dog" || r.Camera() != "none" || r.Steps() != 30 || !r.HasLoRA() || r.Seed() != 7 {
		t.Errorf("edited into %v", r.Settings())
	}
	prepared, _ = submit(t, d, bot.Ask{
		Event: "e", Caller: caller(ann), Parent: jobA, Settings: []ltx.Setting{{Key: "advanced", Value: ""}},
	})
	if r := prepared.Request; r.Steps() != 15 {
		t.Errorf("an emptied field for experts left %d steps", r.Steps())
	}
}

func TestALineWithoutTheSecretIsTheMembersOwnLink(t *testing.T) {
	d, _ := world(t)
	d.Jobs(t.Context(), caller(ann)) // remembers
	shown := ask(t, ann, "a dog lora:https://civitai.com/api/download/models/123@0.5")
	g, refusal := submit(t, d, shown)
	if refusal != nil {
		t.Fatal(refusal)
	}
	if l := g.Request.LoRAs()[0]; !strings.HasSuffix(l.Path, "?token=hunter2") || l.Scale != 0.5 {
		t.Errorf("the LoRA is %+v", l)
	}
	shown.Caller = caller(bob)
	g, _ = submit(t, d, shown)
	if l := g.Request.LoRAs()[0]; strings.Contains(l.Path, "hunter2") {
		t.Error("another member was given the secret")
	}
}

func TestShowAndCancelHelpWithIDs(t *testing.T) {
	d, _ := world(t)
	for id, want := range map[string]string{
		"K3F92MQ7ABCD":   "Making your video",
		"`k3f92mq7abcd`": "Making your video",
		"k3f92mq7abce":   "Did you mean k3f92mq7abcd?",
		"k3f9":           "Did you mean k3f92mq7abcd?",
		"zzzz":           "There is no job zzzz.",
		"":               "Say which job",
	} {
		if got := d.Show(t.Context(), caller(ann), id); !strings.Contains(got.String(), want) {
			t.Errorf("show %q says %q, want %q in it", id, got, want)
		}
	}
	if got := d.Cancel(t.Context(), caller(ann), "k3f9").Plain; !strings.Contains(got, "Did you mean") {
		t.Errorf("cancel says %q", got)
	}
}

func TestJobsListsOwnJobs(t *testing.T) {
	d, g := world(t)
	m := d.Jobs(t.Context(), caller(ann))
	for _, want := range []string{jobA, jobB, "Under way"} {
		if !strings.Contains(m.String(), want) {
			t.Errorf("the list does not have %s:\n%s", want, m)
		}
	}
	if strings.Contains(m.String(), jobC) || len(m.Buttons) != 2 {
		t.Errorf("the list has more than the member's own:\n%s", m)
	}
	g.jobs = nil
	if got := d.Jobs(t.Context(), caller(ann)).Plain; !strings.Contains(got, "no videos yet") {
		t.Errorf("without jobs it says %q", got)
	}
}

func TestAStoreThatDoesNotAnswerIsAnIncident(t *testing.T) {
	d := newService(&fakeGenerator{read: errors.New("dial tcp 10.0.0.1:6379: refused")})
	for name, m := range map[string]view.Message{
		"jobs":   d.Jobs(t.Context(), caller(ann)),
		"show":   d.Show(t.Context(), caller(ann), jobA),
		"cancel": d.Cancel(t.Context(), caller(ann), jobA),
		"usage":  d.Usage(t.Context(), caller(ann)),
		"press":  *d.Press(t.Context(), caller(ann), view.ActAgain, jobA).Reply,
	} {
		if !strings.Contains(m.Plain, "not possible right now") || !strings.Contains(m.Plain, "Reference: ") || strings.Contains(m.Plain, "6379") {
			t.Errorf("%s says %q", name, m.Plain)
		}
	}
}

func TestButtonIDsSurvive(t *testing.T) {
	for _, a := range []view.Action{view.ActCancel, view.ActAgain, view.ActSame, view.ActEdit, view.ActDetails, view.ActDelete, view.ActRetry} {
		id := view.ButtonID(a, jobA)
		action, job, ok := view.ParseButtonID(id)
		if !ok || action != a || job != jobA || len(id) > 100 {
			t.Errorf("%q reads %q %q %t", id, action, job, ok)
		}
	}
	for _, id := range []string{"", "v1:cancel", "v2:cancel:" + jobA, "v1:dance:" + jobA, "v1:cancel:x", "v1:cancel:" + jobA + ":", "v1:form:"} {
		if _, _, ok := view.ParseButtonID(id); ok {
			t.Errorf("%q is taken for a button", id)
		}
	}
}

func TestFieldErrorsStandUnderTheirFields(t *testing.T) {
	d := newService(&fakeGenerator{})
	_, err := rules("").Parse([]ltx.Setting{{Key: "camera", Value: "dolly_inn"}, {Key: "advanced", Value: "steps=99 nosuch=1"}})
	got := view.FieldErrors(d.Printer("en"), err)
	for key, want := range map[string]string{"prompt": "missing", "camera": "dolly_in", "advanced": "steps"} {
		if !strings.Contains(got[key], want) {
			t.Errorf("under %s stands %q, want %q in it", key, got[key], want)
		}
	}
	if view.FieldErrors(d.Printer("en"), errors.New("disk on fire")) != nil {
		t.Error("another error stands under a field")
	}
}

func TestRemixFillsTheFormIn(t *testing.T) {
	d, _ := world(t)
	value := func(f view.Form, key string) string {
		i := slices.IndexFunc(f.Fields, func(f view.Field) bool { return f.Key == key })
		return f.Fields[i].Value
	}
	for _, c := range []struct{ name, text, prompt, camera string }{
		{"a message", "look at this sunset: wow", "look at this sunset: wow", ""},
		{"a pasted command", "/ltx a dog runs camera:jib_up", "a dog runs", "jib_up"},
		{"a message of ours", "Your video is ready. " + jobC, "a cowboy walks through a dusty town", "dolly_in"},
		{"a private job of another member", jobB, jobB, ""},
		{"a single verb", "help", "help", ""},
	} {
		f := d.Remix(caller(bob), c.text, nil)
		if p, cam := value(f, "prompt"), value(f, "camera"); p != c.prompt || cam != c.camera {
			t.Errorf("%s: prompt %q, camera %q", c.name, p, cam)
		}
	}
}

func TestSuggestRanksAndRemembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _ := world(t)
		values := func(option, typed string) []string {
			var out []string
			for _, c := range d.Suggest(caller(ann), option, typed) {
				out = append(out, c.Value)
			}
			return out
		}
		values("lora", "") // begins to read
		synctest.Wait()
		d.Stop()
		for _, c := range []struct {
			option, typed string
			want          []string
		}{
			{"lora", "", []string{"https://civitai.com/api/download/models/123"}},
			{"lora", "a/b@0.5, ", []string{"a/b@0.5,", "a/b@0.5,https://civitai.com/api/download/models/123"}},
			{"camera", "dolly", []string{"dolly_in", "dolly_out", "dolly_left", "dolly_right"}},
			{"camera", "left", []string{"dolly_left"}},
			{"size", "port", []string{"portrait_16_9", "portrait_4_3"}},
			{"size", "1300x700", []string{"1300x700"}},
			{"duration", "", []string{"3", "5", "8", "10", "15", "20"}},
			{"duration", "6.5", []string{"6.5"}},
			{"job", "k3", []string{jobA}},
			{"nosuch", "", nil},
		} {
			if diff := cmp.Diff(c.want, values(c.option, c.typed)); diff != "" {
				t.Errorf("suggest %s %q (-want +got):\n%s", c.option, c.typed, diff)
			}
		}
	})
}

func TestSuggestRemembersABoundedNumberOfMembers(t *testing.T) {
	g := &fakeGenerator{read: errors.New("store is away")}
	d := newService(g)
	const members = 2100
	name := func(n int) string { return "discord:" + strconv.Itoa(n) }
	for n := range members {
		a := ask(t, name(n), "a cowboy lora:a/b")
		a.Event = name(n)
		if _, refusal := submit(t, d, a); refusal != nil {
			t.Fatal(refusal)
		}
	}
	if got := d.Suggest(caller(name(0)), "lora", ""); len(got) != 0 {
		t.Errorf("who asked first is still remembered: %v", got)
	}
	if got := d.Suggest(caller(name(members-1)), "lora", ""); len(got) != 1 {
		t.Errorf("who asked last is forgotten: %v", got)
	}
	d.Stop()
}

func TestFormTakesWhatItSays(t *testing.T) {
	d := newService(&fakeGenerator{})
	r := request(t, `he says: "go" camera:dolly_in size:21:9 steps:30 negative:"a, b" advanced:"scheduler=ltx2" seed:9`)
	var settings []ltx.Setting
	for _, f := range d.Form(t.Context(), caller(ann), generate.Job{ID: jobA, Request: r}).Fields {
		if f.Kind != view.Files {
			settings = append(settings, ltx.Setting{Key: f.Key, Value: f.Value})
		}
	}
	again, err := rules("").Parse(settings)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r.Settings(), again.Settings()); diff != "" {
		t.Errorf("the form makes another request (-want +got):\n%s", diff)
	}
}

func FuzzMessagesShowNoSecretAndNeverPanic(f *testing.F) {
	f.Add("a cowboy", "hunter2secret")
	d := newService(&fakeGenerator{})
	f.Fuzz(func(t *testing.T, prompt, token string) {
		token = "s3cr3t" + strings.Map(func(r rune) rune {
			if r < '0' || r > 'z' || r > '9' && r < 'a' {
				return -1
			}
			return r
		}, token)
		r, err := rules("").Parse([]ltx.Setting{{Key: "prompt", Value: prompt}, {Key: "lora", Value: "https://civitai.com/api/download/models/1?token=" + token}})
		if err != nil {
			return
		}
		j := generate.Job{ID: jobA, State: generate.Running, Member: ann, Request: r}
		for _, m := range []view.Message{view.Card(d.Printer(j.Place.Locale), j), view.Result(d.Printer(j.Place.Locale), j, view.ResultFacts{}), view.Details(d.Printer(j.Place.Locale), j)} {
			if s := m.String() + m.Plain; strings.Contains(s, token) && !strings.Contains(prompt, token) {
				t.Errorf("a message shows the token:\n%s", s)
			}
		}
		if alt := view.AltText(d.Printer(j.Place.Locale), j); len([]rune(alt)) > 1024 {
			t.Errorf("the description has %d characters", len([]rune(alt)))
		}
	})
}
