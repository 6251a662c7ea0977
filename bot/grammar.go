package bot

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"ltxbot/core/ltx"
)

// Line is what a person typed, taken apart.
type Line struct {
	Verb     string        // "" makes a video; help, jobs, show, cancel, quota, loras, admin
	Args     []string      // of the verb
	Settings []ltx.Setting // of a video; none when nothing was typed
}

// ParseLine takes a command apart: "/ltx a cowboy walks camera:dolly_in",
// with the command's name or without. Its error is a *LengthError, a *VerbError
// or a *ValueError: nothing that is hardly meant as a prompt may cost something.
//
// A line is about a verb when its first word is one and the rest is what that
// verb takes: "help", "help prompt", "cancel k3f92mq7abcd". One of three words
// at most that begins with a verb is refused when the rest is not: "cancel
// all". Any other line is the prompt of a video, with settings anywhere in it:
//
//   - key:value and key=value, where key is an option, an alias or an API name
//     in any case. Nothing stands between key, sign and value.
//   - --key value, --key=value, --key alone for yes, --no-key. A dash that a
//     client put in place of "--" counts when key is known and value fits it;
//     so does a single "-" before the name of an option.
//   - key: value, with a space, is a setting only when nobody would write it
//     in a prompt: key is in lower case, and value has a digit or an underscore
//     and fits it, or it fits and the line or another setting comes next. So
//     "Style: noir" and "she looks into the camera: a smile" stay prose.
//   - prompt: at the start of the prompt is a mark and no part of it. With
//     nothing after it, the prompt is missing.
//   - key: and key= at the end of the line, or before another setting, are a
//     setting that lacks its value, and refused.
//
// A value may stand in quotes, straight or curly, with \" for a quote in it.
// Without them it is one word, or as many as its parameter understands:
// "camera:dolly in", "lora:a/b@0.8, c/d", "size:1280 x 704". A negative prompt
// after the prompt goes on to the next setting.
//
// Everything else stays in the prompt as it was typed: words with a colon
// that name no parameter ("12:30", "https://…", "she said:"), and all that
// stands in double quotes, because that is dialogue. A word that is nearly a
// key is a setting of that unknown key, so that it is refused with "did you
// mean": when its value fits what was meant ("duraton:5"), when it is one slip
// from an option and no plural ("camra:sideways"), or with "=" or "--". A
// "--word" that nothing is like is refused too: it is the habit of another
// bot, and would spoil the prompt.
func ParseLine(line string) (Line, error) {
	if err := checkLength(line); err != nil {
		return Line{}, err
	}
	rest, verb := cutCommand(tidy(line))
	if verb != "" {
		return Line{Verb: verb, Args: words(rest)}, nil
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

// isSpace tells whether the rune separates words. Chat clients put in some
// that nobody sees.
func isSpace(r rune) bool {
	return unicode.IsSpace(r) || r == '\u200b' || r == '\u2060' || r == '\ufeff'
}

func trimSpace(s string) string { return strings.TrimFunc(s, isSpace) }

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

// checkLength refuses what is too long to be read.
func checkLength(texts ...string) error {
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

// parseSettings reads the settings of a video out of a line. The prompt comes
// first. Its error is a *ValueError.
func parseSettings(line string) ([]ltx.Setting, error) {
	p := newParser(line)
	for p.pos < len(p.in) {
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
	if len(p.valueless) > 0 {
		return nil, &ValueError{Params: p.valueless}
	}
	prompt := p.prose()
	if prompt == "" && !p.marked {
		return p.settings, nil
	}
	return append([]ltx.Setting{{Key: promptKey, Value: prompt}}, p.settings...), nil
}

const promptKey = "prompt"

// A parser reads a line from left to right.
type parser struct {
	in       []rune
	pos      int
	settings []ltx.Setting
	pieces   []string      // of the prompt, with a setting between each two
	cut      bool          // a setting stood just before pos
	begun    bool          // the prompt has begun
	marked   bool          // "prompt:" stood before it
	seen     map[int]match // what match found, so that looking ahead is cheap

	valueless []ltx.Param // typed without a value

	meanings map[string]ltx.Param       // by key that is nearly one; empty = none
	judged   map[string]*ltx.FieldError // by parameter and value
}

func newParser(line string) *parser {
	return &parser{in: []rune(line), seen: map[int]match{}, meanings: map[string]ltx.Param{}, judged: map[string]*ltx.FieldError{}}
}

type match struct {
	found found
	ok    bool
}

// keep makes what comes before end part of the prompt.
func (p *parser) keep(end int) {
	text := string(p.in[p.pos:end])
	if p.cut || len(p.pieces) == 0 {
		p.pieces = append(p.pieces, "")
		p.cut = false
	}
	p.pieces[len(p.pieces)-1] += text
	p.pos = end
	if !p.begun && trimSpace(text) != "" {
		p.begun = true
		clear(p.seen)
	}
}

// prose is the prompt: its pieces with a space where a setting was, or the
// end of a line where one ended there.
func (p *parser) prose() string {
	var b strings.Builder
	gap := ""
	for _, piece := range p.pieces {
		text := trimSpace(piece)
		before, after, _ := strings.Cut(piece, text)
		gap += before
		if text == "" {
			continue
		}
		switch {
		case b.Len() == 0:
		case strings.Contains(gap, "\n"):
			b.WriteByte('\n')
		default:
			b.WriteByte(' ')
		}
		b.WriteString(text)
		gap = after
	}
	text := unwrapLink(b.String())
	if len(p.settings) > 0 {
		text = strings.TrimRight(text, ", ") // "a cowboy, camera:dolly_in"
	}
	return unwrap(text)
}

// unwrap removes quotes round a whole prompt.
func unwrap(text string) string {
	runes := []rune(text)
	if len(runes) == 0 || !isOpening(runes[0]) {
		return text
	}
	q := newParser(text)
	value, end, ok := q.quoted(0, false)
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
	p.settings = append(p.settings, ltx.Setting{Key: m.key, Value: value})
}

// passage finds the end of a passage in double quotes that starts at i.
func (p *parser) passage(i int) (end int, ok bool) {
	if !p.boundary(i) || !isOpening(p.in[i]) || isSingle(p.in[i]) {
		return 0, false
	}
	closing := closingOf(p.in[i])
	for j := i + 1; j < len(p.in); j++ {
		if strings.ContainsRune(closing, p.in[j]) && p.in[j-1] != '\\' && (closing == "»" || !isSpace(p.in[j-1])) && p.ends(j+1) {
			return j + 1, true
		}
	}
	return 0, false
}

// boundary tells whether a word may start at i.
func (p *parser) boundary(i int) bool {
	return i == 0 || isSpace(p.in[i-1]) ||
		unicode.In(p.in[i-1], unicode.Han, unicode.Hiragana, unicode.Katakana) || strings.ContainsRune("、。，「」『』：", p.in[i-1])
}

// ends tells whether a word may end before i.
func (p *parser) ends(i int) bool {
	return i >= len(p.in) || isSpace(p.in[i]) || strings.ContainsRune(".,;:!?)]}…—–、。", p.in[i])
}

func (p *parser) skipSpace(i int) int {
	for i < len(p.in) && isSpace(p.in[i]) {
		i++
	}
	return i
}

// wordEnd is where the word that starts at i ends. A link in angle brackets
// is one word.
func (p *parser) wordEnd(i int) int {
	for i < len(p.in) && !isSpace(p.in[i]) {
		if p.in[i] == '<' {
			if end := p.linkEnd(i); end > 0 {
				i = end
				continue
			}
		}
		i++
	}
	return i
}

// linkEnd is where a "<https://…|label>" that starts at i ends; 0 if none
// does.
func (p *parser) linkEnd(i int) int {
	if !strings.HasPrefix(strings.ToLower(string(p.in[i:min(i+6, len(p.in))])), "<http") {
		return 0
	}
	for j := i; j < len(p.in) && p.in[j] != '\n'; j++ {
		if p.in[j] == '>' {
			return j + 1
		}
	}
	return 0
}
