package bot_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"ltxbot/bot"
	"ltxbot/bot/command"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/library"
	"ltxbot/core/library/librarytest"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/core/team"
	"ltxbot/internal/golden"
)

// newLibraryService is a service with a library in memory.
func newLibraryService(t testing.TB, g *fakeGenerator, everyone bool) (*bot.Service, *librarytest.Memory) {
	t.Helper()
	store := librarytest.NewMemory()
	office := library.NewOffice(library.OfficeConfig{
		Store: store, Shelf: library.NewShelf(store, slog.New(slog.DiscardHandler)), Everyone: func() bool { return everyone },
		Rules:   func() ltx.Rules { return rules("") },
		Options: command.ParseOptions, Blocked: blocksEve,
	})
	if g.jobs == nil {
		g.jobs = map[string]generate.Job{}
	}
	return bot.New(bot.Config{
		Generator: g, Library: office,
		Usage: func(context.Context, quota.Asker) ([]quota.Gauge, error) { return nil, nil },
		Rules: func(team string) ltx.Rules { return office.Of(team).Apply(rules(team)) },
	}), store
}

func blocksEve(_ context.Context, of, member string) (*quota.Block, error) {
	if of != acme || member != eve {
		return nil, nil //nolint:nilnil // not blocked
	}
	return &quota.Block{By: quota.Operator, Reason: "crypto ads"}, nil
}

// TestEveryOrderAboutALibraryIsAnswered gives each order that there is, as it is
// typed after "loras", and compares what is read with a golden file.
func TestEveryOrderAboutALibraryIsAnswered(t *testing.T) {
	lines := []string{
		"", "help", "list",
		`add film Lightricks/film-lora@0.8 trigger:"35mm film, ohwx" negative:digital note:grainy 1970s look example:"a man in the rain" seed:7 models:ltx-2.3`,
		"add clay https://huggingface.co/acme/clay/blob/main/clay.safetensors scale:2",
		"", "list grain", "list nothing like it", "show film", "show flim", "show",
		"edit film note:none scale:0.6", "edit film note:none", "edit film", "add film owner/other", "add fi/lm owner/other",
		"add x nowhere", "add x https://civitai.com/models/1/page", "add x https://civitai.com/api/download/models/1?token=hunter2", "add x owner/x seed:x",
		"styles", `style-add noir camera:static lora:film@0.7 prefix:"black and white" note:long shadows`, "styles", "style-show noir",
		"style-add noir camera:jib_up", "style-add pop a cat", "style-add pop", "style-add pop camera:spin",
		"style-edit noir prefix:none note:none suffix:in the rain", "style-edit noir suffix:in the rain", "style-edit noir", "style-edit nior note:x", "style-edit noir camera:spin",
		"member: style-edit noir note:x", "style-remove noir", "style-remove noir",
		"try", "try film a man",
		"remove clay", "remove clay", "frobnicate", "ad film owner/x", "add film owner/x what is this",
		"member: list", "member: help", "member: add mine owner/x", "member: remove film", "outsider: list",
	}
	for file, locale := range map[string]string{"en": "en-US", "de": "de-AT", "fr": "fr", "es": "es-ES", "ja": "ja"} {
		t.Run(file, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, _ := newLibraryService(t, &fakeGenerator{}, false)
				var b strings.Builder
				for _, line := range lines {
					c := admin(locale)
					typed := line
					if rest, ok := strings.CutPrefix(line, "member: "); ok {
						c.Admin, c.Member, typed = false, ann, rest
					}
					if rest, ok := strings.CutPrefix(line, "outsider: "); ok {
						c.Outsider, typed = true, rest
					}
					m := d.LoRAsLine(t.Context(), c, typed)
					fmt.Fprintf(&b, "== %s\n%s(%s)\n\n", strings.TrimSpace("loras "+line), m, m.Plain)
				}
				if strings.Count(b.String(), "hunter2") != 1 { // in what was typed
					t.Error("a message shows the key of a link")
				}
				golden.Equal(t, "loras."+file+".txt", b.String())
			})
		})
	}
}

