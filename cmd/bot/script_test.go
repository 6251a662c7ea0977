package main

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
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
