package slack

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"ltxbot/bot"
	"ltxbot/bot/command"
	"ltxbot/bot/text"
	"ltxbot/core/ltx"
)

// message handles a message that mentions the bot, or is a direct message to
// it. It does what the command does, and works in threads, where Slack has no
// commands.
//
// People also talk about the bot, and to it. So a message is an order when it
// begins with the bot's name, and elsewhere when it is about a verb or has a
// setting. Of any other the bot asks whether a video is wanted, at no cost. So
// it does of a question, and of words about a video that is there.
func (b *Bot) message(ctx context.Context, in inbound) {
	e, o := in.event.Event, in.origin()
	direct := e.Type == eventMessage
	if !fromPerson(in) || direct && e.Kind != "im" {
		return
	}
	names := b.namesOf(ctx, o, in.event.bots()...)
	rest, where := cutMention(e.Text, names)
	if where == nowhere && !direct || slices.Contains(names, e.User) {
		return
	}
	typed := b.read(ctx, o, rest)
	files, left := b.given(ctx, o, e.Files)
	withFiles := len(files)+len(left) > 0
	if typed == "" && !withFiles {
		typed = command.VerbHelp
	}
	order := isOrder(typed, withFiles)
	line, err := command.Parse(typed)
	if _, near := errors.AsType[*command.VerbError](err); withFiles && (near || line.Asked) {
		// Who sends a picture with one word does not mean a command.
		typed = command.Write([]ltx.Setting{{Key: command.PromptKey, Value: typed}})
		line, err = command.Parse(typed)
	}
	video := err == nil && line.Verb == ""
	sure := !video || slices.ContainsFunc(line.Settings, isOption) || (direct || where == first) && order
	above := video && !withFiles && (direct || o.Thread != "") && points(line.Settings)
	switch {
	case o.Edited && (!video || !sure || above || late(o, e.TS)):
		// An edit can mend an order for a video that was refused. It is not
		// given twice: the event names the message.
	case line.Verb == command.VerbVerify && len(line.Args) == 0 && len(files) > 0:
		b.verify(ctx, o, files[0])
	case line.Verb == command.VerbLoRAs && len(left) > 0 && b.addLoRA(ctx, o, line.Args, e.Files):
	case !video:
		b.run(ctx, o, typed, files...)
	case !sure && isGreeting(typed):
		b.run(ctx, o, command.VerbHelp)
	case !sure && isThanks(typed):
	case len(left) > 0:
		b.tell(ctx, o, b.cfg.Service.NoPlace(b.people.locale(o), left))
	case typed == "":
		b.tell(ctx, o, b.sentence(b.people.locale(o), "inputs.no_words"))
	case above:
		b.askWhether(ctx, o, "slack.ask_above", typed, files)
	case !sure:
		b.askWhether(ctx, o, "slack.ask", typed, files)
	default:
		b.run(ctx, o, typed, files...)
	}
}

// subtypes are those of messages that people write.
// https://docs.slack.dev/reference/events/message#subtypes
var subtypes = []string{"", "file_share", "thread_broadcast"}

// fromPerson reports whether a message is one that a person has written: not a
// bot, not Slack, and not the news that a message was changed or deleted. Bots
// do not talk to one another.
func fromPerson(in inbound) bool {
	e := in.event.Event
	return e.Bot == "" && e.User != "" && e.User != "USLACKBOT" && !e.Hidden && slices.Contains(subtypes, e.Subtype)
}

// bots are the ids of the app's bot users that an event is for.
func (e *event) bots() []string {
	var ids []string
	for _, a := range e.Authorizations {
		if a.Bot && a.User != "" {
			ids = append(ids, a.User)
		}
	}
	return ids
}

// namesOf are the ids of the bot user in an installation, with others.
func (b *Bot) namesOf(ctx context.Context, o origin, others ...string) []string {
	ctx, cancel := context.WithTimeout(ctx, namesWithin)
	defer cancel()
	c, err := b.client(ctx, o.installation())
	if err != nil {
		return others
	}
	me, err := c.identity(ctx)
	if err != nil || me.User == "" {
		return others
	}
	return append(others, me.User)
}

// points reports whether the prompt is hardly more than a word for something that
// is elsewhere in the conversation, as in "animate this", and no setting names a
// file.
func points(settings []ltx.Setting) bool {
	at := slices.IndexFunc(settings, command.IsPrompt)
	if at < 0 || slices.ContainsFunc(settings, func(s ltx.Setting) bool { return bot.KindFor(s.Key) != "" }) {
		return false
	}
	said := words(strings.ToLower(settings[at].Value))
	return len(said) <= mostPointing && slices.ContainsFunc(said, func(word string) bool {
		word = strings.Trim(word, ",.!?…、。！？")
		return slices.Contains(pointers, word) || slices.ContainsFunc(joined, func(p string) bool { return strings.Contains(word, p) })
	})
}

