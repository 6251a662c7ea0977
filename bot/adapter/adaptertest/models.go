package adaptertest

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ltxbot/core/ltx"
)

// Given are the files that a Typed gives, by their name, as their content tells.
var Given = map[string]ltx.Media{
	"wide.png":   {Type: "image/png", Width: 1600, Height: 900},
	"tall.png":   {Type: "image/png", Width: 900, Height: 1600},
	"square.png": {Type: "image/png", Width: 800, Height: 800},
	"song.mp3":   {Type: "audio/mpeg", Seconds: 7.3},
	"long.mp3":   {Type: "audio/mpeg", Seconds: 45},
	"clip.mp4":   {Type: "video/mp4", Width: 1280, Height: 704, Seconds: 6, FPS: 25, Sound: true},
	"phone.mp4":  {Type: "video/mp4", Width: 1080, Height: 1920, Seconds: 4, FPS: 30},
}

// A Typed is what somebody types and gives, with what the provider is asked for
// or why it is asked for nothing: an entry of app/testdata/models.txt.
type Typed struct {
	Line     string   // as it is there: "it moves image:[wide.png]"
	Text     string   // without its files
	Linked   string   // with links in the place of its files
	Files    []Option // that it gives, in their order
	Endpoint string
	Videos   int
	Input    string // JSON, without the inputs that have the model's own default
	Refusal  string // in place of the three before
}

// An Option is a file for an option.
type Option struct{ Key, File string }

// fileIn is a file in a line.
var fileIn = regexp.MustCompile(`(\w+):\[([^]]+)\]`)

// Models reads app/testdata/models.txt.
func Models(t testing.TB) []Typed {
	t.Helper()
	const least = 100
	file, err := os.ReadFile("../../app/testdata/models.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []Typed
	for entry := range strings.SplitSeq(strings.TrimSpace(string(file)), "\n\n") {
		lines := strings.Split(entry, "\n    ")
		typed := Typed{Line: strings.TrimPrefix(lines[0], "/ltx "), Videos: 1}
		typed.Text = strings.Join(strings.Fields(fileIn.ReplaceAllString(typed.Line, "")), " ")
		typed.Linked = fileIn.ReplaceAllString(typed.Line, "$1:https://example.com/$2")
		for _, m := range fileIn.FindAllStringSubmatch(typed.Line, -1) {
			typed.Files = append(typed.Files, Option{m[1], m[2]})
		}
		if refusal, ok := strings.CutPrefix(strings.Join(lines[1:], "\n"), "refused: "); ok {
			typed.Refusal = strings.ReplaceAll(refusal, "\n         ", "\n")
		} else {
			typed.Endpoint, _, _ = strings.Cut(lines[1], ",")
			for _, l := range lines[2:] {
				if n, ok := strings.CutSuffix(l, " videos"); ok {
					typed.Videos = int(n[0] - '0')
				}
				if strings.HasPrefix(l, "{") {
					typed.Input = l
				}
			}
		}
		out = append(out, typed)
	}
	if len(out) < least {
		t.Fatalf("%d lines, want at least %d", len(out), least)
	}
	return out
}

// Brought is a request with its files at the provider.
func Brought(rules ltx.Rules, r ltx.Request) (ltx.Request, error) {
	files := map[string]ltx.Media{}
	for _, id := range r.Pending() {
		m, _ := r.Media(id)
		there := Given[m.Name]
		there.Ref, there.Name, there.URL = m.Ref, m.Name, "https://v3.fal.media/files/b/"+m.Name
		files[id] = there
	}
	return r.WithMedia(rules, files)
}

// Plain reports whether the files can be given without saying for which option:
// then the first picture is what the video begins with.
func (typed Typed) Plain() bool {
	end := slices.IndexFunc(typed.Files, func(o Option) bool { return o.Key == "end_image" })
	return end < 0 || slices.ContainsFunc(typed.Files[:end], func(o Option) bool { return o.Key == "image" })
}

// Check holds the request of a job against what the entry says. chosen leaves out
// of an input what is the model's own default.
func (typed Typed) Check(t testing.TB, rules ltx.Rules, r ltx.Request, chosen func(endpoint string, input []byte) string) {
	t.Helper()
	got := Typed{Line: typed.Line, Text: typed.Text, Linked: typed.Linked, Files: typed.Files, Videos: 1}
	r, err := Brought(rules, r)
	if err != nil {
		got.Refusal = err.Error()
	} else {
		got.Endpoint, got.Videos, got.Input = r.Endpoint(), r.Count(), chosen(r.Endpoint(), sent(t, r))
	}
	if diff := cmp.Diff(typed, got); diff != "" {
		t.Errorf("/ltx %s (-golden +made):\n%s", typed.Line, diff)
	}
}

// sent is the JSON that the provider is sent for a request: the test of models.txt
// sends it.
func sent(t testing.TB, r ltx.Request) []byte {
	t.Helper()
	type lora struct {
		Path  string  `json:"path"`
		Scale float64 `json:"scale"`
	}
	in := map[string]any{}
	for name, v := range r.Body() {
		if loras, ok := v.([]ltx.LoRA); ok {
			inputs := make([]lora, 0, len(loras))
			for _, l := range loras {
				inputs = append(inputs, lora{l.Path, l.Scale})
			}
			if v = inputs; len(inputs) == 0 {
				v = []lora{{Scale: 1}}
			}
		}
		in[name] = v
	}
	raw, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
