package ltx_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ltxbot/core/ltx"
)

func TestLoRAsThatAreAccepted(t *testing.T) {
	rules := ltx.Rules{Library: func(name string) (ltx.LoRA, bool) {
		return ltx.LoRA{Name: "clay", Path: "team/clay", Scale: 0.9}, name == "clay"
	}}
	for _, tt := range []struct {
		name, in, path string
		scale          float64
	}{
		{"a name of the library", "clay", "team/clay", 0.9},
		{"a name of the library with a scale", "clay@0.5", "team/clay", 0.5},
		{"a repository", "Lightricks/LTX-2.3-style_v1", "Lightricks/LTX-2.3-style_v1", 1},
		{"a scale of zero", "a/b@0", "a/b", 0},
		{"a scale with a decimal comma", "a/b@0,8", "a/b", 0.8},
		{"a scale with spaces", " a/b @ 0.5 ", "a/b", 0.5},
		{"a file", "https://huggingface.co/a/b/resolve/main/x.safetensors", "https://huggingface.co/a/b/resolve/main/x.safetensors", 1},
		{"a file with a scale", "https://fal.media/x.safetensors@0.8", "https://fal.media/x.safetensors", 0.8},
		{"an @ in the path", "https://fal.media/a@b/x.safetensors", "https://fal.media/a@b/x.safetensors", 1},
		{"an @ and a number in the path", "https://fal.media/a@2/x.safetensors@0.8", "https://fal.media/a@2/x.safetensors", 0.8},
		{"an @ in the query", "https://fal.media/x.safetensors?by=a@b.com", "https://fal.media/x.safetensors?by=a@b.com", 1},
		{"a signed link", "https://storage.googleapis.com/b/x.safetensors?Sig=a%2Fb%3D&E=1@1.5", "https://storage.googleapis.com/b/x.safetensors?Sig=a%2Fb%3D&E=1", 1.5},
		{"a subdomain", "https://cdn.v3.fal.media/x.safetensors", "https://cdn.v3.fal.media/x.safetensors", 1},
		{"a host in capitals with a dot", "HTTPS://HuggingFace.CO./a/b/resolve/main/X.SafeTensors", "https://huggingface.co/a/b/resolve/main/X.SafeTensors", 1},
		{"a link without scheme", "huggingface.co/a/b/resolve/main/x.safetensors", "https://huggingface.co/a/b/resolve/main/x.safetensors", 1},
		{"the page of a file", "https://huggingface.co/a/b/blob/main/x.safetensors", "https://huggingface.co/a/b/resolve/main/x.safetensors", 1},
		{"the pointer of a file", "https://huggingface.co/a/b/raw/v%2F1/x.safetensors", "https://huggingface.co/a/b/resolve/v%2F1/x.safetensors", 1},
		{"a file in a folder named blob", "https://huggingface.co/a/b/resolve/main/blob/x.safetensors", "https://huggingface.co/a/b/resolve/main/blob/x.safetensors", 1},
		{"the page of a repository", "https://huggingface.co/a/b/", "a/b", 1},
		{"the file list of a repository", "huggingface.co/a/b/tree/main@0.7", "a/b", 0.7},
		{"a download from Civitai", "https://civitai.com/api/download/models/123?type=Model&token=t", "https://civitai.com/api/download/models/123?type=Model&token=t", 1},
		{"a fragment is dropped", "https://fal.media/x.safetensors#part", "https://fal.media/x.safetensors", 1},
		{"a link that Discord shall not preview", "<https://fal.media/x.safetensors>@0.8", "https://fal.media/x.safetensors", 0.8},
		{"a link that Slack has labelled", "<https://fal.media/x.safetensors|fal.media/x>", "https://fal.media/x.safetensors", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, _, err := rules.ParseLoRA(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if l.Path != tt.path || l.Scale != tt.scale {
				t.Errorf("got %s@%v, want %s@%v", l.Path, l.Scale, tt.path, tt.scale)
			}
		})
	}
}

