package slack

import (
	"regexp"
	"strings"
)

// unslack turns the text that Slack delivers into what the person typed:
// links, mentions and channels lose their angle brackets, and &amp; &lt; &gt;
// become the characters they stand for, once. After the verb admin a mention
// stays an id, "@U123": an order is about a member, whatever the name.
// https://docs.slack.dev/messaging/formatting-message-text
func unslack(text string) string {
	order := orderLine.MatchString(text)
	text = slackToken.ReplaceAllStringFunc(text, func(token string) string {
		target, label, labelled := strings.Cut(token[1:len(token)-1], "|")
		switch target[0] {
		case '@', '#', '!':
			if labelled && label != "" && (!order || target[0] != '@') {
				return target[:1] + strings.TrimLeft(label, "@#")
			}
			if target[0] == '!' {
				return "@" + target[1:]
			}
			return target
		}
		return strings.TrimPrefix(target, "mailto:")
	})
	return slackEntities.Replace(text)
}

var (
	slackToken    = regexp.MustCompile(`<(?:[@#!][^<>|]+|(?:https?|mailto|ftp|tel):[^<>|]+)(?:\|[^<>]*)?>`)
	orderLine     = regexp.MustCompile(`(?i)^\s*(?:/\S+\s+)?admin\s`)
	slackEntities = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">")
)
