package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ltxbot/config"
)

func TestChangedNamesTheKeys(t *testing.T) {
	const before = `
[fal]
key = "a-key"
[quota.member]
videos_per_day = 10
[[quota.tier]]
name = "studio"
videos_per_day = 50
`
	for _, test := range []struct {
		name, old, new string
		want           []string
	}{
		{"nothing", "", "", nil},
		{"a number", "videos_per_day = 10", "videos_per_day = 12", []string{"quota.member.videos_per_day"}},
		{"a secret", "a-key", "another-key", []string{"fal.key"}},
		{"a key of a tier", "videos_per_day = 50", "videos_per_day = 60", []string{"quota.tier[0].videos_per_day"}},
		{"a tier more", "videos_per_day = 50", "videos_per_day = 50\n[[quota.tier]]\nname = \"crew\"", []string{"quota.tier"}},
		{"a tier less", "[[quota.tier]]\nname = \"studio\"\nvideos_per_day = 50", "", []string{"quota.tier"}},
		{"an empty list", "name = \"studio\"", "name = \"studio\"\nmembers = []", nil},
		{"two keys", "a-key", "b-key\"\nmodel = \"a/b", []string{"fal.key", "fal.model"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			load := func(text string) config.Config {
				t.Helper()
				c, err := config.Parse([]byte(text))
				if err == nil {
					err = c.Resolve(func(string) (string, bool) { return "", false })
				}
				if err != nil {
					t.Fatal(err)
				}
				return c
			}
			got := config.Changed(load(before), load(strings.Replace(before, test.old, test.new, 1)))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
