package discord

import (
	"strconv"
	"strings"
	"sync"
	"time"
)

// doubleClick is how soon a second press of the same button by the same
// person is not meant.
const doubleClick = 2 * time.Second

// maxClicks bounds the remembered presses.
const maxClicks = 1000

// clicks remembers presses for a moment.
type clicks struct {
	now func() time.Time

	mu sync.Mutex
	at map[string]time.Time
}

func newClicks(now func() time.Time) clicks { return clicks{now: now, at: map[string]time.Time{}} }

// first reports whether the press is not the second half of a double click.
func (c *clicks) first(i *interaction) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	for press, at := range c.at {
		if now.Sub(at) > doubleClick || len(c.at) >= maxClicks {
			delete(c.at, press)
		}
	}
	press := i.press()
	if _, known := c.at[press]; known {
		return false
	}
	c.at[press] = now
	return true
}

// press names who pressed which button of which message.
func (i *interaction) press() string {
	message := ""
	if i.Message != nil {
		message = i.Message.ID
	}
	return pressOf(message, i.user(), i.Data.CustomID)
}

func pressOf(message, user, customID string) string {
	return strings.Join([]string{message, user, customID}, ":")
}

// pressEvent names a press in place of event.
func (i *interaction) pressEvent() string { return eventOfPress(i.ID, i.press()) }

// PressEvent is the event of a press that makes a video: the person's, on this
// button of this message, at this moment. Two presses at the same moment,
// perhaps brought to two processes, are one job. The moment is that of the
// interaction's id, which is the same for every process.
func PressEvent(interaction, message, user, customID string) string {
	return eventOfPress(interaction, pressOf(message, user, customID))
}

func eventOfPress(interaction, press string) string {
	id, err := strconv.ParseInt(interaction, 10, 64)
	if err != nil {
		return platform + ":" + interaction
	}
	moment := (id >> snowflakeTime) / doubleClick.Milliseconds()
	return platform + ":" + press + ":" + strconv.FormatInt(moment, 10)
}
