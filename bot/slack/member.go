package slack

import (
	"regexp"
	"strings"
)

var (
	mentionForm = regexp.MustCompile(`^<@([UW][A-Z0-9]{2,})(?:\|[^>]*)?>$`)
	memberName  = regexp.MustCompile(`^` + platform + `:[TE][A-Z0-9]+:[UW][A-Z0-9]+$`)
	userID      = regexp.MustCompile(`^[UW][A-Z0-9]{2,}$`)
)

// ParseMember reads how people write a member of Slack: a mention,
// "<@U1|ann>" or "@U1", an id, or the full name. home is the member who writes:
// an id alone belongs to the same workspace.
// https://docs.slack.dev/messaging/formatting-message-text#mentioning-users
func ParseMember(text, home string) (member string, ok bool) {
	text = strings.TrimSpace(text)
	if memberName.MatchString(text) {
		return text, true
	}
	if m := mentionForm.FindStringSubmatch(text); m != nil {
		text = m[1]
	}
	if text = strings.TrimPrefix(text, "@"); userID.MatchString(text) && strings.HasPrefix(home, platform+":") {
		return home[:strings.LastIndexByte(home, ':')+1] + text, true
	}
	return "", false
}