// TestWhoMayGiveAnOrderAboutALibrary gives each order as everybody, under both
// rules: the words of the answer tell why it is refused.
func TestWhoMayGiveAnOrderAboutALibrary(t *testing.T) {
	lines := map[string]string{
		"list": "list", "show": "show film", "add": "add clay acme/clay", "edit": "edit film note:x", "remove": "remove film", "check": "check acme/film",
		"styles": "styles", "style-show": "style-show noir", "style-add": "style-add pop camera:static", "style-edit": "style-edit noir note:x", "style-remove": "style-remove noir",
	}
	outside := func(c bot.Caller) bot.Caller { c.Outsider = true; return c }
	const onlyAdmins, notYours, onlyInsiders = "Only an admin of your team", "Somebody else added", "for members of the team"
	const blocked = "Whoever runs this bot has stopped you from making videos. The reason: “crypto ads”. Only they can change that."
	stopped := admin("en")
	stopped.Member = eve
	for _, v := range library.Verbs() {
		for _, who := range []struct {
			name             string
			c                bot.Caller
			admins, everyone string // why a change is refused where admins may add, and where everyone may
		}{
			{"an admin", admin("en"), "", ""},
			{"who has added it", caller(ann), onlyAdmins, ""},
			{"another member", caller(bob), onlyAdmins, notYours},
			{"somebody of another organisation", outside(caller(ann)), onlyInsiders, onlyInsiders},
			{"an admin of another organisation", outside(admin("en")), onlyInsiders, onlyInsiders},
			{"an admin who is blocked", stopped, blocked, blocked},
			{"a member who is blocked", caller(eve), blocked, blocked},
		} {
			for _, everyone := range []bool{false, true} {
				added, store := newLibraryService(t, &fakeGenerator{}, true)
				added.LoRAsLine(t.Context(), caller(ann), "add film acme/film")
				added.LoRAsLine(t.Context(), caller(ann), "style-add noir camera:jib_up")
				kept, err := store.Contents(t.Context(), acme)
				if err != nil || len(kept.LoRAs) != 1 || len(kept.Styles) != 1 {
					t.Fatalf("%+v, %v", kept, err)
				}
				d, store := newLibraryService(t, &fakeGenerator{}, everyone)
				store.Fill(acme, library.Contents{LoRAs: slices.Clone(kept.LoRAs), Styles: slices.Clone(kept.Styles)})
				want := who.admins
				switch {
				case v.Name == library.VerbCheck, v.Reads && !who.c.Outsider:
					want = ""
				case v.Reads:
				case everyone && v.Who == library.Adders && who.everyone == notYours:
					want = ""
				case everyone:
					want = who.everyone
				}
				if v.InChat && want == blocked {
					continue // the ledger refuses the videos
				}
				if v.InChat { // it makes videos
					a, _ := bot.TryLine("try film a cowboy")
					a.Caller, a.Event = who.c, "e"
					if _, refusal := submit(t, d, a); (refusal != nil) != (want != "") || want != "" && !strings.Contains(refusal.String(), want) {
						t.Errorf("%s as %s: %v", v.Name, who.name, refusal)
					}
					continue
				}
				m := d.LoRAsLine(t.Context(), who.c, lines[v.Name]).String()
				for _, why := range []string{onlyAdmins, notYours, onlyInsiders, blocked} {
					if strings.Contains(m, why) != (why == want) {
						t.Errorf("%s as %s, everyone may add: %t: %s", v.Name, who.name, everyone, m)
					}
				}
				after, _ := store.Contents(t.Context(), acme)
				after.Edition = kept.Edition
				if changed := cmp.Diff(kept, after) != ""; changed != (want == "" && !v.Reads) {
					t.Errorf("%s as %s changes the library: %t", v.Name, who.name, changed)
				}
			}
		}
	}
}

