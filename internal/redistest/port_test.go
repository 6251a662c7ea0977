package redistest_test

import (
	"testing"

	"ltxbot/internal/redistest"
)

func TestAPortIsNotHandedOutTwice(t *testing.T) {
	const ports = 500 // of so many that are only drawn, two would be the same but once in 500 runs
	handed := map[int]bool{}
	for range ports {
		port := redistest.FreePort(t)
		if handed[port] {
			t.Fatalf("port %d was handed out twice", port)
		}
		if port >= 32768 {
			t.Errorf("port %d may be handed out by the system as well", port)
		}
		handed[port] = true
	}
}