// mostPointing is how many words a prompt has that only points.
const mostPointing = 3

// Words that point at something. The joined ones stand in languages that have no
// spaces.
var (
	pointers = words(`this that these those it das dies dieses diese esto eso este ese esta ceci cela ça ca`)
	joined   = words(`これ それ この その`)
)

// isOption reports whether a setting is another one than the prompt.
func isOption(s ltx.Setting) bool { return s.Key != "prompt" }

// A mentionAt is where in a message the bot is mentioned.
type mentionAt int

const (
	nowhere mentionAt = iota
	inside
	first // nothing or a greeting comes before it
)

// someone is how a mention begins.
const someone = "<@"

// cutMention takes the bot's mentions out of a message, with the punctuation
// beside them, and says where the first one stands. A greeting before it goes,
// too.
func cutMention(text string, ids []string) (rest string, where mentionAt) {
	if len(ids) == 0 {
		return text, nowhere
	}
	names := make([]string, 0, len(ids))
	for _, id := range ids {
		names = append(names, regexp.QuoteMeta(id))
	}
	mention := regexp.MustCompile(`[\s,;:(、，；：*_]*<@(?:` + strings.Join(names, "|") + `)(?:\|[^<>]*)?>(?:[*_]*\s*[,;:.!?)…、。，；：！？]+|[*_]*)\s*`)
	at := mention.FindStringIndex(text)
	if at == nil {
		return text, nowhere
	}
	before := text[:at[0]]
	if where = inside; strings.TrimSpace(before) == "" || isGreeting(before) {
		where, text = first, text[at[0]:]
	}
	return strings.TrimSpace(mention.ReplaceAllString(text, " ")), where
}

// Words with which people speak to the bot and do not ask for a video.
var (
	greetings = words(`hi hello hey ok okay please hallo bitte hola bonjour salut coucou こんにちは`)
	thanks    = words(`thanks thank thx ty cheers sorry danke dank gracias merci arigato ありがとう ありがとうございます
		nice great good cool wow lol awesome amazing perfect love lovely well super`)
	// besides are the words that stand beside them and say nothing more.
	besides = words(`you u so much very a lot bot there all everyone team guys folks again one job work done it this that video really too and
		dir dich sehr vielen schön gut und muchas muchos mil por todo y beaucoup bien vous toi tous et`)
)

func words(list string) []string { return strings.Fields(list) }

// mostSmall is how many words somebody says who only greets or thanks.
const mostSmall = 3

// isOrder reports whether a message to the bot without an option asks for a
// video. Who marks it as a command or a prompt is sure, and whoever sends a
// file seldom talks about another video.
func isOrder(typed string, withFiles bool) bool {
	switch {
	case marked.MatchString(typed):
		return true
	case isQuestion(typed):
		return false
	}
	return withFiles || !small(typed) && !isThanks(typed) && !isAboutVideo(typed)
}

// marked is how a message begins that says what it is: "/ltx", "prompt:".
var marked = regexp.MustCompile(`^(?i)(?:/[a-z]|prompt\s*[:=：])`)

// isQuestion reports whether a message is one. A question in quotes is part of
// a prompt.
func isQuestion(typed string) bool { return question.MatchString(typed) }

var question = regexp.MustCompile(`(?:[?？]|(?:です|ます)か)[\s!.！。…*_]*(?::[a-z0-9_+-]+:\s*)?$`)

// isAboutVideo reports whether a message wants something of a video that is there:
// "please make it longer". A prompt may begin so, too, if it goes on.
func isAboutVideo(typed string) bool {
	return len(words(typed)) <= mostAbout && aboutVideo.MatchString(typed)
}

// mostAbout is how many words somebody says about a video that is there.
const mostAbout = 7