func TestALoRAOfTheTeamIsUsedByItsName(t *testing.T) {
	g := &fakeGenerator{}
	d, _ := newLibraryService(t, g, true)
	c := caller(ann)
	d.LoRAsLine(t.Context(), c, `add film acme/film@0.7 trigger:ohwx negative:digital`)
	ask, refusal := submit(t, d, bot.Ask{Caller: c, Event: "e", Settings: line(t, "a man walks lora:FILM@0.9,owner/repo")})
	if refusal != nil {
		t.Fatal(refusal)
	}
	loras := ask.Request.LoRAs()
	if len(loras) != 2 || loras[0].Path != "acme/film" || loras[0].Scale != 0.9 || loras[1].Path != "owner/repo" {
		t.Errorf("LoRAs %+v", loras)
	}
	if ask.Request.Prompt() != "ohwx, a man walks" || ask.Request.Negative() != "digital" {
		t.Errorf("prompt %q, negative %q", ask.Request.Prompt(), ask.Request.Negative())
	}
	other := c
	other.Team = "other"
	if _, refusal := submit(t, d, bot.Ask{Caller: other, Event: "f", Settings: line(t, "a man walks lora:film")}); refusal == nil {
		t.Error("another team uses it")
	}
	other = c
	other.Outsider = true
	if _, refusal := submit(t, d, bot.Ask{Caller: other, Event: "g", Settings: line(t, "a man walks lora:film")}); refusal == nil {
		t.Error("an outsider uses it")
	}
}

// What is made again is made with the same style, and its details say which.
func TestAStyleIsKeptByItsName(t *testing.T) {
	g := &fakeGenerator{}
	d, _ := newLibraryService(t, g, true)
	c := caller(ann)
	d.LoRAsLine(t.Context(), c, `style-add noir camera:static`)
	ask, refusal := submit(t, d, bot.Ask{Caller: c, Event: "e", Settings: line(t, "a man walks style:NOIR")})
	if refusal != nil {
		t.Fatal(refusal)
	}
	d.LoRAsLine(t.Context(), c, `style-remove noir`)
	g.jobs[jobA] = generate.Job{ID: jobA, State: generate.Delivered, Team: c.Team, Member: ann, Request: ask.Request}
	for _, action := range []view.Action{view.ActAgain, view.ActSame} {
		press := d.Press(t.Context(), c, action, jobA)
		press.Ask.Event = string(action)
		if again, refusal := submit(t, d, *press.Ask); refusal != nil || again.Request.Style() != "noir" {
			t.Errorf("%s makes one with the style %q, %v", action, again.Request.Style(), refusal)
		}
	}
	details := strings.Join(strings.Fields(d.Press(t.Context(), c, view.ActDetails, jobA).Reply.String()), " ")
	if strings.Count(details, "noir") != 1 || !strings.Contains(details, "style noir ") {
		t.Errorf("the details are %s", details)
	}
}

// TestTheOptionsOfAStyleAreReadLikeThoseOfAVideo types values in quotes after
// those that a style has besides.
func TestTheOptionsOfAStyleAreReadLikeThoseOfAVideo(t *testing.T) {
	d, _ := newLibraryService(t, &fakeGenerator{}, true)
	c := caller(ann)
	for _, tt := range []struct{ typed, negative, camera, prompt string }{
		{`style-add noir negative:"low quality, camera:static shots" camera:jib_up prefix:"at night"`, "low quality, camera:static shots", "jib_up", "at night, a man"},
		{`style-edit noir negative=“low quality” camera:"dolly in"`, "low quality", "dolly_in", "at night, a man"},
		{`style-edit noir note:"negative: what is bad"`, "low quality", "dolly_in", "at night, a man"},
		{`style-edit noir options:"negative:blurry camera:static" prefix:none`, "blurry", "static", "a man"},
	} {
		said := d.LoRAsLine(t.Context(), c, tt.typed)
		ask, refusal := submit(t, d, bot.Ask{Caller: c, Event: tt.typed, Settings: line(t, "a man style:noir")})
		if refusal != nil {
			t.Errorf("%s: %s, and then %s", tt.typed, said, refusal)
			continue
		}
		if r := ask.Request; r.Negative() != tt.negative || r.Camera() != tt.camera || r.Prompt() != tt.prompt {
			t.Errorf("%s: %s", tt.typed, r.CommandLine())
		}
	}
	if m := d.LoRAsLine(t.Context(), c, `style-add pop lora:"a/b, https://civitai.com/api/download/models/1?token=hush"`).String(); !strings.Contains(m, "holds a key") || strings.Contains(m, "hush") {
		t.Errorf("a link with a key in quotes: %s", m)
	}
	for _, order := range []string{"add film acme/film", "style-add old lora:film@0.5", "remove film"} {
		d.LoRAsLine(t.Context(), c, order)
	}
	if _, refusal := submit(t, d, bot.Ask{Caller: c, Event: "old", Settings: line(t, "a man style:old")}); refusal == nil || !strings.Contains(refusal.String(), "The style old sets it") {
		t.Errorf("a style with a LoRA that is gone: %v", refusal)
	}
}

