package media_test

import (
	"testing"
	"time"

	"ltxbot/media"
)

// TestHowLongFFmpegMayTake: docs/reliability.md promises ten minutes for a
// video.
func TestHowLongFFmpegMayTake(t *testing.T) {
	if media.EncodeLimit != 10*time.Minute || media.TrialLimit != 30*time.Second {
		t.Errorf("a video may take %s, and the trial at the start %s", media.EncodeLimit, media.TrialLimit)
	}
}
