package library_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ltxbot/core/library"
	"ltxbot/core/library/librarytest"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/core/team"
)

const (
	ann  = "discord:1"
	bob  = "discord:2"
	boss = "discord:9"
)

// office is an office on a store in memory.
type office struct {
	*library.Office

	store    *librarytest.Memory
	everyone bool
	blocked  string // a member
	files    *files
}

// files are what a look finds at each path, or why there is none.
type files struct {
	library.Checker

	found map[string]library.Finding
	err   error
	hold  bool // looks last until they are given up
	asked []string
}

func (f *files) Check(ctx context.Context, path string) (library.Finding, error) {
	f.asked = append(f.asked, path)
	if f.hold {
		<-ctx.Done()
		return library.Finding{}, ctx.Err()
	}
	return f.found[path], f.err
}

func newOffice(t testing.TB) *office {
	t.Helper()
	o := &office{store: librarytest.NewMemory(), files: &files{}}
	o.Office = library.NewOffice(library.OfficeConfig{
		Store: o.store, Shelf: library.NewShelf(o.store, slog.New(slog.DiscardHandler)),
		Rules:    func() ltx.Rules { return ltx.Rules{} },
		Everyone: func() bool { return o.everyone }, Files: o.files,
		Blocked: func(_ context.Context, team, member string) (*quota.Block, error) {
			if team != "acme" || member != o.blocked {
				return nil, nil
			}
			return &quota.Block{By: boss, Reason: "spam"}, nil
		},
		Options: func(line string) ([]ltx.Setting, error) {
			var out []ltx.Setting
			for word := range strings.FieldsSeq(line) {
				key, value, _ := strings.Cut(word, ":")
				out = append(out, ltx.Setting{Key: key, Value: value})
			}
			return out, nil
		},
	})
	return o
}

// as gives an order as it is typed.
func (o *office) as(t testing.TB, a team.Actor, line string) (library.Report, error) {
	t.Helper()
	order, err := library.Verbs().Parse(strings.Fields(line))
	if err != nil {
		return library.Report{}, err
	}
	if a.Operator {
		order.Team = "acme"
	}
	return o.Do(t.Context(), a, order)
}

func (o *office) must(t testing.TB, a team.Actor, line string) library.Report {
	t.Helper()
	r, err := o.as(t, a, line)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return r
}

func member(id string) team.Actor { return team.Actor{Member: id, Team: "acme", From: "discord"} }

func admin() team.Actor { return team.Actor{Member: boss, Team: "acme", Admin: true, From: "slack"} }

func operator() team.Actor { return team.Actor{Operator: true, From: "api"} }

func TestTheStoreInMemoryIsOne(t *testing.T) {
	librarytest.Run(t, librarytest.Harness{
		Open:   func(testing.TB) librarytest.Store { return librarytest.NewMemory() },
		Reopen: func(_ testing.TB, s librarytest.Store) librarytest.Store { return s },
	})
}

