package view_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/library"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/core/team"
)

func TestCatalogSpeaksFiveLanguages(t *testing.T) {
	want := []string{"de", "en", "es", "fr", "ja"}
	if diff := cmp.Diff(want, text.BuiltInCatalog().Languages()); diff != "" {
		t.Error(diff)
	}
}

// fromTable are the keys whose English is in the table of parameters.
func fromTable(key string) bool {
	return strings.HasPrefix(key, "option.") || strings.HasPrefix(key, "choice.")
}

func TestEveryLanguageHasTheSameTexts(t *testing.T) {
	c := text.BuiltInCatalog()
	for _, language := range c.Languages() {
		t.Run(language, func(t *testing.T) {
			want := map[string][]string{}
			for _, key := range c.Keys("en") {
				if language == "ja" && strings.HasSuffix(key, ".one") {
					continue // one form for all numbers
				}
				want[key] = c.Placeholders("en", key)
			}
			got := map[string][]string{}
			for _, key := range c.Keys(language) {
				if !fromTable(key) {
					got[key] = c.Placeholders(language, key)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEveryLanguageDescribesEveryOptionAndChoice(t *testing.T) {
	translated := []string{"camera", "size", "quality", "format", "acceleration", "model", "edit"}
	c := text.BuiltInCatalog()
	for _, language := range c.Languages() {
		if language == "en" {
			continue
		}
		var want []string
		for _, p := range ltx.Params() {
			id := p.Name
			if id == "" {
				id = p.Option
			}
			want = append(want, "option."+id)
			if slices.Contains(translated, p.Key()) {
				for _, choice := range p.Choices {
					want = append(want, "choice."+p.Key()+"."+choice.Typed())
				}
			}
		}
		slices.Sort(want)
		got := slices.DeleteFunc(c.Keys(language), func(key string) bool { return !fromTable(key) })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", language, diff)
		}
	}
}

// byValue are the keys that are made of values of a closed list.
func byValue() []string {
	var keys []string
	add := func(prefix string, names ...string) {
		for _, n := range names {
			keys = append(keys, prefix+n)
		}
	}
	add("state.", "waiting", "cancelling", "deleted")
	for _, s := range generate.States {
		add("state.", string(s))
	}
	for _, k := range generate.FailureKinds {
		add("failure.", string(k))
		add("failure_next.", string(k))
	}
	add("failure.", "invalid_field", "invalid_limit")
	for _, p := range ltx.Problems() {
		add("problem.", string(p))
	}
	add("problem.", "duplicate_text", "not_taken_for")
	for _, r := range ltx.Reasons() {
		add("note.", string(r))
	}
	for _, k := range []quota.ScopeKind{quota.Member, quota.Team, quota.Bot} {
		add("refusal.", "videos_"+string(k), "usd_"+string(k))
	}
	for _, r := range []quota.Reason{quota.Blocked, quota.Paused} {
		add("refusal.", string(r), string(r)+"_operator")
	}
	add("discord.barred.", "locked", "thread", "voice")
	add("gauge.", "you", "team", "bot", "day", "week", "month", "rolling")
	add("window.", "day", "week", "month", "rolling")
	add("usage.", "you", "team", "bot", "videos", "usd")
	add("button.", "cancel", "again", "same", "edit", "details", "delete", "remove", "retry", "extend", "continue", "retake", "reframe", "inputs", "verbatim", "style", "finish", "take")
	add("help.prompt_", "shot", "scene", "action", "people", "camera", "sound")
	add("unit.", "frames", "fps", "seconds", "pixels", "steps")
	add("label.", "start_time")
	for _, p := range ltx.Params() {
		if p.Basic || p.Kind == ltx.KindMedia {
			add("label.", p.Key())
		}
	}
	for _, k := range library.WarningKinds() {
		add("lora_warning.", string(k))
	}
	for _, p := range team.OrderProblems {
		add("order_problem.", string(p))
	}
	for _, v := range team.Verbs() {
		add("verb.", v.Name)
		if v.Who != team.Operators && !v.Reads {
			add("order_done.", v.Name)
		}
		if !v.Reads {
			add("verb_name.", v.Name)
		}
		if v.Name == "revoke" {
			add("order_done.", "revoke_nothing")
		}
		for _, a := range v.Args {
			if name := v.Name + "_" + a.Name; slices.Contains([]string{"show_who", "log_who", "unset_limit"}, name) {
				add("arg.", name)
			} else {
				add("arg.", a.Name)
			}
		}
	}
	for _, p := range library.Problems {
		add("library_problem.", string(p))
	}
	add("library_arg.", "style_name")
	for _, v := range library.Verbs() {
		add("library_verb.", v.Name)
		if !v.Reads {
			add("library_done.", v.Name)
			add("verb_name.", v.Name)
		}
		if view.HasLibraryForm(v.Name) {
			add("library_form.", v.Name)
		}
		for _, a := range v.Args {
			add("library_arg.", a.Name)
			if a.Name != "find" && !v.InChat {
				add("library.", a.Name)
			}
		}
	}
	add("library.", "path")
	return keys
}

func TestEveryValueHasATextInEveryLanguage(t *testing.T) {
	c := text.BuiltInCatalog()
	for _, language := range c.Languages() {
		for _, key := range byValue() {
			if !slices.Contains(c.Keys(language), key) {
				t.Errorf("%s has no text for %s", language, key)
			}
		}
	}
}

// forAdapters are the sections that the platforms' packages choose from.
var forAdapters = []string{"command."}

func TestEveryTextIsUsed(t *testing.T) {
	inCode := map[string]bool{}
	literal := regexp.MustCompile(`"([a-z_]+(?:\.[a-z_0-9]+)+)"`)
	err := fs.WalkDir(os.DirFS(".."), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(filepath.Join("..", path))
		for _, m := range literal.FindAllStringSubmatch(string(source), -1) {
			inCode[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	values := byValue()
	for _, key := range text.BuiltInCatalog().Keys("en") {
		base := strings.TrimSuffix(strings.TrimSuffix(key, ".one"), ".other")
		byAdapter := slices.ContainsFunc(forAdapters, func(p string) bool { return strings.HasPrefix(key, p) })
		if !inCode[key] && !inCode[base] && !slices.Contains(values, key) && !byAdapter {
			t.Errorf("nothing uses %s", key)
		}
	}
}

func TestTextsFitWhereTheyGo(t *testing.T) {
	c := text.BuiltInCatalog()
	fits := func(what, text string, most int) {
		if n := len([]rune(text)); n == 0 || n > most {
			t.Errorf("%s has %d characters, at most %d are allowed: %q", what, n, most, text)
		}
	}
	for _, language := range c.Languages() {
		for _, key := range text.BuiltInCatalog().Keys(language) {
			switch {
			case strings.HasPrefix(key, "command."), strings.HasPrefix(key, "verb."), strings.HasPrefix(key, "arg."),
				strings.HasPrefix(key, "library_verb."), strings.HasPrefix(key, "library_arg."):
				fits(language+" "+key, c.Printer(language, "/ltx").Text(key), 100)
			case strings.HasPrefix(key, "button."), strings.HasPrefix(key, "label."), strings.HasPrefix(key, "form.title"):
				fits(language+" "+key, c.Printer(language, "/ltx").Text(key, "id", "k3f92mq7abcd"), 45)
			}
			if strings.Contains(c.Printer(language, "/ltx").Text(key), "!") && key != "problem.lora_pickle" {
				t.Errorf("%s %s shouts", language, key)
			}
		}
		for _, p := range ltx.Params() {
			fits(language+" "+p.Key(), c.Printer(language, "/ltx").Option(p), 100)
			for _, choice := range p.Choices {
				fits(language+" "+p.Key()+" "+choice.Typed(), c.Printer(language, "/ltx").Choice(p, choice), 75)
			}
		}
		options, err := (ltx.Rules{}).OptionsFor([]ltx.Setting{{Key: "edit", Value: "extend"}})
		if err != nil {
			t.Fatal(err)
		}
		f := view.VideoForm(c.Printer(language, "/ltx"), view.Fill{Options: options, Models: (ltx.Rules{}).Offers(), Usual: "ltx-2.5-pro"})
		fits(language+" title of the form", f.Title, 24)
		fits(language+" button of the form", f.Submit, 24)
		for _, field := range f.Fields {
			fits(language+" hint of "+field.Key, field.Hint, 100)
			for _, choice := range field.Choices {
				fits(language+" "+field.Key+" "+choice.Value+" in the form", choice.Label, 75)
			}
		}
		for _, topic := range append(view.HelpTopics(), "") {
			fits(language+" help "+topic, view.Help(c.Printer(language, "/ltx"), ltx.Rules{}, topic).String(), 4000)
		}
	}
}

func TestLocaleFallsBack(t *testing.T) {
	c := text.BuiltInCatalog()
	for locale, want := range map[string]string{
		"de-AT": "Abbrechen", "de": "Abbrechen", "de_CH": "Abbrechen", "DE": "Abbrechen",
		"en-GB": "Cancel", "pt-BR": "Cancel", "": "Cancel", "es-419": "Cancelar", "ja": "キャンセル",
	} {
		if got := c.Printer(locale, "/ltx").Text("button.cancel"); got != want {
			t.Errorf("Text(%q) = %q, want %q", locale, got, want)
		}
	}
	if got := c.Printer("de", "/ltx").Text("no.such.key"); got != "no.such.key" {
		t.Errorf("a text that does not exist reads %q", got)
	}
}

func TestCatalogRefusesWhatATranslatorGotWrong(t *testing.T) {
	for name, source := range map[string]string{
		"open brace":     `a = "see {id"`,
		"open code":      "a = \"see `code\"",
		"no text":        `a = 1`,
		"not TOML":       `a = `,
		"empty brackets": `a = "see {}"`,
	} {
		if _, err := text.NewCatalog(fstest.MapFS{"en.toml": {Data: []byte(source)}}); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if _, err := text.NewCatalog(fstest.MapFS{"de.toml": {Data: []byte(`a = "b"`)}}); err == nil {
		t.Error("a catalogue without English was accepted")
	}
}

func TestTheHelpOfOrdersIsTheSameEverywhere(t *testing.T) {
	c := text.BuiltInCatalog()
	same := func(key, table string) {
		if got := c.Printer("en", "/ltx").Text(key); got != table {
			t.Errorf("%s is %q, and %q in the table", key, got, table)
		}
	}
	for _, v := range team.Verbs() {
		same("verb."+v.Name, v.Help)
		for _, a := range v.Args {
			key := "arg." + v.Name + "_" + a.Name
			if !slices.Contains(text.BuiltInCatalog().Keys("en"), key) {
				key = "arg." + a.Name
			}
			same(key, a.Help)
		}
	}
	for _, v := range library.Verbs() {
		same("library_verb."+v.Name, v.Help)
		for _, a := range v.Args {
			if a.Name == "name" && strings.HasPrefix(v.Name, "style") {
				same("library_arg.style_name", a.Help)
				continue
			}
			same("library_arg."+a.Name, a.Help)
		}
	}
}
