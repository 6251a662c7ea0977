package slack_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/internal/golden"
	sim "ltxbot/sim/slack"
)

func TestAPromptKeepsItsTypography(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, typed, want string }{
		{"entities", `a <fox> & a hen, 3 > 2`, `a <fox> & a hen, 3 > 2`},
		{"mentions and channels", `@ann dances in #general for @here`, `ann dances in #general for @here`},
		{"a link", `a poster with https://example.org/?a=1&b=2 on it`, `a poster with https://example.org/?a=1&b=2 on it`},
		{"curly quotes and dashes", `she says “hello — ‘friend’…” and goes`, `she says “hello — ‘friend’…” and goes`},
		{"markup", "*bold* _italics_ ~no~ `code`", "*bold* _italics_ ~no~ `code`"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			if got := s.ask(tt.typed + " —camera dolly_in").Request; got.Prompt() != tt.want {
				t.Errorf("the prompt is %q, want %q", got.Prompt(), tt.want)
			}
		})
	}
}

func TestAnswersAreForTheCallerOnly(t *testing.T) {
	t.Parallel()
	tests := []struct{ line, says string }{
		{"help", "a cowboy walks"},
		{"help options", "camera"},
		{"jobs", "You have no videos yet"},
		{"show k3f92mq7abcd", "There is no job"},
		{"cancel k3f92mq7abcd", "There is no job"},
		{"quota", "No limits apply"},
		{"loras", "LoRA"},
		{"admin", "Only admins and owners"},
		{"hlep", "is not a command"},
		{"a cowboy camera:dolly_im", "Did you mean"},
	}
	for _, tt := range tests {
		t.Run(tt.line, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.slash(s.ann, s.general, tt.line)
			s.whisper(s.ann, s.general, tt.says)
			if got := len(fromBot(s.general)); got != 0 {
				t.Errorf("everybody sees %s", texts(s.general))
			}
			s.wantJobs(0)
		})
	}
}

func TestARefusalOfTheQuotaIsForTheCallerOnly(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.engine.Refuse = &quota.LimitError{Reason: quota.LineFull, Line: 5}
	s.slash(s.ann, s.general, cowboy)
	s.whisper(s.ann, s.general, "5 jobs waiting")
	if got := len(fromBot(s.general)); got != 0 {
		t.Errorf("everybody sees %s", texts(s.general))
	}
}

func TestAMentionInAThreadAnswersInTheThread(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	root := s.bob.Say(s.general, "look at this", "")
	s.mention(s.ann, s.general, cowboy, root.TS)
	j := s.job()
	if j.Request.Prompt() != "a cowboy walks through a dusty town" || j.Place.Thread != root.TS {
		t.Errorf("prompt %q in thread %q", j.Request.Prompt(), j.Place.Thread)
	}
	s.mustShow(j.ID, generate.Accepted)
	receipt := s.mustDeliver(j.ID)
	for _, m := range fromBot(s.general) {
		if m.ThreadTS != root.TS {
			t.Errorf("%q is not in the thread", m.Text)
		}
	}
	if len(videos(s.general)) != 1 || !strings.Contains(receipt.Link, "thread_ts="+root.TS) {
		t.Errorf("receipt %+v, messages: %s", receipt, texts(s.general))
	}
	s.mention(s.ann, s.general, "", root.TS)
	s.whisper(s.ann, s.general, "a cowboy walks")
}

func TestShortcutsOpenTheForm(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	root := s.bob.Say(s.general, "look", "")
	said := s.bob.Say(s.general, "a &lt;red&gt; canoe camera:jib_up", root.TS)
	s.shortcut(s.ann, said)
	s.submit(s.ann, nil)
	j := s.job()
	if j.Request.Prompt() != "a <red> canoe" || j.Place.Thread != root.TS || j.Place.Channel != s.general.ID() {
		t.Errorf("prompt %q at %+v", j.Request.Prompt(), j.Place)
	}

	s.global(s.ann)
	s.submit(s.ann, map[string][]string{"prompt": {"a hen"}, "where": {s.general.ID()}})
	j = s.job()
	if j.Place.Channel != s.general.ID() || j.Place.Private || j.Notes["secret_response_url"] == "" {
		t.Errorf("place %+v", j.Place)
	}

	s.global(s.ann)
	s.submit(s.ann, map[string][]string{"prompt": {"a fox"}})
	j = s.job()
	if !j.Place.Private {
		t.Errorf("place %+v, want direct messages", j.Place)
	}
	s.mustShow(j.ID, generate.Accepted)
	s.mustDeliver(j.ID)
	if len(videos(s.ann.DM())) != 1 {
		t.Errorf("direct messages: %s", texts(s.ann.DM()))
	}
}

