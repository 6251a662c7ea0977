package ltx_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/core/ltx"
)

// TestEveryLinkThatPeopleCopyIsReadOrRefused: a link becomes that of the file,
// or the problem says what to do.
func TestEveryLinkThatPeopleCopyIsReadOrRefused(t *testing.T) {
	const (
		file    = "https://huggingface.co/a/b/resolve/main/x.safetensors"
		version = "https://civitai.com/api/download/models/456"
	)
	for in, want := range map[string]string{
		"https://huggingface.co/a/b":                          "a/b",
		"https://www.huggingface.co/a/b/":                     "a/b",
		"https://hf-mirror.com/a/b":                           "a/b",
		"https://huggingface.co/a/b.git":                      "a/b",
		"https://huggingface.co/a/b/tree":                     "a/b",
		"https://huggingface.co/a/b/tree/main":                "a/b",
		"https://huggingface.co/a/b/discussions/7":            "a/b",
		"https://huggingface.co/api/models/a/b/revision/main": "a/b",
		"hf://a/b":                                                                "a/b",
		"hf://a/b/x.safetensors":                                                  file,
		"a/b/x.safetensors":                                                       file,
		"a/b/sub dir/x.safetensors":                                               "https://huggingface.co/a/b/resolve/main/sub%20dir/x.safetensors",
		"https://huggingface.co/a/b/x.safetensors":                                file,
		"https://huggingface.co/a/b/blob/main/x.safetensors":                      file,
		"https://huggingface.co/a/b/raw/main/x.safetensors":                       file,
		"https://huggingface.co/a/b/resolve/main/x.safetensors":                   file,
		"https://huggingface.co/a/b/resolve/main/x.safetensors?download=true":     file + "?download=true",
		"https://hf.co/a/b/blob/main/sub/x.safetensors":                           "https://huggingface.co/a/b/resolve/main/sub/x.safetensors",
		"https://huggingface.co/a/b?show_file_info=x.safetensors":                 file,
		"https://huggingface.co/a/b/tree/main?show_file_info=sub%2Fx.safetensors": "https://huggingface.co/a/b/resolve/main/sub/x.safetensors",
		"https://huggingface.co/a/b?show_file_info=..%2F..%2Fx.safetensors":       "lora_malformed",
		"https://huggingface.co/a/b?show_file_info=x,y.safetensors":               "lora_malformed",
		"https://huggingface.co/datasets/a/b/blob/main/x.safetensors":             "https://huggingface.co/datasets/a/b/resolve/main/x.safetensors",
		"https://huggingface.co/datasets/a/b":                                     "lora_page",
		"https://huggingface.co/datasets":                                         "lora_page",
		"https://huggingface.co/spaces/a/b":                                       "lora_page",
		"https://huggingface.co/a":                                                "lora_page",
		"https://huggingface.co":                                                  "lora_page",
		"https://huggingface.co/collections/a/ltx-loras-1":                        "lora_page",
		"https://huggingface.co/a/b/tree/main/sub":                                "lora_folder",
		"https://huggingface.co/a/b/tree/v2":                                      "lora_folder",
		"https://huggingface.co/a/b/blob/main/README.md":                          "lora_not_tensors",
		"https://cdn-lfs-us-1.huggingface.co/repos/a/b/c?Expires=1&Signature=s":   "lora_temporary",
		"https://cas-bridge.xethub.hf.co/xet-bridge-us/a/b?X-Amz-Expires=3600":    "lora_temporary",

		version:              version,
		version + "?token=t": version + "?token=t",
		"https://civitai.red/api/download/models/456/":                                   version,
		"https://civitai.com/models/123?modelVersionId=456":                              version,
		"https://civitai.com/models/123/some-style?modelVersionId=456#gallery":           version,
		"https://www.civitai.com/models/123/x?token=t&modelVersionId=456":                version + "?token=t",
		"https://civitai.com/model-versions/456":                                         version,
		"https://civitai.com/api/v1/model-versions/456":                                  version,
		"urn:air:ltxv2:lora:civitai:123@456":                                             version,
		"civitai:123@456":                                                                version,
		"https://civitai.com/models/123":                                                 "lora_civitai_page",
		"https://civitai.com/models/123/some-style":                                      "lora_civitai_page",
		"https://civitai.com/models/123?modelVersionId=x":                                "lora_civitai_page",
		"https://civitai.com/images/99":                                                  "lora_civitai_page",
		"https://b2.civitai.com/file/civitai-modelfiles/model/1/x.safetensors":           "lora_temporary",
		"https://civitai-delivery-worker-prod.1a.r2.cloudflarestorage.com/x.safetensors": "lora_temporary",

		"https://www.modelscope.cn/models/a/b/file/view/master/sub%2Fx.safetensors?status=2": "https://modelscope.cn/models/a/b/resolve/master/sub%2Fx.safetensors",
		"https://modelscope.ai/models/a/b/resolve/master/x.safetensors":                      "https://modelscope.ai/models/a/b/resolve/master/x.safetensors",
		"https://modelscope.cn/api/v1/models/a/b/repo?Revision=v1&FilePath=x.safetensors":    "https://modelscope.cn/models/a/b/resolve/v1/x.safetensors",
		"https://modelscope.cn/api/v1/models/a/b/repo?FilePath=x.safetensors":                "https://modelscope.cn/models/a/b/resolve/master/x.safetensors",
		"https://modelscope.cn/models/a/b/summary":                                           "lora_folder",
		"https://modelscope.cn/models/a/b":                                                   "lora_folder",
		"https://modelscope.cn/home":                                                         "lora_page",

		"https://github.com/a/b/blob/main/loras/x.safetensors":                "https://github.com/a/b/raw/main/loras/x.safetensors",
		"https://www.github.com/a/b/raw/main/x.safetensors":                   "https://github.com/a/b/raw/main/x.safetensors",
		"https://raw.githubusercontent.com/a/b/refs/heads/main/x.safetensors": "https://github.com/a/b/raw/refs/heads/main/x.safetensors",
		"https://media.githubusercontent.com/media/a/b/main/x.safetensors":    "https://github.com/a/b/raw/main/x.safetensors",
		"https://raw.githubusercontent.com/a/b/main/x.safetensors?token=t":    "lora_temporary",
		"https://raw.githubusercontent.com/a/b":                               "lora_malformed",
		"https://github.com/a/b/releases/download/v1/x.safetensors":           "https://github.com/a/b/releases/download/v1/x.safetensors",
		"https://github.com/a/b/releases/tag/v1":                              "lora_page",
		"https://github.com/a/b":                                              "lora_page",
		"https://github.com/a/b/tree/main/loras":                              "lora_folder",
		"https://release-assets.githubusercontent.com/1/x.safetensors?sig=s":  "lora_temporary",

		"https://www.dropbox.com/scl/fi/k3/x.safetensors?rlkey=r&st=s&dl=0": "https://www.dropbox.com/scl/fi/k3/x.safetensors?dl=1&rlkey=r&st=s",
		"https://www.dropbox.com/s/k3/x.safetensors":                        "https://www.dropbox.com/s/k3/x.safetensors?dl=1",
		"https://dropbox.com/s/k3/x.safetensors?raw=1":                      "https://dropbox.com/s/k3/x.safetensors?dl=1",
		"https://dl.dropboxusercontent.com/s/k3/x.safetensors?rlkey=r":      "https://dl.dropboxusercontent.com/s/k3/x.safetensors?rlkey=r",
		"https://www.dropbox.com/scl/fo/k3/h?rlkey=r":                       "lora_folder",
		"https://www.dropbox.com/sh/k3/h":                                   "lora_folder",
		"https://www.dropbox.com/home":                                      "lora_page",
		"https://www.dropbox.com":                                           "lora_page",

		"https://v3b.fal.media/files/b/1/pytorch_lora_weights.safetensors":   "https://v3b.fal.media/files/b/1/pytorch_lora_weights.safetensors",
		"https://v3.fal.media/files/b/1/config.json":                         "lora_not_tensors",
		"https://fal.ai/models/fal-ai/ltx23-trainer-v2/requests/1":           "lora_page",
		"https://drive.google.com/file/d/1AbC/view?usp=sharing":              "lora_no_download",
		"https://drive.google.com/uc?id=1AbC&export=download":                "lora_no_download",
		"https://drive.usercontent.google.com/download?id=1AbC":              "lora_no_download",
		"https://1drv.ms/u/s!x":                                              "lora_no_download",
		"https://contoso.sharepoint.com/x.safetensors":                       "lora_no_download",
		"https://mega.nz/file/x#key":                                         "lora_no_download",
		"https://www.icloud.com/iclouddrive/x":                               "lora_no_download",
		"https://we.tl/t-x":                                                  "lora_no_download",
		"https://www.mediafire.com/file/x/y.safetensors/file":                "lora_no_download",
		"https://cdn.discordapp.com/attachments/1/2/x.safetensors?ex=1&hm=2": "lora_no_download",
		"https://files.slack.com/files-pri/T1-F1/x.safetensors":              "lora_no_download",
	} {
		l, _, err := ltx.Rules{}.ParseLoRA(in)
		got := l.Path
		if e, ok := errors.AsType[ltx.FieldError](err); ok {
			got = string(e.Problem)
		}
		if got != want {
			t.Errorf("%s became %s, want %s", in, got, want)
		}
	}
}

