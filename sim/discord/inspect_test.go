package discord_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"ltxbot/sim/discord"
)

func TestAMessageReadsAsAPersonReadsIt(t *testing.T) {
	s := newStage(t)
	s.send(object{
		"content": "hello",
		"embeds": []object{{
			"author": object{"name": "by"}, "title": "title", "description": "text",
			"fields": []object{{"name": "seed", "value": "7"}}, "footer": object{"text": "foot"},
		}},
		"components": []object{row(button("go"), object{"type": 2, "style": 5, "label": "Open", "url": "https://example.org"})},
	})
	s.send(object{"flags": v2, "components": []object{
		{"type": 9, "components": []object{textDisplay("one")}, "accessory": button("aside")},
		{"type": 17, "components": []object{textDisplay("two"), row(button("inside"))}},
	}})
	all := s.general.Messages()
	if got, want := all[0].Text(), "hello\nby\ntitle\ntext\nseed: 7\nfoot"; got != want {
		t.Errorf("text is %q, want %q", got, want)
	}
	if got, want := all[1].Text(), "one\ntwo"; got != want {
		t.Errorf("text is %q, want %q", got, want)
	}
	if b, ok := all[0].Button("Open"); !ok || b.URL != "https://example.org" || b.CustomID != "" {
		t.Errorf("by label found %+v", b)
	}
	var ids []string
	for _, b := range all[1].Buttons {
		ids = append(ids, b.CustomID)
	}
	if !slices.Equal(ids, []string{"aside", "inside"}) {
		t.Errorf("buttons are %v", ids)
	}
	s.server.DeleteMessage(all[0].ID)
	if m, ok := s.server.Message(all[0].ID); !ok || !m.Deleted {
		t.Errorf("the deleted message is %+v", m)
	}
}

func TestWhatTheInteractionSaysOfItsPlace(t *testing.T) {
	s := newStage(t)
	s.register(object{"name": "ltx", "description": "a"})
	s.general.SetNSFW(true)
	s.general.Deny(s.server.Bot(), discord.AttachFiles)
	s.guild.SetLocale("fr")
	s.guild.SetTier(3)
	s.ada.SetLocale("de")
	role := s.guild.NewRole("crew", discord.ManageGuild)
	s.guild.Join(s.ada, role)
	thread := s.general.NewThread("take one")
	c, _ := ready(t, s.server, nil)
	if _, err := s.ada.Slash(s.ctx(), thread, "ltx"); err != nil {
		t.Fatal(err)
	}
	var d struct {
		Channel struct {
			Type     int
			NSFW     bool
			ParentID string `json:"parent_id"`
		}
		Member struct {
			Permissions discordInt
			Roles       []string
		}
		App         discordInt `json:"app_permissions"`
		Limit       int        `json:"attachment_size_limit"`
		Locale      string
		GuildLocale string            `json:"guild_locale"`
		Owners      map[string]string `json:"authorizing_integration_owners"`
	}
	if err := json.Unmarshal(c.next(0, "INTERACTION_CREATE").D, &d); err != nil {
		t.Fatal(err)
	}
	if d.Channel.Type != 11 || !d.Channel.NSFW || d.Channel.ParentID != s.general.ID {
		t.Errorf("channel is %+v", d.Channel)
	}
	if uint64(d.App)&uint64(discord.AttachFiles) != 0 || uint64(d.App)&uint64(discord.SendMessagesInThreads) == 0 {
		t.Errorf("app_permissions are %d", d.App)
	}
	if uint64(d.Member.Permissions)&uint64(discord.ManageGuild) == 0 || len(d.Member.Roles) != 1 || d.Member.Roles[0] != role.ID {
		t.Errorf("member is %+v", d.Member)
	}
	if d.Limit != 100<<20 || d.Locale != "de" || d.GuildLocale != "fr" || d.Owners["0"] != s.guild.ID {
		t.Errorf("interaction is %+v", d)
	}
}

// A discordInt is a number in a string, as permissions are sent.
type discordInt uint64

func (n *discordInt) UnmarshalJSON(raw []byte) error {
	return json.Unmarshal([]byte(strings.Trim(string(raw), `"`)), (*uint64)(n))
}

func TestOnlySessionsWithTheIntentGetMessages(t *testing.T) {
	s := newStageWith(t, discord.Options{IdentifyEvery: -1})
	quiet, _ := ready(t, s.server, nil)
	loud, _ := ready(t, s.server, object{"intents": 1 << 9})
	s.ada.Say(s.general, "hello")
	loud.next(0, "MESSAGE_CREATE")
	s.server.AskReconnect()
	quiet.next(7, "") // and nothing before it
}

func TestAMentionableRoleIsPinged(t *testing.T) {
	s := newStage(t)
	role := s.guild.NewRole("crew", 0)
	role.SetMentionable(true)
	s.send(object{"content": "<@&" + role.ID + ">"})
	if got := s.general.Messages()[0].Pings.Roles; !slices.Equal(got, []string{role.ID}) {
		t.Errorf("pinged %v", got)
	}
}

func TestAFormOfRowsIsFilledIn(t *testing.T) {
	s := newStage(t)
	i := s.slash()
	field := input("p")
	field["label"] = "Prompt"
	if a := s.callback(i, modal(row(field))); a.Status != 204 {
		t.Fatalf("answered %d %s", a.Status, a.Raw)
	}
	c, _ := ready(t, s.server, nil)
	if _, err := s.ada.SubmitModal(s.ctx(), i, map[string]any{"p": "a horse"}); err != nil {
		t.Fatal(err)
	}
	rows := c.event(t)["data"].(map[string]any)["components"].([]any)
	inner := rows[0].(map[string]any)["components"].([]any)[0].(map[string]any)
	if inner["value"] != "a horse" || inner["custom_id"] != "p" {
		t.Errorf("sent %v", inner)
	}
}

func TestAttachmentsCanBeServedElsewhere(t *testing.T) {
	s := newStage(t)
	s.send(object{"content": "a"}, clip("0", "a.mp4", 4))
	page := httptest.NewServer(s.server.Attachments())
	t.Cleanup(page.Close)
	url := page.URL + strings.TrimPrefix(s.general.Messages()[0].Attachments[0].URL, s.server.BaseURL())
	req, err := http.NewRequestWithContext(s.ctx(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := page.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "video/mp4" || resp.ContentLength != 4 {
		t.Errorf("answered %d %s, %d bytes", resp.StatusCode, resp.Header.Get("Content-Type"), resp.ContentLength)
	}
}

func TestCloseMayBeCalledTwice(t *testing.T) {
	server, err := discord.Start(discord.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, _ := ready(t, server, nil)
	for range 2 {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	}
	c.closeCode()
	general := server.NewGuild("Acme").NewChannel("general")
	if _, err := general.WaitMessage(t.Context(), func(discord.Message) bool { return false }); err == nil {
		t.Error("waiting went on after Close")
	}
}
