package ltx_test

import (
	"testing"

	"ltxbot/core/ltx"

	"github.com/google/go-cmp/cmp"
)

func TestAnOptionWinsOverTheTextOfThePrompt(t *testing.T) {
	t.Parallel()
	set := func(pairs ...string) []ltx.Setting {
		var out []ltx.Setting
		for n := 0; n < len(pairs); n += 2 {
			out = append(out, ltx.Setting{Key: pairs[n], Value: pairs[n+1]})
		}
		return out
	}
	note := func(option, from, to string) []ltx.Note {
		return []ltx.Note{{Option: option, From: from, To: to, Reason: ltx.Overridden}}
	}
	for _, tt := range []struct {
		name           string
		options, typed []ltx.Setting
		want           []ltx.Setting
		notes          []ltx.Note
	}{
		{"what only the text sets is added", set("seed", "7"), set("camera", "static"), set("seed", "7", "camera", "static"), nil},
		{"what both set is the option's", set("seed", "7"), set("seed", "9"), set("seed", "7"), note("seed", "9", "7")},
		{"another name of it is the same", set("size", "16:9"), set("ar", "9:16"), set("size", "16:9"), note("size", "9:16", "16:9")},
		{"so is the length in frames", set("frames", "121"), set("duration", "3"), set("frames", "121"), note("duration", "3", "121")},
		{"what says the same needs no note", set("camera", "dolly_in"), set("camera", "Dolly-In"), set("camera", "dolly_in"), nil},
		{"an empty option sets nothing", set("seed", " "), set("seed", "9"), set("seed", " ", "seed", "9"), nil},
		{"advanced is an option", set("advanced", "steps=8 fps=24"), set("steps", "12"), set("advanced", "steps=8 fps=24"), note("steps", "12", "8")},
		{"advanced in the text is taken apart", set("steps", "8"), set("advanced", "steps=12 fps=24"), set("steps", "8", "fps", "24"), note("steps", "12", "8")},
		{"what nobody knows is left to the rules", set("seed", "7"), set("sede", "9"), set("seed", "7", "sede", "9"), nil},
		{"a note holds no secret", set("lora", "a/b"), set("lora", "https://x.example/a.safetensors?token=s"), set("lora", "a/b"), note("lora", "https://x.example/a.safetensors", "a/b")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, notes := ltx.Over(tt.options, tt.typed)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("settings (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.notes, notes); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
		})
	}
}
