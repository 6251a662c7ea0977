// Package command reads what people type: "/ltx a cowboy walks camera:dolly_in".
//
// Parse takes a line apart into a verb or the settings of a video. What looks
// like a setting is applied, refused with the right spelling, or asked about;
// it never becomes words of a prompt that is paid for. The grammar is in
// docs/commands.md, with examples in testdata/lines.txt.
package command

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"ltxbot/bot/text"
	"ltxbot/core/ltx"
)

// Line is what a person typed, taken apart.
type Line struct {
	Verb     string        // "" makes a video; help, jobs, show, cancel, quota, loras, admin
	Args     []string      // of the verb
	Settings []ltx.Setting // of a video; none when nothing was typed
	// Asked reports that the line is a question or a word about the bot, and no verb as
	// it is spelt: with anything beside it, a file or an option, it is a prompt.
	Asked bool
}

// Parse takes a command apart: "/ltx a cowboy walks camera:dolly_in",
// with the command's name or without. Its error is a *LengthError, a *VerbError, a
// *ValueError, a *SpellingError or an *AskError: what was typed as a setting is
// applied or refused, and never paid for as words of a prompt.
//
// A line is about a verb when its first word is one and the rest is what that
// verb takes: "help", "help prompt", "cancel k3f92mq7abcd". One of three words
// at most that begins with a verb is refused when the rest is not: "cancel
// all". Any other line is the prompt of a video, with settings anywhere in it:
//
//   - key:value and key=value without a space, where key is an option, an alias
//     or an API name in any case. A key that is an ordinary word (ltx.Param.Words)
//     is one only with a value that fits: "sound:rain" stays prose.
//   - --key value, --key=value, --key alone for yes, --no-key. A dash that a
//     client put in place of "--" counts when key is known and value fits it;
//     so does a single "-" before the name of an option.
//   - key : value with spaces on both sides, or with "=", when key is the name
//     of an option in lower case and the value fits.
//   - key: value with a space after it, when key is the name of an option in
//     lower case and the value fits, may be either: an *AskError gives both
//     spellings. So does "Negative prompt: blurry".
//   - prompt: at the start of the prompt is a mark and no part of it. With
//     nothing after it, the prompt is missing.
//   - key: and key= at the end of the line, or before another setting, are a
//     setting that lacks its value, and refused.
//
// A value may stand in quotes, straight or curly, with \" for a quote in it.
// Without them it is one word, or as many as its parameter understands:
// "camera:dolly in", "lora:a/b@0.8, c/d", "size:1280 x 704". It ends before a
// full-width comma, and before a comma that another setting follows. A negative
// prompt after the prompt goes on to the next setting.
//
// Marks of formatting round the line or round settings are no part of them, see
// Unformat. Everything else stays in the prompt as it was typed: words with a colon
// that name no parameter ("12:30", "https://…", "Camera: slow push in"), the
// weights of other tools ("(masterpiece:1.2)"), and all that stands in double
// quotes, because that is dialogue.
//
// Keys of two words ("CFG scale") and those of the other languages of the bot
// ("cámara") are keys as well. One in capitals, or with a space in it, is asked
// about when its value has a digit or an underscore: "Duration: 5".
//
// A JSON object that names a setting sets what it names. What is not quite
// JSON, and the block of settings that image tools write ("Steps: 20, Sampler:
// Euler a"), is refused with the settings as they are written here.
//
// The ways of other tools are refused with the right spelling: settings in
// brackets, "<lora:film:0.8>", lists with ";" or "+", "lora_scale:0.5". So are
// words_with_underscores and a colon that name no parameter, any "--word", and
// what is nearly a key: when its value fits what was meant ("duraton:5"), when
// it is one slip from an option and no plural ("camra:sideways"), or with "=".
func Parse(line string) (Line, error) {
	if err := CheckLength(line); err != nil {
		return Line{}, err
	}
	return parseLine(Unformat(tidy(line)))
}

