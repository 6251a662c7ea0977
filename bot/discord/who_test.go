package discord_test

import (
	"errors"
	"slices"
	"testing"

	"ltxbot/bot"
	"ltxbot/bot/discord"
	"ltxbot/core/generate"
	sim "ltxbot/sim/discord"
)

func TestWhoSomebodyIsInAGuildNow(t *testing.T) {
	t.Parallel()
	s := prepareStage(t, sim.Options{RateLimits: sim.RateLimits{Off: true}}, func(c *discord.Config) {
		c.Tiers = func(_ string, groups []string) []string { return groups }
		c.Team = func(string) string { return "acme" }
	})
	manager, studio := s.guild.NewRole("manager", sim.ManageGuild), s.guild.NewRole("studio", 0)
	boss, stranger := s.sim.NewUser("boss"), s.sim.NewUser("stranger")
	s.guild.Join(boss, manager)
	s.guild.Join(s.ada, studio)
	for name, c := range map[string]struct {
		guild, user string
		admin       bool
		tiers       []string
		err         error
	}{
		"a member with a tier":        {s.guild.ID, s.ada.ID, false, []string{studio.ID}, nil},
		"who may manage the guild":    {s.guild.ID, boss.ID, true, []string{manager.ID}, nil},
		"who is not there":            {s.guild.ID, stranger.ID, false, nil, bot.ErrStranger},
		"a guild without the bot":     {s.sim.NewGuildWithoutBot("Globex").ID, s.ada.ID, false, nil, bot.ErrStranger},
		"a guild that does not exist": {"1", s.ada.ID, false, nil, bot.ErrStranger},
	} {
		who, err := s.bot.Who(s.ctx, c.guild, c.user)
		if !errors.Is(err, c.err) || who.Admin != c.admin || !slices.Equal(who.Tiers, c.tiers) {
			t.Errorf("%s: %+v, %v", name, who, err)
		}
		if err == nil && (who.Member != "discord:"+c.user || who.Team != "acme") {
			t.Errorf("%s is %s of %s", name, who.Member, who.Team)
		}
	}
	s.guild.Join(boss) // the role is taken away
	if who, err := s.bot.Who(s.ctx, s.guild.ID, boss.ID); err != nil || who.Admin {
		t.Errorf("without the role: %+v, %v", who, err)
	}
	if name, err := s.bot.NameOf(s.ctx, "discord:"+boss.ID); err != nil || name != "boss" {
		t.Errorf("the name is %q, %v", name, err)
	}
}

func TestWhoMayRevisitAChannel(t *testing.T) {
	t.Parallel()
	s := prepareStage(t, sim.Options{RateLimits: sim.RateLimits{Off: true}})
	bob, stranger := s.sim.NewUser("bob"), s.sim.NewUser("stranger")
	s.guild.Join(bob)
	j := generate.Job{Place: generate.Place{Channel: s.general.ID}}
	if _, err := s.bot.Revisit(s.ctx, j, bob.ID); err != nil {
		t.Errorf("a member: %v", err)
	}
	if _, err := s.bot.Revisit(s.ctx, j, stranger.ID); err == nil {
		t.Error("who is not in the guild makes a video in it")
	}
	thread := s.general.NewPrivateThread("secret", s.sim.Bot(), bob)
	j.Place.Channel = thread.ID
	if _, err := s.bot.Revisit(s.ctx, j, bob.ID); err != nil {
		t.Errorf("who is in the private thread: %v", err)
	}
	thread.RemoveMember(bob)
	if _, err := s.bot.Revisit(s.ctx, j, bob.ID); err == nil {
		t.Error("a video is made in a private thread that who asks is not in")
	}
	s.guild.Join(bob, s.guild.NewRole("moderator", sim.ManageThreads))
	if _, err := s.bot.Revisit(s.ctx, j, bob.ID); err != nil {
		t.Errorf("who may manage threads: %v", err)
	}
	s.guild.Join(bob)
	j.Place.Channel = s.general.ID
	s.general.Deny(bob, sim.ViewChannel)
	if _, err := s.bot.Revisit(s.ctx, j, bob.ID); err == nil {
		t.Error("a video is made in a channel that who asks can't see")
	}
}
