package discord_test

import (
	"strings"
	"testing"

	sim "ltxbot/sim/discord"
)

func TestAFileIsVerifiedForTheCallerOnly(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	answer := s.response(s.types("/ltx-jobs verify", sim.Arg("file", file("fox.mp4"))))
	if says := answer.Text(); !strings.Contains(says, "`of the bytes of fox.mp4`") || answer.EphemeralTo != s.ada.ID {
		t.Errorf("%q is shown to %q, want the hash of the file, to the caller only", says, answer.EphemeralTo)
	}
}
