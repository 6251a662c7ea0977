package ltx_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"ltxbot/core/ltx"
)

func TestEveryTextFitsDiscord(t *testing.T) {
	name := regexp.MustCompile(`^[a-z_]{1,32}$`)
	options := 0
	for _, p := range ltx.Params() {
		if p.Help == "" || len([]rune(p.Help)) > 100 {
			t.Errorf("%s: help of %d characters, must be 1 to 100", p.Key(), len([]rune(p.Help)))
		}
		if strings.HasSuffix(p.Help, ".") {
			t.Errorf("%s: help ends with a full stop; no other does", p.Key())
		}
		if p.Option != "" {
			if !p.Rare {
				options++
			}
			if !name.MatchString(p.Option) {
				t.Errorf("%q is no name of an option", p.Option)
			}
		}
		if len(p.Choices) > 25 {
			t.Errorf("%s has %d choices, more than 25", p.Key(), len(p.Choices))
		}
		for _, c := range p.Choices {
			if c.Label == "" || len([]rune(c.Label)) > 75 {
				t.Errorf("%s: choice %s has no label that fits", p.Key(), c.Value)
			}
		}
	}
	if options > 25 {
		t.Errorf("%d options, more than 25", options)
	}
}

func TestEverySpellingMeansOneThing(t *testing.T) {
	for _, p := range ltx.Params() {
		for _, s := range append([]string{p.Name, p.Option}, p.Aliases...) {
			if s == "" {
				continue
			}
			for _, spelled := range []string{s, strings.ToUpper(s), strings.ReplaceAll(s, "_", "-"), strings.ReplaceAll(s, "_", " ")} {
				got, ok := ltx.Lookup(spelled)
				if !ok || got.Key() != p.Key() {
					t.Errorf("%q finds %q, want %q", spelled, got.Key(), p.Key())
				}
			}
		}
		if p.Kind == ltx.KindPreset || p.Key() == "model" || p.Key() == "edit" {
			continue // values that are the operator's, or choose the endpoint
		}
		for _, c := range p.Choices {
			for _, s := range append([]string{c.Value, c.Typed()}, c.Synonyms...) {
				if !p.Fits(strings.ToUpper(s)) {
					t.Errorf("%s:%s does not fit", p.Key(), s)
				}
				req, err := ltx.Rules{}.Parse(set("prompt", "a cowboy", p.Key(), strings.ToUpper(s)))
				want := any(c.Value)
				if p.Kind == ltx.KindSize {
					want = c.Pixels
				}
				if got := req.Value(p.Name); err == nil && got == nil && want == "none" {
					continue // there is none where it is not taken
				} else if err == nil && got != want && len(req.Notes) == 0 {
					t.Errorf("%s:%s is %v, want %v", p.Key(), s, got, want)
				}
			}
		}
	}
}

func seven() int64 { return 7 }

// parse parses the settings with a prompt under the zero rules.
func parse(t *testing.T, settings ...ltx.Setting) ltx.Request {
	t.Helper()
	return parseBy(t, ltx.Rules{Seed: seven}, settings...)
}

func parseBy(t *testing.T, rules ltx.Rules, settings ...ltx.Setting) ltx.Request {
	t.Helper()
	if !slices.ContainsFunc(settings, func(s ltx.Setting) bool { return s.Key == "prompt" }) {
		settings = append([]ltx.Setting{{Key: "prompt", Value: "a cowboy"}}, settings...)
	}
	req, err := rules.Parse(settings)
	if err != nil {
		t.Fatalf("parse %v: %v", settings, err)
	}
	return req
}
