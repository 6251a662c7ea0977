package bot_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ltxbot/bot"
	"ltxbot/core/ltx"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// marks stand in testdata for what nobody would see there.
var marks = strings.NewReplacer("⏎", "\n", "␠", "\u00a0")

func TestParseLineUnderstandsWhatPeopleType(t *testing.T) {
	const name = "lines.txt"
	in, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
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
	golden(t, name, out.String())
}

func describe(t *testing.T, out *bytes.Buffer, line string) {
	t.Helper()
	l, err := bot.ParseLine(line)
	if ask, ok := errors.AsType[*bot.AskError](err); ok {
		fmt.Fprintf(out, "    asked: %s\n", strings.Join(ask.Typed, " · "))
		for i, want := range [][]ltx.Setting{ask.AsSettings, ask.AsWords} {
			offered := offer(t, err)[i]
			fmt.Fprintf(out, "      %s %s\n", []string{"setting:", "words:  "}[i], strings.ReplaceAll(offered, "\n", "⏎"))
			readsAs(t, offered, want)
		}
		return
	}
	if wrong, ok := errors.AsType[*bot.SpellingError](err); ok {
		for _, e := range wrong.Problems {
			fmt.Fprintf(out, "    refused: %s\n", e.Error())
		}
		fmt.Fprintf(out, "      right: %s\n", offer(t, err)[0])
		readsAs(t, offer(t, err)[0], wrong.Right)
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

// offer are the lines to copy in a refusal.
func offer(t *testing.T, err error) []string {
	t.Helper()
	m := bot.Refuse(newDesk(&fakeGenerator{}).Printer("en"), err)
	if m == nil {
		t.Fatalf("%v is no refusal", err)
	}
	var lines []string
	for _, b := range m.Blocks {
		if b.Kind == bot.Code {
			lines = append(lines, b.Spans[0].Text)
		}
	}
	return lines
}

// readsAs checks that a line that was offered means what it was offered for.
func readsAs(t *testing.T, line string, want []ltx.Setting) {
	t.Helper()
	l, err := bot.ParseLine(line)
	if err != nil {
		t.Errorf("%s: %v", line, err)
	}
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
	l, err := bot.ParseLine(line)
	if err != nil || l.Verb != "" {
		return
	}
	r, err := (ltx.Rules{}).Parse(l.Settings)
	if err != nil {
		return
	}
	again, err := bot.ParseLine("/ltx " + r.SecretCommandLine())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r.Settings(), again.Settings); diff != "" {
		t.Errorf("%q was written as %q and read as (-want +got):\n%s", line, r.SecretCommandLine(), diff)
	}
}

func TestASecretOfALinkIsNotInAQuestion(t *testing.T) {
	for _, line := range []string{
		"a cat lora: https://civitai.com/api/download/models/12?token=hush@0.5 seed:1",
		"a cat [lora:https://civitai.com/api/download/models/12?token=hush]",
		"a cat lora:https://civitai.com/api/download/models/12?token=hush 0.8",
		"a cat lora:https://civitai.com/api/download/models/12?token=hush; a/b",
	} {
		_, err := bot.ParseLine(line)
		m := bot.Refuse(newDesk(&fakeGenerator{}).Printer("en"), err)
		if m == nil || strings.Contains(m.String()+m.Plain, "hush") {
			t.Errorf("%s: %v", line, m)
		}
	}
}

func TestARefusalGivesTheRightLine(t *testing.T) {
	for line, want := range map[string]string{
		"a cat lora:a/b lora_scale:0.5": `/ltx prompt:"a cat" lora:a/b@0.5`,
		"a cat lora_scale:0.5 seed:7":   `/ltx prompt:"a cat" seed:7 lora:owner/repo@0.5`,
		"a cat width:1280 fps:24":       `/ltx prompt:"a cat" fps:24 size:1280x720`,
		"a cat --no hands, text":        `negative:`,
	} {
		_, refusal := submit(t, newDesk(&fakeGenerator{}), ask(t, ann, line))
		if refusal == nil || !strings.Contains(refusal.String(), want) {
			t.Errorf("%s: %v, want %q", line, refusal, want)
		}
	}
}

// FuzzParseLine checks what holds for every line: nothing panics, what is
// offered to be copied is read as it says, and a prompt that the bot writes is
// read back.
func FuzzParseLine(f *testing.F) {
	for _, line := range []string{
		"a cat [camera:dolly_in] lora:a/b; c/d", "the camera: static", "(best quality:1.3)", "一只猫 camera：dolly_in，seed：7", `a "cat\" <lora:x:1>`,
		"negative: a\nb camera : static", `prompt:"a" 'b' width:3`, "Negative prompt: x", "「camera: static", "quota [a_b:c",
		`{"prompt": "a", "seed": 7}`, `{'prompt': 'a "b', 'loras': [{"path": "a,b"}]`, "Steps: 9, Seed: 1, Size: 1x1", "カメラ：static durée:5", "a --no b, c", "CFG scale: 7",
	} {
		f.Add(line)
	}
	desk := newDesk(&fakeGenerator{})
	f.Fuzz(func(t *testing.T, line string) {
		l, err := bot.ParseLine(line)
		if ask, ok := errors.AsType[*bot.AskError](err); ok {
			readsAs(t, bot.TypedLine(ask.AsSettings), ask.AsSettings)
			readsAs(t, bot.TypedLine(ask.AsWords), ask.AsWords)
			return
		}
		if wrong, ok := errors.AsType[*bot.SpellingError](err); ok {
			if m := bot.Refuse(desk.Printer("ja"), err); m == nil || len(wrong.Problems) == 0 {
				t.Fatalf("%v is no refusal", err)
			}
			return
		}
		if err != nil || len(l.Settings) == 0 || l.Settings[0].Key != "prompt" {
			return
		}
		if strings.TrimSpace(l.Settings[0].Value) != "" {
			readsAs(t, bot.TypedLine(l.Settings[:1]), l.Settings[:1])
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
		if first := strings.TrimRight(strings.Fields(want)[0], ".!?"); strings.EqualFold(first, bot.VerbQuota) {
			return // what follows may be an order
		}
		l, err := bot.ParseLine(line)
		if err != nil {
			t.Fatal(err)
		}
		if l.Verb == bot.VerbAdmin {
			return
		}
		if diff := cmp.Diff(bot.Line{Settings: []ltx.Setting{{Key: "prompt", Value: want}}}, l); diff != "" {
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
		work := func(length int) int { return bot.Work("a " + strings.Repeat(s, length/len(s))) }
		if few, many := work(short), work(short*factor); few == 0 || many > most*few {
			t.Errorf("%q: %d steps for %d characters, %d for %d", s, few, short, many, short*factor)
		}
	}
}