func TestALinkOfAHostThatIsNotAllowedStaysRefused(t *testing.T) {
	rules := ltx.Rules{LoRAHosts: []string{"fal.media"}}
	for in, want := range map[string]ltx.Problem{
		"https://raw.githubusercontent.com/a/b/main/x.safetensors": ltx.LoRAHost,
		"https://hf.co/a/b/resolve/main/x.safetensors":             ltx.LoRAHost,
		"https://huggingface.co/a/b/tree/main/sub":                 ltx.LoRAHost,
		"a/b/x.safetensors":                      ltx.LoRAHost,
		"civitai:1@2":                            ltx.LoRAHost,
		"https://drive.google.com/file/d/1/view": ltx.LoRANoDownload,
	} {
		_, _, err := rules.ParseLoRA(in)
		if e, _ := errors.AsType[ltx.FieldError](err); e.Problem != want {
			t.Errorf("%s: %v, want %s", in, err, want)
		}
	}
	for host, want := range map[string]bool{"v3.fal.media": true, "FAL.media.": true, "hf.co": false, "fal.media.example": false, "": false} {
		if rules.AllowsHost(host) != want {
			t.Errorf("AllowsHost(%q) is not %v", host, want)
		}
	}
	if !(ltx.Rules{}).AllowsHost("www.hf.co") || (ltx.Rules{}).AllowsHost("drive.google.com") {
		t.Error("another name of an allowed host is not allowed, or a host that nothing comes from is")
	}
}

