package discord_test

import (
	"strings"
	"testing"

	"ltxbot/bot/view"
	sim "ltxbot/sim/discord"
)

// TestServersThatAreNotListedGetNothing restarts a bot that worked everywhere
// with one server in its config. In the other server the commands are still
// there, and so are the buttons of old messages and an open form.
func TestServersThatAreNotListedGetNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j, video := s.delivered("/ltx prompt:a cowboy")
	open := s.click(s.ada, video, view.ActEdit, j.ID)
	s.form(open)
	listed := s.sim.NewGuild("Listed")
	listed.Join(s.ada)
	s.cfg.Guilds = []string{listed.ID}
	s.restart()

	act := map[string]func() (*sim.Interaction, error){
		"command": func() (*sim.Interaction, error) { return s.ada.Type(s.ctx, s.general, "/ltx prompt:a fox") },
		"order":   func() (*sim.Interaction, error) { return s.ada.Type(s.ctx, s.general, "/ltx-quota show") },
		"again":   func() (*sim.Interaction, error) { return s.click(s.ada, video, view.ActAgain, j.ID), nil },
		"edit":    func() (*sim.Interaction, error) { return s.click(s.ada, video, view.ActEdit, j.ID), nil },
		"delete":  func() (*sim.Interaction, error) { return s.click(s.ada, video, view.ActDelete, j.ID), nil },
		"form":    func() (*sim.Interaction, error) { return s.ada.SubmitModal(s.ctx, open, nil) },
		"remix":   func() (*sim.Interaction, error) { return s.ada.MessageCommand(s.ctx, video, "Remix with LTX") },
	}
	for name, do := range act {
		i, err := do()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		m := s.response(i)
		if m.EphemeralTo != s.ada.ID || !strings.Contains(m.Text(), "do not work in this server") || !strings.Contains(m.Text(), "nothing was charged") {
			t.Errorf("%s: ada reads %q", name, m.Text())
		}
	}
	if choices := s.suggested(s.ada, "ltx", "size", sim.Arg("prompt", "a fox"), sim.Arg("size", "1")); len(choices) != 0 {
		t.Errorf("suggestions %v", choices)
	}
	if n := len(s.engine.Accepted); n != 0 {
		t.Errorf("%d jobs were made", n)
	}
	s.wantVideos(j.ID, 1)
	// The server in the config is served.
	s.job(s.typesBy(s.ada, listed.NewChannel("videos"), "/ltx prompt:a fox"))
}

func TestButtonsInDirectMessagesWorkWhereServersAreListed(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.cfg.Guilds = []string{s.guild.ID}
	s.restart()
	j := s.running("/ltx prompt:a cowboy")
	s.general.Delete()
	s.mustDeliver(j.ID, 1<<20)
	video := videos(s.ada.DM(), j.ID)[0]
	if m := s.response(s.click(s.ada, video, view.ActDetails, j.ID)); !strings.Contains(m.Text(), j.ID) {
		t.Errorf("details are %q", m.Text())
	}
	if i, err := s.ada.Type(s.ctx, s.ada.DM(), "/ltx prompt:a fox"); err == nil {
		t.Errorf("the command is offered in direct messages: %v", i.ID)
	}
}

// TestPeopleWhoInstalledTheBotForThemselvesGetNothing has the application
// installed by a person, as an operator may allow by accident, in a server
// that never added it.
func TestPeopleWhoInstalledTheBotForThemselvesGetNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	apiOf(s).post("/applications/"+s.sim.ApplicationID()+"/commands",
		`{"name":"ltx","description":"a","integration_types":[0,1],"options":[{"type":3,"name":"prompt","description":"a"}]}`)
	foreign := s.sim.NewGuildWithoutBot("Foreign")
	s.ada.Install()
	foreign.Join(s.ada)
	i := s.typesBy(s.ada, foreign.NewChannel("general"), "/ltx prompt:a fox")
	if m := s.response(i); m.EphemeralTo != s.ada.ID || !strings.Contains(m.Text(), "servers that have added me") {
		t.Errorf("ada reads %q", m.Text())
	}
	s.ask("/ltx prompt:a fox") // in a server that added it, nothing changes
}