func TestTheShortcutOnAVideoOfOursTakesItsJob(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j, result := s.delivered()
	s.shortcut(s.bob, result)
	s.submit(s.bob, nil)
	if got := s.job().Request; got.Prompt() != j.Request.Prompt() || !strings.Contains(got.CommandLine(), "camera:dolly_in") {
		t.Errorf("the job is %s", got.CommandLine())
	}
}

func TestTheCommandAloneOpensTheForm(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.slash(s.ann, s.general, "")
	s.submit(s.ann, map[string][]string{
		"prompt": {"a cowboy"}, "camera": {"dolly_in"}, "size": {"9:16"}, "duration": {"6.5"}, "advanced": {"seed=42 audio=no"},
	})
	got := s.job().Request
	want, err := ltx.Rules{}.Parse([]ltx.Setting{
		{Key: "prompt", Value: "a cowboy"},
		{Key: "camera", Value: "dolly_in"},
		{Key: "size", Value: "9:16"},
		{Key: "duration", Value: "6.5"},
		{Key: "seed", Value: "42"},
		{Key: "audio", Value: "no"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.CommandLine(), got.CommandLine()); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

func TestAFormSaysWhatIsWrongUnderItsFields(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	form := s.form()
	_, err := s.ann.SubmitView(s.ctx, form, map[string][]string{
		"prompt": {"a cowboy"}, "size": {"huge"}, "duration": {"a while"}, "advanced": {"steps=x"},
	})
	var wrong *sim.ActionError
	if !asAction(err, &wrong) || wrong.Code != "invalid_form" {
		t.Fatalf("submit says %v", err)
	}
	for field, says := range map[string]string{"size": "cannot be", "duration": "in seconds", "advanced": "steps"} {
		if !strings.Contains(wrong.Fields[field], says) {
			t.Errorf("%s: %q, want %q in it (all: %v)", field, wrong.Fields[field], says, wrong.Fields)
		}
	}
	s.wantJobs(0)
	s.submitForm(s.ann, form, map[string][]string{"size": {"9:16"}, "duration": {"5"}, "advanced": {""}})
	s.job()
}

func TestSizesAreSuggestedAndTypedOnesTaken(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	form := s.form()
	all, err := s.ann.Suggest(s.ctx, form, "size", "")
	if err != nil || len(all) < 5 {
		t.Errorf("without a letter: %v, %v", all, err)
	}
	typed, err := s.ann.Suggest(s.ctx, form, "size", "1280x704")
	if err != nil || len(typed) == 0 || typed[len(typed)-1].Value != "1280x704" {
		t.Errorf("a typed size: %v, %v", typed, err)
	}
}

// What is typed as a setting in the field of the prompt is one, as everywhere.
func TestThePromptOfAFormIsReadAsALine(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.submitForm(s.ann, s.form(), map[string][]string{"prompt": {"a dog model:distilled --seed 5"}})
	if j := s.job(); j.Request.Prompt() != "a dog" || j.Request.Model() != "distilled" || j.Request.Seed() != 5 {
		t.Errorf("it makes %s", j.Request.CommandLine())
	}
}

func TestAFormThatTakesTooLongIsExplained(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.sim.Inject(sim.Fault{Method: "views.open", Kind: sim.APIError, Error: "expired_trigger_id"})
	s.slash(s.ann, s.general, "")
	s.whisper(s.ann, s.general, "could not be opened")
}

func TestFormsLookAsTheyDid(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	form := s.form()
	golden.JSON(t, "form.json", looks(form.Title, form.Blocks))
	s.global(s.ann)
	form = s.viewThat(s.ann, func(v sim.View) bool { return v.ID != form.ID })
	golden.JSON(t, "form_global.json", looks(form.Title, form.Blocks[len(form.Blocks)-1:]))
}

func TestTheHomeTabHasQuotaJobsAndButtons(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	boss := s.ws.AddUser(sim.UserSpec{ID: "U0BOSS0001", Name: "boss", Admin: true})
	s.general.Add(boss)
	boss.OpenHome()
	home := s.home(boss, func(sim.View) bool { return true })
	golden.JSON(t, "home_admin.json", looks("", home.Blocks))
	s.click(boss, home, "Make a video")
	s.submit(boss, map[string][]string{"prompt": {"a cowboy"}, "where": {s.general.ID()}})
	j := s.job()
	boss.OpenHome()
	home = s.home(boss, func(v sim.View) bool { return strings.Contains(v.Blocks.Text(), j.ID) })
	s.click(boss, home, "Cancel "+j.ID)
	_, err := boss.WaitHome(s.ctx, func(v sim.View) bool {
		return strings.Contains(v.Blocks.Text(), "Cancelling") && strings.Contains(v.Blocks.Text(), "is cancelled")
	})
	if err != nil {
		t.Errorf("the home tab does not show that the job is being cancelled: %v", err)
	}
	if got := len(boss.DM().Messages()); got != 0 {
		t.Errorf("%d direct messages about it", got)
	}
}
