package discord_test

import (
	"errors"
	"maps"
	"strconv"
	"testing"
	"time"

	"ltxbot/sim/discord"
)

// TestCommandDefinitionsAreRefused is the table of what a command may not be.
func TestCommandDefinitionsAreRefused(t *testing.T) {
	chat := func(options ...object) object {
		return object{"name": "ltx", "description": "Make a video", "options": options}
	}
	opt := func(more object) object {
		out := object{"type": 3, "name": "a", "description": "b"}
		maps.Copy(out, more)
		return out
	}
	sub := func(kind int, name string, options ...object) object {
		return object{"type": kind, "name": name, "description": "b", "options": options}
	}
	choice := func(name string, value any) object { return object{"name": name, "value": value} }
	choices := func(list ...object) object { return opt(object{"choices": list}) }
	for name, tc := range map[string]struct {
		def  object
		path string
		want string
	}{
		"an upper-case name":            {object{"name": "LTX", "description": "a"}, "name", "APPLICATION_COMMAND_INVALID_NAME"},
		"a name with a space":           {object{"name": "l t", "description": "a"}, "name", "APPLICATION_COMMAND_INVALID_NAME"},
		"a name of 33":                  {object{"name": chars(33), "description": "a"}, "name", "BASE_TYPE_BAD_LENGTH"},
		"no description":                {object{"name": "ltx"}, "description", "BASE_TYPE_REQUIRED"},
		"a description over 100":        {object{"name": "ltx", "description": chars(101)}, "description", "BASE_TYPE_MAX_LENGTH"},
		"26 options":                    {chat(repeat(26, func(i int) object { return opt(object{"name": "o" + strconv.Itoa(i)}) })...), "options", "BASE_TYPE_MAX_LENGTH"},
		"required after optional":       {chat(opt(object{}), opt(object{"name": "b", "required": true})), "options.1", "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID"},
		"two options of a name":         {chat(opt(object{}), opt(object{})), "options.1.name", "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS"},
		"an upper-case option":          {chat(opt(object{"name": "A"})), "options.0.name", "APPLICATION_COMMAND_INVALID_NAME"},
		"an option without description": {chat(object{"type": 3, "name": "a"}), "options.0.description", "BASE_TYPE_REQUIRED"},
		"an option of type 12":          {chat(opt(object{"type": 12})), "options.0.type", "NUMBER_TYPE_MAX"},
		"26 choices":                    {chat(choices(repeat(26, func(i int) object { return choice(strconv.Itoa(i), strconv.Itoa(i)) })...)), "options.0.choices", "BASE_TYPE_MAX_LENGTH"},
		"a choice name over 100":        {chat(choices(choice(chars(101), "a"))), "options.0.choices.0.name", "BASE_TYPE_BAD_LENGTH"},
		"a choice value over 100":       {chat(choices(choice("a", chars(101)))), "options.0.choices.0.value", "BASE_TYPE_BAD_LENGTH"},
		"a number as choice of text":    {chat(choices(choice("a", 1))), "options.0.choices.0.value", "STRING_TYPE_CONVERT"},
		"text as choice of a number":    {chat(opt(object{"type": 4, "choices": []object{choice("a", "1")}})), "options.0.choices.0.value", "NUMBER_TYPE_COERCE"},
		"two choices of a value":        {chat(choices(choice("a", "x"), choice("b", "x"))), "options.0.choices.1.value", "APPLICATION_COMMAND_OPTIONS_CHOICE_VALUE_EXISTS"},
		"two choices of a name":         {chat(choices(choice("a", "x"), choice("a", "y"))), "options.0.choices.1.name", "APPLICATION_COMMAND_OPTIONS_CHOICE_NAME_EXISTS"},
		"choices with autocomplete":     {chat(opt(object{"autocomplete": true, "choices": []object{choice("a", "a")}})), "options.0.choices", "APPLICATION_COMMAND_OPTIONS_CHOICES_AUTOCOMPLETE"},
		"autocomplete of a user":        {chat(opt(object{"type": 6, "autocomplete": true})), "options.0.autocomplete", "APPLICATION_COMMAND_OPTION_FIELD_INVALID"},
		"a minimum of text":             {chat(opt(object{"min_value": 1})), "options.0.min_value", "APPLICATION_COMMAND_OPTION_FIELD_INVALID"},
		"a length of a number":          {chat(opt(object{"type": 4, "max_length": 1})), "options.0.max_length", "APPLICATION_COMMAND_OPTION_FIELD_INVALID"},
		"minimum over maximum":          {chat(opt(object{"type": 4, "min_value": 2, "max_value": 1})), "options.0.min_value", "APPLICATION_COMMAND_OPTIONS_MIN_VALUE_INVALID"},
		"a maximum beyond 2^53":         {chat(opt(object{"type": 4, "max_value": 1e17})), "options.0.max_value", "NUMBER_TYPE_MAX"},
		"shortest over longest":         {chat(opt(object{"min_length": 5, "max_length": 4})), "options.0.min_length", "APPLICATION_COMMAND_OPTIONS_MIN_LENGTH_INVALID"},
		"a length over 6000":            {chat(opt(object{"max_length": 6001})), "options.0.max_length", "NUMBER_TYPE_MAX"},
		"a longest of 0":                {chat(opt(object{"max_length": 0})), "options.0.max_length", "NUMBER_TYPE_MIN"},
		"a subcommand beside an option": {chat(sub(1, "show"), opt(object{})), "options", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID"},
		"a group in a group":            {chat(sub(2, "g", sub(2, "h", sub(1, "s")))), "options.0.options.0.type", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID"},
		"a subcommand in a subcommand":  {chat(sub(1, "g", sub(1, "s"))), "options.0.options.0.type", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID"},
		"an unknown locale":             {object{"name": "ltx", "description": "a", "name_localizations": object{"xx": "a"}}, "name_localizations.xx", "DICT_TYPE_KEY_INVALID"},
		"an upper-case translation":     {object{"name": "ltx", "description": "a", "name_localizations": object{"de": "LTX"}}, "name_localizations.de", "APPLICATION_COMMAND_INVALID_NAME"},
		"a long translation":            {object{"name": "ltx", "description": "a", "description_localizations": object{"de": chars(101)}}, "description_localizations.de", "BASE_TYPE_BAD_LENGTH"},
		"contexts in a guild":           {object{"name": "ltx", "description": "a", "contexts": []int{0}}, "contexts", "APPLICATION_COMMAND_GUILD_FIELD"},
		"integration types in a guild":  {object{"name": "ltx", "description": "a", "integration_types": []int{0}}, "integration_types", "APPLICATION_COMMAND_GUILD_FIELD"},
		"a context menu description":    {object{"type": 3, "name": "Remix", "description": "a"}, "description", "APPLICATION_COMMAND_CONTEXT_MENU_FIELD"},
		"a context menu with options":   {object{"type": 3, "name": "Remix", "options": []object{opt(object{})}}, "options", "APPLICATION_COMMAND_CONTEXT_MENU_FIELD"},
		"permissions that are words":    {object{"name": "ltx", "description": "a", "default_member_permissions": "all"}, "default_member_permissions", "NUMBER_TYPE_COERCE"},
		"a misspelt field":              {object{"name": "ltx", "description": "a", "nfsw": true}, "nfsw", "SIM_UNKNOWN_FIELD"},
		"8001 characters": {
			chat(repeat(4, func(i int) object {
				return opt(object{"name": "o" + strconv.Itoa(i), "choices": repeat(20, func(j int) object { return choice(strconv.Itoa(j)+chars(50), strconv.Itoa(j)+chars(50)) })})
			})...), "", "APPLICATION_COMMAND_TOO_LARGE",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			a := s.do("POST", "/applications/"+s.server.ApplicationID()+"/guilds/"+s.guild.ID+"/commands", tc.def)
			if a.Status != 400 || a.Code != 50035 || a.Fields[tc.path] != tc.want {
				t.Errorf("answered %d, code %d, %v; want %s at %q", a.Status, a.Code, a.Fields, tc.want, tc.path)
			}
			bulk := s.do("PUT", "/applications/"+s.server.ApplicationID()+"/guilds/"+s.guild.ID+"/commands", []object{tc.def})
			path := "0"
			if tc.path != "" {
				path += "." + tc.path
			}
			if bulk.Fields[path] != tc.want {
				t.Errorf("in bulk answered %d %v; want %s at %q", bulk.Status, bulk.Fields, tc.want, path)
			}
			if len(s.server.Commands(s.guild)) != 0 {
				t.Error("the command was registered")
			}
		})
	}
}

func TestCommandsKeepTheirIdentity(t *testing.T) {
	s := newStage(t)
	path := "/applications/" + s.server.ApplicationID() + "/guilds/" + s.guild.ID + "/commands"
	first := s.do("POST", path, ltxCommand)
	again := s.do("POST", path, ltxCommand)
	if first.Status != 201 || again.Status != 200 || again.id() != first.id() || again.JSON["version"] != first.JSON["version"] {
		t.Errorf("unchanged: %d %s, then %d %s", first.Status, first.Raw, again.Status, again.Raw)
	}
	changed := s.do("PATCH", path+"/"+first.id(), object{"description": "New"})
	if changed.Status != 200 || changed.id() != first.id() || changed.JSON["version"] == first.JSON["version"] || changed.JSON["options"] == nil {
		t.Errorf("changed: %d %s", changed.Status, changed.Raw)
	}
	bulk := s.do("PUT", path, []object{ltxCommand, {"type": 3, "name": "Remix with LTX"}})
	if len(bulk.List) != 2 || bulk.List[0].(map[string]any)["id"] != first.id() {
		t.Errorf("bulk: %s", bulk.Raw)
	}
	if n := s.server.CommandCreates(s.guild); n != 2 {
		t.Errorf("%d creates were counted, want 2", n)
	}
	if a := s.do("PUT", path, []object{ltxCommand, ltxCommand}); a.Fields["1.name"] != "APPLICATION_COMMANDS_DUPLICATE_NAME" {
		t.Errorf("a duplicate was answered %d %v", a.Status, a.Fields)
	}
	if a := s.do("GET", path+"/"+first.id(), nil); a.JSON["guild_id"] != s.guild.ID {
		t.Errorf("get: %d %s", a.Status, a.Raw)
	}
	if a := s.do("DELETE", path+"/"+first.id(), nil); a.Status != 204 {
		t.Errorf("delete was answered %d", a.Status)
	}
	if a := s.do("GET", path+"/"+first.id(), nil); a.Code != 10063 {
		t.Errorf("a deleted command was answered %d, code %d", a.Status, a.Code)
	}
	if a := s.do("GET", path, nil); len(a.List) != 1 {
		t.Errorf("list: %s", a.Raw)
	}
}

func TestCommandsAreCounted(t *testing.T) {
	s := newStage(t)
	path := "/applications/" + s.server.ApplicationID() + "/commands"
	menu := func(i int) object { return object{"type": 3, "name": "M" + strconv.Itoa(i)} }
	if a := s.do("PUT", path, repeat(16, menu)); a.Code != 30032 {
		t.Errorf("16 message commands were answered %d, code %d", a.Status, a.Code)
	}
	for i := range 200 {
		s.do("PUT", path, []object{menu(i)})
	}
	if a := s.do("PUT", path, []object{menu(200)}); a.Code != 30034 {
		t.Errorf("the 201st create of a day was answered %d, code %d", a.Status, a.Code)
	}
	s.server.Advance(24 * time.Hour)
	if a := s.do("PUT", path, []object{menu(200)}); a.Status != 200 {
		t.Errorf("the next day was answered %d %s", a.Status, a.Raw)
	}
}

// TestClientsRefuse is the table of what a person cannot do.
func TestClientsRefuse(t *testing.T) {
	s := newStage(t)
	s.register(
		object{"name": "ltx", "description": "a", "options": []object{
			{"type": 3, "name": "prompt", "description": "a", "required": true, "min_length": 2, "max_length": 5},
			{"type": 3, "name": "camera", "description": "a", "choices": []object{{"name": "Dolly in", "value": "dolly_in"}}},
			{"type": 4, "name": "seed", "description": "a", "min_value": 0, "max_value": 9},
			{"type": 5, "name": "audio", "description": "a"},
			{"type": 6, "name": "who", "description": "a"},
		}},
		object{"name": "admin", "description": "a", "default_member_permissions": "0", "options": []object{
			{"type": 1, "name": "grant", "description": "a"},
		}},
		object{"name": "nightly", "description": "a", "nsfw": true},
		object{"name": "quota", "description": "a", "options": []object{{"type": 1, "name": "show", "description": "a"}}},
	)
	arg, prompt := discord.Arg, discord.Arg("prompt", "cow")
	locked := s.guild.NewChannel("locked")
	locked.Deny(s.ada, discord.ViewChannel)
	for name, tc := range map[string]struct {
		channel *discord.Channel
		command string
		args    []discord.Argument
		field   string
	}{
		"an unknown command":        {s.general, "ltxx", nil, "ltxx"},
		"a required option missing": {s.general, "ltx", nil, "prompt"},
		"an unknown option":         {s.general, "ltx", []discord.Argument{prompt, arg("zoom", "1")}, "zoom"},
		"an option twice":           {s.general, "ltx", []discord.Argument{prompt, prompt}, "prompt"},
		"text that is too short":    {s.general, "ltx", []discord.Argument{arg("prompt", "c")}, "prompt"},
		"text that is too long":     {s.general, "ltx", []discord.Argument{arg("prompt", "cowboy")}, "prompt"},
		"something not offered":     {s.general, "ltx", []discord.Argument{prompt, arg("camera", "zoom")}, "camera"},
		"a number below":            {s.general, "ltx", []discord.Argument{prompt, arg("seed", -1)}, "seed"},
		"a number above":            {s.general, "ltx", []discord.Argument{prompt, arg("seed", "10")}, "seed"},
		"a broken number":           {s.general, "ltx", []discord.Argument{prompt, arg("seed", 1.5)}, "seed"},
		"neither true nor false":    {s.general, "ltx", []discord.Argument{prompt, arg("audio", "maybe")}, "audio"},
		"text for a person":         {s.general, "ltx", []discord.Argument{prompt, arg("who", "ada")}, "who"},
		"an admin's command":        {s.general, "admin grant", nil, "admin"},
		"an age-restricted command": {s.general, "nightly", nil, "nightly"},
		"a bare parent command":     {s.general, "quota", nil, ""},
		"an unknown subcommand":     {s.general, "quota hide", nil, "hide"},
		"a channel unseen":          {locked, "ltx", []discord.Argument{prompt}, "ltx"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.ada.Slash(s.ctx(), tc.channel, tc.command, tc.args...)
			refused, ok := errors.AsType[*discord.RefusedError](err)
			if !ok || refused.Field != tc.field {
				t.Errorf("error is %v, want a refusal of %q", err, tc.field)
			}
		})
	}
	if _, err := s.ada.Type(s.ctx(), s.general, "/ltx prompt:a b camera:dolly in seed:3 audio:true"); err != nil {
		t.Errorf("a good command was refused: %v", err)
	}
	if _, err := s.ada.Type(s.ctx(), s.general, "/quota show"); err != nil {
		t.Errorf("a subcommand was refused: %v", err)
	}
	if _, err := s.ada.SlashRaw(s.ctx(), s.general, "ltx", map[string]any{"options": []any{}}); err != nil {
		t.Errorf("raw data were refused: %v", err)
	}
}
