package discord_test

import (
	"maps"
	"strconv"
	"testing"
	"time"

	"ltxbot/sim/discord"
)

func labelled(component object) object {
	return object{"type": 18, "label": "Prompt", "component": component}
}

func input(customID string) object {
	return object{"type": 4, "style": 2, "custom_id": customID}
}

func modal(components ...object) object {
	return object{"type": 9, "data": object{"custom_id": "form", "title": "Edit", "components": components}}
}

// TestCallbacksAreRefused is the table of what may not answer a command.
func TestCallbacksAreRefused(t *testing.T) {
	with := func(m, more object) object {
		out := maps.Clone(m)
		maps.Copy(out, more)
		return out
	}
	option := object{"label": "a", "value": "a"}
	for name, tc := range map[string]struct {
		body object
		path string
		want string
	}{
		"no type":                          {object{}, "type", "BASE_TYPE_REQUIRED"},
		"a type that does not exist":       {object{"type": 3}, "type", "BASE_TYPE_CHOICES"},
		"PONG to a command":                {object{"type": 1}, "type", "INTERACTION_CALLBACK_TYPE_INVALID"},
		"deferred update of a command":     {object{"type": 6}, "type", "INTERACTION_CALLBACK_TYPE_INVALID"},
		"update of a command":              {object{"type": 7, "data": object{"content": "a"}}, "type", "INTERACTION_CALLBACK_TYPE_INVALID"},
		"suggestions for a command":        {object{"type": 8, "data": object{"choices": []object{}}}, "type", "INTERACTION_CALLBACK_TYPE_INVALID"},
		"data that is text":                {object{"type": 4, "data": "a"}, "data", "MODEL_TYPE_CONVERT"},
		"content over 2000":                {object{"type": 4, "data": object{"content": chars(2001)}}, "data.content", "BASE_TYPE_MAX_LENGTH"},
		"V2 flag on a deferral":            {object{"type": 5, "data": object{"flags": v2}}, "data.flags", "MESSAGE_FLAGS_INVALID"},
		"V2 and ephemeral on a deferral":   {object{"type": 5, "data": object{"flags": v2 | 64}}, "data.flags", "MESSAGE_FLAGS_INVALID"},
		"content on a deferral":            {object{"type": 5, "data": object{"content": "a"}}, "data", "SIM_CONTENT_LOST"},
		"a modal without a title":          {object{"type": 9, "data": object{"custom_id": "a", "components": []object{labelled(input("a"))}}}, "data.title", "BASE_TYPE_REQUIRED"},
		"a modal title over 45":            {object{"type": 9, "data": object{"custom_id": "a", "title": chars(46), "components": []object{labelled(input("a"))}}}, "data.title", "BASE_TYPE_BAD_LENGTH"},
		"a modal without components":       {modal([]object{}...), "data.components", "BASE_TYPE_BAD_LENGTH"},
		"a modal of six":                   {modal(repeat(6, func(i int) object { return labelled(input(strconv.Itoa(i))) })...), "data.components", "BASE_TYPE_BAD_LENGTH"},
		"a modal with a button":            {modal(row(button("a"))), "data.components.0.components.0.type", "UNION_TYPE_CHOICES"},
		"a modal with two inputs in a row": {modal(row(with(input("a"), object{"label": "a"}), with(input("b"), object{"label": "b"}))), "data.components.0.components", "BASE_TYPE_BAD_LENGTH"},
		"a row input without a label":      {modal(row(input("a"))), "data.components.0.components.0.label", "BASE_TYPE_REQUIRED"},
		"an input in a label with a label": {modal(labelled(with(input("a"), object{"label": "a"}))), "data.components.0.component.label", "TEXT_INPUT_LABEL_IN_LABEL"},
		"a label over 45":                  {modal(object{"type": 18, "label": chars(46), "component": input("a")}), "data.components.0.label", "BASE_TYPE_BAD_LENGTH"},
		"a label help over 100":            {modal(object{"type": 18, "label": "a", "description": chars(101), "component": input("a")}), "data.components.0.description", "BASE_TYPE_BAD_LENGTH"},
		"an input prefilled over 4000":     {modal(labelled(with(input("a"), object{"value": chars(4001)}))), "data.components.0.component.value", "BASE_TYPE_MAX_LENGTH"},
		"an input prefilled over its max":  {modal(labelled(with(input("a"), object{"value": "four", "max_length": 3}))), "data.components.0.component.value", "BASE_TYPE_BAD_LENGTH"},
		"an input hint over 100":           {modal(labelled(with(input("a"), object{"placeholder": chars(101)}))), "data.components.0.component.placeholder", "BASE_TYPE_MAX_LENGTH"},
		"a disabled component":             {modal(labelled(object{"type": 5, "custom_id": "a", "disabled": true})), "data.components.0.component.disabled", "MODAL_COMPONENT_DISABLED"},
		"no minimum but required":          {modal(labelled(object{"type": 5, "custom_id": "a", "min_values": 0})), "data.components.0.component.min_values", "COMPONENT_REQUIRED_MIN_VALUES"},
		"a radio group of one":             {modal(labelled(object{"type": 21, "custom_id": "a", "options": []object{option}})), "data.components.0.component.options", "BASE_TYPE_BAD_LENGTH"},
		"a checkbox group of eleven":       {modal(labelled(object{"type": 22, "custom_id": "a", "options": repeat(11, func(i int) object { return object{"label": "a", "value": strconv.Itoa(i)} })})), "data.components.0.component.options", "BASE_TYPE_BAD_LENGTH"},
		"an upload of eleven":              {modal(labelled(object{"type": 19, "custom_id": "a", "max_values": 11})), "data.components.0.component.max_values", "NUMBER_TYPE_MAX"},
		"the same custom id twice":         {modal(labelled(input("a")), labelled(input("a"))), "data.components.1.component.custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			i := s.slash()
			a := s.callback(i, tc.body)
			if a.Status != 400 || a.Code != 50035 || a.Fields[tc.path] != tc.want {
				t.Errorf("answered %d, code %d, %v; want %s at %s", a.Status, a.Code, a.Fields, tc.want, tc.path)
			}
			if _, acked := i.Acked(); acked {
				t.Error("a refused callback acknowledged the interaction")
			}
			s.ack(i) // it can still be answered
		})
	}
}