// TestWhoMayDoWhat tries each verb as everybody, under both rules.
func TestWhoMayDoWhat(t *testing.T) {
	lines := map[string]string{
		"list": "list", "show": "show film", "add": "add clay owner/clay", "edit": "edit film note:x", "remove": "remove film",
		"styles": "styles", "style-show": "style-show noir", "style-add": "style-add pop camera:static", "style-edit": "style-edit noir note:x", "style-remove": "style-remove noir",
	}
	for _, v := range library.Verbs() {
		if v.InChat {
			if _, err := newOffice(t).as(t, operator(), v.Name+" film"); !isProblem(err, library.OnlyInChat) {
				t.Errorf("%s without a conversation: %v", v.Name, err)
			}
		}
		if v.Name == library.VerbCheck || v.InChat {
			continue
		}
		if lines[v.Name] == "" {
			t.Fatalf("%s is not tried", v.Name)
		}
		for _, who := range []struct {
			name           string
			actor          team.Actor
			admins, others bool // may change where admins may add, and where everyone may
			blocked        bool
		}{
			{"an operator", operator(), true, true, false},
			{"an admin", admin(), true, true, false},
			{"who has added it", member(ann), false, true, false},
			{"somebody else", member(bob), false, v.Who == library.Adders, false},
			{"a blocked admin", admin(), false, false, true},
			{"who has added it, blocked", member(ann), false, false, true},
			{"somebody else, blocked", member(bob), false, false, true},
		} {
			for _, everyone := range []bool{false, true} {
				o := newOffice(t)
				o.everyone = true
				o.must(t, member(ann), "add film owner/film")
				o.must(t, member(ann), "style-add noir camera:jib_up")
				o.everyone = everyone
				if who.blocked {
					o.blocked = who.actor.Member
				}
				want := v.Reads || who.admins || everyone && who.others
				_, err := o.as(t, who.actor, lines[v.Name])
				if (err == nil) != want {
					t.Errorf("%s as %s, everyone may add: %v: %v", v.Name, who.name, everyone, err)
				}
				if who.blocked && !want {
					if limit, ok := errors.AsType[*quota.LimitError](err); !ok || limit.Reason != quota.Blocked || limit.Block.Reason != "spam" {
						t.Errorf("%s as %s: %v", v.Name, who.name, err)
					}
				} else if !want && !isProblem(err, library.OnlyAdmins) && !isProblem(err, library.NotYours) {
					t.Errorf("%s as %s: %v", v.Name, who.name, err)
				}
			}
		}
	}
	o := newOffice(t)
	order := team.Order{Verb: "list", Team: "other"}
	if _, err := o.Do(t.Context(), admin(), order); !errors.Is(err, team.ErrOtherTeam) {
		t.Errorf("another team: %v", err)
	}
	if _, err := o.Do(t.Context(), operator(), team.Order{Verb: "list"}); err == nil {
		t.Error("an operator named no team")
	}
}

func TestAddAndEdit(t *testing.T) {
	o := newOffice(t)
	r := o.must(t, admin(), "add Film owner/film@0.8 trigger:35mm film, ohwx note:grainy example:a cat seed:7 models:ltx-2.3 negative:digital")
	e := r.LoRAs[0]
	if e.Name != "Film" || e.Path != "owner/film" || e.Scale != 0.8 || e.Trigger != "35mm film, ohwx" || e.Note != "grainy" ||
		e.Example != "a cat" || *e.Seed != 7 || e.By != boss || e.At.IsZero() || !slices.Equal(e.Models, []string{"ltx-2.3"}) || e.Negative != "digital" {
		t.Errorf("%+v", e)
	}
	e = o.must(t, admin(), "edit film scale:0.5 trigger:none").LoRAs[0]
	if e.Path != "owner/film" || e.Scale != 0.5 || e.Trigger != "" || e.Note != "grainy" {
		t.Errorf("edited: %+v", e)
	}
	e = o.must(t, admin(), "edit film link:owner/film@0.9 scale:0.6 models:ltx-2.3,LTX-2.3").LoRAs[0]
	if e.Path != "owner/film" || e.Scale != 0.6 || !slices.Equal(e.Models, []string{"ltx-2.3"}) {
		t.Errorf("what is given twice: %+v", e)
	}
	if e := o.must(t, admin(), "edit film strength:0.5").LoRAs[0]; e.Scale != 0.5 {
		t.Errorf("by another name, the scale is %v", e.Scale)
	}
	e = o.must(t, admin(), "edit film weight:a/b.safetensors").LoRAs[0]
	if e.Path != "https://huggingface.co/owner/film/resolve/main/a/b.safetensors" || e.Scale != 0.5 {
		t.Errorf("with the file of a repository: %+v", e)
	}
	e = o.must(t, admin(), "edit film link:https://huggingface.co/owner/film/blob/main/x.safetensors?download=true").LoRAs[0]
	if e.Path != "https://huggingface.co/owner/film/resolve/main/x.safetensors" || e.Scale != 0.5 {
		t.Errorf("with another link: %+v", e)
	}
	if shown := o.must(t, member(bob), "show FILM").LoRAs[0]; shown.Path != e.Path {
		t.Errorf("shown: %+v", shown)
	}
	o.must(t, operator(), "remove film")
	if _, err := o.as(t, member(bob), "show film"); !isProblem(err, library.NoSuchLoRA) {
		t.Errorf("removed: %v", err)
	}
	records, _ := o.store.Records(t.Context(), "acme", 10)
	var verbs []string
	for _, r := range records {
		verbs = append(verbs, r.Verb+" by "+r.By)
	}
	want := "loras remove by operator, loras edit by discord:9, loras edit by discord:9, loras edit by discord:9, loras edit by discord:9, loras edit by discord:9, loras add by discord:9"
	if got := strings.Join(verbs, ", "); got != want {
		t.Errorf("records %s, want %s", got, want)
	}
}

