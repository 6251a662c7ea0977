package discord_test

import (
	"strconv"
	"testing"
	"time"

	"ltxbot/bot/discord"
)

// TestPressesWithinTwoSecondsAreOne, whichever process they come to: the moment
// is that of the interaction's id.
func TestPressesWithinTwoSecondsAreOne(t *testing.T) {
	at := func(ms time.Duration) string {
		return discord.PressEvent(strconv.FormatInt(ms.Milliseconds()<<22, 10), "m", "u", "again")
	}
	if at(time.Hour) != at(time.Hour+1999*time.Millisecond) {
		t.Error("presses within two seconds are two")
	}
	if at(time.Hour) == at(time.Hour+2*time.Second) {
		t.Error("presses two seconds apart are one")
	}
}
