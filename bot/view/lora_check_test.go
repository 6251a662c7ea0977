package view_test

import (
	"testing"

	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/core/library"
	"ltxbot/core/ltx"
)

func TestACheckSaysWhatALoRAIs(t *testing.T) {
	inBothLanguages(t, "lora_check", func(t *testing.T, p text.Printer) []shown {
		var out []shown
		show := func(name, typed string, f *library.Finding) {
			l, notes, err := ltx.Rules{Library: func(name string) (ltx.LoRA, bool) {
				return ltx.LoRA{Name: "clay", Path: "team/clay", Scale: 0.9}, name == "clay"
			}}.ParseLoRA(typed)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, shown{name, view.LoRAChecked(p, library.Look{LoRA: l, Notes: notes, Finding: f})})
		}
		found := func(change func(*library.Finding)) *library.Finding {
			f := library.Finding{
				File: "https://huggingface.co/owner/repo/resolve/main/style.safetensors", Tensors: 960, Rank: 32, BaseModel: "LTX-2.3",
				Trigger: "clay style", Bytes: 357 << 20, ETag: `"v1"`,
			}
			if change != nil {
				change(&f)
			}
			return &f
		}
		show("good", "owner/repo", found(nil))
		show("good, by the page of its file", "https://huggingface.co/owner/repo/blob/main/style.safetensors", found(nil))
		show("good, by its name", "clay", found(func(f *library.Finding) { f.Bytes, f.Trigger = 3<<30/2, "" }))
		show("a link with a secret", "https://civitai.com/api/download/models/456?token=hush", found(func(f *library.Finding) { f.Bytes = 12 }))
		show("the file is not looked at", "https://huggingface.co/owner/ltxv-style/resolve/main/style.safetensors", nil)
		show("the path names another model, the file does not", "owner/style-19b", found(nil))
		for _, kind := range library.WarningKinds() {
			w := library.Warning{Kind: kind, Value: "VALUE"}
			if kind == library.SeveralFiles {
				w.Files = []string{"https://huggingface.co/owner/repo/resolve/main/a.safetensors", "https://huggingface.co/owner/repo/resolve/main/b.safetensors"}
			}
			f := library.Finding{File: "https://huggingface.co/owner/repo", Warnings: []library.Warning{w}}
			show(string(kind), "owner/repo", &f)
		}
		return out
	})
}