func TestAStyleIsEdited(t *testing.T) {
	o := newOffice(t)
	o.must(t, admin(), "add film owner/film")
	o.must(t, admin(), "style-add Noir camera:static lora:film prefix:black and white note:shadows")
	for _, tt := range []struct{ line, options, prefix, suffix, note string }{
		{"style-edit noir suffix:in the rain", "camera:static lora:film", "black and white", "in the rain", "shadows"},
		{"style-edit NOIR camera:jib_up steps:20", "camera:jib_up steps:20", "black and white", "in the rain", "shadows"},
		{"style-edit noir note:none", "camera:jib_up steps:20", "black and white", "in the rain", ""},
		{"style-edit noir note:long shadows", "camera:jib_up steps:20", "black and white", "in the rain", "long shadows"},
		{"style-edit noir options:none prefix:", "", "black and white", "in the rain", "long shadows"},
		{"style-edit noir prefix:in the rain suffix:none", "", "in the rain", "", "long shadows"},
		{"style-edit noir options:lora:film prefix:none", "lora:film", "", "", "long shadows"},
	} {
		s := o.must(t, admin(), tt.line).Styles[0]
		if s.Name != "Noir" || s.Options != tt.options || s.Prefix != tt.prefix || s.Suffix != tt.suffix || s.Note != tt.note || s.By != boss {
			t.Errorf("%s: %+v", tt.line, s)
		}
		if (len(s.Settings) == 0) != (tt.options == "") {
			t.Errorf("%s sets %v", tt.line, s.Settings)
		}
		if shown := o.must(t, member(bob), "style-show noir").Styles[0]; cmp.Diff(s, shown) != "" {
			t.Errorf("%s is kept as %+v", tt.line, shown)
		}
	}
	o.must(t, admin(), "add clay owner/clay")
	o.must(t, admin(), "style-add pop lora:owner/film,Clay@0.5")
	o.must(t, admin(), "style-add still camera:static prefix:film")
	for member, own := range map[string]ltx.Setting{
		ann: {Key: "lora", Value: "film@0.5, Clay"}, bob: {Key: "lora", Value: "clay"}, boss: {Key: "lora", Value: "owner/clay"},
	} {
		if err := o.SetDefaults(t.Context(), "acme", member, []ltx.Setting{own}); err != nil {
			t.Fatal(err)
		}
	}
	if r := o.must(t, admin(), "remove clay"); !slices.Equal(r.Broken, []string{"pop"}) || r.Members != 2 {
		t.Errorf("clay is used by %v and %d members", r.Broken, r.Members)
	}
	if got := o.must(t, admin(), "remove film").Broken; !slices.Equal(got, []string{"Noir"}) { // the style names it still
		t.Errorf("film is used by %v", got)
	}
	if s := o.must(t, admin(), "style-edit noir note:old").Styles[0]; s.Options != "lora:film" || s.Note != "old" {
		t.Errorf("what is not said stays: %+v", s)
	}
	if _, err := o.as(t, admin(), "style-edit noir options:lora:film"); !isInvalid(err) {
		t.Errorf("a LoRA that is gone: %v", err)
	}
	records, _ := o.store.Records(t.Context(), "acme", 1)
	if r := records[0]; r.Verb != "loras style-edit" || !strings.Contains(r.Before, `note:"long shadows"`) || !strings.Contains(r.After, `note:"old"`) {
		t.Errorf("the record: %+v", r)
	}
}