// ParsePrompt is Parse for a text in a place that is for a prompt. Who types there
// means one: it is about a verb only when it is a whole line that people paste,
// "/ltx jobs", begins with a verb as it is spelt, "loras add …", or asks about the
// bot; never when it is nearly a verb, or one that is a word alone other than "help",
// "jobs" or "quota".
func ParsePrompt(text string) (Line, error) {
	if err := CheckLength(text); err != nil {
		return Line{}, err
	}
	line := Unformat(tidy(text))
	if startsVerb(line) {
		return parseLine(line)
	}
	settings, err := parseSettings(line)
	return Line{Settings: settings}, err
}

// PromptVerb is ParsePrompt for a text that is about a verb; ok is false for any
// other.
func PromptVerb(text string) (l Line, ok bool) {
	if CheckLength(text) != nil {
		return Line{}, false
	}
	line := Unformat(tidy(text))
	if !startsVerb(line) {
		return Line{}, false
	}
	l, err := parseLine(line)
	return l, err == nil && l.Verb != ""
}

// startsVerb tells whether a text in a place for a prompt may be about a verb.
func startsVerb(line string) bool { return commandName.MatchString(line) || namesVerb(line) }

// parseLine is Parse without the removal of formatting marks.
func parseLine(line string) (Line, error) {
	rest, verb := cutCommand(line)
	if verb != "" {
		return Line{Verb: verb, Args: Words(rest)}, nil
	}
	if l, ok, err := parseVerb(rest); ok || err != nil {
		return l, err
	}
	settings, err := parseSettings(rest)
	return Line{Settings: settings}, err
}

// tidy removes what is round a line and no part of it.
func tidy(line string) string {
	return trimSpace(strings.ToValidUTF8(line, "\ufffd"))
}

// IsSpace tells whether the rune separates words. Chat clients put in some
// that nobody sees.
func IsSpace(r rune) bool {
	return unicode.IsSpace(r) || r == '\u200b' || r == '\u2060' || r == '\ufeff'
}

func trimSpace(s string) string { return strings.TrimFunc(s, IsSpace) }

// MaxLine is how long a line, or a text in a form, may be, in characters. What
// is longer is not read at all, since the time that takes grows faster than the
// text. It is more than any prompt may have.
const MaxLine = 12_000

// A LengthError says that something is longer than MaxLine.
type LengthError struct {
	Length int // characters
}

func (e *LengthError) Error() string {
	return fmt.Sprintf("%d characters are too many; at most %d are read", e.Length, MaxLine)
}

// CheckLength refuses what is too long to be read.
func CheckLength(texts ...string) error {
	for _, text := range texts {
		if n := utf8.RuneCountInString(text); n > MaxLine {
			return &LengthError{Length: n}
		}
	}
	return nil
}

// A ValueError says that options were typed without their values.
type ValueError struct {
	Params []ltx.Param
}

func (e *ValueError) Error() string {
	keys := make([]string, 0, len(e.Params))
	for _, p := range e.Params {
		keys = append(keys, p.Key())
	}
	return "no value for " + strings.Join(keys, ", ")
}

// A SpellingError says that settings were typed in the way of another tool. It
// wraps the problems with the right spelling of each, an ltx.Invalid.
type SpellingError struct {
	Problems ltx.Invalid
	Right    []ltx.Setting // what the whole line was probably meant to be
}

func (e *SpellingError) Error() string { return e.Problems.Error() }

// Unwrap returns the problems.
func (e *SpellingError) Unwrap() error { return e.Problems }

// An AskError says that words of a line may be settings or prose: only who
// typed them knows.
type AskError struct {
	Typed      []string      // the words: "camera: static"
	AsSettings []ltx.Setting // the whole line when they are settings
	AsWords    []ltx.Setting // the whole line when they are words of the prompt
}

func (e *AskError) Error() string {
	return "a setting or words of the prompt: " + strings.Join(e.Typed, ", ")
}

