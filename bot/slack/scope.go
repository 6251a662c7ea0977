package slack

// A Scope is one right that the app asks for.
type Scope struct {
	Name     string
	Why      string // in English, for the documentation
	Optional bool   // the bot does without; Why says how
}

// Scopes are the rights that the app asks for: in its manifest, in the check
// of an installation, and in the documentation. chat:write.public is not among
// them: where the bot may post only as a member, a card that was posted is the
// proof that the video can be shared, too.
// https://docs.slack.dev/reference/scopes
func Scopes() []Scope {
	return []Scope{
		{Name: "commands", Why: "the slash command and the shortcuts"},
		{Name: "chat:write", Why: "cards, results and answers"},
		{Name: "files:write", Why: "sharing videos, and deleting them"},
		{Name: "users:read", Why: "who is an admin or a guest, and which language people read"},
		{Name: "channels:join", Optional: true, Why: "entering public channels by itself; without, the bot must be invited"},
		{Name: scopeFiles, Optional: true, Why: "making videos of pictures, sounds and clips that people attach, and seeing when a shared video appears, so that its " +
			"text follows it; without, only links can be given, and video and text may come in any order"},
		{Name: "usergroups:read", Optional: true, Why: "quota tiers and admins by user group; without, groups count for nothing"},
		{Name: "app_mentions:read", Optional: true, Why: "making videos in threads, where Slack has no commands, by mentioning the bot"},
		{Name: "im:write", Optional: true, Why: "finding the direct messages with somebody; without, a message has to be sent first"},
		{Name: "channels:history", Optional: true, Why: historyWhy},
		{Name: "groups:history", Optional: true, Why: historyWhy},
		{Name: "im:history", Optional: true, Why: "reading the direct messages that people send to the bot; and " + historyWhy},
		{Name: "mpim:history", Optional: true, Why: historyWhy},
	}
}

// scopeFiles is the right to read the files that people share where the bot is.
// https://docs.slack.dev/reference/scopes/files.read
const scopeFiles = "files:read"

const historyWhy = "finding the bot's own message after a lost reply or a crash, so that it is posted once, and the file that is meant by image:this in a thread; " +
	"without, such a message is not posted again, a card may be missing or a video without its text, and files have to come with the message"