// TestALinkThatEndsSaysWhen: in the tests it is the first of January 2000.
func TestALinkThatEndsSaysWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const file = "https://storage.googleapis.com/b/x.safetensors"
		now := time.Now()
		for query, want := range map[string]time.Time{
			"":                                      {},
			"token=t":                               {},
			"Expires=946684800":                     {}, // no signature: of something else
			"X-Amz-Date=x&X-Amz-Expires=3600":       {},
			"se=2000-01-02T00:00:00Z":               {},
			"se=soon&sig=s":                         {},
			"Expires=99999999999999999&Signature=s": {},
			"X-Amz-Date=20000101T000000Z&X-Amz-Expires=3600":     now.Add(time.Hour),
			"X-Goog-Date=20000101T000000Z&X-Goog-Expires=604800": now.Add(7 * 24 * time.Hour),
			"Expires=946688400&Signature=s&GoogleAccessId=a":     now.Add(time.Hour),
			"sv=1&se=2000-01-02T00:00:00Z&sig=s":                 now.Add(24 * time.Hour),
			"se=2000-01-02&sig=s":                                now.Add(24 * time.Hour),
		} {
			l, notes, err := ltx.Rules{}.ParseLoRA(file + "?" + query)
			end, ok := l.Ends()
			if err != nil || !end.Equal(want) || ok != !want.IsZero() {
				t.Errorf("%s: ends %v, want %v: %v", query, end, want, err)
			}
			told := len(notes) == 1 && notes[0].Reason == ltx.EndingLoRA && notes[0].From == file && notes[0].To == want.UTC().Format("2006-01-02 15:04 UTC")
			if told != ok {
				t.Errorf("%s: %v", query, notes)
			}
		}
		link := file + "?Signature=s&Expires=946688400"
		<-time.After(time.Hour - time.Second)
		if _, _, err := (ltx.Rules{}).ParseLoRA(link); err != nil {
			t.Errorf("a second before its end: %v", err)
		}
		<-time.After(time.Second)
		_, _, err := ltx.Rules{}.ParseLoRA(link)
		if e, _ := errors.AsType[ltx.FieldError](err); e.Problem != ltx.LoRAExpired || e.Value != file || e.Other != "2000-01-01 01:00 UTC" {
			t.Errorf("at its end: %v", err)
		}
	})
}

func TestCivitaiMayWantAToken(t *testing.T) {
	const link = "https://civitai.com/api/download/models/456"
	for in, want := range map[string]bool{link: true, link + "?type=Model": true, link + "?token=t": false, "a/b": false} {
		_, notes, err := ltx.Rules{}.ParseLoRA(in)
		got := slices.ContainsFunc(notes, func(n ltx.Note) bool { return n.Reason == ltx.CivitaiAccount })
		if got != want || err != nil {
			t.Errorf("%s: %v, %v", in, notes, err)
		}
	}
}
