package discord_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"ltxbot/sim/discord"

	"github.com/google/go-cmp/cmp"
)

// event reads the next interaction that the gateway delivers.
func (c *client) event(t *testing.T) map[string]any {
	t.Helper()
	var d map[string]any
	if err := json.Unmarshal(c.next(0, "INTERACTION_CREATE").D, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestOptionsAreSentAsAClientSendsThem(t *testing.T) {
	s := newStage(t)
	s.register(object{"name": "all", "description": "a", "options": []object{
		{"type": 2, "name": "group", "description": "a", "options": []object{
			{"type": 1, "name": "sub", "description": "a", "options": []object{
				{"type": 3, "name": "text", "description": "a"},
				{"type": 3, "name": "camera", "description": "a", "choices": []object{{"name": "Dolly in", "value": "dolly_in"}}},
				{"type": 4, "name": "whole", "description": "a"},
				{"type": 10, "name": "number", "description": "a"},
				{"type": 5, "name": "flag", "description": "a"},
				{"type": 6, "name": "who", "description": "a"},
				{"type": 7, "name": "where", "description": "a"},
				{"type": 8, "name": "role", "description": "a"},
				{"type": 11, "name": "file", "description": "a"},
			}},
		}},
	}})
	c, _ := ready(t, s.server, nil)
	role := s.guild.NewRole("crew", 0)
	if _, err := s.ada.Slash(s.ctx(), s.general, "all group sub",
		discord.Arg("text", "a"), discord.Arg("camera", "dolly in"), discord.Arg("whole", "5"), discord.Arg("number", 0.5),
		discord.Arg("flag", "True"), discord.Arg("who", s.ada), discord.Arg("where", s.general), discord.Arg("role", role),
		discord.Arg("file", discord.File{Name: "a.png", Data: []byte("png")}),
	); err != nil {
		t.Fatal(err)
	}
	data := c.event(t)["data"].(map[string]any)
	group := data["options"].([]any)[0].(map[string]any)
	sub := group["options"].([]any)[0].(map[string]any)
	got := map[string]any{}
	for _, o := range sub["options"].([]any) {
		got[o.(map[string]any)["name"].(string)] = o.(map[string]any)["value"]
	}
	resolved := data["resolved"].(map[string]any)
	file := got["file"].(string)
	delete(got, "file")
	want := map[string]any{
		"text": "a", "camera": "dolly_in", "whole": 5.0, "number": 0.5, "flag": true,
		"who": s.ada.ID, "where": s.general.ID, "role": role.ID,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("options (-want +got):\n%s", diff)
	}
	for kind, id := range map[string]string{
		"users": s.ada.ID, "members": s.ada.ID, "channels": s.general.ID, "roles": role.ID, "attachments": file,
	} {
		if list, _ := resolved[kind].(map[string]any); list[id] == nil {
			t.Errorf("resolved has no %s: %v", kind, resolved[kind])
		}
	}
}

func TestCommandsInDirectMessagesCarryAUser(t *testing.T) {
	s := newStage(t)
	s.do("POST", "/applications/"+s.server.ApplicationID()+"/commands", object{"name": "ltx", "description": "a"})
	s.do("POST", "/applications/"+s.server.ApplicationID()+"/commands", object{"name": "here", "description": "a", "contexts": []int{0}})
	c, _ := ready(t, s.server, nil)
	if _, err := s.ada.Slash(s.ctx(), s.ada.DM(), "here"); err == nil {
		t.Error("a command of the guild context was offered in direct messages")
	}
	if _, err := s.ada.Slash(s.ctx(), s.ada.DM(), "ltx"); err != nil {
		t.Fatal(err)
	}
	d := c.event(t)
	if d["member"] != nil || d["guild_id"] != nil || d["context"] != 1.0 || d["user"].(map[string]any)["id"] != s.ada.ID {
		t.Errorf("interaction is %v", d)
	}
}

func TestMessageAndUserCommands(t *testing.T) {
	s := newStage(t)
	s.register(object{"type": 3, "name": "Remix with LTX"}, object{"type": 2, "name": "Show quota"})
	c, _ := ready(t, s.server, nil)
	said := s.ada.Say(s.general, "a cowboy")
	i, err := s.ada.MessageCommand(s.ctx(), said, "Remix with LTX")
	if err != nil {
		t.Fatal(err)
	}
	data := c.event(t)["data"].(map[string]any)
	messages := data["resolved"].(map[string]any)["messages"].(map[string]any)
	if data["target_id"] != said.ID || messages[said.ID].(map[string]any)["content"] != "a cowboy" {
		t.Errorf("data are %v", data)
	}
	if a := s.callback(i, object{"type": 7, "data": object{"content": "x"}}); a.Fields["type"] == "" {
		t.Errorf("a message command could update the person's message: %d", a.Status)
	}
	s.ack(i)
	if _, err := s.ada.UserCommand(s.ctx(), s.general, s.ada, "Show quota"); err != nil {
		t.Fatal(err)
	}
	if data := c.event(t)["data"].(map[string]any); data["target_id"] != s.ada.ID {
		t.Errorf("data are %v", data)
	}
}

func TestButtonsAreOnlyPressedWhereTheyAre(t *testing.T) {
	s := newStage(t)
	off := button("off")
	off["disabled"] = true
	options := []object{{"label": "One", "value": "1"}, {"label": "Two", "value": "2"}}
	s.send(object{"components": []object{
		row(button("on"), off), row(object{"type": 3, "custom_id": "menu", "max_values": 2, "options": options}),
	}})
	m := s.general.Messages()[0]
	i := s.slash()
	s.callback(i, object{"type": 4, "data": object{"flags": 64, "content": "secret", "components": []object{row(button("on"))}}})
	secret, _ := i.Response()
	bob := s.server.NewUser("bob")
	s.guild.Join(bob)
	for name, do := range map[string]func() error{
		"a button that is not there": func() error { _, err := s.ada.Click(s.ctx(), m, "nope"); return err },
		"a disabled button":          func() error { _, err := s.ada.Click(s.ctx(), m, "off"); return err },
		"a menu that is clicked":     func() error { _, err := s.ada.Click(s.ctx(), m, "menu"); return err },
		"a value that is not there":  func() error { _, err := s.ada.Select(s.ctx(), m, "menu", "3"); return err },
		"nothing chosen":             func() error { _, err := s.ada.Select(s.ctx(), m, "menu"); return err },
		"another person's message":   func() error { _, err := bob.Click(s.ctx(), secret, "on"); return err },
		"a form that is not open":    func() error { _, err := s.ada.SubmitModal(s.ctx(), i, nil); return err },
	} {
		var refused *discord.RefusedError
		if err := do(); !errors.As(err, &refused) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
	c, _ := ready(t, s.server, nil)
	if _, err := s.ada.Select(s.ctx(), m, "menu", "1", "2"); err != nil {
		t.Fatal(err)
	}
	d := c.event(t)
	data := d["data"].(map[string]any)
	if d["message"].(map[string]any)["id"] != m.ID || len(data["values"].([]any)) != 2 || data["component_type"] != 3.0 {
		t.Errorf("interaction is %v", d)
	}
	s.server.DeleteMessage(m.ID)
	if _, err := s.ada.Click(s.ctx(), m, "on"); err == nil {
		t.Error("a button of a deleted message could be pressed")
	}
}

func TestAFormIsFilledIn(t *testing.T) {
	s := newStage(t)
	i := s.slash()
	option := func(v string, on bool) object { return object{"label": v, "value": v, "default": on} }
	prompt := input("prompt")
	prompt["value"], prompt["max_length"] = "before", 10
	a := s.callback(i, modal(
		textDisplay("Change what you like"), labelled(prompt),
		labelled(object{"type": 21, "custom_id": "size", "options": []object{option("wide", false), option("tall", true)}}),
		labelled(object{"type": 22, "custom_id": "with", "required": false, "min_values": 0, "options": []object{option("audio", false)}}),
		labelled(object{"type": 23, "custom_id": "private"}),
		labelled(object{"type": 19, "custom_id": "image", "required": false, "min_values": 0}),
	))
	if a.Status != 400 || a.Fields["data.components"] != "BASE_TYPE_BAD_LENGTH" {
		t.Fatalf("six components were answered %d %v", a.Status, a.Fields)
	}
	a = s.callback(i, modal(
		labelled(prompt),
		labelled(object{"type": 21, "custom_id": "size", "options": []object{option("wide", false), option("tall", true)}}),
		labelled(object{"type": 22, "custom_id": "with", "required": false, "min_values": 0, "options": []object{option("audio", false)}}),
		labelled(object{"type": 23, "custom_id": "private"}),
		labelled(object{"type": 19, "custom_id": "image", "required": false, "min_values": 0}),
	))
	if a.Status != 204 {
		t.Fatalf("answered %d %s", a.Status, a.Raw)
	}
	form, err := i.WaitModal(s.ctx())
	if err != nil {
		t.Fatal(err)
	}
	if form.Fields[0].Value != "before" || form.Fields[0].MaxLength != 10 || form.Fields[1].Selected[0] != "tall" {
		t.Errorf("form is %+v", form)
	}
	for name, values := range map[string]map[string]any{
		"text that is too long": {"prompt": "a very long prompt"},
		"no text":               {"prompt": ""},
		"an unknown field":      {"prompts": "a"},
		"an unknown value":      {"size": "square"},
	} {
		if _, err := s.ada.SubmitModal(s.ctx(), i, values); err == nil {
			t.Errorf("%s was sent", name)
		}
	}
	c, _ := ready(t, s.server, nil)
	if _, err := s.ada.SubmitModal(s.ctx(), i, map[string]any{
		"prompt": "after", "private": true, "image": discord.File{Name: "a.png", Data: []byte("x")},
	}); err != nil {
		t.Fatal(err)
	}
	data := c.event(t)["data"].(map[string]any)
	got := map[string]any{}
	for _, top := range data["components"].([]any) {
		inner := top.(map[string]any)["component"].(map[string]any)
		got[inner["custom_id"].(string)] = inner["value"]
	}
	if diff := cmp.Diff(map[string]any{"prompt": "after", "size": "tall", "private": true, "with": nil, "image": nil}, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	if data["resolved"].(map[string]any)["attachments"] == nil {
		t.Error("the upload is not resolved")
	}
}

func TestWatchTellsTheStory(t *testing.T) {
	s := newStage(t)
	ctx, cancel := context.WithCancel(s.ctx())
	defer cancel()
	changes := s.server.Watch(ctx)
	i := s.slash()
	s.ack(i)
	s.do("PATCH", s.hook(i, "/messages/@original"), object{"content": "bye"})
	s.do("DELETE", s.hook(i, "/messages/@original"), nil)
	var got []discord.ChangeKind
	for c := range changes {
		if c.Kind == discord.RequestServed {
			continue
		}
		if got = append(got, c.Kind); c.Kind == discord.MessageDeleted {
			cancel()
		}
	}
	want := []discord.ChangeKind{
		discord.CommandsChanged, discord.InteractionCreated, discord.MessagePosted, discord.InteractionAnswered,
		discord.MessageEdited, discord.MessageDeleted,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	s := newStage(t)
	ctx, cancel := context.WithTimeout(s.ctx(), time.Millisecond)
	defer cancel()
	never := func(discord.Message) bool { return false }
	if _, err := s.general.WaitMessage(ctx, never); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
	if err := s.slash().WaitAck(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
}

func TestTheRequestLogHasNoSecrets(t *testing.T) {
	s := newStage(t)
	i := s.slash()
	s.ack(i)
	for _, r := range s.server.Requests() {
		for name, value := range r.Params {
			if value == i.Token() {
				t.Errorf("%s %s logs the token as %s", r.Method, r.Route, name)
			}
		}
	}
	if got := s.server.RequestsTo(discord.RouteCallback); len(got) != 1 || got[0].Status != 204 || got[0].Params["interaction"] != i.ID {
		t.Errorf("requests are %+v", got)
	}
}