// TestTheNamesOfALibraryAreCorrected types names that are nearly those of a team's
// LoRAs and styles.
func TestTheNamesOfALibraryAreCorrected(t *testing.T) {
	d, _ := newLibraryService(t, &fakeGenerator{}, true)
	c := caller(ann)
	for _, order := range []string{"add film acme/film", "style-add dusk camera:static"} {
		d.LoRAsLine(t.Context(), c, order)
	}
	for typed, want := range map[string]string{
		"a lion lora:flm":               `/ltx prompt:"a lion" lora:film`,
		"a lion lora:acme/flm,flm@0.5":  `/ltx prompt:"a lion" lora:acme/flm,film@0.5`,
		"a lion style:dask lora:flm":    `/ltx prompt:"a lion" style:dusk lora:film`,
		"a lion style:dask size:banana": `/ltx prompt:"a lion" style:dask size:banana`, // the line would be refused again
	} {
		_, refusal := submit(t, d, bot.Ask{Caller: c, Event: typed, Settings: line(t, typed)})
		if refusal == nil || !strings.Contains(refusal.String(), "Did you mean") || !strings.HasSuffix(strings.TrimSpace(refusal.String()), want) {
			t.Errorf("%s: %v, want %s", typed, refusal, want)
		}
	}
}

// line are the settings of a line.
func line(t *testing.T, typed string) []ltx.Setting {
	t.Helper()
	l, err := command.Parse(typed)
	if err != nil {
		t.Fatal(err)
	}
	return l.Settings
}

func TestLoRAsAreSuggested(t *testing.T) {
	d, _ := newLibraryService(t, &fakeGenerator{}, true)
	c := caller(ann)
	for _, order := range []string{"add film acme/film scale:0.8 note:grainy look", "add clay acme/clay", "style-add noir camera:static", "style-add pop lora:clay note:bright"} {
		d.LoRAsLine(t.Context(), c, order)
	}
	for _, tt := range []struct{ option, typed, want string }{
		{"lora", "", "clay=clay · @1 | film=film · @0.8 · grainy look"},
		{"lora", "grain", "grain=grain | film=film · @0.8 · grainy look"},
		{"lora", "clay@0.5, fi", "clay@0.5, fi=clay@0.5, fi | clay@0.5,film=clay@0.5,film · @0.8 · grainy look"},
		{"lora", "film@1.2", "film@1.2=film@1.2"},
		{bot.SuggestLoRA, "cl", "clay=clay · @1"},
		{"style", "", "noir=noir · camera:static | pop=pop · bright"},
		{bot.SuggestStyle, "po", "pop=pop · bright"},
	} {
		var got []string
		for _, choice := range d.Suggest(c, tt.option, tt.typed) {
			got = append(got, choice.Value+"="+choice.Label)
		}
		if s := strings.Join(got, " | "); s != tt.want {
			t.Errorf("%s:%s: %s, want %s", tt.option, tt.typed, s, tt.want)
		}
	}
	outsider := c
	outsider.Outsider = true
	if got := d.Suggest(outsider, "lora", ""); len(got) > 0 {
		t.Errorf("an outsider reads %v", got)
	}
}