func TestACallbackAnswersOnceAndInTime(t *testing.T) {
	s := newStage(t)
	i := s.slash()
	s.server.Advance(2900 * time.Millisecond)
	s.ack(i)
	if a := s.callback(i, object{"type": 5}); a.Status != 400 || a.Code != 40060 {
		t.Errorf("the second callback was answered %d, code %d", a.Status, a.Code)
	}
	late := s.slash()
	s.server.Advance(3100 * time.Millisecond)
	if a := s.callback(late, object{"type": 5}); a.Status != 404 || a.Code != 10062 {
		t.Errorf("a late callback was answered %d, code %d", a.Status, a.Code)
	}
	patient := newStageWith(t, discord.Options{AnswerWithin: time.Minute})
	later := patient.slash()
	patient.server.Advance(59 * time.Second)
	patient.ack(later)
	if !late.Failed() || i.Failed() {
		t.Error("only the late one shows that the application did not respond")
	}
	if a := s.do("PATCH", s.hook(late, "/messages/@original"), object{"content": "a"}); a.Code != 10015 {
		t.Errorf("the token of a late interaction was answered %d, code %d", a.Status, a.Code)
	}
	if a := s.do("POST", "/interactions/1/nonsense/callback", object{"type": 5}); a.Code != 10062 {
		t.Errorf("a made-up token was answered %d, code %d", a.Status, a.Code)
	}
}

func TestWithResponseTellsTheMessage(t *testing.T) {
	s := newStage(t)
	i := s.slash()
	a := s.do("POST", "/interactions/"+i.ID+"/"+i.Token()+"/callback?with_response=true", object{"type": 5, "data": object{"flags": 64}})
	about, _ := a.JSON["interaction"].(map[string]any)
	m, _ := i.Response()
	if a.Status != 200 || about["response_message_id"] != m.ID || about["response_message_loading"] != true || about["response_message_ephemeral"] != true {
		t.Errorf("answered %d %s", a.Status, a.Raw)
	}
}