func TestAListOfLoRAsWithDecimalCommas(t *testing.T) {
	rules := ltx.Rules{Library: func(name string) (ltx.LoRA, bool) {
		return ltx.LoRA{Name: name, Path: "team/" + name}, name == "film" || name == "8"
	}}
	for in, want := range map[string]string{
		"film@0,8":                "film@0.8",
		"film@0,8,a/b@1,25,c/d":   "film@0.8 a/b@1.25 c/d@1",
		"a/b @ 0,5, film@1, 8@0,": "a/b@0.5 film@1 8@0",
		"film@1,a/b":              "film@1 a/b@1",
		"film@1，25、a/b":           "film@1.25 a/b@1",
		"film@1, 8":               "film@1 8@1", // a LoRA of this name
		"film@0,8/x":              "film@0 8/x@1",
	} {
		r, err := rules.Parse([]ltx.Setting{{Key: "prompt", Value: "a cat"}, {Key: "lora", Value: in}})
		if err != nil {
			t.Errorf("%s: %v", in, err)
		}
		var got []string
		for _, l := range r.LoRAs() {
			name := l.Name
			if name == "" {
				name = l.Path
			}
			got = append(got, fmt.Sprintf("%s@%v", name, l.Scale))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s is %v, want %s", in, got, want)
		}
	}
}

func TestLoRALinksThatAreRefused(t *testing.T) {
	for in, want := range map[string]ltx.Problem{
		"":                                                                ltx.LoRAUnknown,
		"https://":                                                        ltx.LoRAMalformed,
		"https:///x.safetensors":                                          ltx.LoRAMalformed,
		"https:fal.media/x.safetensors":                                   ltx.LoRAMalformed,
		"https://fal.media":                                               ltx.LoRANotTensors,
		"https://fal.media/a b.safetensors":                               ltx.LoRAMalformed,
		"https://fal.media/%0a.safetensors":                               ltx.LoRAMalformed,
		"https://fal.media/%zz.safetensors":                               ltx.LoRAMalformed,
		"https://fal.media/\u202e\x00.safet":                              ltx.LoRAMalformed,
		"https://fal.media/a/../x.safetensors":                            ltx.LoRAMalformed,
		"https://fal.media/a/%2e%2e/x.safetensors":                        ltx.LoRAMalformed,
		"ftp://fal.media/x.safetensors":                                   ltx.LoRANotHTTPS,
		"file:///etc/passwd":                                              ltx.LoRANotHTTPS,
		"javascript:alert(1)":                                             ltx.LoRANotHTTPS,
		"https://@fal.media/x.safetensors":                                ltx.LoRAHasUser,
		"https://huggingface.co@evil.example/x.safetensors":               ltx.LoRAHasUser,
		"https://fal.media:443/x.safetensors":                             ltx.LoRAHasPort,
		"https://fal.media:/x.safetensors":                                ltx.LoRAHasPort,
		"https://[::1]/x.safetensors":                                     ltx.LoRAAddress,
		"https://[::ffff:127.0.0.1]/x.safetensors":                        ltx.LoRAAddress,
		"https://169.254.169.254/x.safetensors":                           ltx.LoRAAddress,
		"https://2130706433/x.safetensors":                                ltx.LoRAAddress,
		"https://0x7f000001/x.safetensors":                                ltx.LoRAAddress,
		"https://0177.0.0.1/x.safetensors":                                ltx.LoRAAddress,
		"https://127.1/x.safetensors":                                     ltx.LoRAAddress,
		"https://127.0.0.0x1./x.safetensors":                              ltx.LoRAAddress,
		"https://１２７.0.0.１/x.safetensors":                                 ltx.LoRAMalformed,
		"https://fal。media/x.safetensors":                                 ltx.LoRAMalformed,
		"https://redis/x.safetensors":                                     ltx.LoRALocal,
		"https://app.localhost/x.safetensors":                             ltx.LoRALocal,
		"https://metadata.google.internal/x.safetensors":                  ltx.LoRALocal,
		"https://notfal.media/x.safetensors":                              ltx.LoRAHost,
		"https://fal.media.evil.example/x.safetensors":                    ltx.LoRAHost,
		"https://fal.media..evil.example/x.safetensors":                   ltx.LoRAMalformed,
		"https://fal.media/x":                                             ltx.LoRANotTensors,
		"https://fal.media/x.pt?name=x.safetensors":                       ltx.LoRAPickle,
		"https://fal.media/x.safetensors.zip":                             ltx.LoRAPickle,
		"https://fal.media/x.BIN":                                         ltx.LoRAPickle,
		"https://huggingface.co/a":                                        ltx.LoRAPage,
		"https://huggingface.co/a/b/tree/main/sub":                        ltx.LoRAFolder,
		"https://civitai.com/models/1/x.safetensors":                      ltx.LoRACivitaiPage,
		"civitai.com/models/1":                                            ltx.LoRACivitaiPage,
		"https://civitai.com/api/download/models/1/../../x":               ltx.LoRAMalformed,
		"https://fal.media/x.safetensors@1e3":                             ltx.LoRAScale,
		"https://fal.media/x.safetensors@4.01":                            ltx.LoRAScale,
		"a/b@-1":                                                          ltx.LoRAScale,
		"a/b/c":                                                           ltx.LoRAUnknown,
		"../b":                                                            ltx.LoRAUnknown,
		"a/..":                                                            ltx.LoRAUnknown,
		"https://fal.media/" + strings.Repeat("x", 2100) + ".safetensors": ltx.LoRATooLong,
	} {
		_, _, err := ltx.Rules{}.ParseLoRA(in)
		var e ltx.FieldError
		if !errors.As(err, &e) || e.Problem != want {
			t.Errorf("%q: got %v (%s), want %s", in, err, e.Problem, want)
		}
	}
}

