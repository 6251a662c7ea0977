package slack_test

import (
	"slices"
	"strings"
	"testing"

	"ltxbot/bot/adapter/adaptertest"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/library"
	sim "ltxbot/sim/slack"
)

// boss joins as an admin of the workspace.
func (s *stage) boss() *sim.User {
	boss := s.ws.AddUser(sim.UserSpec{Name: "boss", Admin: true})
	s.general.Add(boss)
	return boss
}

// told does something and returns the next message that only u sees.
func (s *stage) told(u *sim.User, do func()) sim.Message {
	s.t.Helper()
	whispers := func() (all []sim.Message) {
		for _, m := range s.general.Messages() {
			if m.EphemeralTo == u.ID() {
				all = append(all, m)
			}
		}
		return all
	}
	before := len(whispers())
	do()
	s.wait(func() bool { return len(whispers()) > before })
	return whispers()[before]
}

// lineOf writes options as they are typed in Slack: what comes first without its
// name.
func lineOf(words string, args []adaptertest.Arg) string {
	for _, a := range args {
		switch {
		case a.Name == "name", slices.Contains([]string{"link", "options", "prompt"}, a.Name) && !strings.HasPrefix(words, "loras edit"):
			words += " " + a.Value
		case strings.Contains(a.Value, " "):
			words += " " + a.Name + `:"` + a.Value + `"`
		default:
			words += " " + a.Name + ":" + a.Value
		}
	}
	return words
}

func TestLoRAsOfATeam(t *testing.T) {
	t.Parallel()
	adaptertest.LoRAs(t, func(t *testing.T) adaptertest.Room {
		t.Helper()
		s := newStage(t)
		boss := s.boss()
		return adaptertest.Room{
			Order: func(admin bool, verb, name string, args []adaptertest.Arg) string {
				who := s.ann
				if admin {
					who = boss
				}
				m := s.told(who, func() {
					if name == "" {
						s.slash(who, s.general, lineOf("loras "+verb, args))
					} else if _, err := who.Share(s.general, lineOf(s.name()+" loras "+verb, args), "", file("notes.txt"), file(name)); err != nil {
						t.Fatal(err)
					}
				})
				return m.Text + m.Blocks.Text()
			},
			Make: func(verb string, args []adaptertest.Arg) generate.Job {
				if verb != "" {
					verb = "loras " + verb
				}
				return s.ask(strings.TrimSpace(lineOf(verb, args)))
			},
			Files: s.files, Log: s.log.String,
		}
	})
}

// formOf types a line that opens a form.
func (s *stage) formOf(u *sim.User, line string) sim.View {
	s.t.Helper()
	s.slash(u, s.general, line)
	return s.view(u)
}

// refuses sends a form and wants an objection under one of its fields.
func (s *stage) refuses(u *sim.User, form sim.View, values map[string][]string, field, want string) {
	s.t.Helper()
	var wrong *sim.ActionError
	if _, err := u.SubmitView(s.ctx, form, values); !asAction(err, &wrong) || !strings.Contains(wrong.Fields[field], want) {
		s.t.Errorf("%v: %v, want %q under %s", values, err, want, field)
	}
}