func TestEveryCallbackType(t *testing.T) {
	s := newStage(t)
	s.register(ltxCommand, object{"name": "find", "description": "Find", "options": []object{
		{"type": 3, "name": "what", "description": "What", "autocomplete": true},
	}})
	i, err := s.ada.Slash(s.ctx(), s.general, "ltx", discord.Arg("prompt", "a"))
	if err != nil {
		t.Fatal(err)
	}
	if a := s.callback(i, object{"type": 4, "data": object{"content": "card", "components": []object{row(button("go"))}}}); a.Status != 204 {
		t.Fatalf("message: %d %s", a.Status, a.Raw)
	}
	card, _ := i.Response()

	click, err := s.ada.Click(s.ctx(), card, "go")
	if err != nil {
		t.Fatal(err)
	}
	if a := s.callback(click, object{"type": 7, "data": object{"content": "updated"}}); a.Status != 204 {
		t.Fatalf("update: %d %s", a.Status, a.Raw)
	}
	if m := s.general.Messages(); len(m) != 1 || m[0].Text() != "updated" || len(m[0].Buttons) != 1 {
		t.Errorf("messages are %+v", m)
	}

	quiet, err := s.ada.Click(s.ctx(), card, "go")
	if err != nil {
		t.Fatal(err)
	}
	s.callback(quiet, object{"type": 6})
	if a := s.do("PATCH", s.hook(quiet, "/messages/@original"), object{"content": "later"}); a.id() != card.ID {
		t.Errorf("@original of a deferred update is %q, want the message %q", a.id(), card.ID)
	}

	typing, err := s.ada.Autocomplete(s.ctx(), s.general, "find", "what", discord.Arg("what", "co"))
	if err != nil {
		t.Fatal(err)
	}
	choice := func(i int) object { return object{"name": "n" + strconv.Itoa(i), "value": "v"} }
	if a := s.callback(typing, object{"type": 8, "data": object{"choices": repeat(26, choice)}}); a.Fields["data.choices"] != "BASE_TYPE_MAX_LENGTH" {
		t.Errorf("26 suggestions were answered %d %v", a.Status, a.Fields)
	}
	if a := s.callback(typing, object{"type": 8, "data": object{"choices": []object{{"name": "n", "value": 5}}}}); a.Fields["data.choices.0.value"] != "STRING_TYPE_CONVERT" {
		t.Errorf("a number for text was answered %d %v", a.Status, a.Fields)
	}
	if a := s.callback(typing, object{"type": 8, "data": object{"choices": []object{choice(1)}}}); a.Status != 204 {
		t.Errorf("suggestions were answered %d %s", a.Status, a.Raw)
	}
	if got := typing.Choices(); len(got) != 1 || got[0].Name != "n1" {
		t.Errorf("choices are %v", got)
	}

	open, err := s.ada.Click(s.ctx(), card, "go")
	if err != nil {
		t.Fatal(err)
	}
	if a := s.callback(open, modal(labelled(input("p")), labelled(object{"type": 21, "custom_id": "r", "options": []object{{"label": "a", "value": "a"}, {"label": "b", "value": "b", "default": true}}}))); a.Status != 204 {
		t.Fatalf("modal: %d %s", a.Status, a.Raw)
	}
	sent, err := s.ada.SubmitModal(s.ctx(), open, map[string]any{"p": "a horse"})
	if err != nil {
		t.Fatal(err)
	}
	if a := s.callback(sent, modal(labelled(input("p")))); a.Fields["type"] != "INTERACTION_CALLBACK_TYPE_INVALID" {
		t.Errorf("a modal to a modal was answered %d %v", a.Status, a.Fields)
	}
	if a := s.callback(sent, object{"type": 7, "data": object{"content": "from the form"}}); a.Status != 204 {
		t.Errorf("update from a form was answered %d %s", a.Status, a.Raw)
	}
}

func TestTheTokenLivesFifteenMinutes(t *testing.T) {
	s := newStage(t)
	i := s.slash()
	if a := s.do("GET", s.hook(i, "/messages/@original"), nil); a.Code != 10015 {
		t.Errorf("before the callback @original was answered %d, code %d", a.Status, a.Code)
	}
	s.ack(i)
	s.server.Advance(14*time.Minute + 50*time.Second)
	s.auth = "" // the token in the path is enough
	if a := s.do("PATCH", s.hook(i, "/messages/%40original"), object{"content": "b"}); a.Status != 200 {
		t.Errorf("before the end answered %d %s", a.Status, a.Raw)
	}
	s.server.Advance(20 * time.Second)
	for _, tc := range []struct{ method, rest string }{
		{"PATCH", "/messages/@original"}, {"GET", "/messages/@original"}, {"DELETE", "/messages/@original"}, {"POST", ""},
	} {
		if a := s.do(tc.method, s.hook(i, tc.rest), object{"content": "c"}); a.Status != 401 || a.Code != 50027 {
			t.Errorf("%s after the end was answered %d, code %d", tc.method, a.Status, a.Code)
		}
	}
	s.auth = "Bot " + s.server.Token()
	m := s.general.Messages()[0]
	if a := s.do("PATCH", "/channels/"+s.general.ID+"/messages/"+m.ID, object{"content": "by the bot"}); a.Status != 200 {
		t.Errorf("the bot's own edit was answered %d %s", a.Status, a.Raw)
	}
}