func TestFormsOfALibrary(t *testing.T) {
	d, _ := newLibraryService(t, &fakeGenerator{}, true)
	c := caller(ann)
	for line, want := range map[string]bool{
		"add": true, "add film": true, "style-add": true, "style-add noir": true, "style-edit": false, "style-edit noir": false, "add film owner/film": false, "list": false, "edit film": false, "edit": false, "": false,
	} {
		if f := d.LibraryForm(c, line, 0); (f != nil) != want {
			t.Errorf("%q opens a form: %v", line, f != nil)
		}
	}
	f := d.LibraryForm(c, "add film", 10)
	if f.Fields[0].Value != "film" || !f.Fields[1].Required || f.Order.Verb != "add" {
		t.Errorf("the form: %+v", f)
	}
	wrong := func(verb string, file bool, args map[string]string) map[string]string {
		t.Helper()
		m, wrong, _ := d.WrongOrder(t.Context(), c, library.Filled(team.Order{Verb: verb, Args: args}), file)
		if len(wrong) > 0 && m.Plain == "" {
			t.Errorf("nothing is said about %v", wrong)
		}
		return wrong
	}
	for _, tt := range []struct {
		args  map[string]string
		file  bool
		field string
	}{
		{map[string]string{"name": "film", "link": "nowhere"}, false, "link"},
		{map[string]string{"name": "film"}, false, "link"},
		{map[string]string{"name": "film"}, true, ""},
		{map[string]string{"name": "film", "link": "acme/film"}, true, "link"},
		{map[string]string{"name": "fi/lm"}, true, "name"},
		{map[string]string{"name": "film", "scale": "9"}, true, "scale"},
	} {
		if got := wrong("add", tt.file, tt.args); tt.field == "" && got != nil || tt.field != "" && got[tt.field] == "" {
			t.Errorf("%v, with a file %t: %v, want something under %q", tt.args, tt.file, got, tt.field)
		}
	}
	args := map[string]string{"name": "film", "link": "acme/film", "note": "grainy", "seed": "7"}
	if got := wrong("add", false, args); got != nil {
		t.Fatal(got)
	}
	if m := d.LoRAsLine(t.Context(), c, "show film"); !strings.Contains(m.Plain, "has no LoRA") {
		t.Errorf("a form that was only checked has added %s", m)
	}
	d.LoRAs(t.Context(), c, team.Order{Verb: "add", Args: args})
	outsider := c
	outsider.Outsider = true
	if _, got, _ := d.WrongOrder(t.Context(), outsider, team.Order{Verb: "add", Args: args}, false); got == nil {
		t.Error("an outsider can add")
	}
	f = d.LibraryForm(c, "edit film", 10)
	if i := slices.IndexFunc(f.Fields, func(f view.Field) bool { return f.Key == view.LoRAFileKey }); i >= 0 {
		t.Error("a file can be given where none is taken")
	}
	i := slices.IndexFunc(f.Fields, func(f view.Field) bool { return f.Key == "note" })
	if f == nil || f.Order.Args["name"] != "film" || f.Fields[i].Value != "grainy" {
		t.Fatalf("the form to edit: %+v", f)
	}
	// The form is sent with an emptied note and seed.
	o := library.Filled(team.Order{Verb: "edit", Args: map[string]string{"name": "film", "link": "acme/film", "scale": "1", "note": "", "seed": "", "trigger": "", "weight": ""}})
	if _, wrong, _ := d.WrongOrder(t.Context(), c, o, false); wrong != nil {
		t.Fatal(wrong)
	}
	d.LoRAs(t.Context(), c, o)
	if m := d.LoRAsLine(t.Context(), c, "show film"); strings.Contains(m.String(), "grainy") || strings.Contains(m.String(), "seed:7") {
		t.Errorf("what was emptied is still there:\n%s", m)
	}
	for line, want := range map[string]string{"edit film scale:0,6": "0.6", "add grain acme/grain@0,7": "0.7", "add clay acme/clay scale:1,25": "1.25"} {
		if m := d.LoRAsLine(t.Context(), c, line).String(); !strings.Contains(m, want) {
			t.Errorf("a decimal comma in %s:\n%s", line, m)
		}
	}
	d.LoRAsLine(t.Context(), c, "style-add noir camera:static prefix:dark note:shadows")
	f = d.LibraryForm(c, "style-edit noir", 0)
	if f == nil || f.Order.Args["name"] != "noir" || f.Fields[0].Value != "camera:static" || f.Fields[3].Value != "shadows" {
		t.Fatalf("the form to edit a style: %+v", f)
	}
	d.LoRAs(t.Context(), c, library.Filled(team.Order{Verb: "style-edit", Args: map[string]string{"name": "noir", "options": "camera:static", "prefix": "dark", "suffix": "rain", "note": ""}}))
	if m := d.LoRAsLine(t.Context(), c, "style-show noir").String(); strings.Contains(m, "shadows") || !strings.Contains(m, "rain") || !strings.Contains(m, "dark") {
		t.Errorf("the style that was edited:\n%s", m)
	}
}

