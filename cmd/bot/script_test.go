package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/store/storetest"
)

// ffprobe checks that a file is a video that plays: "ffprobe FILE". Where the
// program is not installed it checks nothing.
func ffprobe(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: ffprobe FILE")
	}
	tool, err := exec.LookPath("ffprobe")
	if err != nil {
		ts.Logf("ffprobe is not installed: the video is not looked at")
		return
	}
	out, err := exec.Command(tool, "-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0", ts.MkAbs(args[0])).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "h264") {
		ts.Fatalf("ffprobe %s: %v: %s", args[0], err, out)
	}
}

// jsonField compares a part of the JSON on standard output with a value, or
// puts it into a variable: "json submits.0.seed 7", "json -env VIDEO video".
func jsonField(ts *testscript.TestScript, neg bool, args []string) {
	variable := ""
	if len(args) == 3 && args[0] == "-env" {
		variable, args = args[1], append(args[2:], "")
	}
	if len(args) != 2 {
		ts.Fatalf("usage: json PATH VALUE, or json -env NAME PATH")
	}
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &v))
	for key := range strings.SplitSeq(args[0], ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[key]
		case []any:
			if key == "length" {
				v = len(in)
				continue
			}
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(in) {
				ts.Fatalf("%s: no element %s", args[0], key)
			}
			v = in[i]
		default:
			v = nil
		}
	}
	got := fmt.Sprint(v)
	if m, ok := v.(map[string]any); ok {
		got = strconv.Itoa(len(m))
	}
	if variable != "" {
		ts.Setenv(variable, got)
		return
	}
	if (got == args[1]) == neg {
		ts.Fatalf("%s is %q, want %q", args[0], got, args[1])
	}
}

// exits runs a command that must end with a code: "exits 2 bot store copy".
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	code := 0
	err := ts.Exec(args[1], args[2:]...)
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		code = failed.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("%s ends with %d, want %s", args[1], code, args[0])
	}
}

// fill makes a store with two jobs that cost $0.13 each, one of them delivered
// for $0.12: "fill ltx.db". With a number of days, the clock is so far ahead
// meanwhile, and the store is swept.
func fill(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 && len(args) != 2 {
		ts.Fatalf("usage: fill FILE [DAYS]")
	}
	ctx, created := context.Background(), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	options := storetest.Options{}
	if len(args) == 2 {
		days, err := strconv.Atoi(args[1])
		ts.Check(err)
		options.Now = func() time.Time { return time.Now().AddDate(0, 0, days) }
	}
	store, err := storetest.OpenFile(ts.MkAbs(args[0]), options)
	ts.Check(err)
	defer func() { ts.Check(store.Close()) }()
	for n, id := range []string{"k3f92mq7abcd", "k3f92mq7abce"} {
		j := generate.Job{
			ID: id, State: generate.Accepted, Event: "discord:" + id, Team: "acme", Member: "discord:1",
			Place: generate.Place{Platform: "discord", Channel: "9"}, Estimate: 130_000, Created: created,
		}
		j, err := store.Accept(ctx, j, quota.Policy{Zone: time.UTC}.Plan(id, quota.Asker{Team: j.Team, Member: j.Member}, j.Estimate, created))
		ts.Check(err)
		if n == 0 {
			j.State, j.Shown, j.Charged, j.Finished = generate.Delivered, generate.Delivered, 120_000, created
			_, err = store.Save(ctx, j, quota.Settle(120_000))
			ts.Check(err)
		}
	}
	ts.Check(store.PutSetting(ctx, "greeting", []byte("hello")))
	if len(args) == 2 {
		_, err := store.Sweep(ctx)
		ts.Check(err)
	}
}

// alone leaves the bot without the programs of the machine: one that finds
// ffmpeg tries at each start whether it can encode.
func alone(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: alone")
	}
	ts.Setenv("PATH", filepath.SplitList(ts.Getenv("PATH"))[0])
}

// picture makes a PNG: "picture cat.png".
func picture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: picture FILE")
	}
	out, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(png.Encode(out, image.NewRGBA(image.Rect(0, 0, 640, 360))))
	ts.Check(out.Close())
}