func TestWhatALibraryRefuses(t *testing.T) {
	long := strings.Repeat("x", 501)
	for _, tt := range []struct {
		line string
		want library.Problem
	}{
		{"add none owner/film", library.BadName},
		{"add a/b owner/film", library.BadName},
		{"add film@1 owner/film", library.BadName},
		{"add " + long[:41] + " owner/film", library.BadName},
		{"add film owner/other", library.NameTaken},
		{"add FILM owner/other", library.NameTaken},
		{"add x owner/x seed:-1", library.BadSeed},
		{"add x owner/x seed:2147483648", library.BadSeed},
		{"add x owner/x models:sdxl", library.BadModel},
		{"add x owner/x weight:model.ckpt", library.BadWeight},
		{"add x https://huggingface.co/a/b/resolve/main/x.safetensors weight:y.safetensors", library.BadWeight},
		{"add x owner/x note:" + long, library.TooLong},
		{"add x https://huggingface.co/a/b/resolve/main/" + long + ".safetensors", library.TooLong},
		{"add x https://civitai.com/api/download/models/1?token=hush", library.SecretLink},
		{"add x https://storage.googleapis.com/b/x.safetensors?X-Goog-Signature=hush", library.SecretLink},
		{"edit flim note:x", library.NoSuchLoRA},
		{"edit film", library.NothingToDo},
		{"edit film note:none", library.NothingToDo},
		{"remove flim", library.NoSuchLoRA},
		{"style-add pop", library.EmptyStyle},
		{"style-add pop lora:https://civitai.com/api/download/models/1?token=hush", library.SecretLink},
		{"style-show nior", library.NoSuchStyle},
		{"style-edit nior note:x", library.NoSuchStyle},
		{"style-edit noir", library.NothingToDo},
		{"style-edit noir camera:jib_up", library.NothingToDo},
		{"style-edit noir options:none", library.EmptyStyle},
		{"style-edit noir note:" + long, library.TooLong},
		{"style-edit noir lora:https://civitai.com/api/download/models/1?token=hush", library.SecretLink},
		{"style-remove nior", library.NoSuchStyle},
	} {
		o := newOffice(t)
		o.must(t, admin(), "add film owner/film")
		o.must(t, admin(), "style-add noir camera:jib_up")
		_, err := o.as(t, admin(), tt.line)
		if !isProblem(err, tt.want) {
			t.Errorf("%s: %v, want %s", tt.line, err, tt.want)
			continue
		}
		if strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: the error holds a secret: %v", tt.line, err)
		}
	}
	o := newOffice(t)
	o.must(t, admin(), "style-add noir camera:jib_up")
	for _, line := range []string{"add x x", "add x http://huggingface.co/a/b/resolve/main/x.safetensors", "add x owner/x scale:9", "style-add x camera:spin", "style-add x prompt:a", "style-add x lora:gone", "style-edit noir camera:spin"} {
		if _, err := o.as(t, admin(), line); !isInvalid(err) {
			t.Errorf("%s: %v", line, err)
		}
	}
	if got := o.must(t, admin(), "add x https://civitai.com/api/download/models/1?type=Model&format=SafeTensor").LoRAs[0].Path; got != "https://civitai.com/api/download/models/1?format=SafeTensor&type=Model" {
		t.Errorf("what says which file it is stays: %s", got)
	}
}