// A form sends all of its fields: what somebody else has changed since it was
// opened would be set back.
func TestAFormDoesNotOverwriteWhatHasChangedSince(t *testing.T) {
	d, _ := newLibraryService(t, &fakeGenerator{}, true)
	c := caller(ann)
	d.LoRAsLine(t.Context(), c, "add film acme/film note:grainy trigger:ohwx")
	d.LoRAsLine(t.Context(), c, "style-add noir camera:static prefix:dark")
	for _, tt := range []struct{ edits, meanwhile, key, typed, now, show string }{
		{"edit film", "edit film scale:0.5 note:cold", "note", "warm light", "cold", "show film"},
		{"style-edit noir", "style-edit noir note:shadows", "suffix", "in the rain", "–", "style-show noir"},
	} {
		f := d.LibraryForm(c, tt.edits, 0)
		sent := func() team.Order {
			o := *f.Order
			o.Args = map[string]string{"name": f.Order.Args["name"]}
			for _, field := range f.Fields {
				if o.Args[field.Key] = field.Value; field.Key == tt.key {
					o.Args[field.Key] = tt.typed
				}
			}
			return library.Filled(o)
		}
		d.LoRAsLine(t.Context(), c, tt.meanwhile)
		o := sent()
		_, wrong, newer := d.WrongOrder(t.Context(), c, o, false)
		if len(wrong) == 0 || newer == nil || !strings.Contains(newer.Note, "has changed since") || !strings.Contains(newer.Note, " "+tt.now) {
			t.Fatalf("%s: %v, %+v", tt.edits, wrong, newer)
		}
		m := d.LoRAs(t.Context(), c, o).String()
		if !strings.Contains(m, "has changed since") || !strings.Contains(m, tt.typed) || !strings.Contains(m, tt.now) {
			t.Errorf("%s is answered without what was typed:\n%s", tt.edits, m)
		}
		if m := d.LoRAsLine(t.Context(), c, tt.show).String(); strings.Contains(m, tt.typed) {
			t.Errorf("%s overwrites:\n%s", tt.edits, m)
		}
		f = newer // sent again, by who knows
		if _, wrong, _ := d.WrongOrder(t.Context(), c, sent(), false); wrong != nil {
			t.Errorf("%s again: %v", tt.edits, wrong)
		}
		d.LoRAs(t.Context(), c, sent())
		if m := d.LoRAsLine(t.Context(), c, tt.show).String(); !strings.Contains(m, tt.typed) {
			t.Errorf("%s again changes nothing:\n%s", tt.edits, m)
		}
		if m := d.LoRAs(t.Context(), c, o); !strings.Contains(m.String(), "Nothing to change") { // a platform brings an order twice
			t.Errorf("%s a second time: %s", tt.edits, m)
		}
	}
}

// BenchmarkSuggestLoRAs completes a name in the largest library that there can
// be. It must take less than 5 ms.
func BenchmarkSuggestLoRAs(b *testing.B) {
	d, store := newLibraryService(b, &fakeGenerator{}, true)
	var c library.Contents
	for i := range library.MaxLoRAs {
		c.LoRAs = append(c.LoRAs, library.Entry{Name: fmt.Sprintf("style-%04d", i), Path: "a/b", Scale: 1, Note: "a grainy look of the seventies"})
	}
	store.Fill(acme, c)
	for b.Loop() {
		if len(d.Suggest(caller(ann), "lora", "49")) != 25 {
			b.Fatal("not as many as fit")
		}
	}
}

// TestAPromptThatLostItsTriggerIsMadeAgainAsWritten presses the button under a
// video whose prompt the model has rewritten.
func TestAPromptThatLostItsTriggerIsMadeAgainAsWritten(t *testing.T) {
	g := &fakeGenerator{}
	d, _ := newLibraryService(t, g, true)
	c := caller(ann)
	d.LoRAsLine(t.Context(), c, `add film acme/film trigger:ohwx`)
	ask, refusal := submit(t, d, bot.Ask{Caller: c, Event: "e", Settings: line(t, "a man walks lora:film seed:7")})
	if refusal != nil {
		t.Fatal(refusal)
	}
	j := job(t, jobA, cowboy, generate.Delivered)
	j.Request = ask.Request
	j.Output.Prompt = "A tall man with an ohwx hat walks"
	buttons := func() (lost bool, shown string) {
		m := view.Result(d.Printer("en"), j, view.ResultFacts{Fit: generate.FitOriginal})
		return slices.ContainsFunc(m.Buttons, func(b view.Button) bool { return b.Action == view.ActVerbatim }), m.String()
	}
	if lost, _ := buttons(); lost {
		t.Error("the button is there although nothing was lost")
	}
	j.Output.Prompt = "A tall man with a hat walks"
	if lost, shown := buttons(); !lost || !strings.Contains(shown, "dropped ohwx") {
		t.Errorf("what was lost is not said:\n%s", shown)
	}
	g.jobs[j.ID] = j
	p := d.Press(t.Context(), c, view.ActVerbatim, j.ID)
	if p.Ask == nil {
		t.Fatalf("%+v", p.Reply)
	}
	again, refusal := submit(t, d, *p.Ask)
	if refusal != nil {
		t.Fatal(refusal)
	}
	r := again.Request
	if r.Expand() || r.Seed() != 7 || r.Prompt() != "ohwx, a man walks" || r.LoRAs()[0].Path != "acme/film" {
		t.Errorf("made again: %s", r.CommandLine())
	}
	j.Request = r
	if lost, _ := buttons(); lost {
		t.Error("the button is there although nothing was expanded")
	}
}

