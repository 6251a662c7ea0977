package demo_test

import (
	"os"
	"testing"

	"ltxbot/internal/parallel"
)

func TestMain(m *testing.M) {
	parallel.AtLeast(24)    // they wait for videos
	_ = os.Unsetenv("PATH") // each start would try whether ffmpeg can encode
	m.Run()
}
