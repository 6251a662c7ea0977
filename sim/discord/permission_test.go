package discord_test

import (
	"testing"

	"ltxbot/sim/discord"
)

// TestTheBotNeedsPermissions is the table of what the bot may not do where.
func TestTheBotNeedsPermissions(t *testing.T) {
	clip := part{field: "files[0]", name: "a.mp4", kind: "video/mp4", data: []byte("x")}
	for name, tc := range map[string]struct {
		prepare func(s *stage) *discord.Channel
		body    object
		parts   []part
		status  int
		code    int
	}{
		"a channel it cannot see": {func(s *stage) *discord.Channel {
			s.general.Deny(s.server.Bot(), discord.ViewChannel)
			return s.general
		}, nil, nil, 403, 50001},
		"a channel it cannot write in": {func(s *stage) *discord.Channel {
			s.general.DenyEveryone(discord.SendMessages)
			return s.general
		}, nil, nil, 403, 50013},
		"a thread it cannot write in": {func(s *stage) *discord.Channel {
			s.general.DenyEveryone(discord.SendMessagesInThreads)
			return s.general.NewThread("thread")
		}, nil, nil, 403, 50013},
		"a thread where only channels are closed": {func(s *stage) *discord.Channel {
			s.general.DenyEveryone(discord.SendMessages)
			return s.general.NewThread("thread")
		}, nil, nil, 200, 0},
		"files without ATTACH_FILES": {func(s *stage) *discord.Channel {
			s.general.Deny(s.server.Bot(), discord.AttachFiles)
			return s.general
		}, object{"content": "a"}, []part{clip}, 403, 50013},
		"embeds without EMBED_LINKS": {func(s *stage) *discord.Channel {
			s.general.Deny(s.server.Bot(), discord.EmbedLinks)
			return s.general
		}, object{"embeds": []object{{"title": "a"}}}, nil, 403, 50013},
		"a reply without history": {func(s *stage) *discord.Channel {
			s.general.Deny(s.server.Bot(), discord.ReadMessageHistory)
			return s.general
		}, object{"content": "a", "message_reference": object{"message_id": "1"}}, nil, 403, 160002},
		"a channel that is deleted": {func(s *stage) *discord.Channel {
			s.general.Delete()
			return s.general
		}, nil, nil, 404, 10003},
		"a guild it left": {func(s *stage) *discord.Channel {
			s.guild.Leave(s.server.Bot())
			return s.general
		}, nil, nil, 403, 50001},
		"a forum": {func(s *stage) *discord.Channel { return s.guild.NewChannelOf("forum", discord.Forum) }, nil, nil, 400, 50008},
		"a private thread it is not in": {func(s *stage) *discord.Channel {
			return s.general.NewPrivateThread("thread", s.ada)
		}, nil, nil, 403, 50001},
		"a private thread it was added to": {func(s *stage) *discord.Channel {
			return s.general.NewPrivateThread("thread", s.ada, s.server.Bot())
		}, nil, nil, 200, 0},
		"a private thread for who manages threads": {func(s *stage) *discord.Channel {
			s.general.Allow(s.server.Bot(), discord.ManageThreads)
			return s.general.NewPrivateThread("thread", s.ada)
		}, nil, nil, 200, 0},
		"the chat of a voice channel": {func(s *stage) *discord.Channel {
			return s.guild.NewChannelOf("talk", discord.Voice)
		}, nil, nil, 200, 0},
		"the chat of a voice channel it may not join": {func(s *stage) *discord.Channel {
			c := s.guild.NewChannelOf("talk", discord.Voice)
			c.Deny(s.server.Bot(), discord.Connect)
			return c
		}, nil, nil, 403, 50001},
		"the chat of a stage it may not join": {func(s *stage) *discord.Channel {
			c := s.guild.NewChannelOf("stage", discord.Stage)
			c.Deny(s.server.Bot(), discord.Connect)
			return c
		}, nil, nil, 403, 50001},
		"a post in a forum": {func(s *stage) *discord.Channel {
			return s.guild.NewChannelOf("forum", discord.Forum).NewThread("post")
		}, nil, nil, 200, 0},
		"a thread of an announcement channel it cannot write in": {func(s *stage) *discord.Channel {
			c := s.guild.NewChannelOf("news", discord.Announcement)
			c.DenyEveryone(discord.SendMessagesInThreads)
			return c.NewThread("thread")
		}, nil, nil, 403, 50013},
		"a thread that is locked and open": {func(s *stage) *discord.Channel {
			c := s.general.NewThread("thread")
			c.Archive(false, true)
			return c
		}, nil, nil, 400, 160005},
		"a thread that is locked": {func(s *stage) *discord.Channel {
			c := s.general.NewThread("thread")
			c.Archive(true, true)
			return c
		}, nil, nil, 400, 50083},
		"a thread that is only archived": {func(s *stage) *discord.Channel {
			c := s.general.NewThread("thread")
			c.Archive(true, false)
			return c
		}, nil, nil, 200, 0},
		"a person who refuses direct messages": {func(s *stage) *discord.Channel {
			s.ada.RefuseDMs(true)
			return s.ada.DM()
		}, nil, nil, 403, 50007},
		"a stranger": {func(s *stage) *discord.Channel { return s.server.NewUser("eve").DM() }, nil, nil, 403, 50007},
		"an administrator passes everywhere": {func(s *stage) *discord.Channel {
			s.general.DenyEveryone(discord.ViewChannel | discord.SendMessages)
			s.guild.Join(s.server.Bot(), s.guild.NewRole("admin", discord.Administrator))
			return s.general
		}, nil, nil, 200, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			ch := tc.prepare(s)
			body := tc.body
			if body == nil {
				body = object{"content": "a"}
			}
			a := s.do("POST", "/channels/"+ch.ID+"/messages", body, tc.parts...)
			if a.Status != tc.status || a.Code != tc.code {
				t.Errorf("answered %d, code %d, want %d, %d: %s", a.Status, a.Code, tc.status, tc.code, a.Raw)
			}
		})
	}
}

