package discord_test

import (
	"testing"

	"ltxbot/sim/discord"
)

// TestTheTokenOfAnInteractionPostsWhereTheBotMayNot is the table of what an
// interaction's token may do where, beside the bot's own.
func TestTheTokenOfAnInteractionPostsWhereTheBotMayNot(t *testing.T) {
	for name, tc := range map[string]struct {
		place    func(s *stage) *discord.Channel
		later    func(ch *discord.Channel) // after the interaction was answered
		own      int                       // code for the bot's own message
		edit     int                       // code for an edit by the token
		followup int                       // code for a follow-up by the token
	}{
		"a private thread the bot is not in": {
			place: func(s *stage) *discord.Channel { return s.general.NewPrivateThread("thread", s.ada) },
			own:   50001,
		},
		"a voice channel it may not join": {
			place: func(s *stage) *discord.Channel {
				c := s.guild.NewChannelOf("talk", discord.Voice)
				c.Deny(s.server.Bot(), discord.Connect)
				return c
			},
			own: 50001,
		},
		"a thread that is locked": {
			place: func(s *stage) *discord.Channel { return s.general.NewThread("thread") },
			later: func(ch *discord.Channel) { ch.Archive(false, true) },
			own:   160005,
		},
		"a thread that is archived": {
			place: func(s *stage) *discord.Channel { return s.general.NewThread("thread") },
			later: func(ch *discord.Channel) { ch.Archive(true, true) },
			own:   50083, edit: 50083, followup: 50083,
		},
		"a channel that was deleted": {
			place: func(s *stage) *discord.Channel { return s.guild.NewChannel("short") },
			later: func(ch *discord.Channel) { ch.Delete() },
			own:   10003, edit: 10003, followup: 10003,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.register(ltxCommand)
			ch := tc.place(s)
			i, err := s.ada.Slash(s.ctx(), ch, "ltx", discord.Arg("prompt", "a"))
			if err != nil {
				t.Fatal(err)
			}
			s.ack(i)
			if tc.later != nil {
				tc.later(ch)
			}
			body := object{"content": "a"}
			if a := s.do("POST", "/channels/"+ch.ID+"/messages", body); a.Code != tc.own {
				t.Errorf("the bot's own message was answered %d %s", a.Status, a.Raw)
			}
			if a := s.do("PATCH", s.hook(i, "/messages/@original"), body); a.Code != tc.edit {
				t.Errorf("the edit was answered %d %s", a.Status, a.Raw)
			}
			if a := s.do("POST", s.hook(i, ""), body); a.Code != tc.followup {
				t.Errorf("the follow-up was answered %d %s", a.Status, a.Raw)
			}
		})
	}
}

func TestAPersonOutsideAPrivateThreadDoesNotSeeIt(t *testing.T) {
	s := newStage(t)
	s.register(ltxCommand)
	thread := s.general.NewPrivateThread("thread")
	if _, err := s.ada.Slash(s.ctx(), thread, "ltx", discord.Arg("prompt", "a")); err == nil {
		t.Error("a command was offered in a thread that the person is not in")
	}
}
