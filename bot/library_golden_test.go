package bot_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/bot"
	"ltxbot/core/library"
	"ltxbot/internal/golden"
)

// TestALongLibraryAndItsForms compares what is read of lists that are longer than
// a message, of a library that is full, and in the forms, with golden files.
func TestALongLibraryAndItsForms(t *testing.T) {
	var many, full library.Contents
	for i := range library.MaxLoRAs {
		full.LoRAs = append(full.LoRAs, library.Entry{Name: fmt.Sprintf("look-%04d", i), Path: "acme/look", Scale: 0.8, Note: "one of many"})
	}
	for i := range library.MaxStyles {
		full.Styles = append(full.Styles, library.Style{Name: fmt.Sprintf("style-%03d", i), Options: "camera:static"})
	}
	many.LoRAs, many.Styles = full.LoRAs[:25], full.Styles[:25]
	seed, added := int64(7), time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	many.LoRAs[3] = library.Entry{
		Name: "film", Path: "https://civitai.com/api/download/models/1?type=Model", Scale: 0.5, Trigger: "35mm film", Negative: "digital",
		Note: "grainy", Example: "a man", Seed: &seed, Models: []string{"ltx-2.3"}, By: ann, At: added,
	}
	many.Styles[3] = library.Style{Name: "noir", Options: "camera:static", Prefix: "at night", Suffix: "in the rain", Note: "dark", By: ann, At: added}
	for file, locale := range map[string]string{"en": "en-US", "de": "de", "fr": "fr", "es": "es-ES", "ja": "ja"} {
		t.Run(file, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var b strings.Builder
				for _, of := range []struct {
					name string
					kept library.Contents
				}{{"many", many}, {"full", full}} {
					d, store := newLibraryService(t, &fakeGenerator{}, false)
					store.Fill(acme, of.kept)
					lines := []string{"add more acme/more", "style-add more camera:static"}
					if of.name == "many" {
						lines = []string{"list", "list look", "styles", "show film", "style-show noir"}
					}
					for _, line := range lines {
						fmt.Fprintf(&b, "== %s: loras %s\n%s\n", of.name, line, d.LoRAsLine(t.Context(), admin(locale), line))
					}
					for _, line := range []string{"add", "edit film", "style-add", "style-edit noir"} {
						if of.name == "many" {
							writeForm(&b, d, admin(locale), line)
						}
					}
				}
				golden.Equal(t, "library."+file+".txt", b.String())
			})
		})
	}
}

// writeForm writes the form that a line opens.
func writeForm(b *strings.Builder, d *bot.Service, c bot.Caller, line string) {
	f := d.LibraryForm(c, line, 10)
	fmt.Fprintf(b, "== form: loras %s\n# %s [%s]\n", line, f.Title, f.Submit)
	for _, x := range f.Fields {
		fmt.Fprintf(b, "%s: %s (%s) = %q, at most %d, required %t\n", x.Key, x.Label, x.Hint, x.Value, x.MaxLen, x.Required)
	}
	b.WriteByte('\n')
}