func TestAMembersOwnDefaults(t *testing.T) {
	g := &fakeGenerator{}
	d, store := newLibraryService(t, g, true)
	c := caller(ann)
	asked := func(c bot.Caller, event, typed string) ltx.Request {
		t.Helper()
		ask, refusal := submit(t, d, bot.Ask{Caller: c, Event: event, Settings: line(t, typed)})
		if refusal != nil {
			t.Fatal(refusal)
		}
		return ask.Request
	}
	d.LoRAsLine(t.Context(), c, "add film acme/film")
	for _, tt := range []struct{ line, want string }{
		{"", "You have no defaults"},
		{"camera:static quality:draft lora:film@0.5", "camera:static quality:draft lora:film@0.5"},
		{"", "begin with camera:static"},
		{"a cat", "is no option"},
		{"camera:spin", "cannot be"},
		{"image:https://example.com/a.png", "cannot be set here"},
		{"lora:https://civitai.com/api/download/models/1?token=hush", "holds a key"},
		{"", "begin with camera:static"},
	} {
		if m := d.Defaults(t.Context(), c, tt.line); !strings.Contains(m.String(), tt.want) || strings.Contains(m.String(), "hush") {
			t.Errorf("defaults %s: %s", tt.line, m)
		}
	}
	if r := asked(c, "a", "a man walks"); r.Camera() != "static" || r.Quality() != "draft" || len(r.LoRAs()) != 1 {
		t.Errorf("with them: %s", r.CommandLine())
	}
	if r := asked(c, "b", "a man walks camera:jib_up"); r.Camera() != "jib_up" || r.Quality() != "draft" {
		t.Errorf("what was typed wins: %s", r.CommandLine())
	}
	if r := asked(caller(bob), "c", "a man walks"); r.Camera() != "none" {
		t.Errorf("somebody else's: %s", r.CommandLine())
	}
	if kept, err := d.Mine(t.Context(), c); err != nil || !strings.Contains(string(kept), `"key": "camera"`) {
		t.Errorf("what is kept about the member: %s, %v", kept, err)
	}
	if m := d.LoRAsLine(t.Context(), admin("en"), "remove film"); !strings.Contains(m.String(), "1 member's own defaults use it") || strings.Contains(m.String(), ann) {
		t.Errorf("their LoRA is removed: %s", m)
	}
	r := asked(c, "d", "a man walks")
	if r.Camera() != "none" || !slices.ContainsFunc(r.Notes, func(n ltx.Note) bool { return n.Reason == ltx.OwnLeftOut }) {
		t.Errorf("those that do not fit: %s, %v", r.CommandLine(), r.Notes)
	}
	for line, want := range map[string]string{"": "You have no defaults", "camera:static": "stopped you from making videos", "none": "stopped you from making videos"} {
		if m := d.Defaults(t.Context(), caller(eve), line); !strings.Contains(m.String(), want) {
			t.Errorf("defaults %q of somebody blocked: %s", line, m)
		}
	}
	if m := d.Defaults(t.Context(), c, "none"); !strings.Contains(m.String(), "taken back") {
		t.Errorf("taken back: %s", m)
	}
	if own, err := store.Defaults(t.Context(), acme, ann); err != nil || own != nil {
		t.Errorf("kept: %v, %v", own, err)
	}
}
