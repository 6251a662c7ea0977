// Package need finds the programs that some tests want: ffmpeg, exiftool,
// redis-server, node. Where one is missing the test is skipped, but where
// LTXBOT_REQUIRE names it, as .ci/run does, the test fails: nothing is skipped
// there unseen. Where it is set, long tests try all of their cases, unless the race detector
// makes them slow: races are found with some of the cases.
package need

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// requireVariable holds the names of the programs that must be there, with
// commas between them; "all" is every program.
const requireVariable = "LTXBOT_REQUIRE"

// Thorough reports whether there is time for every case of a long test: for
// .ci/run, which sets LTXBOT_REQUIRE, but not for a developer's go test, which
// tries some of them, nor with the race detector.
func Thorough() bool { return os.Getenv(requireVariable) != "" && !Race }

// Speed skips a test of many jobs that counts and compares, which the race
// detector makes take minutes: .ci/run runs it without, and smaller tests run the
// same code with it.
func Speed(t testing.TB) {
	t.Helper()
	if Race {
		t.Skip("runs without the race detector")
	}
}

// Long skips a test of a whole cluster that takes minutes, unless every case of
// long tests is tried: in .ci/run.
func Long(t testing.TB) {
	t.Helper()
	if !Thorough() {
		t.Skipf("takes minutes: set %s=all and leave the race detector out", requireVariable)
	}
}

// Tool returns the path of a program. If it is not installed the test ends:
// failed if LTXBOT_REQUIRE names it, skipped otherwise.
func Tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	required := strings.FieldsFunc(os.Getenv(requireVariable), func(r rune) bool { return r == ',' || r == ' ' })
	if slices.Contains(required, name) || slices.Contains(required, "all") {
		t.Fatalf("%s is not installed, and %s says that it must be", name, requireVariable)
	}
	t.Skipf("%s is not installed", name)
	return ""
}
