package hub_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"ltxbot/core/library"
	"ltxbot/internal/leak"
	"ltxbot/internal/publichttp"
	"ltxbot/provider/hub"
)

// A server that has answered before it read all lingers for half a second.
func TestMain(m *testing.M) {
	leak.Verify(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

// here lets a checker contact 127.0.0.1 alone.
func here(a netip.Addr) bool { return a == netip.MustParseAddr("127.0.0.1") }

// serve starts a host of files and returns its address and a checker that may
// contact it, and takes it for Hugging Face.
func serve(t *testing.T, h http.Handler, change ...func(*hub.Config)) (string, *hub.Checker) {
	t.Helper()
	srv := httptest.NewTLSServer(h)
	srv.Config.ErrorLog = nil
	t.Cleanup(srv.Close)
	pool := srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	client, err := publichttp.New(publichttp.Options{UserAgent: "ltxbot/test", Allow: here, TLS: &tls.Config{RootCAs: pool}})
	if err != nil {
		t.Fatal(err)
	}
	cfg := hub.Config{Client: client, HuggingFace: srv.URL}
	for _, f := range change {
		f(&cfg)
	}
	return srv.URL, hub.New(cfg)
}

// file serves the beginning of a file as if it had size bytes, as hosts of files
// do: whole, or the part that is asked for.
func file(begin string, size int64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"v1"`)
		if r.Header.Get("If-None-Match") == `"v1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, most, _ := strings.Cut(r.Header.Get("Range"), "bytes=0-")
		last, err := strconv.ParseInt(most, 10, 64)
		if err != nil || size == 0 {
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return
		}
		last = min(last, size-1)
		w.Header().Set("Content-Range", fmt.Sprintf("bytes 0-%d/%d", last, size))
		w.Header().Set("Content-Length", strconv.FormatInt(last+1, 10))
		w.WriteHeader(http.StatusPartialContent)
		_, _ = io.WriteString(w, begin)
	}
}

// text serves a small file.
func text(s string) http.HandlerFunc { return file(s, int64(len(s))) }

func TestWhatAFileSaysOfItself(t *testing.T) {
	const flux, wan = "transformer.single_transformer_blocks.0.attn.to_q", "diffusion_model.blocks.0.self_attn.q"
	other := func(model string) []library.Warning {
		return []library.Warning{{Kind: library.OtherModel, Value: model}}
	}
	for _, tt := range []struct {
		name     string
		metadata map[string]string
		layers   []layer
		want     library.Finding
	}{
		{"a LoRA of LTX-2.3", nil, lora(32, 4096, ltx23Layer, plainLayer), library.Finding{Rank: 32, BaseModel: "LTX-2.3"}},
		{"one whose trainer calls LTX-2.3 ltx2", with(nil, "ss_base_model_version", "ltx2"), lora(16, 4096, kohya(ltx23Layer)), library.Finding{Rank: 16, BaseModel: "LTX-2.3"}},
		{"one that says LTX-2.3", with(nil, "modelspec.architecture", "LTX-2.3/lora"), lora(64, 4096, plainLayer), library.Finding{Rank: 64, BaseModel: "LTX-2.3"}},
		{"one by its version", with(nil, "model_version", "2.3.0"), lora(64, 4096, plainLayer), library.Finding{Rank: 64, BaseModel: "LTX-2.3"}},
		{"one with sound that says no version", nil, lora(8, 2048, ltx2Layer), library.Finding{Rank: 8, BaseModel: "LTX-2 or LTX-2.3"}},
		{"one without sound that says no version", nil, lora(8, 4096, plainLayer), library.Finding{Rank: 8, BaseModel: "LTX"}},
		{"its trigger words", with(nil, "modelspec.trigger_phrase", " clay\n style "), lora(8, 4096, ltx23Layer), library.Finding{Rank: 8, BaseModel: "LTX-2.3", Trigger: "clay style"}},
		{"the rank of most layers", nil, append(lora(8, 4096, plainLayer), lora(32, 4096, ltx23Layer, plainLayer+"2", plainLayer+"3")...), library.Finding{Rank: 32, BaseModel: "LTX-2.3"}},

		{"LTX-2 19B, as it says", with(nil, "ss_sd_model_name", "ltx-2-19b-dev.safetensors"), lora(8, 2048, ltx2Layer), library.Finding{Rank: 8, BaseModel: "LTX-2 19B", Warnings: other("LTX-2 19B")}},
		{"LTX-2.5, which has the gates of LTX-2.3", with(nil, "model_version", "2.5"), lora(8, 4096, ltx23Layer), library.Finding{Rank: 8, BaseModel: "LTX-2.5", Warnings: other("LTX-2.5")}},
		{"LTX-Video 2B", nil, lora(8, 2048, plainLayer), library.Finding{Rank: 8, BaseModel: "LTX-Video", Warnings: other("LTX-Video")}},
		{"LTX-Video 13B, as it says", with(nil, "ss_base_model_version", "ltxv-13b"), lora(8, 4096, plainLayer), library.Finding{Rank: 8, BaseModel: "LTX-Video", Warnings: other("LTX-Video")}},
		{"Wan", nil, lora(8, 5120, wan), library.Finding{Rank: 8, BaseModel: "Wan", Warnings: other("Wan")}},
		{"Wan, in the other way to write it", nil, lora(8, 5120, kohya("blocks.0.cross_attn.k")), library.Finding{Rank: 8, BaseModel: "Wan", Warnings: other("Wan")}},
		{"Wan, whatever its metadata says", with(nil, "ss_base_model_version", "ltx2.3"), lora(8, 5120, wan), library.Finding{Rank: 8, BaseModel: "Wan", Warnings: other("Wan")}},
		{"Flux", nil, lora(8, 3072, flux), library.Finding{Rank: 8, BaseModel: "Flux", Warnings: other("Flux")}},
		{"Flux, in the other way to write it", nil, lora(8, 3072, kohya("double_blocks.0.img_mlp.0")), library.Finding{Rank: 8, BaseModel: "Flux", Warnings: other("Flux")}},
		{"Flux or HunyuanVideo, which this way to write does not tell", nil, lora(8, 3072, kohya("double_blocks.0.img_attn.qkv")), library.Finding{Rank: 8, BaseModel: "Flux or HunyuanVideo", Warnings: other("Flux or HunyuanVideo")}},
		{"HunyuanVideo", nil, lora(8, 3072, "transformer.double_blocks.0.img_attn_qkv"), library.Finding{Rank: 8, BaseModel: "HunyuanVideo", Warnings: other("HunyuanVideo")}},
		{"Qwen-Image", nil, lora(8, 3072, "transformer_blocks.0.img_mlp.net.2"), library.Finding{Rank: 8, BaseModel: "Qwen-Image", Warnings: other("Qwen-Image")}},
		{"SDXL", nil, lora(8, 2048, kohya("down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k")), library.Finding{Rank: 8, BaseModel: "SDXL", Warnings: other("SDXL")}},
		{"SDXL, by its second text encoder", nil, lora(8, 768, "lora_te2_text_model_encoder_layers_0_mlp_fc1"), library.Finding{Rank: 8, BaseModel: "SDXL", Warnings: other("SDXL")}},
		{"Stable Diffusion", nil, lora(8, 768, kohya("down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k")), library.Finding{Rank: 8, BaseModel: "Stable Diffusion", Warnings: other("Stable Diffusion")}},

		{"layers that nobody knows", nil, lora(8, 640, "core.stack.0.mix"), library.Finding{Rank: 8, Warnings: []library.Warning{{Kind: library.UnknownModel}}}},
		{"another transformer of this kind", nil, lora(8, 1536, plainLayer), library.Finding{Rank: 8, Warnings: []library.Warning{{Kind: library.UnknownModel}}}},
		{"an IC-LoRA", with(nil, "reference_downscale_factor", "2"), lora(8, 4096, ltx23Layer), library.Finding{Rank: 8, BaseModel: "LTX-2.3", Warnings: []library.Warning{{Kind: library.NeedsVideo}}}},
		{"a LoKr", with(nil, "ss_network_dim", "9"), []layer{{kohya(ltx23Layer) + ".lokr_w1", []int64{4, 4}}}, library.Finding{Rank: 9, BaseModel: "LTX-2.3", Warnings: []library.Warning{{Kind: library.OtherMethod, Value: "LoKr"}}}},
		{"a whole model", nil, []layer{{"transformer_blocks.0.attn1.to_gate_logits.weight", []int64{32, 4096}}}, library.Finding{BaseModel: "LTX-2.3", Warnings: []library.Warning{{Kind: library.WholeModel}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			begin, size := safetensors(tt.metadata, tt.layers...)
			u, c := serve(t, file(begin, size))
			got, err := c.Check(t.Context(), u+"/x.safetensors")
			tt.want.File, tt.want.Tensors, tt.want.Bytes, tt.want.ETag, tt.want.At = u+"/x.safetensors", len(tt.layers), size, `"v1"`, got.At
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

func TestWhatIsNotALoRA(t *testing.T) {
	good, size := safetensors(nil, lora(32, 4096, ltx23Layer)...)
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	redirect := func(to string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
	}
	for _, tt := range []struct {
		name string
		h    http.HandlerFunc
		want library.WarningKind
	}{
		{"nothing", status(404), library.Missing},
		{"a private file", status(401), library.NotPublic},
		{"a link that is over", status(403), library.NotPublic},
		{"a request that the host does not take", status(400), library.NotPublic},
		{"a page by its type", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, "Sign in")
		}, library.WebPage},
		{"a page by its content", text("\n<!DOCTYPE html><title>Sign in</title>"), library.WebPage},
		{"the pointer of a file", text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"), library.GitPointer},
		{"a zip with a pickle", text("PK\x03\x04" + strings.Repeat("x", 99)), library.Pickle},
		{"a pickle", text("\x80\x02}q\x00" + strings.Repeat("x", 99)), library.Pickle},
		{"an empty file", text(""), library.NotTensors},
		{"a few bytes", text("hello"), library.NotTensors},
		{"a header that is longer than the file", text(framed("{}")[:9]), library.NotTensors},
		{"a header of many megabytes", text("\x00\x00\x00\x01\x00\x00\x00\x00{"), library.NotTensors},
		{"a header that is not JSON", text(framed("{\"a\":")), library.NotTensors},
		{"tensors that overlap", text(framed(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`)), library.NotTensors},
		{"a tensor of another size than its shape", text(framed(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,2]}}`)), library.NotTensors},
		{"a shape beyond all bounds", text(framed(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`)), library.NotTensors},
		{"a file that is cut off", file(good, size-1), library.CutOff},
		{"a file that is too large", file(good, 3<<30+1), library.TooLarge},
		{"a redirect to where only the bot can go", redirect("https://127.0.0.2/x"), library.LeadsAstray},
		{"a redirect to metadata", redirect("https://169.254.169.254/latest"), library.LeadsAstray},
		{"a redirect to http", redirect("http://127.0.0.1/x"), library.LeadsAstray},
		{"a redirect to a file of the bot", redirect("file:///etc/passwd"), library.LeadsAstray},
		{"a redirect to itself", redirect("/x.safetensors"), library.LeadsAstray},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u, c := serve(t, tt.h)
			f, err := c.Check(t.Context(), u+"/x.safetensors?token=hush")
			if err != nil || len(f.Warnings) == 0 || f.Warnings[0].Kind != tt.want || f.Usable() {
				t.Errorf("%v, %+v", err, f)
			}
			if strings.Contains(fmt.Sprint(f, err), "hush") {
				t.Errorf("the finding tells the link: %+v, %v", f, err)
			}
		})
	}
}

// TestAHostMayLie: what a host says of the size is not believed, and more than
// the header is not read.
func TestAHostMayLie(t *testing.T) {
	good, size := safetensors(nil, lora(32, 4096, ltx23Layer)...)
	for _, tt := range []struct {
		name  string
		h     http.HandlerFunc
		bytes int64
	}{
		{"it knows no ranges", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
			_, _ = io.WriteString(w, good)
		}, size},
		{"it tells no size", func(w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, good)
		}, 0},
		{"it tells a part without a size", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Range", "bytes 0-99/*")
			w.WriteHeader(http.StatusPartialContent)
			_, _ = io.WriteString(w, good)
		}, 0},
		{"it sends without end", func(w http.ResponseWriter, _ *http.Request) {
			_, err := io.WriteString(w, good)
			for err == nil {
				_, err = io.WriteString(w, strings.Repeat("x", 1<<16))
			}
		}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u, c := serve(t, tt.h)
			f, err := c.Check(t.Context(), u+"/x.safetensors")
			if err != nil || f.BaseModel != "LTX-2.3" || f.Bytes != tt.bytes || len(f.Warnings) > 0 {
				t.Errorf("%v, %+v", err, f)
			}
		})
	}
}

func TestAHostThatCannotBeAskedIsNoFinding(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"it is broken": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"it is busy":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) },
		"it hangs up":  func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"it breaks off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99")
			_, _ = io.WriteString(w, framed("{}")[:9])
		},
	} {
		t.Run(name, func(t *testing.T) {
			u, c := serve(t, h)
			_, err := c.Check(t.Context(), u+"/x.safetensors?token=hush")
			if !errors.Is(err, library.ErrUnreachable) || strings.Contains(err.Error(), "hush") {
				t.Error(err)
			}
			if _, known := c.Known(u + "/x.safetensors?token=hush"); known {
				t.Error("it is remembered")
			}
		})
	}
}

func TestAHostThatFallsSilentIsLeft(t *testing.T) {
	gone := make(chan struct{})
	u, c := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-gone:
		case <-r.Context().Done():
		}
	}))
	defer close(gone)
	stopped := errors.New("stopped")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, stopped)
	defer cancel()
	if _, err := c.Check(ctx, u+"/x.safetensors"); !errors.Is(err, stopped) {
		t.Error(err)
	}
	if hub.CheckLimit != 15*time.Second || hub.AtATime != 16 || hub.AtAHost != 2 || hub.MaxHeader != 4<<20 || hub.MaxTensors != 20_000 || hub.DefaultMaxBytes != 3<<30 {
		t.Error("a look is longer or larger than it was")
	}
}

func TestAFileThatIsGivenIsLookedAt(t *testing.T) {
	good, size := safetensors(nil, lora(32, 4096, ltx23Layer)...)
	broken := errors.New("the disk is broken")
	c := hub.New(hub.Config{})
	for _, tt := range []struct {
		name string
		r    io.Reader
		size int64
		want []library.Warning
		err  error
	}{
		{"a LoRA", strings.NewReader(good), size, nil, nil},
		{"one that is cut off", strings.NewReader(good), int64(len(good)), []library.Warning{{Kind: library.CutOff}}, nil},
		{"a pickle", strings.NewReader("PK\x03\x04"), 4, []library.Warning{{Kind: library.Pickle}}, nil},
		{"a file that can't be read", io.MultiReader(strings.NewReader(good[:9]), iotest.ErrReader(broken)), size, nil, broken},
	} {
		f, err := c.Inspect(tt.r, tt.size)
		if diff := cmp.Diff(tt.want, f.Warnings); diff != "" || !errors.Is(err, tt.err) || tt.err == nil && f.Bytes != tt.size {
			t.Errorf("%s: %+v, %v\n%s", tt.name, f, err, diff)
		}
	}
}

func TestOnlyAllowedHostsAreAsked(t *testing.T) {
	none := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s was asked", r.URL.Path) })
	u, c := serve(t, none, func(c *hub.Config) { c.Allows = func(string) bool { return false } })
	for _, link := range []string{u + "/x.safetensors", "owner/repo", "https://%zz"} {
		if _, err := c.Check(t.Context(), link); !errors.Is(err, library.ErrHost) {
			t.Errorf("%s: %v", link, err)
		}
	}
}

func TestRepositories(t *testing.T) {
	good, size := safetensors(nil, lora(32, 4096, plainLayer)...)
	mux := http.NewServeMux()
	tell := func(id, about string) {
		mux.HandleFunc("GET /api/models/"+id, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, about) })
	}
	tell("a/one", `{"private":false,"gated":false,"cardData":{"base_model":["Lightricks/LTX-2.3"]},"siblings":[{"rfilename":"README.md"},{"rfilename":"my lora.safetensors"}]}`)
	mux.Handle("GET /a/one/resolve/main/{file}", file(good, size))
	tell("a/old", `{"gated":false,"cardData":{"base_model":"Lightricks/LTX-2-19b"},"siblings":[{"rfilename":"x.safetensors"}]}`)
	mux.Handle("GET /a/old/resolve/main/{file}", file(good, size))
	tell("a/many", `{"siblings":[{"rfilename":"b.safetensors"},{"rfilename":"a/1.safetensors"},{"rfilename":"c.SafeTensors"},{"rfilename":"d.safetensors"},{"rfilename":"e.safetensors"},{"rfilename":"f.safetensors"}]}`)
	tell("a/none", `{"siblings":[{"rfilename":"README.md"}]}`)
	tell("a/pickle", `{"siblings":[{"rfilename":"x.ckpt"}]}`)
	tell("a/gated", `{"gated":"manual","siblings":[{"rfilename":"x.safetensors"}]}`)
	tell("a/private", `{"private":true,"siblings":[{"rfilename":"x.safetensors"}]}`)
	mux.HandleFunc("GET /api/models/a/hidden", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	for _, closed := range []string{"a/gated", "a/hidden"} {
		mux.HandleFunc("GET /"+closed+"/resolve/main/{file}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	}
	u, c := serve(t, mux)
	for _, tt := range []struct {
		name, link string
		want       library.Finding
	}{
		{"its one file", "a/one", library.Finding{File: u + "/a/one/resolve/main/my%20lora.safetensors", Tensors: 2, Rank: 32, BaseModel: "LTX-2.3", Bytes: size, ETag: `"v1"`}},
		{"what its card says", "a/old", library.Finding{
			File: u + "/a/old/resolve/main/x.safetensors", Tensors: 2, Rank: 32, BaseModel: "LTX-2 19B", Bytes: size, ETag: `"v1"`,
			Warnings: []library.Warning{{Kind: library.OtherModel, Value: "LTX-2 19B"}},
		}},
		{"several files", "a/many", library.Finding{File: u + "/a/many", Warnings: []library.Warning{{Kind: library.SeveralFiles, Value: "a/many", Files: []string{
			u + "/a/many/resolve/main/a/1.safetensors", u + "/a/many/resolve/main/b.safetensors", u + "/a/many/resolve/main/c.SafeTensors",
			u + "/a/many/resolve/main/d.safetensors", u + "/a/many/resolve/main/e.safetensors",
		}}}}},
		{"no file", "a/none", library.Finding{File: u + "/a/none", Warnings: []library.Warning{{Kind: library.NoWeights, Value: "a/none"}}}},
		{"a pickle", "a/pickle", library.Finding{File: u + "/a/pickle", Warnings: []library.Warning{{Kind: library.Pickle, Value: "a/pickle"}}}},
		{"a gated one", "a/gated", library.Finding{File: u + "/a/gated", Warnings: []library.Warning{{Kind: library.Gated, Value: "a/gated"}}}},
		{"a private one", "a/private", library.Finding{File: u + "/a/private", Warnings: []library.Warning{{Kind: library.Missing, Value: "a/private"}}}},
		{"a private one, to strangers", "a/hidden", library.Finding{File: u + "/a/hidden", Warnings: []library.Warning{{Kind: library.Missing, Value: "a/hidden"}}}},
		{"none", "a/nothing", library.Finding{File: u + "/a/nothing", Warnings: []library.Warning{{Kind: library.Missing, Value: "a/nothing"}}}},
		{"a file of a gated one", u + "/a/gated/resolve/main/x.safetensors", library.Finding{File: u + "/a/gated/resolve/main/x.safetensors", Warnings: []library.Warning{{Kind: library.Gated, Value: "a/gated"}}}},
		{"a file of a private one", u + "/a/hidden/resolve/main/x.safetensors", library.Finding{File: u + "/a/hidden/resolve/main/x.safetensors", Warnings: []library.Warning{{Kind: library.Missing, Value: "a/hidden"}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := c.Check(t.Context(), tt.link)
			tt.want.At = got.At
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

// TestAFileIsAskedForAgainByItsETag: for some minutes it is not asked for at all,
// then by its version.
func TestAFileIsAskedForAgainByItsETag(t *testing.T) {
	good, size := safetensors(nil, lora(32, 4096, ltx23Layer)...)
	var mu sync.Mutex
	var asked []string
	u, c := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, r.Header.Get("If-None-Match"))
		mu.Unlock()
		file(good, size)(w, r)
	}))
	for _, age := range []time.Duration{0, 10*time.Minute - time.Second, time.Second} {
		c.Age(age)
		if f, err := c.Check(t.Context(), u+"/x.safetensors"); err != nil || f.BaseModel != "LTX-2.3" || time.Since(f.At) > 11*time.Minute {
			t.Errorf("after %s: %v, %+v", age, err, f)
		}
	}
	if diff := cmp.Diff([]string{"", `"v1"`}, asked); diff != "" {
		t.Error(diff)
	}
	c.Age(24*time.Hour - time.Minute)
	if _, known := c.Known(u + "/x.safetensors"); !known {
		t.Error("it is forgotten within a day")
	}
	c.Age(2 * time.Minute)
	if _, known := c.Known(u + "/x.safetensors"); known {
		t.Error("it is known for more than a day")
	}
}

// Who was told what is wrong puts it right and tries once more, at once.
func TestWhatCouldNotBeUsedIsLookedAtAgain(t *testing.T) {
	answer := http.NotFoundHandler()
	u, c := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer.ServeHTTP(w, r) }))
	link := u + "/film.safetensors"
	if f, err := c.Check(t.Context(), link); err != nil || f.Usable() {
		t.Fatalf("before it is there: %+v, %v", f, err)
	}
	answer = file(safetensors(nil, lora(8, 4096, ltx23Layer)...))
	if f, err := c.Check(t.Context(), link); err != nil || !f.Usable() {
		t.Errorf("once it is there: %+v, %v", f.Warnings, err)
	}
}

func TestTheOldestFindingGoes(t *testing.T) {
	good, size := safetensors(nil, lora(32, 4096, ltx23Layer)...)
	u, c := serve(t, file(good, size))
	link := func(n int) string { return u + "/" + strconv.Itoa(n) + ".safetensors" }
	for n := range hub.MaxFindings + 1 {
		c.Age(time.Second)
		c.Remember(link(n), library.Finding{Tensors: n})
	}
	_, first := c.Known(link(0))
	_, second := c.Known(link(1))
	_, last := c.Known(link(hub.MaxFindings))
	if first || !second || !last || hub.MaxFindings != 1000 {
		t.Errorf("of %d findings the first is known: %v, the second: %v, the last: %v", hub.MaxFindings+1, first, second, last)
	}
}
