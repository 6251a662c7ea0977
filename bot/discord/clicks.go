package discord

import (
	"strconv"
	"strings"

	"ltxbot/bot/adapter"
)

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
	moment := (id >> snowflakeTime) / adapter.DoubleClick.Milliseconds()
	return platform + ":" + press + ":" + strconv.FormatInt(moment, 10)
}
