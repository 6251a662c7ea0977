package slack_test

import (
	"errors"
	"testing"

	"ltxbot/bot"
	sim "ltxbot/sim/slack"
)

func TestWhoSomebodyIsInAWorkspaceNow(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	boss := s.ws.AddUser(sim.UserSpec{Name: "boss", Admin: true})
	guest := s.ws.AddUser(sim.UserSpec{Name: "guest", Guest: true, Admin: true})
	gone := s.ws.AddUser(sim.UserSpec{Name: "gone"})
	gone.Deactivate()
	other := s.sim.AddWorkspace(sim.WorkspaceSpec{Domain: "globex", NotInstalled: true})
	eve := other.AddUser(sim.UserSpec{Name: "eve", Admin: true})
	s.general.Add(eve)
	for name, c := range map[string]struct {
		user  string
		admin bool
		err   error
	}{
		"a member":                  {s.ann.ID(), false, nil},
		"an admin":                  {boss.ID(), true, nil},
		"a guest is never an admin": {guest.ID(), false, nil},
		"whose account is closed":   {gone.ID(), false, bot.ErrStranger},
		"who only shares a channel": {eve.ID(), false, bot.ErrStranger},
		"whom nobody knows":         {"U00000000", false, bot.ErrStranger},
	} {
		who, err := s.bot.Who(s.ctx, s.ws.ID(), c.user)
		if !errors.Is(err, c.err) || who.Admin != c.admin {
			t.Errorf("%s: %+v, %v", name, who, err)
		}
	}
	boss.SetAdmin(false)
	if who, err := s.bot.Who(s.ctx, s.ws.ID(), boss.ID()); err != nil || who.Admin {
		t.Errorf("who is no admin any more: %+v, %v", who, err)
	}
	if name, err := s.bot.NameOf(s.ctx, "slack:"+s.ws.ID()+":"+boss.ID()); err != nil || name != "boss" {
		t.Errorf("the name is %q, %v", name, err)
	}
}

func TestWhoMayRevisitAWorkspace(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	guest := s.ws.AddUser(sim.UserSpec{Name: "guest", Guest: true})
	j := s.ask("a fox")
	if _, err := s.bot.Revisit(s.ctx, j, s.bob.ID()); err != nil {
		t.Errorf("a member: %v", err)
	}
	if _, err := s.bot.Revisit(s.ctx, j, guest.ID()); err == nil {
		t.Error("a guest makes a video, though guests are not allowed")
	}
	secret := s.ws.AddChannel(sim.ChannelSpec{Name: "secret", Kind: sim.Private, Members: []*sim.User{s.ann, s.ws.Bot()}})
	j.Place.Channel = secret.ID()
	if _, err := s.bot.Revisit(s.ctx, j, s.bob.ID()); err == nil {
		t.Error("a video is made in a private channel that who asks is not in")
	}
	if len(secret.Messages()) > 0 {
		t.Errorf("the channel reads of that: %v", secret.Messages())
	}
	secret.Add(s.bob)
	if _, err := s.bot.Revisit(s.ctx, j, s.bob.ID()); err != nil {
		t.Errorf("who is in the channel: %v", err)
	}
	s.whisper(s.bob, secret, "It comes here")
	j.Place.Channel, j.Place.User = "D012345", s.ann.ID()
	if _, err := s.bot.Revisit(s.ctx, j, s.bob.ID()); err == nil {
		t.Error("a video is made in somebody else's direct messages")
	}
	if _, err := s.bot.Revisit(s.ctx, j, s.ann.ID()); err != nil {
		t.Errorf("the requester in the own direct messages: %v", err)
	}
}
