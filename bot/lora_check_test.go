package bot_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"ltxbot/bot"
	"ltxbot/core/library"
	"ltxbot/core/ltx"
)

// fakeChecker knows findings by their paths.
type fakeChecker struct {
	findings map[string]library.Finding
	known    map[string]library.Finding
	err      error
	asked    []string
}

func (f *fakeChecker) Check(_ context.Context, path string) (library.Finding, error) {
	f.asked = append(f.asked, path)
	return f.findings[path], f.err
}

func (f *fakeChecker) Known(path string) (library.Finding, bool) {
	found, ok := f.known[path]
	return found, ok
}

func (f *fakeChecker) Inspect(io.Reader, int64) (library.Finding, error) {
	return f.findings["file"], f.err
}

func TestALoRAIsCheckedAsItIsTyped(t *testing.T) {
	const file = "https://huggingface.co/a/b/resolve/main/x.safetensors"
	files := &fakeChecker{findings: map[string]library.Finding{
		"team/clay": {BaseModel: "LTX-2.3"},
		file:        {Warnings: []library.Warning{{Kind: library.Gated, Value: "a/b"}}},
	}}
	rules := ltx.Rules{Library: func(name string) (ltx.LoRA, bool) {
		return ltx.LoRA{Name: "clay", Path: "team/clay"}, name == "clay"
	}}
	service := bot.New(bot.Config{Rules: func(string) ltx.Rules { return rules }, LoRAs: files})
	for _, tt := range []struct {
		name, typed string
		err         error
		want        string
		asked       string
	}{
		{"nothing", " ", nil, "Say which LoRA", ""},
		{"a name of the library", "clay", nil, "This LoRA can be used here.", "team/clay"},
		{"a page", "<https://huggingface.co/a/b/blob/main/x.safetensors>", nil, "accept terms", file},
		{"a link that is refused", "https://drive.google.com/file/d/1/view?usp=hush", nil, "Google Drive", ""},
		{"a host that is down", "a/b", library.ErrUnreachable, "Try again in a few minutes", "a/b"},
		{"an operator who allows no looks", "a/b", library.ErrOff, "does not let it look", "a/b"},
		{"a surprise", "a/b", errors.New("disk on fire"), "Reference: ", "a/b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files.err, files.asked = tt.err, nil
			m := service.CheckLoRA(t.Context(), bot.Caller{Team: acme, Member: ann}, tt.typed)
			if !strings.Contains(m.Plain, tt.want) || strings.Contains(m.String(), "hush") || strings.Join(files.asked, " ") != tt.asked {
				t.Errorf("asked for %q: %s", files.asked, m)
			}
		})
	}
	none := bot.New(bot.Config{})
	if m := none.CheckLoRA(t.Context(), bot.Caller{}, "a/b"); !strings.Contains(m.Plain, "The link is right") {
		t.Error(m)
	}
}

// TestWhatIsKnownOfALoRAIsOnTheCard: a command does not look at the file, but
// what was found before is said before money is spent.
func TestWhatIsKnownOfALoRAIsOnTheCard(t *testing.T) {
	files := &fakeChecker{known: map[string]library.Finding{
		"a/broken":  {Warnings: []library.Warning{{Kind: library.Pickle}}},
		"a/old-19b": {Warnings: []library.Warning{{Kind: library.OtherModel, Value: "Wan"}}},
		"a/good":    {BaseModel: "LTX-2.3"},
	}}
	service := bot.New(bot.Config{LoRAs: files})
	for lora, want := range map[string]string{
		"a/broken":  "a/broken could not be used when it was last checked. /ltx loras check says why.",
		"a/old-19b": "a/old-19b seems to be made for another model (Wan).",
		"a/new-19b": "a/new-19b seems to be made for another model (19b).",
		"a/good":    "The link is right.",
	} {
		files.err = library.ErrOff
		if m := service.CheckLoRA(t.Context(), bot.Caller{}, lora); !strings.Contains(m.Plain, want) {
			t.Errorf("%s: %s", lora, m)
		}
	}
}
