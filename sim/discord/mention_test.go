package discord_test

import (
	"testing"

	"ltxbot/sim/discord"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestWhoIsPinged(t *testing.T) {
	for name, tc := range map[string]struct {
		body        func(ada, bob, role string) object
		interaction bool
		powers      discord.Permission // of the bot
		want        func(ada, bob, role string) discord.Pings
	}{
		"a bot message pings users by default": {
			body: func(ada, bob, _ string) object { return object{"content": "<@" + ada + "> <@!" + bob + ">"} },
			want: func(ada, bob, _ string) discord.Pings { return discord.Pings{Users: []string{ada, bob}} },
		},
		"a bot without MENTION_EVERYONE pings neither roles nor everyone": {
			body: func(_, _, role string) object { return object{"content": "@everyone <@&" + role + ">"} },
			want: func(_, _, _ string) discord.Pings { return discord.Pings{} },
		},
		"a bot with MENTION_EVERYONE pings all by default": {
			body:   func(_, _, role string) object { return object{"content": "@everyone <@&" + role + ">"} },
			powers: discord.MentionEveryone,
			want:   func(_, _, role string) discord.Pings { return discord.Pings{Roles: []string{role}, Everyone: true} },
		},
		"an interaction pings only users by default": {
			body:        func(ada, _, role string) object { return object{"content": "@here <@&" + role + "> <@" + ada + ">"} },
			interaction: true, powers: discord.MentionEveryone,
			want: func(ada, _, _ string) discord.Pings { return discord.Pings{Users: []string{ada}} },
		},
		"an empty parse pings nobody": {
			body: func(ada, _, _ string) object {
				return object{"content": "<@" + ada + ">", "allowed_mentions": object{"parse": []string{}}}
			},
			want: func(_, _, _ string) discord.Pings { return discord.Pings{} },
		},
		"a list pings only those listed": {
			body: func(ada, bob, _ string) object {
				return object{"content": "<@" + ada + "> <@" + bob + ">", "allowed_mentions": object{"users": []string{bob}}}
			},
			want: func(_, bob, _ string) discord.Pings { return discord.Pings{Users: []string{bob}} },
		},
		"a text display pings": {
			body: func(ada, _, _ string) object {
				return object{"flags": v2, "components": []object{{"type": 17, "components": []object{textDisplay("<@" + ada + ">")}}}}
			},
			want: func(ada, _, _ string) discord.Pings { return discord.Pings{Users: []string{ada}} },
		},
		"an embed does not": {
			body: func(ada, _, _ string) object { return object{"embeds": []object{{"description": "<@" + ada + ">"}}} },
			want: func(_, _, _ string) discord.Pings { return discord.Pings{} },
		},
		"code does not": {
			body: func(ada, _, _ string) object { return object{"content": "`<@" + ada + ">`"} },
			want: func(_, _, _ string) discord.Pings { return discord.Pings{} },
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			bob := s.server.NewUser("bob")
			s.guild.Join(bob)
			role := s.guild.NewRole("crew", 0)
			s.general.Allow(s.server.Bot(), tc.powers)
			body := tc.body(s.ada.ID, bob.ID, role.ID)
			if tc.interaction {
				if a := s.callback(s.slash(), object{"type": 4, "data": body}); a.Status != 204 {
					t.Fatalf("answered %d %s", a.Status, a.Raw)
				}
			} else if a := s.send(body); a.Status != 200 {
				t.Fatalf("answered %d %s", a.Status, a.Raw)
			}
			got := s.general.Messages()[0].Pings
			if diff := cmp.Diff(tc.want(s.ada.ID, bob.ID, role.ID), got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("pings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEditsAndRepliesPing(t *testing.T) {
	s := newStage(t)
	m := s.send(object{"content": "a"})
	edited := s.do("PATCH", "/channels/"+s.general.ID+"/messages/"+m.id(), object{"content": "<@" + s.ada.ID + ">"})
	if got := s.general.Messages()[0].Pings.Users; len(got) != 0 {
		t.Errorf("the edit pinged %v", got)
	}
	if list, _ := edited.JSON["mentions"].([]any); len(list) != 1 {
		t.Errorf("the edited message mentions %v", edited.JSON["mentions"])
	}
	said := s.ada.Say(s.general, "hello")
	reply := object{"content": "b", "message_reference": object{"message_id": said.ID}}
	s.send(reply)
	reply["allowed_mentions"] = object{"parse": []string{}}
	s.send(reply)
	all := s.general.Messages()
	if got := all[2].Pings.Users; len(got) != 1 || got[0] != s.ada.ID || all[2].ReplyTo != said.ID {
		t.Errorf("the reply is %+v", all[2])
	}
	if got := all[3].Pings.Users; len(got) != 0 {
		t.Errorf("a reply without mentions pinged %v", got)
	}
}