func TestTheFormsOfALibrary(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	boss := s.boss()
	form := s.formOf(boss, "loras add film")
	s.refuses(boss, form, map[string][]string{"link": {"nowhere"}}, "link", "no LoRA")
	s.refuses(boss, form, map[string][]string{"link": {"acme/film"}, "note": {"grainy"}, "seed": {"x"}}, "seed", "not a seed")
	if m := s.told(boss, func() { s.submit(boss, map[string][]string{"seed": {"7"}}) }); !strings.Contains(m.Text, "is in your team's list") {
		t.Errorf("added: %s", m.Text)
	}
	form = s.formOf(boss, "loras add film")
	s.refuses(boss, form, map[string][]string{"link": {"acme/other"}}, "name", "is “film” already")
	if err := boss.CloseView(s.ctx, form, true); err != nil {
		t.Fatal(err)
	}
	s.formOf(boss, "loras edit film")
	if m := s.told(boss, func() { s.submit(boss, map[string][]string{"note": {""}, "scale": {"0.5"}}) }); !strings.Contains(m.Text, "was changed") {
		t.Errorf("edited: %s", m.Text)
	}
	m := s.told(s.ann, func() { s.slash(s.ann, s.general, "loras show film") })
	if says := m.Blocks.Text(); strings.Contains(says, "grainy") || !strings.Contains(says, "0.5") {
		t.Errorf("what was edited: %s", says)
	}
	form = s.formOf(boss, "loras edit film")
	s.told(boss, func() { s.slash(boss, s.general, "loras edit film note:cold") }) // as another admin does
	s.submitForm(boss, form, map[string][]string{"trigger": {"ohwx"}})
	form = s.view(boss)
	if says := form.Blocks.Text(); !strings.Contains(says, "has changed since you opened this form") || !strings.Contains(says, "Note cold") {
		t.Errorf("an edit that was overtaken: %s", says)
	}
	if m := s.told(s.ann, func() { s.slash(s.ann, s.general, "loras show film") }); !strings.Contains(m.Blocks.Text(), "cold") || strings.Contains(m.Blocks.Text(), "ohwx") {
		t.Errorf("it has overwritten: %s", m.Blocks.Text())
	}
	if m := s.told(boss, func() { s.submit(boss, map[string][]string{"note": {"cold"}}) }); !strings.Contains(m.Text+m.Blocks.Text(), "ohwx") {
		t.Errorf("sent again, it has lost what was typed: %s", m.Text)
	}
	s.slash(boss, s.general, "styles add noir camera:static note:shadows")
	s.whisper(boss, s.general, "style:noir")
	form = s.formOf(boss, "styles edit noir")
	s.refuses(boss, form, map[string][]string{"options": {"camera:spin"}}, "options", "cannot be")
	if m := s.told(boss, func() { s.submit(boss, map[string][]string{"options": {"camera:jib_up"}, "note": {""}}) }); !strings.Contains(m.Text, "camera:jib_up") || strings.Contains(m.Text, "shadows") {
		t.Errorf("the style: %s", m.Text)
	}
	form = s.formOf(s.ann, "loras add clay")
	s.refuses(s.ann, form, map[string][]string{"link": {"acme/clay"}}, "link", "Only an admin")
}

// The form is acknowledged before the file is looked at: a host may take longer
// than Slack waits.
func TestTheFormLooksAtTheLink(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	boss := s.boss()
	s.files.Find("acme/pickle", library.Finding{Warnings: []library.Warning{{Kind: library.Pickle}}})
	s.files.Find("acme/wan", library.Finding{Warnings: []library.Warning{{Kind: library.OtherModel, Value: "Wan"}}})
	for name, want := range map[string]string{"pickle": "can run code", "wan": "made for Wan"} {
		s.formOf(boss, "loras add "+name)
		m := s.told(boss, func() {
			release := s.files.Hold()
			defer release()
			s.submit(boss, map[string][]string{"link": {"acme/" + name}})
		})
		if says := m.Text + m.Blocks.Text(); !strings.Contains(says, want) || strings.Contains(says, "is in your team's list") != (name == "wan") {
			t.Errorf("%s: %s", name, says)
		}
	}
}

func TestTheFormTakesTheFileOfALoRA(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	boss := s.boss()
	upload := func(spec sim.FileSpec) []string {
		t.Helper()
		id, err := boss.AddFile(spec)
		if err != nil {
			t.Fatal(err)
		}
		return []string{id}
	}
	form := s.formOf(boss, "loras add clay")
	if !strings.Contains(form.Blocks.Text(), "up to 10 MB") || !strings.Contains(form.Blocks.Text(), "loras add NAME") {
		t.Errorf("the form does not say what it takes, and what else there is: %s", form.Blocks.Text())
	}
	s.refuses(boss, form, map[string][]string{"file": upload(sim.FileSpec{Name: "big.safetensors", Content: make([]byte, 10<<20+1)})}, "file", "10 MB")
	s.refuses(boss, form, map[string][]string{"file": upload(file("clay.safetensors")), "link": {"acme/clay"}}, "link", "not both")
	s.refuses(boss, form, map[string][]string{"file": {}, "link": {""}}, "link", "link")
	m := s.told(boss, func() {
		s.submit(boss, map[string][]string{"file": upload(file("clay.safetensors")), "scale": {"0.7"}, "link": {""}})
	})
	if !strings.Contains(m.Text, "lora:clay") {
		t.Errorf("the answer is %s", m.Text)
	}
	s.wantsClay()
	s.wantJobs(1)
}

