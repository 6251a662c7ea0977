package command_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ltxbot/bot/command"
	"ltxbot/core/ltx"
	"ltxbot/internal/golden"
	"ltxbot/internal/testfile"
)

// marks stand in testdata for what nobody would see there.
var marks = strings.NewReplacer("⏎", "\n", "␠", "\u00a0")

func TestParseLineUnderstandsWhatPeopleType(t *testing.T) {
	const name = "lines.txt"
	in := testfile.Read(t, "testdata/"+name)
	var out bytes.Buffer
	wasComment := false
	for line := range strings.Lines(string(in)) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "" || strings.HasPrefix(line, "    "):
		case strings.HasPrefix(line, "#"):
			if out.Len() > 0 && !strings.HasSuffix(out.String(), "\n\n") && !wasComment {
				fmt.Fprintln(&out)
			}
			fmt.Fprintln(&out, line)
		default:
			fmt.Fprintf(&out, "\n%s\n", line)
			describe(t, &out, marks.Replace(line))
		}
		wasComment = strings.HasPrefix(line, "#")
	}
	golden.Equal(t, name, out.String())
}

func describe(t *testing.T, out *bytes.Buffer, line string) {
	t.Helper()
	l, err := command.Parse(line)
	if ask, ok := errors.AsType[*command.AskError](err); ok {
		fmt.Fprintf(out, "    asked: %s\n", strings.Join(ask.Typed, " · "))
		for i, want := range [][]ltx.Setting{ask.AsSettings, ask.AsWords} {
			offered := offer([][]ltx.Setting{ask.AsSettings, ask.AsWords}[i])
			fmt.Fprintf(out, "      %s %s\n", []string{"setting:", "words:  "}[i], strings.ReplaceAll(offered, "\n", "⏎"))
			readsAs(t, offered, want)
		}
		return
	}
	if wrong, ok := errors.AsType[*command.SpellingError](err); ok {
		for _, e := range wrong.Problems {
			fmt.Fprintf(out, "    refused: %s\n", e.Error())
		}
		fmt.Fprintf(out, "      right: %s\n", offer(wrong.Right))
		readsAs(t, offer(wrong.Right), wrong.Right)
		return
	}
	if err != nil {
		fmt.Fprintf(out, "    error: %v\n", err)
		return
	}
	if l.Verb != "" {
		fmt.Fprintf(out, "    verb %s %q\n", l.Verb, l.Args)
	}
	for _, s := range l.Settings {
		fmt.Fprintf(out, "    %-12s %q\n", s.Key, s.Value)
	}
	if l.Verb == "" && len(l.Settings) > 0 {
		if _, err := (ltx.Rules{}).Parse(l.Settings); err != nil {
			fmt.Fprintf(out, "    refused: %s\n", strings.ReplaceAll(err.Error(), "\n", " "))
		}
	}
}

// offer is a line to copy with settings.
func offer(settings []ltx.Setting) string {
	return strings.TrimSpace("/ltx " + command.Write(command.Shown(settings)))
}

// readsAs checks that a line that was offered means what it was offered for.
func readsAs(t *testing.T, line string, want []ltx.Setting) {
	t.Helper()
	l, err := command.Parse(line)
	if err != nil {
		t.Errorf("%s: %v", line, err)
	}
	want = slices.DeleteFunc(slices.Clone(want), func(s ltx.Setting) bool { return strings.TrimSpace(s.Value) == "" }) // is not written
	if diff := cmp.Diff(want, l.Settings); diff != "" {
		t.Errorf("%s (-want +got):\n%s", line, diff)
	}
}

func TestParseLineReadsWhatARequestWrites(t *testing.T) {
	for _, typed := range []string{
		`a cowboy walks camera:dolly_in duration:5 size:1280x704 seed:7`,
		`he says: "go" -- and camera: dolly_in is in “quotes” \ too seed:1`,
		`prompt:"camera:static --seed 4" lora:a/b@0.5,https://huggingface.co/c/d/resolve/main/e.safetensors?token=x@2`,
		`prompt:"> a *seed:7* \"` + "`camera:static`" + `\" sign" fps:30`,
		`a cat negative:"blurry, \"text\"" advanced:"scheduler=ltx2 video_stg_scale=0.5" private:yes quality:draft format:gif`,
	} {
		roundTrip(t, typed)
	}
}

func FuzzParseLineReadsWhatARequestWrites(f *testing.F) {
	f.Add(`a cowboy says: "go" camera:dolly_in negative:"a, b"`)
	f.Add("prompt:\"a\nb\" seed:4 lora:a/b@0.5, c/d")
	f.Fuzz(roundTrip)
}

// roundTrip makes a request of the line, writes it, and reads that again.
func roundTrip(t *testing.T, line string) {
	t.Helper()
	l, err := command.Parse(line)
	if err != nil || l.Verb != "" {
		return
	}
	r, err := (ltx.Rules{}).Parse(l.Settings)
	if err != nil {
		return
	}
	want := r.Settings()
	again, err := command.Parse("/ltx " + command.Write(want))
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range want {
		if s.Key == "lora" { // what may be secret is not written
			want[i].Value = command.HideQueries(s.Value)
		}
	}
	if diff := cmp.Diff(want, again.Settings); diff != "" {
		t.Errorf("%q was written as %q and read as (-want +got):\n%s", line, r.CommandLine(), diff)
	}
}