func isInvalid(err error) bool {
	_, ok := errors.AsType[ltx.Invalid](err)
	return ok
}

func TestALibraryIsBounded(t *testing.T) {
	o := newOffice(t)
	var full library.Contents
	for i := range library.MaxLoRAs {
		full.LoRAs = append(full.LoRAs, library.Entry{Name: fmt.Sprintf("film%d", i), Path: "a/b", Scale: 1})
	}
	for i := range library.MaxStyles {
		full.Styles = append(full.Styles, library.Style{Name: fmt.Sprintf("noir%d", i)})
	}
	o.store.Fill("acme", full)
	for _, line := range []string{"add more a/b", "style-add more camera:static"} {
		if _, err := o.as(t, admin(), line); !isProblem(err, library.Full) {
			t.Errorf("%s: %v", line, err)
		}
	}
	full.LoRAs = full.LoRAs[1:]
	o.store.Fill("acme", full)
	o.must(t, admin(), "add more a/b")
	if library.MaxLoRAs != 5000 {
		t.Errorf("%d LoRAs", library.MaxLoRAs)
	}
}

// TestAnOrderThatComesTwiceIsOne gives the same order again, as a platform does
// that believes it lost.
func TestAnOrderThatComesTwiceIsOne(t *testing.T) {
	o := newOffice(t)
	for range 2 {
		o.must(t, admin(), "add film owner/film")
		o.must(t, admin(), "style-add noir camera:static")
	}
	if _, err := o.as(t, operator(), "add film owner/film"); !isProblem(err, library.NameTaken) {
		t.Errorf("somebody else's: %v", err)
	}
}

func TestTheShelf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := librarytest.NewMemory()
		shelf := library.NewShelf(store, slog.New(slog.DiscardHandler))
		has := func(name string) bool { _, ok := shelf.Of("acme").LoRA(name); return ok }
		write := func(name string) {
			store.Fill("acme", library.Contents{LoRAs: []library.Entry{{Name: name, Path: "a/b", Scale: 1}}})
		}
		write("film")
		if !has("Film") || has("clay") {
			t.Error("the first look")
		}
		write("clay") // another process
		if has("clay") {
			t.Error("the store is asked each time")
		}
		<-time.After(3 * time.Second)
		if !has("clay") {
			t.Error("a change is not seen after three seconds")
		}
		reads := store.Reads()
		<-time.After(3 * time.Second)
		if !has("clay") || store.Reads() != reads {
			t.Error("what has not changed is read again")
		}
		write("mud")
		shelf.Changed("acme")
		if !has("mud") {
			t.Error("a change of this process is not seen at once")
		}
		store.Fail(context.DeadlineExceeded)
		<-time.After(4 * time.Second)
		if !has("mud") {
			t.Error("nothing is known while the store does not answer")
		}
		if _, ok := shelf.Of("other").LoRA("mud"); ok {
			t.Error("another team has it")
		}
		store.Fail(nil)
		<-time.After(3 * time.Second)
		store.Fill("other", library.Contents{LoRAs: []library.Entry{{Name: "wax", Path: "a/b"}}})
		if _, ok := shelf.Of("other").LoRA("wax"); !ok {
			t.Error("what could not be read is not read later")
		}
	})
}

func TestFind(t *testing.T) {
	store := librarytest.NewMemory()
	shelf := library.NewShelf(store, slog.New(slog.DiscardHandler))
	store.Fill("acme", library.Contents{LoRAs: []library.Entry{
		{Name: "zoom"}, {Name: "old-film", Note: "grainy"}, {Name: "Film"}, {Name: "clay", Note: "stop motion, on film"}, {Name: "film_2"},
	}})
	for typed, want := range map[string]string{
		"film": "Film film_2 clay old-film", "FILM 2": "film_2", "grain": "old-film", "": "clay Film film_2 old-film zoom", "x": "",
	} {
		found, total := shelf.Of("acme").Find(typed, 10)
		var names []string
		for _, e := range found {
			names = append(names, e.Name)
		}
		if got := strings.Join(names, " "); got != want || total != len(found) {
			t.Errorf("%q finds %q of %d, want %q", typed, got, total, want)
		}
	}
	if found, total := shelf.Of("acme").Find("", 2); len(found) != 2 || total != 5 {
		t.Errorf("%d of %d", len(found), total)
	}
}