// wantsClay makes a video with the LoRA that was uploaded.
func (s *stage) wantsClay() {
	s.t.Helper()
	j := s.ask("a fox lora:clay")
	if l := j.Request.LoRAs(); len(l) != 1 || l[0].Path != "https://v3.fal.media/the_bytes_of_clay.safetensors" || l[0].Scale != 0.7 {
		s.t.Errorf("LoRAs %+v", l)
	}
}

func TestTheShortcutAddsTheLoRAOfAMessage(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	boss := s.boss()
	said := s.share(s.general, "my first one", "", file("sample.png"), file("my clay v1.safetensors"))
	opens := func(u *sim.User) sim.View {
		t.Helper()
		s.shortcut(u, said)
		return s.view(u)
	}
	form := opens(s.ann)
	if says := form.Blocks.Text(); !strings.Contains(says, "my clay v1.safetensors goes to fal's storage") {
		t.Errorf("the form says %s", says)
	}
	s.refuses(s.ann, form, nil, "name", "Only an admin")
	if len(s.files.Stored()) > 0 {
		t.Errorf("%q was uploaded", s.files.Stored())
	}
	form = opens(boss)
	s.refuses(boss, form, map[string][]string{"scale": {"9"}}, "scale", "between 0 and 4")
	s.restart() // the form is in Slack, and nothing is remembered here
	m := s.told(boss, func() { s.submit(boss, map[string][]string{"scale": {"0.7"}}) })
	if !strings.Contains(m.Text, "lora:my-clay-v1") {
		t.Errorf("the answer is %s", m.Text)
	}
	if got := s.files.Stored(); len(got) != 1 || got[0] != "the bytes of my clay v1.safetensors" {
		t.Errorf("%q was uploaded", got)
	}
	s.wantJobs(0)
}

func TestAFinishedVideoIsSavedAsAStyle(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.ann.SetAdmin(true)
	j, result := s.delivered()
	form := s.chosen(result, view.ActStyle, j.ID)
	m := s.told(s.ann, func() {
		s.submitForm(s.ann, form, map[string][]string{"name": {"dusty"}})
	})
	if !strings.Contains(m.Text, "style:dusty") {
		t.Errorf("the answer is %s", m.Text)
	}
	s.slash(s.bob, s.general, "a hen walks style:dusty")
	if r := s.job().Request; r.Camera() != "dolly_in" || r.Prompt() != "a hen walks" {
		t.Errorf("the style: %s", r.CommandLine())
	}
	s.slash(s.ann, s.general, "defaults camera:jib_up")
	s.whisper(s.ann, s.general, "camera:jib_up")
}

func TestTheTakesOfATrialAreNamedByTheirStrength(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.ann.SetAdmin(true)
	s.slash(s.ann, s.general, "loras add film acme/film")
	s.whisper(s.ann, s.general, "is in your team's list")
	j := s.shown("loras try film a man walks", generate.Accepted)
	whole := s.engine.Batch(j.ID, 4)
	s.deliverBatch(whole, s.ofTakes(whole)...)
	shares := videos(s.general)
	if len(shares) != 1 || len(shares[0].Files) != 4 || len(results(s.general, j.ID)) != 1 {
		t.Fatalf("%d messages share files:\n%s", len(shares), texts(s.general))
	}
	said := string(blocksJSON(t, results(s.general, j.ID)[0]))
	for _, label := range []string{"film@0.4", "film@0.7", "film@1", "film@1.3"} {
		if !strings.Contains(said, `"text":"`+label+`"`) {
			t.Errorf("no button says %s:\n%s", label, said)
		}
	}
	s.slash(s.bob, s.general, "loras try")
	s.whisper(s.bob, s.general, "try NAME")
}
