package app_test

import (
	"testing"
	"time"

	"ltxbot/app"
)

// TestARequestHasTimeouts: a platform waits three seconds for an
// acknowledgement, and a stranger may hold a connection for ten.
func TestARequestHasTimeouts(t *testing.T) {
	if app.BodyTimeout != 10*time.Second || app.HeaderTimeout != 5*time.Second || app.OnceLimit != 500*time.Millisecond {
		t.Errorf("a request may take %s, its header %s, and the question to the store %s", app.BodyTimeout, app.HeaderTimeout, app.OnceLimit)
	}
}
