package discord_test

import (
	"slices"
	"strings"
	"testing"

	"ltxbot/bot/adapter/adaptertest"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	sim "ltxbot/sim/discord"
)

// boss joins the guild as somebody who manages it.
func (s *stage) boss() *sim.User {
	boss := s.sim.NewUser("boss")
	s.guild.Join(boss, s.guild.NewRole("boss", sim.ManageGuild))
	return boss
}

// tells types a command and waits for an answer to who typed it.
func (s *stage) tells(u *sim.User, line, want string) {
	s.t.Helper()
	if says := s.told(u, line); !strings.Contains(says, want) {
		s.t.Errorf("%s answers %q, want %q in it", line, says, want)
	}
}

// told types a command and returns the answer, which only who typed it sees.
func (s *stage) told(u *sim.User, line string, beside ...sim.Argument) string {
	s.t.Helper()
	m := s.response(s.typesBy(u, s.general, line, beside...))
	if m.EphemeralTo != u.ID {
		s.t.Errorf("%s: %q is shown to %q", line, m.Text(), m.EphemeralTo)
	}
	return m.Text()
}

func TestLoRAsOfATeam(t *testing.T) {
	t.Parallel()
	adaptertest.LoRAs(t, func(t *testing.T) adaptertest.Room {
		t.Helper()
		s := newStage(t)
		boss := s.boss()
		line := func(command string, args []adaptertest.Arg) string {
			words := []string{command}
			for _, a := range args {
				words = append(words, a.Name+":"+a.Value)
			}
			return strings.Join(words, " ")
		}
		return adaptertest.Room{
			Order: func(admin bool, verb, name string, args []adaptertest.Arg) string {
				who := s.ada
				if admin {
					who = boss
				}
				var beside []sim.Argument
				if name != "" {
					beside = append(beside, sim.Arg("file", file(name)))
				}
				return s.told(who, line("/ltx-loras "+verb, args), beside...)
			},
			Make: func(verb string, args []adaptertest.Arg) generate.Job {
				if verb != "" {
					return s.ask(line("/ltx-loras "+verb, args))
				}
				return s.ask(line("/ltx", args))
			},
			Files: s.files, Log: s.log.String,
		}
	})
}

func TestLoRAsAreCompletedWhileTheyAreTyped(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	boss := s.boss()
	s.tells(boss, "/ltx-loras add name:film link:acme/film scale:0.7", "is in your team's list")
	s.tells(boss, "/ltx-loras style-add name:noir options:camera:static lora:film@0.5", "style:noir")
	for _, tt := range []struct{ command, option, typed, want string }{
		{"ltx", "lora", "fi", "film · @0.7"},
		{"ltx", "style", "", "noir · camera:static lora:film@0.5"},
		{"ltx-loras show", "name", "fi", "film · @0.7"},
		{"ltx-loras style-remove", "name", "no", "noir · camera:static lora:film@0.5"},
	} {
		args := []sim.Argument{sim.Arg(tt.option, tt.typed)}
		if tt.command == "ltx" {
			args = append([]sim.Argument{sim.Arg("prompt", "a")}, args...)
		}
		choices := s.suggested(s.ada, tt.command, tt.option, args...)
		if !slices.ContainsFunc(choices, func(c sim.Choice) bool { return c.Name == tt.want }) {
			t.Errorf("%s %s:%s is completed with %+v", tt.command, tt.option, tt.typed, choices)
		}
	}
	s.tells(s.ada, "/ltx-jobs defaults options:camera:jib_up", "camera:jib_up")
	if r := s.ask("/ltx prompt:a man walks").Request; r.Camera() != "jib_up" {
		t.Errorf("own defaults: %s", r.CommandLine())
	}
}

func TestAFinishedVideoIsSavedAsAStyle(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	boss := s.boss()
	j, video := s.delivered("/ltx prompt:a cowboy camera:dolly_in steps:20")
	open := s.pick(boss, video, view.MenuID(j.ID), view.ButtonID(view.ActStyle, j.ID))
	s.form(open)
	sent := s.submit(boss, open, map[string]any{"name": "du sty"})
	refused := s.response(sent)
	if !strings.Contains(refused.Text(), "cannot be a name") {
		t.Fatalf("a bad name: %q", refused.Text())
	}
	button, _ := refused.Button("Edit again")
	again := s.press(boss, refused, button.CustomID)
	form := s.form(again)
	if form.Fields[1].Value != "camera:dolly_in steps:20" {
		t.Errorf("the form: %+v", form.Fields)
	}
	sent = s.submit(boss, again, map[string]any{"name": "dusty"})
	if m := s.response(sent); !strings.Contains(m.Text(), "style:dusty") {
		t.Fatalf("saved: %q", m.Text())
	}
	if r := s.ask("/ltx prompt:a hen style:dusty").Request; r.Camera() != "dolly_in" || r.Steps() != 20 || r.Prompt() != "a hen" {
		t.Errorf("the style: %s", r.CommandLine())
	}
}

func TestTheTakesOfATrialAreNamedByTheirStrength(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.tells(s.boss(), "/ltx-loras add name:film link:acme/film", "is in your team's list")
	j := s.running("/ltx-loras try name:film prompt:a man walks")
	_, whole := s.deliverBatch(j.ID, 1<<20, 2<<20, 3<<20, 4<<20)
	found := videos(s.general, j.ID)
	if len(found) != 1 || len(found[0].Attachments) != 4 {
		t.Fatalf("%d messages", len(found))
	}
	for i, label := range []string{"film@0.4", "film@0.7", "film@1", "film@1.3"} {
		button, ok := found[0].Button(view.ButtonID(view.ActTake, whole.Takes[i].ID))
		if !ok || button.Label != label || !strings.Contains(found[0].Text(), strings.ReplaceAll(label, "@", `\@`)+" · seed") {
			t.Errorf("take %d has the button %q, want %q, in\n%s", i+1, button.Label, label, found[0].Text())
		}
	}
	s.tells(s.ada, "/ltx prompt:loras try film a man walks", "need a conversation")
}

// A command is acknowledged before the file is looked at: a host may take longer
// than Discord waits.
func TestACommandThatLooksAtAFileIsAcknowledgedFirst(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	boss := s.boss()
	for _, tt := range []struct{ line, want string }{
		{"/ltx-loras add name:film link:acme/film", "is in your team's list"},
		{"/ltx-loras edit name:film link:acme/other", "was changed"},
		{"/ltx-loras check link:film", "This LoRA can be used here"},
		{"/ltx prompt:loras add clay acme/clay", "is in your team's list"},
		{"/ltx prompt:loras check clay", "This LoRA can be used here"},
	} {
		release := s.files.Hold()
		i, err := boss.Type(s.ctx, s.general, tt.line)
		if err == nil {
			err = i.WaitAck(s.ctx)
		}
		if err != nil {
			t.Fatalf("%s: %v", tt.line, err)
		}
		release()
		if m := s.response(i); !strings.Contains(m.Text(), tt.want) || m.EphemeralTo != boss.ID {
			t.Errorf("%s: %q is shown to %q", tt.line, m.Text(), m.EphemeralTo)
		}
	}
}