var aboutVideo = regexp.MustCompile(`^(?i)(?:(?:please|pls|ok|okay|now|and|but|can|could|would|will|you|just|bitte|kannst|könntest|du|por favor|puedes|podrías|s'il (?:te|vous) pla[iî]t|peux-tu|pouvez-vous)[\s,]+)*` +
	`(?:(?:make|redo|do|change|try|repeat|render|turn|extend|give|send|show|delete|remove|fix)\s+(?:it|this|that|them|the (?:video|clip|last|same))(?:[\s,.!]|$)` +
	`|try again|(?:once more|again|another one|one more|longer|shorter|slower|faster|brighter|darker|better)(?:[\s,.!]+(?:please|pls))?[\s.!]*$` +
	`|mach(?:e|st)? (?:es|das|ihn)[\s,.!]|(?:es|das|ihn) .*machen[\s.!]*$|(?:noch ?mal|länger|kürzer|schneller|langsamer)(?:[\s,]+bitte)?[\s.!]*$` +
	`|(?:haz|házl|hazl|repít|repit|cámbi|cambi)[a-z]*l[oa](?:[\s,.!]|$)|(?:otra vez|de nuevo|más (?:largo|corto|lento|rápido))(?:[\s,]+por favor)?[\s.!]*$` +
	`|(?:fais|rends|refais|change|recommence)-l[ea](?:[\s,.!]|$)|(?:encore(?: une fois)?|plus (?:long|court|lent|vite))[\s.!]*$` +
	`|もう(?:一度|一回)|もっと.*(?:して|ください)[。！]?$)`)

// small reports whether a message is hardly a prompt: a single word, or a few
// that begin with a greeting or with thanks.
func small(typed string) bool {
	return len(words(typed)) < 2 && len(typed) < mostSmallBytes || beginsWith(typed, greetings) || beginsWith(typed, thanks)
}

// mostSmallBytes is the size of a word beyond which it is a sentence: not all
// languages have spaces.
const mostSmallBytes = 24

func isGreeting(typed string) bool { return consistsOf(typed, greetings) }

func isThanks(typed string) bool { return consistsOf(typed, thanks) }

func beginsWith(typed string, list []string) bool {
	said := saidWords(typed)
	return len(said) > 0 && len(said) <= mostSmall && slices.Contains(list, said[0])
}

// consistsOf reports whether a message has a word of the list and otherwise
// nothing but greetings, thanks and what stands beside them.
func consistsOf(typed string, list []string) bool {
	said := saidWords(typed)
	return slices.ContainsFunc(said, func(word string) bool { return slices.Contains(list, word) }) &&
		!slices.ContainsFunc(said, func(word string) bool {
			return !slices.Contains(greetings, word) && !slices.Contains(thanks, word) && !slices.Contains(besides, word)
		})
}

// saidWords are the words of a message, without punctuation and emoji.
func saidWords(typed string) []string {
	return strings.FieldsFunc(emoji.ReplaceAllString(strings.ToLower(typed), " "), func(r rune) bool {
		return !unicode.In(r, unicode.L, unicode.M, unicode.N) && r != '\'' && r != '’' && r != 'ー'
	})
}

// emoji is one as Slack writes it.
var emoji = regexp.MustCompile(`:[a-z0-9_+-]+:`)

// editWithin is how long after it was written an edited message can still be
// an order.
const editWithin = time.Hour

// late reports whether a message is too old to become an order by an edit.
func late(o origin, ts string) bool {
	seconds, err := strconv.ParseFloat(ts, 64)
	return err != nil || o.Received.Sub(time.UnixMilli(int64(seconds*1000))) > editWithin
}

// buttonMake and the ts of a message make a video of that message, which is the
// button's value: a proposal.
const buttonMake = "v1:make:"

// proposal is what a video could be made of.
type proposal struct {
	Typed string       `json:"typed"`
	Files []sharedFile `json:"files,omitempty"`
}

func (p proposal) files() []bot.GivenFile {
	files := make([]bot.GivenFile, 0, len(p.Files))
	for _, f := range p.Files {
		files = append(files, f.given())
	}
	return files
}

// askWhether asks whether somebody wants a video of what they said, by the text
// of a key.
func (b *Bot) askWhether(ctx context.Context, o origin, key, typed string, files []bot.GivenFile) {
	locale := b.people.locale(o)
	out := b.layout(locale).message(b.sentence(locale, key, "prompt", cut(text.OneLine(typed), maxAsked)))
	said := proposal{Typed: typed}
	for _, f := range files {
		said.Files = append(said.Files, sharedAs(f))
	}
	if value, err := json.Marshal(said); err == nil && utf8.RuneCount(value) <= maxButtonValue {
		label := plainText(cut(b.text(locale, "slack.button.make"), maxButtonLabel))
		out.blocks = append(out.blocks, slack.NewActionBlock("", slack.NewButtonBlockElement(buttonMake+o.Message, string(value), label)))
	}
	b.tellOut(ctx, o, out)
}

// maxAsked is how much of a message is repeated when the bot asks about it, in
// characters.
const maxAsked = 150
