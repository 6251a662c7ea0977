package need_test

import (
	"runtime"
	"testing"

	"ltxbot/internal/need"
)

// A recorder is a test that notes how it ended.
type recorder struct {
	testing.TB
	outcome string
}

func (*recorder) Helper() {}

func (r *recorder) Fatalf(string, ...any) {
	r.outcome = "failed"
	runtime.Goexit()
}

func (r *recorder) Skipf(string, ...any) {
	r.outcome = "skipped"
	runtime.Goexit()
}

func TestEveryCaseIsTriedWhereProgramsAreRequiredAndNotWithTheRaceDetector(t *testing.T) {
	t.Setenv("LTXBOT_REQUIRE", "")
	if need.Thorough() {
		t.Error("every case is tried where nothing is required")
	}
	t.Setenv("LTXBOT_REQUIRE", "ffmpeg")
	if need.Thorough() == need.Race {
		t.Errorf("every case is tried: %v; with the race detector: %v", need.Thorough(), need.Race)
	}
}

func TestTool(t *testing.T) {
	const absent = "no-such-program-anywhere"
	for _, c := range []struct{ name, tool, require, want string }{
		{"what is installed is found", "go", "", "found"},
		{"what is installed is found where it is required", "go", "go", "found"},
		{"what is absent skips the test", absent, "", "skipped"},
		{"what is absent and not named skips the test", absent, "ffmpeg,redis-server", "skipped"},
		{"what is absent and named fails the test", absent, "ffmpeg, " + absent, "failed"},
		{"all names every program", absent, "all", "failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("LTXBOT_REQUIRE", c.require)
			r := &recorder{TB: t}
			done := make(chan struct{})
			go func() {
				defer close(done)
				if need.Tool(r, c.tool) != "" {
					r.outcome = "found"
				}
			}()
			<-done
			if r.outcome != c.want {
				t.Errorf("outcome %q, want %q", r.outcome, c.want)
			}
		})
	}
}