func TestOnlyTheListedHostsCount(t *testing.T) {
	rules := ltx.Rules{LoRAHosts: []string{"*.Example.com."}}
	for in, ok := range map[string]bool{
		"https://example.com/x.safetensors":        true,
		"https://cdn.example.com/x.safetensors":    true,
		"https://badexample.com/x.safetensors":     false,
		"https://huggingface.co/a/b/x.safetensors": false,
		"owner/repo":                                false,
		"example.com/x.safetensors":                 true,
		"https://example.com.evil.io/x.safetensors": false,
	} {
		if _, _, err := rules.ParseLoRA(in); (err == nil) != ok {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func TestShownPathsHoldNoSecret(t *testing.T) {
	l, _, err := ltx.Rules{}.ParseLoRA("https://civitai.com/api/download/models/123?token=hush")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("https://civitai.com/api/download/models/123", l.ShownPath()); diff != "" {
		t.Error(diff)
	}
}

func FuzzLoRA(f *testing.F) {
	for _, seed := range []string{
		"owner/repo@1.2", "https://fal.media/a@2/x.safetensors?token=hush@0.8", "huggingface.co/a/b/blob/main/x.safetensors",
		"https://user:hush@huggingface.co/x", "a/b/x.safetensors", "civitai:1@2", "https://huggingface.co/a/b?show_file_info=x.safetensors", "<https://fal.media/x.safetensors|x>@1", "https://0x7f.1/x.safetensors", "civitai.com/api/download/models/1",
		"https://civitai.com/models/1?modelVersionId=2", "https://www.dropbox.com/s/k/x.safetensors?dl=0", "https://raw.githubusercontent.com/a/b/main/x.safetensors",
		"https://modelscope.cn/models/a/b/file/view/master/x.safetensors", "https://huggingface.co/datasets/a/b/blob/main/x.safetensors",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		l, notes, err := ltx.Rules{}.ParseLoRA(in)
		if err != nil {
			var e ltx.FieldError
			if !errors.As(err, &e) || e.Error() == "" || e.Option != "lora" {
				t.Fatalf("%q: error %#v", in, err)
			}
			return
		}
		if l.Scale < 0 || l.Scale > 4 || l.Path == "" {
			t.Fatalf("%q became %+v", in, l)
		}
		if strings.Contains(l.Path, "://") {
			u, err := url.Parse(l.Path)
			if err != nil || u.Scheme != "https" || u.User != nil || u.Port() != "" || u.Host != strings.ToLower(u.Host) {
				t.Fatalf("%q became %q: %v", in, l.Path, err)
			}
			if u.RawQuery != "" {
				for _, n := range notes {
					if strings.Contains(sentence(n), "?") {
						t.Fatalf("%q: the note %q holds a query", in, n)
					}
				}
			}
		}
		again, _, err := ltx.Rules{}.ParseLoRA(l.Path + "@1")
		if err != nil || again.Path != l.Path {
			t.Fatalf("%q became %q, and that %q: %v", in, l.Path, again.Path, err)
		}
	})
}
