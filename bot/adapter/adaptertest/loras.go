package adaptertest

import (
	"context"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"ltxbot/core/generate"
	"ltxbot/core/library"
	"ltxbot/core/ltx"
)

// Files stands for the hosts of LoRAs and for the storage of those that come as
// files.
type Files struct {
	mu       sync.Mutex
	findings map[string]library.Finding
	stored   []string
	held     chan struct{}
}

// Hold makes looks wait until release is called.
func (f *Files) Hold() (release func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	held := make(chan struct{})
	f.held = held
	return sync.OnceFunc(func() { close(held) })
}

func (f *Files) wait(ctx context.Context) {
	f.mu.Lock()
	held := f.held
	f.mu.Unlock()
	if held == nil {
		return
	}
	select {
	case <-held:
	case <-ctx.Done():
	}
}

// Find makes a look at a path find something. Elsewhere a good LoRA is found.
func (f *Files) Find(path string, found library.Finding) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.findings == nil {
		f.findings = map[string]library.Finding{}
	}
	f.findings[path] = found
}

// down is the host that can't be asked.
const down = "acme/down"

// Check implements library.Checker.
func (f *Files) Check(ctx context.Context, path string) (library.Finding, error) {
	f.wait(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	if path == down {
		return library.Finding{}, library.ErrUnreachable
	}
	if found, ok := f.findings[path]; ok {
		return found, nil
	}
	return library.Finding{File: ltx.LoRA{Path: path}.ShownPath(), BaseModel: "LTX-2.3", Rank: 32}, nil
}

// Known implements library.Checker.
func (f *Files) Known(string) (library.Finding, bool) { return library.Finding{}, false }

// Inspect implements library.Checker.
func (f *Files) Inspect(io.Reader, int64) (library.Finding, error) {
	return library.Finding{BaseModel: "LTX-2.3"}, nil
}

// UploadToStay implements bot.Uploads. The address tells the content.
func (f *Files) UploadToStay(_ context.Context, _, _ string, body io.ReaderAt, size int64) (string, error) {
	b, err := io.ReadAll(io.NewSectionReader(body, 0, size))
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stored = append(f.stored, string(b))
	return "https://v3.fal.media/" + strings.ReplaceAll(string(b), " ", "_"), err
}

// Stored are the contents of the files that were uploaded.
func (f *Files) Stored() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.stored...)
}

// An Arg is one option of a command, by its name.
type Arg struct{ Name, Value string }

// Args are options, as names and values in turn. The order is that in which
// they are typed.
func Args(pairs ...string) []Arg {
	var args []Arg
	for pair := range slices.Chunk(pairs, 2) {
		args = append(args, Arg{pair[0], pair[len(pair)-1]})
	}
	return args
}

// A Room is a conversation on a platform, with the bot, a member and an admin of
// the team.
type Room struct {
	// Order gives an order about LoRAs, with a file of that name if it is not
	// empty, and returns the answer, which only who gave it may see.
	Order func(admin bool, verb, file string, args []Arg) (says string)
	// Make asks for a video as the member, or with a verb for a trial.
	Make  func(verb string, args []Arg) generate.Job
	Files *Files
	Log   func() string
}

// LoRAs tries what every platform does with a team's LoRAs.
func LoRAs(t *testing.T, open func(*testing.T) Room) {
	t.Helper()
	for name, try := range map[string]func(*testing.T, Room){
		"a team keeps its LoRAs":          keepsLoRAs,
		"a team keeps its styles":         keepsStyles,
		"a file is added":                 addsFile,
		"a link is looked at first":       looksFirst,
		"a check shows no secret":         checksQuietly,
		"a LoRA is tried at its strength": triesLoRA,
		"only admins change the list":     asksWhoMay,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			try(t, open(t))
		})
	}
}

// wants gives an order and fails unless its answer holds want.
func (r Room) wants(t *testing.T, want string, admin bool, verb string, pairs ...string) string {
	t.Helper()
	says := r.Order(admin, verb, "", Args(pairs...))
	if !strings.Contains(says, want) {
		t.Errorf("%s %q answers %q, want %q in it", verb, pairs, says, want)
	}
	return says
}

// Who gives an order.
const (
	member = false
	admin  = true
)

func keepsLoRAs(t *testing.T, r Room) {
	r.wants(t, "Only an admin", member, "add", "name", "film", "link", "acme/film")
	r.wants(t, "is in your team's list", admin, "add", "name", "film", "link", "acme/film", "scale", "0.7", "trigger", "35mm film", "note", "grainy")
	r.wants(t, "grainy", member, "list")
	r.wants(t, "was changed", admin, "edit", "name", "film", "note", "none")
	r.wants(t, "35mm film", member, "show", "name", "film")
	j := r.Make("", Args("prompt", "a man walks", "lora", "film@0.9"))
	if l := j.Request.LoRAs(); len(l) != 1 || l[0].Path != "acme/film" || l[0].Scale != 0.9 || j.Request.Prompt() != "35mm film, a man walks" {
		t.Errorf("LoRAs %+v, prompt %q", l, j.Request.Prompt())
	}
	r.wants(t, "no longer", admin, "remove", "name", "film")
	r.wants(t, "has no LoRA", member, "show", "name", "film")
}