// BenchmarkFind completes a name in the largest library that there can be.
func BenchmarkFind(b *testing.B) {
	store := librarytest.NewMemory()
	var c library.Contents
	for i := range library.MaxLoRAs {
		c.LoRAs = append(c.LoRAs, library.Entry{Name: fmt.Sprintf("style-%04d", i), Note: strings.Repeat("a grainy look ", 10)})
	}
	store.Fill("acme", c)
	shelf := library.NewShelf(store, slog.New(slog.DiscardHandler))
	for b.Loop() {
		shelf.Of("acme").Find("49", 25)
	}
}

// TestACheckChangesNothing gives each order first to be checked: what the check
// says is what comes of it, and until then nothing is changed.
func TestACheckChangesNothing(t *testing.T) {
	o := newOffice(t)
	for _, tt := range []struct {
		by   team.Actor
		line string
	}{
		{member(ann), "add film acme/film"},
		{admin(), "add film acme/film scale:0.7"},
		{admin(), "add film acme/other"},
		{admin(), "add b/d acme/other"},
		{admin(), "edit film note:grainy"},
		{admin(), "edit film link:acme/other"},
		{admin(), "edit clay note:grainy"},
		{member(ann), "remove film"},
		{admin(), "style-add noir camera:static"},
		{admin(), "style-add noir camera:jib_up"},
		{admin(), "style-edit noir camera:jib_up"},
		{admin(), "style-edit noir camera:jib_up"},
		{admin(), "style-edit nior camera:jib_up"},
		{admin(), "style-remove noir"},
		{admin(), "remove film"},
		{admin(), "remove film"},
	} {
		order, err := library.Verbs().Parse(strings.Fields(tt.line))
		if err != nil {
			t.Fatal(err)
		}
		before, _ := o.store.Contents(t.Context(), "acme")
		checked, checkErr := o.Check(t.Context(), tt.by, order)
		after, _ := o.store.Contents(t.Context(), "acme")
		if diff := cmp.Diff(before, after); diff != "" {
			t.Fatalf("the check of %s changes the library:\n%s", tt.line, diff)
		}
		done, err := o.Do(t.Context(), tt.by, order)
		if fmt.Sprint(checkErr) != fmt.Sprint(err) {
			t.Errorf("%s: %v, and the check said %v", tt.line, err, checkErr)
		}
		if err == nil && len(done.LoRAs) != len(checked.LoRAs) {
			t.Errorf("%s: %+v, and the check said %+v", tt.line, done, checked)
		}
	}
}

func TestAFileHasANameToBegin(t *testing.T) {
	for file, want := range map[string]string{
		"clay.safetensors": "clay", "My Clay (v1.2).safetensors": "My-Clay-v1.2", "__x.safetensors": "x", "粘土 風.safetensors": "粘土-風",
		strings.Repeat("a", 60) + ".pt": strings.Repeat("a", 40), ".safetensors": "", "***.bin": "", "": "",
	} {
		if got := library.NameFor(file); got != want {
			t.Errorf("NameFor(%q) = %q, want %q", file, got, want)
		}
		if want != "" {
			newOffice(t).must(t, admin(), "add "+want+" acme/film")
		}
	}
}

// isProblem reports whether an error is this problem.
func isProblem(err error, p library.Problem) bool {
	e, ok := errors.AsType[*library.Error](err)
	return ok && e.Problem == p
}
