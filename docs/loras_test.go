// Package docs_test keeps the generated parts of the documentation current.
package docs_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"ltxbot/bot/text"
	"ltxbot/core/ltx"
	"ltxbot/internal/golden"
)

// pasted are links as people copy them, from where.
var pasted = []struct{ from, link string }{
	{"Hugging Face: a repository", "owner/repo"},
	{"its page", "https://huggingface.co/owner/repo"},
	{"the page of a file", "https://huggingface.co/owner/repo/blob/main/style.safetensors"},
	{"the panel of a file in the list", "https://huggingface.co/owner/repo/tree/main?show_file_info=style.safetensors"},
	{"the raw view of a file", "https://huggingface.co/owner/repo/raw/main/style.safetensors"},
	{"the download of a file", "https://huggingface.co/owner/repo/resolve/main/style.safetensors"},
	{"a file as programs name it", "owner/repo/style.safetensors"},
	{"a file of a dataset", "https://huggingface.co/datasets/owner/repo/blob/main/style.safetensors"},
	{"the page of a dataset, a space or a person", "https://huggingface.co/datasets/owner/repo"},
	{"a folder", "https://huggingface.co/owner/repo/tree/main/loras"},
	{"where a download came from in the end", "https://cdn-lfs-us-1.huggingface.co/repos/1a/2b/3c?Expires=1800000000&Signature=…"},
	{"Civitai: a page with its version", "https://civitai.com/models/123/style?modelVersionId=456"},
	{"a page without a version", "https://civitai.com/models/123/style"},
	{"the Download button", "https://civitai.com/api/download/models/456?type=Model&format=SafeTensor"},
	{"the same, with a key", "https://civitai.com/api/download/models/456?token=…"},
	{"the AIR of a version", "urn:air:ltxv2:lora:civitai:123@456"},
	{"civitai.red", "https://civitai.red/models/123?modelVersionId=456"},
	{"a picture or a person", "https://civitai.com/images/789"},
	{"ModelScope: the page of a file", "https://modelscope.cn/models/owner/repo/file/view/master/style.safetensors"},
	{"the page of a model", "https://modelscope.cn/models/owner/repo"},
	{"GitHub: the page of a file", "https://github.com/owner/repo/blob/main/style.safetensors"},
	{"the raw view of a file", "https://raw.githubusercontent.com/owner/repo/main/style.safetensors"},
	{"a file of a release", "https://github.com/owner/repo/releases/download/v1/style.safetensors"},
	{"the page of a release", "https://github.com/owner/repo/releases/tag/v1"},
	{"Dropbox: a shared file", "https://www.dropbox.com/scl/fi/1a2b/style.safetensors?rlkey=…&dl=0"},
	{"a shared folder", "https://www.dropbox.com/scl/fo/1a2b/style?rlkey=…"},
	{"fal: what a trainer made (`lora_file`)", "https://v3.fal.media/files/b/1a/style.safetensors"},
	{"the page of a request", "https://fal.ai/models/fal-ai/ltx23-trainer-v2/requests/1a2b"},
	{"Google Drive", "https://drive.google.com/file/d/1a2b/view?usp=sharing"},
	{"OneDrive, iCloud, MEGA, MediaFire, WeTransfer", "https://1drv.ms/u/s!1a2b"},
	{"a file in Discord or Slack", "https://cdn.discordapp.com/attachments/1/2/style.safetensors?ex=…"},
	{"Google Cloud Storage: a signed link", "https://storage.googleapis.com/bucket/style.safetensors?X-Goog-Date=20991231T000000Z&X-Goog-Expires=3600"},
	{"a signed link that is over", "https://storage.googleapis.com/bucket/style.safetensors?X-Goog-Date=20200101T000000Z&X-Goog-Expires=3600"},
	{"a link without https", "http://huggingface.co/owner/repo/resolve/main/style.safetensors"},
	{"a file of another kind", "https://huggingface.co/owner/repo/resolve/main/style.ckpt"},
	{"any other host", "https://example.com/style.safetensors"},
}

// links tells what becomes of each link.
func links() string {
	var b strings.Builder
	b.WriteString("| copied from | link | what happens |\n|---|---|---|\n")
	says := text.BuiltInCatalog().Printer("en", "/ltx")
	for _, p := range pasted {
		l, notes, err := ltx.Rules{}.ParseLoRA(p.link)
		var what string
		switch e, refused := errors.AsType[ltx.FieldError](err); {
		case refused && e.Problem == ltx.LoRAHost:
			what = "refused: the operator allows hosts (`lora.hosts`)"
		case refused:
			what = "refused: " + strings.TrimPrefix(e.Error(), "lora: ")
		case l.Path == p.link:
			what = "works"
		default:
			what = "becomes `" + l.Path + "`"
		}
		said := []string{what}
		for _, n := range notes {
			if n.Reason != ltx.RewrittenLoRA {
				said = append(said, "Note: "+strings.TrimPrefix(says.Text("note."+string(n.Reason), "option", n.Option, "from", n.From, "to", n.To), "lora: "))
			}
		}
		what = strings.ReplaceAll(strings.Join(said, ". "), "%E2%80%A6", "…")
		fmt.Fprintf(&b, "| %s | `%s` | %s |\n", p.from, p.link, what)
	}
	return b.String()
}

func TestTheTableOfLinksIsCurrent(t *testing.T) { golden.Part(t, "loras.md", "links", links()) }