// parseSettings reads the settings of a video out of a line. The prompt comes
// first. Its error is a *ValueError, a *SpellingError or an *AskError.
func parseSettings(line string) ([]ltx.Setting, error) {
	p := newParser(line)
	p.read()
	switch {
	case len(p.valueless) > 0:
		return nil, &ValueError{Params: p.valueless}
	case len(p.misspelt) > 0:
		return nil, &SpellingError{Problems: p.misspelt, Right: p.result()}
	case len(p.asked) > 0:
		q := newParser(line)
		q.asWords = true
		q.read()
		return nil, &AskError{Typed: p.asked, AsSettings: p.result(), AsWords: q.result()}
	}
	return p.result(), nil
}

// PromptKey is the key of the prompt among the settings.
const PromptKey = "prompt"

// A parser reads a line from left to right.
type parser struct {
	layout

	asWords  bool // what may be a setting or prose is prose
	pos      int
	settings []ltx.Setting
	pieces   []piece      // of the prompt, with a setting between each two
	hollow   bool         // a setting stood in brackets
	cut      bool         // a setting stood just before pos
	begun    bool         // the prompt has begun
	marked   bool         // "prompt:" stood before it
	joints   map[int]bool // where a word starts after a setting and a comma
	seen     []*match     // by position: what find found, so that looking ahead is cheap
	horizon  int          // no word is read beyond it; 0 = no limit

	valueless []ltx.Param // typed without a value
	misspelt  ltx.Invalid // typed in the way of another tool
	asked     []string    // what may be a setting or prose

	meanings map[string]ltx.Param       // by key that is nearly one; empty = none
	judged   map[string]*ltx.FieldError // by parameter and value
	noLast   map[string]int             // from which quote on none is a last one, see quoted

	pasted int // pieces that were looked at as pasted ones

	work int // positions and characters of values that were looked at, for tests
}

// A piece is a part of the line.
type piece struct{ from, to int }

func newParser(line string) *parser {
	l := newLayout(line)
	return &parser{
		layout: l, joints: map[int]bool{}, seen: make([]*match, len(l.in)+1),
		meanings: map[string]ltx.Param{}, judged: map[string]*ltx.FieldError{}, noLast: map[string]int{},
	}
}

type match struct {
	found found
	ok    bool
}

// read takes the line apart.
func (p *parser) read() {
	for p.pos < len(p.in) {
		if p.takePasted() {
			continue
		}
		if m, ok := p.match(p.pos); ok {
			p.take(m)
			continue
		}
		if end, ok := p.passage(p.pos); ok {
			p.keep(end)
			continue
		}
		p.keep(p.pos + 1)
	}
}

// result are the settings, the prompt first.
func (p *parser) result() []ltx.Setting {
	prompt := p.prose()
	settings := slices.Clone(p.settings)
	if prompt == "" && !p.marked {
		// What was pasted may have its prompt anywhere.
		slices.SortStableFunc(settings, func(a, b ltx.Setting) int { return order(a) - order(b) })
		return settings
	}
	return append([]ltx.Setting{{Key: PromptKey, Value: prompt}}, settings...)
}

// order is 0 for the prompt and 1 for any other setting.
func order(s ltx.Setting) int {
	if s.Key == PromptKey {
		return 0
	}
	return 1
}

// keep makes what comes before end part of the prompt.
func (p *parser) keep(end int) {
	if p.cut || len(p.pieces) == 0 {
		p.pieces = append(p.pieces, piece{from: p.pos})
		p.cut = false
	}
	p.pieces[len(p.pieces)-1].to = end
	if !p.begun && p.skipSpace(p.pos) < end {
		p.begun = true
		clear(p.seen)
		clear(p.noLast)
	}
	p.pos = end
}