func TestTheBotTouchesOnlyItsOwnMessages(t *testing.T) {
	s := newStage(t)
	said := s.ada.Say(s.general, "hello")
	path := "/channels/" + s.general.ID + "/messages/"
	if a := s.do("PATCH", path+said.ID, object{"content": "x"}); a.Status != 403 || a.Code != 50005 {
		t.Errorf("edit was answered %d, code %d", a.Status, a.Code)
	}
	if a := s.do("DELETE", path+said.ID, nil); a.Status != 403 || a.Code != 50013 {
		t.Errorf("delete was answered %d, code %d", a.Status, a.Code)
	}
	if a := s.do("GET", path+"1", nil); a.Code != 10008 {
		t.Errorf("an unknown message was answered %d, code %d", a.Status, a.Code)
	}
	s.general.Allow(s.server.Bot(), discord.ManageMessages)
	if a := s.do("DELETE", path+said.ID, nil); a.Status != 204 {
		t.Errorf("a moderator's delete was answered %d, code %d", a.Status, a.Code)
	}
	mine := s.send(object{"content": "a"})
	s.server.DeleteMessage(mine.id())
	if a := s.do("PATCH", path+mine.id(), object{"content": "b"}); a.Code != 10008 {
		t.Errorf("an edit of a deleted message was answered %d, code %d", a.Status, a.Code)
	}
}

func TestListingMessages(t *testing.T) {
	s := newStage(t)
	ids := make([]string, 0, 4)
	for range 4 {
		ids = append(ids, s.send(object{"content": "a"}).id())
	}
	i := s.slash()
	s.callback(i, object{"type": 4, "data": object{"content": "secret", "flags": 64}})
	path := "/channels/" + s.general.ID + "/messages"
	for query, want := range map[string][]string{
		"":                              {ids[3], ids[2], ids[1], ids[0]},
		"?limit=2":                      {ids[3], ids[2]},
		"?after=" + ids[0] + "&limit=2": {ids[2], ids[1]},
		"?before=" + ids[1]:             {ids[0]},
	} {
		a := s.do("GET", path+query, nil)
		got := make([]string, 0, len(a.List))
		for _, m := range a.List {
			got = append(got, m.(map[string]any)["id"].(string))
		}
		if len(got) != len(want) {
			t.Errorf("%q lists %v, want %v", query, got, want)
			continue
		}
		for n := range want {
			if got[n] != want[n] {
				t.Errorf("%q lists %v, want %v", query, got, want)
				break
			}
		}
	}
	for _, query := range []string{"?limit=101", "?after=" + ids[0] + "&before=" + ids[2]} {
		if a := s.do("GET", path+query, nil); a.Status != 400 {
			t.Errorf("%q was answered %d", query, a.Status)
		}
	}
	if seen := s.general.MessagesFor(s.server.NewUser("bob")); len(seen) != 4 {
		t.Errorf("bob sees %d messages, want 4", len(seen))
	}
}

func TestReadingTheGuild(t *testing.T) {
	s := newStage(t)
	role := s.guild.NewRole("crew", discord.ManageGuild)
	s.guild.Join(s.ada, role)
	s.guild.SetTier(2)
	guild := s.do("GET", "/guilds/"+s.guild.ID, nil)
	if guild.JSON["premium_tier"] != 2.0 {
		t.Errorf("guild is %s", guild.Raw)
	}
	member := s.do("GET", "/guilds/"+s.guild.ID+"/members/"+s.ada.ID, nil)
	if roles, _ := member.JSON["roles"].([]any); len(roles) != 1 || roles[0] != role.ID {
		t.Errorf("member is %s", member.Raw)
	}
	if a := s.do("GET", "/guilds/"+s.guild.ID+"/members/1", nil); a.Code != 10007 {
		t.Errorf("an unknown member was answered %d, code %d", a.Status, a.Code)
	}
	if a := s.do("GET", "/guilds/1", nil); a.Code != 10004 {
		t.Errorf("an unknown guild was answered %d, code %d", a.Status, a.Code)
	}
	if a := s.do("GET", "/guilds/"+s.guild.ID+"/roles", nil); len(a.List) != 2 {
		t.Errorf("roles are %s", a.Raw)
	}
	if a := s.do("POST", "/users/@me/channels", object{"recipient_id": s.ada.ID}); a.id() != s.ada.DM().ID {
		t.Errorf("the conversation is %s", a.Raw)
	}
	if a := s.do("GET", "/channels/"+s.general.ID, nil); a.JSON["guild_id"] != s.guild.ID {
		t.Errorf("channel is %s", a.Raw)
	}
	if a := s.do("GET", "/gateway/bot", nil); a.JSON["session_start_limit"].(map[string]any)["remaining"] != 1000.0 {
		t.Errorf("gateway is %s", a.Raw)
	}
}
