package bot_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
	for line := range strings.Lines(string(in)) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "" || strings.HasPrefix(line, "    "):
		case strings.HasPrefix(line, "#"):
			fmt.Fprintln(&out, line)
		default:
			fmt.Fprintf(&out, "\n%s\n", line)
			describe(&out, marks.Replace(line))
		}
	}
	golden(t, name, out.String())
}

func describe(out *bytes.Buffer, line string) {
	l, err := bot.ParseLine(line)
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

func TestParseLineReadsWhatARequestWrites(t *testing.T) {
	for _, typed := range []string{
		`a cowboy walks camera:dolly_in duration:5 size:1280x704 seed:7`,
		`he says: "go" -- and camera: dolly_in is in “quotes” \ too seed:1`,
		`prompt:"camera:static --seed 4" lora:a/b@0.5,https://huggingface.co/c/d/resolve/main/e.safetensors?token=x@2`,
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

func TestParseLineIsQuickWithHostileLines(t *testing.T) {
	const most = 2 * time.Second // it takes milliseconds
	for _, s := range []string{`prompt:" `, "camera: static ", "lorra: a/b, ", `negative:"`, "camra:x ", "“a ", "<http ", "-camera dolly "} {
		begun := time.Now()
		if _, err := bot.ParseLine("a " + strings.Repeat(s, 6000/len(s))); err != nil {
			t.Error(err)
		}
		if took := time.Since(begun); took > most {
			t.Errorf("%q, repeated, took %s", s, took)
		}
	}
}