func keepsStyles(t *testing.T, r Room) {
	r.wants(t, "is in your team's list", admin, "add", "name", "film", "link", "acme/film")
	r.wants(t, "style:noir", admin, "style-add", "name", "noir", "options", "camera:static lora:film@0.5", "prefix", "black and white")
	r.wants(t, "do not work any more: noir.", admin, "remove", "name", "film")
	r.wants(t, "is in your team's list", admin, "add", "name", "film", "link", "acme/film")
	r.wants(t, "noir", member, "styles")
	r.wants(t, "black and white", member, "style-show", "name", "noir")
	if j := r.Make("", Args("prompt", "a man walks", "style", "noir")); j.Request.Camera() != "static" || j.Request.LoRAs()[0].Scale != 0.5 {
		t.Errorf("the style: %s", j.Request.CommandLine())
	}
	r.wants(t, "Only an admin", member, "style-edit", "name", "noir", "note", "shadows")
	says := r.wants(t, "was changed", admin, "style-edit", "name", "noir", "options", "camera:jib_up", "prefix", "none", "note", "long shadows")
	if !strings.Contains(says, "long shadows") || strings.Contains(says, "black and white") {
		t.Errorf("what was changed: %s", says)
	}
	if j := r.Make("", Args("prompt", "a man walks", "style", "noir")); j.Request.Camera() != "jib_up" || len(j.Request.LoRAs()) > 0 {
		t.Errorf("the style that was changed: %s", j.Request.CommandLine())
	}
	r.wants(t, "is gone", admin, "style-remove", "name", "noir")
}

// asksWhoMay gives each order as a member and as an admin of the team, where only
// admins may add.
func asksWhoMay(t *testing.T, r Room) {
	r.wants(t, "is in your team's list", admin, "add", "name", "film", "link", "acme/film")
	r.wants(t, "style:noir", admin, "style-add", "name", "noir", "options", "camera:static")
	for _, v := range library.Verbs() {
		args := map[string][]string{
			"add": {"name", "clay", "link", "acme/clay"}, "check": {"link", "acme/film"}, "style-add": {"name", "pop", "options", "camera:static"},
			"edit": {"name", "film", "note", "x"}, "style-edit": {"name", "noir", "note", "x"},
		}[v.Name]
		if args == nil && len(v.Args) > 0 && v.Args[0].Required {
			args = []string{"name", "film"}
			if strings.HasPrefix(v.Name, "style") {
				args = []string{"name", "noir"}
			}
		}
		if v.InChat {
			continue // it is for whoever may make videos
		}
		for _, isAdmin := range []bool{false, true} {
			says := r.Order(isAdmin, v.Name, "", Args(args...))
			if refused := strings.Contains(says, "Only an admin"); refused != (!v.Reads && !isAdmin) {
				t.Errorf("%s as an admin (%t): %s", v.Name, isAdmin, says)
			}
		}
	}
}

func addsFile(t *testing.T, r Room) {
	if says := r.Order(member, "add", "clay.safetensors", Args("name", "clay")); !strings.Contains(says, "Only an admin") || len(r.Files.Stored()) > 0 {
		t.Errorf("a member reads %q, %q are stored", says, r.Files.Stored())
	}
	if says := r.Order(admin, "add", "clay.safetensors", Args("name", "clay", "scale", "0.7")); !strings.Contains(says, "lora:clay") {
		t.Errorf("the answer is %q", says)
	}
	j := r.Make("", Args("prompt", "a fox", "lora", "clay"))
	if l := j.Request.LoRAs(); len(l) != 1 || l[0].Path != "https://v3.fal.media/the_bytes_of_clay.safetensors" || l[0].Scale != 0.7 {
		t.Errorf("LoRAs %+v", l)
	}
}

func looksFirst(t *testing.T, r Room) {
	pickle, wan := []library.Warning{{Kind: library.Pickle}}, []library.Warning{{Kind: library.OtherModel, Value: "Wan"}}
	r.Files.Find("acme/pickle", library.Finding{Warnings: pickle})
	r.Files.Find("acme/wan", library.Finding{Warnings: wan, Trigger: "ohwx"})
	r.wants(t, "can run code", admin, "add", "name", "bad", "link", "acme/pickle")
	r.wants(t, "has no LoRA", member, "show", "name", "bad")
	if says := r.wants(t, "is in your team's list", admin, "add", "name", "wan", "link", "acme/wan"); !strings.Contains(says, "made for Wan") || !strings.Contains(says, "ohwx") {
		t.Errorf("one of another model: %s", says)
	}
	if says := r.wants(t, "can run code", admin, "edit", "name", "wan", "link", "acme/pickle"); !strings.Contains(says, "Nothing was changed") {
		t.Errorf("another file: %s", says)
	}
	r.wants(t, "acme/wan", member, "show", "name", "wan")
	if says := r.wants(t, "is in your team's list", admin, "add", "name", "later", "link", down); !strings.Contains(says, "loras check") {
		t.Errorf("a host that is down: %s", says)
	}
}

func checksQuietly(t *testing.T, r Room) {
	says := r.wants(t, "This LoRA can be used here", member, "check", "link", "https://huggingface.co/a/b/blob/main/x.safetensors?token=hush")
	if strings.Contains(says+r.Log(), "hush") {
		t.Errorf("the link is told: %s", says)
	}
}

func triesLoRA(t *testing.T, r Room) {
	r.wants(t, "has no LoRA", member, "try", "name", "film", "prompt", "a man walks")
	r.wants(t, "is in your team's list", admin, "add", "name", "film", "link", "acme/film", "scale", "0.6", "example", "a hen walks")
	for prompt, want := range map[string]string{"": "a hen walks", `a man says "go: now" quality:draft`: `a man says "go: now"`} {
		args := Args("name", "film")
		if prompt != "" {
			args = Args("name", "film", "prompt", prompt)
		}
		if j := r.Make("try", args); j.Request.Prompt() != want || j.Request.Count() != 4 {
			t.Errorf("%d videos of %s", j.Request.Count(), j.Request.CommandLine())
		}
	}
}
