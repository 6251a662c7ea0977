package leak_test

import (
	"testing"
	"time"

	"ltxbot/internal/leak"
)

func TestMain(m *testing.M) { leak.Verify(m) }

// TestAGoroutineMayTakeAWhileToEnd passes if TestMain waits for it.
func TestAGoroutineMayTakeAWhileToEnd(*testing.T) {
	go func() { <-time.After(2 * time.Second) }()
}