// prose is the prompt: its pieces with a space where a setting was, or the
// end of a line where one ended there.
func (p *parser) prose() string {
	var b strings.Builder
	gap := ""
	for _, part := range p.pieces {
		text := string(p.in[part.from:part.to])
		bare := trimSpace(text)
		before, after, _ := strings.Cut(text, bare)
		gap += before
		if bare == "" {
			continue
		}
		switch {
		case b.Len() == 0:
		case strings.Contains(gap, "\n"):
			b.WriteByte('\n')
		default:
			b.WriteByte(' ')
		}
		b.WriteString(bare)
		gap = after
	}
	text := unwrapLink(b.String())
	if p.hollow {
		text = trimSpace(emptyBrackets.ReplaceAllString(text, ""))
	}
	if len(p.settings) > 0 {
		text = strings.TrimRight(text, ",，、 ") // "a cowboy, camera:dolly_in"
	}
	return Unquote(text)
}

// emptyBrackets are left where settings stood in brackets.
var emptyBrackets = regexp.MustCompile(`\s?[(\[{<（［｛【][\s,;，；、]*[)\]}>）］｝】]`)

// Unquote removes one pair of quotes round a whole value.
func Unquote(text string) string {
	runes := []rune(text)
	if len(runes) == 0 || !IsOpening(runes[0]) {
		return text
	}
	value, end, ok := newParser(text).quoted(0, false)
	if !ok || end != len(runes) || trimSpace(value) == "" {
		return text
	}
	return value
}

// take reads the setting that was found, with its value.
func (p *parser) take(m found) {
	p.pos, p.cut = m.value, true
	value := m.given
	if m.empty {
		p.valueless = append(p.valueless, m.param)
		return
	}
	if m.mark {
		if _, _, quoted := p.quoted(m.value, true); !quoted {
			p.marked = true
			return // what follows is the prompt, up to the next setting
		}
	}
	if !m.flag {
		value, p.pos = p.value(m)
	}
	switch {
	case m.asked:
		p.asked = append(p.asked, trimmed(text.OneLine(string(p.in[m.from:p.pos]))))
		value = p.corrects(m.param, value)
	case m.known && m.param.Kind == ltx.KindLoRAs:
		value = p.takeLoRAs(m, value)
	case m.bracketed && p.fits(m.param, value):
		p.misspell(m, string(p.in[p.opens[m.from]:p.closes[m.from]+1]), value)
	}
	p.settings = append(p.settings, ltx.Setting{Key: m.key, Value: value})
	p.hollow = p.hollow || p.opens[m.from] >= 0
	if p.pos > m.value && p.pos < len(p.in) && strings.ContainsRune(separators, p.in[p.pos]) {
		p.pos++
		p.joints[p.pos] = true
	}
}

// separators may stand between a setting and the next one.
const separators = ",;，；、"

// passage finds the end of a passage in double quotes that starts at i.
func (p *parser) passage(i int) (end int, ok bool) {
	if !p.boundary(i) || !IsOpening(p.in[i]) || isSingle(p.in[i]) {
		return 0, false
	}
	closers := p.passages[closingOf(p.in[i])]
	k, _ := slices.BinarySearch(closers, i+1)
	if k == len(closers) {
		return 0, false
	}
	return closers[k] + 1, true
}

// boundary tells whether a word may start at i.
func (p *parser) boundary(i int) bool {
	if i == 0 || p.joints[i] {
		return true
	}
	if isBracket(p.in[i-1]) {
		return p.opens[i] == i-1
	}
	return wordMayFollow(p.in[i-1])
}

// wordEnd is where the word that starts at i ends. A link in angle brackets
// is one word, and brackets round a word are no part of it.
func (p *parser) wordEnd(i int) int { return p.within(i, i) }

// within is wordEnd for a word of a value that starts at start.
func (p *parser) within(i, start int) int {
	end := min(p.wordEnds[i], p.closes[start])
	if p.horizon > 0 {
		end = min(end, max(p.horizon, i))
	}
	return end
}
