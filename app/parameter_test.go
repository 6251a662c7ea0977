package app_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ltxbot/bot"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/internal/need"
	"ltxbot/internal/testfile"
	simdiscord "ltxbot/sim/discord"
)

// shimmer is a parameter that no model has, as a row of the table. It has no
// option of its own: a command on Discord has room for 25, which are taken.
const shimmer = `	{
		Name: "shimmer", Kind: KindInt, Min: 0, Max: 10, Default: 3,
		Help: "How much the picture shimmers",
	},
`

// TestAddingAParameterIsOneRow builds the bot from sources in which the table
// has one more row and fal's documents have one more input, and lets
// TestParameterThatWasAdded look at it.
func TestAddingAParameterIsOneRow(t *testing.T) {
	t.Parallel()
	if !need.Thorough() {
		t.Skip("builds the bot anew, which takes a minute")
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir, replace := t.TempDir(), map[string]string{}
	change := func(file, before, added string) {
		t.Helper()
		text := testfile.Read(t, filepath.Join(root, file))
		changed := strings.Replace(string(text), before, added+before, 1)
		if changed == string(text) {
			t.Fatalf("%s has no %q", file, before)
		}
		to := filepath.Join(dir, fmt.Sprintf("%d%s", len(replace), filepath.Ext(file)))
		testfile.Write(t, to, changed)
		replace[filepath.Join(root, file)] = to
	}
	change("core/ltx/table.go", "\t{\n\t\tName: \"use_multiscale\"", shimmer)
	const input = `"shimmer": {"type": "integer", "minimum": 0, "maximum": 10, "default": 3},` + "\n"
	change("sim/fal/openapi/ltx-2.3-22b--text-to-video--lora.json", `"num_inference_steps": {`, input)
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	testfile.Write(t, file, overlay)
	out, err := exec.CommandContext(t.Context(), need.Tool(t, "go"), "test", "-overlay", file, "-run", "^TestParameterThatWasAdded$", "-v", ".").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestParameterThatWasAdded") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestParameterThatWasAdded(t *testing.T) {
	t.Parallel()
	if _, ok := ltx.Lookup("shimmer"); !ok {
		t.Skip("TestAddingAParameterIsOneRow runs it")
	}
	w := prepare(t, "text")
	w.run(t)
	const help = "How much the picture shimmers"
	service := bot.New(bot.Config{})
	for _, topic := range []string{"shimmer", "advanced"} {
		if text := view.Help(service.Printer("en"), ltx.Rules{}, topic); !strings.Contains(text.String(), help) {
			t.Errorf("the help about %s is %q", topic, text.String())
		}
	}
	for value, options := range map[float64][]simdiscord.Argument{
		7: {simdiscord.Arg("prompt", "a fox"), simdiscord.Arg("advanced", "shimmer=7")},
		8: {simdiscord.Arg("prompt", "a fox shimmer:8")},
		3: {simdiscord.Arg("prompt", "a fox")},
	} {
		i := w.slash(t, options...)
		if j := w.over(t, generate.NewID("discord:"+i.ID)); j.State != generate.Delivered {
			t.Errorf("job with %v is %s: %+v", value, j.State, j.Failure)
		}
		all := w.fal.Submits()
		if got := fmt.Sprint(all[len(all)-1].Input()["shimmer"]); got != fmt.Sprint(value) {
			t.Errorf("fal was sent %s, want %v", got, value)
		}
	}
}
