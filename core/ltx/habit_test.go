package ltx_test

import (
	"errors"
	"testing"

	"ltxbot/core/ltx"
)

func TestTheHabitsOfOtherToolsAreUnderstoodOrCorrected(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   []ltx.Setting
		want string // the right spelling; empty = understood
	}{
		{"width and height", set("width", "1280", "height", "704"), ""},
		{"width and height among the advanced", set("advanced", "width=1280 height=704"), ""},
		{"a width alone", set("width", "1280"), "size:1280x720"},
		{"a height alone", set("height", "720"), "size:1280x720"},
		{"a width that is no number", set("width", "wide"), "size:1280x720"},
		{"the link of a LoRA", set("lora_url", "https://huggingface.co/a/b/resolve/main/c.safetensors"), ""},
		{"the scale of the only LoRA", set("lora", "a/b", "lora_scale", "0.5"), "lora:a/b@0.5"},
		{"the scale of no LoRA", set("lora_strength", "0.5"), "lora:owner/repo@0.5"},
		{"the weight of two LoRAs", set("lora", "a/b,c/d", "lora_weight", "0.7"), "lora:owner/repo@0.7"},
		{"the scale of a LoRA with a secret", set("lora", "https://civitai.com/api/download/models/1?token=hush", "lora_scale", "0.5"), "lora:https://civitai.com/api/download/models/1@0.5"},
		{"a scale with a colon", set("lora", "a/b:0.8"), "lora:a/b@0.8"},
		{"a scale with a space", set("lora", "a/b 0.8"), "lora:a/b@0.8"},
		{"a scale with an equals sign", set("lora", "a/b=0.8"), "lora:a/b@0.8"},
		{"the scale of a name", set("lora", "film:0.8"), "lora:film@0.8"},
		{"a list with semicolons", set("lora", "a/b; c/d@0.5"), "lora:a/b,c/d@0.5"},
		{"a list with semicolons and no spaces", set("lora", "a/b;c/d"), "lora:a/b,c/d"},
		{"a list with plus signs", set("lora", "a/b + c/d"), "lora:a/b,c/d"},
		{"a list with plus signs and no spaces", set("lora", "a/b+c/d"), "lora:a/b,c/d"},
		{"a list of links", set("lora", "https://huggingface.co/a/b;https://huggingface.co/c/d"), "lora:https://huggingface.co/a/b,https://huggingface.co/c/d"},
		{"a list with commas of Chinese", set("lora", "a/b，c/d、e/f"), ""},
		{"advanced with commas of Chinese", set("advanced", "stg：0.5，gamma＝2"), ""},
		{"what not to show, as in another bot", set("no", "blur"), `negative:"blur"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ltx.Rules{Seed: seven}.Parse(append(set("prompt", "a"), tt.in...))
			if tt.want == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			e, ok := errors.AsType[ltx.FieldError](err)
			if !ok || e.Problem != ltx.Spelling && e.Problem != ltx.NotShown || e.Nearest != tt.want {
				t.Errorf("got %v, want the spelling %q", err, tt.want)
			}
		})
	}
}

func TestAHabitThatIsACommonWordCountsOnlyWithAValueThatFits(t *testing.T) {
	for _, tt := range []struct {
		key, value string
		want       bool
	}{
		{"width", "1280", true},
		{"width", "wide", false},
		{"camera", "dolly_in", false}, // no habit
	} {
		if got := ltx.FitsHabit(tt.key, tt.value); got != tt.want {
			t.Errorf("%s:%s fits: %t, want %t", tt.key, tt.value, got, tt.want)
		}
	}
}

func TestWidthAndHeightAreASize(t *testing.T) {
	if got, want := parse(t, set("height", "1280", "width", "704")...).Size(), (ltx.Size{Width: 704, Height: 1280}); got != want {
		t.Errorf("size %v, want %v", got, want)
	}
}

func TestNumbersAreReadAsTheyAreTypedInEastAsia(t *testing.T) {
	for _, tt := range []struct{ key, value, api string }{
		{"duration", "5秒", "num_frames"},
		{"duration", "５秒", "num_frames"},
		{"duration", "5 秒", "num_frames"},
		{"duration", "5 Sekunden", "num_frames"},
		{"duration", "5 segundos", "num_frames"},
		{"duration", "5 secondes", "num_frames"},
		{"frames", "１２１", "num_frames"},
	} {
		if got := parse(t, set(tt.key, tt.value)...).Value(tt.api); got != int64(121) {
			t.Errorf("%s:%s is %v", tt.key, tt.value, got)
		}
	}
	if got := parse(t, set("size", "９：１６")...).Size(); got.Width != 576 {
		t.Errorf("size %v", got)
	}
}

func TestASizeHasNoSigns(t *testing.T) {
	for _, size := range []string{"-64x64", "1280x-704", "-16:9", "1280--704", "–1280x704"} {
		if req, err := (ltx.Rules{}).Parse(set("prompt", "a", "size", size)); err == nil {
			t.Errorf("size:%s became %v", size, req.Size())
		}
	}
}

func TestLinksOfLoRAsGoOutAsTheyAreGiven(t *testing.T) {
	for in, want := range map[string]string{
		"https://huggingface.co/a/b/resolve/main/my%20film.safetensors":    "https://huggingface.co/a/b/resolve/main/my%20film.safetensors",
		"https://huggingface.co/a/b/resolve/main/film%2Cgrain.safetensors": "https://huggingface.co/a/b/resolve/main/film%2Cgrain.safetensors",
		"https://huggingface.co/a/b/resolve/main/x%2Fy.safetensors":        "https://huggingface.co/a/b/resolve/main/x%2Fy.safetensors",
		"https://huggingface.co/a/b/blob/main/my%20film%2C2.safetensors":   "https://huggingface.co/a/b/resolve/main/my%20film%2C2.safetensors",
		"https://hf.co/a/b/blob/main/x.safetensors":                        "https://huggingface.co/a/b/resolve/main/x.safetensors",
		"https://hf.co/a/b/resolve/main/x.safetensors":                     "https://huggingface.co/a/b/resolve/main/x.safetensors",
		"https://hf.co/a/b": "a/b",
		"hf.co/a/b":         "a/b",
		"https://civitai.red/api/download/models/12?type=Model&token=secret": "https://civitai.com/api/download/models/12?type=Model&token=secret",
	} {
		l, _, err := ltx.Rules{}.ParseLoRA(in)
		if err != nil || l.Path != want {
			t.Errorf("%s: got %q, %v", in, l.Path, err)
		}
	}
	for in, want := range map[string]ltx.Problem{
		"https://civitai.red/models/12/some-style":                      ltx.LoRACivitaiPage,
		"https://huggingface.co/a/b/resolve/main/%0Ax.safetensors":      ltx.LoRAMalformed,
		"https://huggingface.co/a/%2e%2e/c/resolve/m/x.safetensors":     ltx.LoRAMalformed,
		"https://huggingface.co/a/b/resolve/main/%5C..%5Cx.safetensors": ltx.LoRAMalformed,
	} {
		_, _, err := ltx.Rules{}.ParseLoRA(in)
		if e, ok := errors.AsType[ltx.FieldError](err); !ok || e.Problem != want {
			t.Errorf("%s: got %v, want %s", in, err, want)
		}
	}
}

func TestALoRAOfAnotherModelIsNoted(t *testing.T) {
	for path, want := range map[string]string{
		"Lightricks/LTX-2-19b-LoRA-Camera-Control-Dolly-In":                "19b",
		"someone/ltxv-13b-film":                                            "ltxv",
		"someone/LTX-2.3-22b-IC-LoRA-Depth":                                "ic-lora",
		"https://huggingface.co/a/b/resolve/main/style_19B_v2.safetensors": "19b",
		"someone/film-ltx-2.3":                                             "",
		"someone/119bars":                                                  "",
	} {
		var got string
		for _, n := range parse(t, set("lora", path)...).Notes {
			if n.Reason == ltx.OtherModelLoRA {
				got = n.To
			}
		}
		if got != want {
			t.Errorf("%s: noted %q, want %q", path, got, want)
		}
	}
}

func TestAParameterKnowsWhatFits(t *testing.T) {
	for _, tt := range []struct {
		key, value string
		fits       bool
	}{
		{"camera", "dolly in", true},
		{"camera", "slow push in", false},
		{"duration", "5", true},
		{"duration", "40", false},
		{"size", "21:9", true},
		{"quality", "best", true},
		{"quality", "awful", false},
		{"advanced", "stg=0.5", true},
		{"advanced", "drama", false},
		{"lora", "a/b", true},
		{"seed", "random", true},
		{"frames", "97", true},
		{"enable_safety_checker", "no", false},
		{"camera", " ", false},
	} {
		p, _ := ltx.Lookup(tt.key)
		if got := p.Fits(tt.value); got != tt.fits {
			t.Errorf("%s:%s fits: %v", tt.key, tt.value, got)
		}
		if e := p.Check(tt.value); tt.value != " " && (e == nil) != tt.fits {
			t.Errorf("%s:%s: %v", tt.key, tt.value, e)
		}
	}
}
