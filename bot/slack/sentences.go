package slack

import (
	"fmt"
	"strings"

	"ltxbot/bot"
)

// sentences are those that only Slack needs, in English. The catalogue of the
// desk has them in other languages, under the same keys.
var sentences = map[string]string{
	"slack.busy":           "I have too much to do at this moment. Nothing was charged. Please try again in a minute.",
	"slack.incident":       "Something went wrong on my side. If it happens again, tell whoever runs this bot the number {id}.",
	"slack.unknown_button": "This button is from another version of me and does nothing any more.",
	"slack.guest":          "Guests and people of other organisations cannot make videos with this bot. Ask somebody of this workspace.",
	"slack.admin_only":     "Only admins and owners of this workspace, and the user groups that the operator of the bot has named, can do that.",
	"slack.admin":          "You may manage this team's quotas. Version {version}, connected to Slack.",
	"slack.private":        "Only you will see it: the video comes as a direct message from me.",
	"slack.to_dm":          "It comes as a direct message from me.",
	"slack.cannot_delete":  "I could not delete this message. Somebody who manages messages can.",
	"slack.not_installed":  "I am not installed in this workspace, or not any more. Somebody who may install apps can do that here: {url}",
	"slack.form_trouble":   "The form could not be opened. Please try again.",
	"slack.here":           "Here is your video.",
	"slack.by_dm":          "I can no longer post where you asked for this, so here is your video.",
	"slack.ask":            "Do you want a video of this: “{prompt}”? Nothing was made and nothing was charged yet.",
	"slack.making":         "I am making a video of it.",
	"slack.files":          "I cannot use attached files. Nothing was made, nothing was charged. Send your words without the file.",
	"slack.edited":         "I am making this video as you first wrote it. To change it, cancel it and ask again.",

	"slack.place.private":   "I am not in this channel, so I could not post the video here. Nothing was made, nothing was charged. Type `/invite @{name}` and try again.",
	"slack.place.join":      "I could not join this channel by myself. Nothing was made, nothing was charged. Type `/invite @{name}` and try again.",
	"slack.place.dm":        "I cannot post in direct messages between other people. Nothing was made, nothing was charged.",
	"slack.place.archived":  "This channel is archived, so I could not post the video here. Nothing was made, nothing was charged.",
	"slack.place.read_only": "I may not post in this channel. Nothing was made, nothing was charged. Ask an admin of the channel.",
	"slack.place.gone":      "I cannot post in the conversation where you asked for a video. Nothing was made, nothing was charged.",

	"slack.button.dm":     "Send it to me in a direct message",
	"slack.button.make":   "Make the video",
	"slack.confirm.title": "Are you sure?",
	"slack.confirm.yes":   "Yes",
	"slack.confirm.no":    "No",
	"slack.confirm.stop":  "Stop making this video?",

	"slack.form.close":   "Close",
	"slack.form.where":   "Where",
	"slack.form.where_h": "Where the video is posted. Without a choice it comes as a direct message.",
	"slack.form.pick":    "Choose",
	"slack.form.type":    "Type or choose",
	"slack.form.as_is":   "Use “{typed}”",
	"slack.home.make":    "Make a video",
	"slack.home.admin":   "You are an admin of this team: `{command} admin` manages its quotas.",
	"slack.home.welcome": "Videos from words, with LTX-2.3. Type `{command}` in any channel, or press the button.",
}

// text is a sentence in a language. args are names and values of what stands
// in braces in it.
func (b *Bot) text(locale, key string, args ...any) string {
	args = append(args, "command", b.cfg.Command)
	if t := b.cfg.Desk.Text(locale, key, args...); t != "" && t != key {
		return t
	}
	t := sentences[key]
	for n := 0; n+1 < len(args); n += 2 {
		t = strings.ReplaceAll(t, fmt.Sprintf("{%v}", args[n]), fmt.Sprint(args[n+1]))
	}
	return strings.ReplaceAll(t, "`", "")
}

// spans is text with its styles: code stays code.
func (b *Bot) spans(locale, key string, args ...any) []bot.Span {
	args = append(args, "command", b.cfg.Command)
	if found := b.cfg.Desk.Spans(locale, key, args...); len(found) != 1 || found[0].Text != key {
		return found
	}
	t := sentences[key]
	for n := 0; n+1 < len(args); n += 2 {
		t = strings.ReplaceAll(t, fmt.Sprintf("{%v}", args[n]), fmt.Sprint(args[n+1]))
	}
	var out []bot.Span
	for n, part := range strings.Split(t, "`") {
		s := bot.Span{Text: part}
		if n%2 == 1 {
			s.Style = bot.Mono
		}
		if part != "" {
			out = append(out, s)
		}
	}
	return out
}

// sentence is a message of one of this adapter's sentences; key is without
// its prefix.
func (b *Bot) sentence(locale, key string, args ...any) bot.Message {
	key = "slack." + key
	return bot.Message{
		Blocks: []bot.Block{{Kind: bot.Text, Spans: b.spans(locale, key, args...)}},
		Plain:  b.text(locale, key, args...),
	}
}
