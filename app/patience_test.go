package app_test

import (
	"testing"
	"time"

	"ltxbot/app"
)

// TestHowPatientTheBotIsWithWhoCallsIt: a platform waits three seconds for an
// acknowledgement, and a stranger may hold a connection for ten.
func TestHowPatientTheBotIsWithWhoCallsIt(t *testing.T) {
	if app.BodyPatience != 10*time.Second || app.HeaderPatience != 5*time.Second || app.OnceLimit != 500*time.Millisecond {
		t.Errorf("a request may take %s, its header %s, and the question to the store %s", app.BodyPatience, app.HeaderPatience, app.OnceLimit)
	}
}