// FuzzParseLine checks what holds for every line: nothing panics, what is
// offered to be copied is read as it says, and a prompt that the bot writes is
// read back.
func FuzzParseLine(f *testing.F) {
	for _, line := range []string{
		"a cat [camera:dolly_in] lora:a/b; c/d", "the camera: static", "(best quality:1.3)", "一只猫 camera：dolly_in，seed：7", `a "cat\" <lora:x:1>`,
		"negative: a\nb camera : static", `prompt:"a" 'b' width:3`, "Negative prompt: x", "「camera: static", "quota [a_b:c",
		`{"prompt": "a", "seed": 7}`, `{'prompt': 'a "b', 'loras': [{"path": "a,b"}]`, "Steps: 9, Seed: 1, Size: 1x1", "カメラ：static durée:5", "a --no b, c", "CFG scale: 7", "negative: \xff\nb camesa : static", "Negative prompt: xf prompt:",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		l, err := command.Parse(line)
		if ask, ok := errors.AsType[*command.AskError](err); ok {
			readsAs(t, command.Write(ask.AsSettings), ask.AsSettings)
			readsAs(t, command.Write(ask.AsWords), ask.AsWords)
			return
		}
		if wrong, ok := errors.AsType[*command.SpellingError](err); ok {
			if len(wrong.Problems) == 0 {
				t.Fatalf("%v says nothing", err)
			}
			return
		}
		if err != nil || len(l.Settings) == 0 || l.Settings[0].Key != "prompt" {
			return
		}
		if strings.TrimSpace(l.Settings[0].Value) != "" {
			readsAs(t, command.Write(l.Settings[:1]), l.Settings[:1])
		}
	})
}

func FuzzParseLineKeepsPlainProse(f *testing.F) {
	f.Add("A cowboy walks, slowly. It is 5 o'clock!")
	f.Fuzz(func(t *testing.T, line string) {
		want := strings.TrimSpace(line)
		if want == "" || strings.ContainsAny(want, ":=-–—−\"“”„‟'‘’‚«»「」：＝/<?") || !isASCII(want) || len(strings.Fields(want)) < 4 {
			return
		}
		if first := strings.TrimRight(strings.Fields(want)[0], ".!?"); strings.EqualFold(first, command.VerbQuota) {
			return // what follows may be an order
		}
		if command.Unformat(want) != want {
			return // it had marks of formatting round it
		}
		l, err := command.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		if l.Verb == command.VerbAdmin {
			return
		}
		if diff := cmp.Diff(command.Line{Settings: []ltx.Setting{{Key: "prompt", Value: want}}}, l); diff != "" {
			t.Error(diff)
		}
	})
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 126 || r < 32 })
}

// TestParseLineTakesTimeInProportionToItsLength compares a line with one that
// is ten times as long: a quadratic parser does a hundred times as much for it.
// What it does is counted, so that a busy machine changes nothing.
func TestParseLineTakesTimeInProportionToItsLength(t *testing.T) {
	const short, factor, most = 1_000, 10, 20
	for _, s := range []string{
		`prompt:" `, "camera: static ", "lorra: a/b, ", `negative:"`, "camra:x ", "“a ", "<http ", "-camera dolly ", "a", "a ", "(a ", "[camera:x ",
		"猫camra:x", "猫style:a,", "camera : x ", "negative: a ", "lora:a/b; ", "a_b: c ", "style:a,", "camera: camera: ", "\\\"", "size:1 x ", "   ", "negative : a, ", `{"camera": "`, `{"a": `, "Steps: 1, A: ", "カメラ：x ", "durée ", "cfg scale: ", "count:4 ",
	} {
		work := func(length int) int { return command.Work("a " + strings.Repeat(s, length/len(s))) }
		if few, many := work(short), work(short*factor); few == 0 || many > most*few {
			t.Errorf("%q: %d steps for %d characters, %d for %d", s, few, short, many, short*factor)
		}
	}
}

// TestAPlaceForAPromptTakesQuestionsAboutTheBot, and no word that may be a prompt.
func TestAPlaceForAPromptTakesQuestionsAboutTheBot(t *testing.T) {
	for typed, verb := range map[string]string{
		"how much is left?": command.VerbQuota, "¿Cuánto me queda?": command.VerbQuota, //nolint:misspell // not English
		"settings": command.VerbHelp, "hilfe kamera": command.VerbHelp,
		"style": "", "status": "", "how much snow is left?": "", "hilfe naht": "", "a man says how much is left?": "",
		"how much is left? " + strings.Repeat(" ", 200): command.VerbQuota, strings.Repeat("how much is left? ", 20): "",
	} {
		l, err := command.ParsePrompt(typed)
		if err != nil || l.Verb != verb {
			t.Errorf("%q is about %q, %v; want %q", typed, l.Verb, err, verb)
		}
	}
}