func TestADeferredResponse(t *testing.T) {
	s := newStage(t)
	i := s.slash()
	s.callback(i, object{"type": 5, "data": object{"flags": 64}})
	m, _ := i.Response()
	if !m.Loading || m.Text() != "ltx is thinking…" || m.EphemeralTo != s.ada.ID {
		t.Errorf("the loading message is %+v", m)
	}
	a := s.do("POST", s.hook(i, ""), object{"content": "first"})
	if a.id() != m.ID {
		t.Errorf("the first follow-up made %q, want the loading message %q", a.id(), m.ID)
	}
	if m, _ := i.Response(); m.Loading || m.EphemeralTo == "" {
		t.Errorf("after it the message is %+v", m)
	}
	second := s.do("POST", s.hook(i, "")+"?wait=true", object{"content": "second"})
	if second.id() == m.ID || second.Status != 200 {
		t.Errorf("the second follow-up was answered %d %q", second.Status, second.id())
	}
	if a := s.do("PATCH", "/channels/"+s.general.ID+"/messages/"+m.ID, object{"content": "x"}); a.Code != 10008 {
		t.Errorf("the bot token could touch an ephemeral message: %d, code %d", a.Status, a.Code)
	}
	if a := s.do("PATCH", s.hook(i, "/messages/@original"), object{"flags": v2, "content": nil, "components": []object{textDisplay("rich")}}); a.Status != 200 {
		t.Errorf("V2 by edit was answered %d %s", a.Status, a.Raw)
	}
	if a := s.do("DELETE", s.hook(i, "/messages/@original"), nil); a.Status != 204 {
		t.Errorf("delete was answered %d", a.Status)
	}
	if a := s.do("PATCH", s.hook(i, "/messages/@original"), object{"content": "x"}); a.Code != 10008 {
		t.Errorf("an edit after the delete was answered %d, code %d", a.Status, a.Code)
	}
}

func TestAUserInstallHasFiveFollowups(t *testing.T) {
	s := newStage(t)
	def := object{"name": "ltx", "description": "Make a video", "integration_types": []int{0, 1}, "contexts": []int{0, 1, 2}}
	s.do("POST", "/applications/"+s.server.ApplicationID()+"/commands", def)
	foreign := s.server.NewGuildWithoutBot("Elsewhere")
	foreign.SetDefaultPermissions(discord.DefaultPermissions &^ discord.UseExternalApps)
	lobby := foreign.NewChannel("lobby")
	foreign.Join(s.ada)
	if _, err := s.ada.Slash(s.ctx(), lobby, "ltx"); err == nil {
		t.Error("the command was offered without an installation")
	}
	s.ada.Install()
	i, err := s.ada.Slash(s.ctx(), lobby, "ltx")
	if err != nil {
		t.Fatal(err)
	}
	s.ack(i)
	if m, _ := i.Response(); m.EphemeralTo != s.ada.ID {
		t.Error("without USE_EXTERNAL_APPS the response was public")
	}
	for range 5 {
		if a := s.do("POST", s.hook(i, ""), object{"content": "a"}); a.Status != 200 {
			t.Fatalf("follow-up: %d %s", a.Status, a.Raw)
		}
	}
	if a := s.do("POST", s.hook(i, ""), object{"content": "a"}); a.Code != 40094 {
		t.Errorf("the sixth was answered %d, code %d", a.Status, a.Code)
	}
	if a := s.do("POST", "/channels/"+lobby.ID+"/messages", object{"content": "a"}); a.Code != 50001 {
		t.Errorf("the bot could write where it is not: %d, code %d", a.Status, a.Code)
	}
}
