package discord

import (
	"regexp"
	"strings"
)

var (
	mentionForm = regexp.MustCompile(`^<@!?([0-9]{1,20})>$`)
	memberName  = regexp.MustCompile(`^` + platform + `:[0-9]{1,20}$`)
	userID      = regexp.MustCompile(`^[0-9]{1,20}$`)
)

// ParseMember reads how people write a member of Discord: a mention, "<@1>", an
// id, or the full name.
// https://discord.com/developers/docs/reference#message-formatting
func ParseMember(text string) (member string, ok bool) {
	text = strings.TrimSpace(text)
	if memberName.MatchString(text) {
		return text, true
	}
	if m := mentionForm.FindStringSubmatch(text); m != nil {
		text = m[1]
	}
	if text = strings.TrimPrefix(text, "@"); userID.MatchString(text) {
		return platform + ":" + text, true
	}
	return "", false
}
