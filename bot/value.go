package bot

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"ltxbot/core/ltx"
)

// value reads the value of a setting, and where it ends.
func (p *parser) value(m found) (text string, end int) {
	if m.value >= len(p.in) {
		return "", len(p.in)
	}
	if text, end, ok := p.quoted(m.value, m.param.Name == promptKey); ok {
		return text, end
	}
	switch {
	case !m.known:
	case m.param.Kind == ltx.KindText && m.open:
		return p.untilSetting(m.value)
	case m.param.Kind == ltx.KindText, m.param.Kind == ltx.KindLoRAs:
		return p.list(m.value, m.param.Kind == ltx.KindLoRAs)
	case len(m.param.Choices) > 0, m.param.Kind == ltx.KindDuration, m.param.Unit != "":
		if text, end, ok := p.phrase(m.param, m.value); ok {
			return text, end
		}
	}
	end = p.wordEnd(m.value)
	return trimmed(string(p.in[m.value:end])), end
}

// trimmed removes the punctuation of a sentence from the end of a word.
func trimmed(word string) string {
	if t := strings.TrimRight(word, ",;.!?、。"); t != "" {
		return t
	}
	return word
}

// untilSetting reads a text that goes on to the next setting.
func (p *parser) untilSetting(i int) (text string, end int) {
	for end = i; end < len(p.in); end++ {
		if end > i {
			if _, ok := p.match(end); ok {
				break
			}
		}
	}
	return strings.TrimRight(trimSpace(string(p.in[i:end])), ", "), end
}

// list reads words for as long as they end with a comma.
func (p *parser) list(i int, links bool) (text string, end int) {
	var items []string
	for {
		end = p.wordEnd(i)
		word := string(p.in[i:end])
		if links {
			word = unwrapLink(word)
		}
		items = append(items, word)
		next := p.skipSpace(end)
		if !strings.HasSuffix(word, ",") || next == len(p.in) {
			break
		}
		if _, ok := p.match(next); ok {
			break
		}
		i = next
	}
	return strings.TrimRight(strings.Join(items, " "), ",; "), end
}

// maxPhrase is how many words a value without quotes may have: "Landscape
// 16:9 (1024×576)", "None (as the prompt says)".
const maxPhrase = 5

// phrase reads as many words as make a value of the parameter: first what a
// form shows for a choice, then as few words as fit.
func (p *parser) phrase(param ltx.Param, i int) (text string, end int, ok bool) {
	var texts []string
	var ends []int
	for at := i; at < len(p.in) && len(ends) < maxPhrase; at = p.skipSpace(ends[len(ends)-1]) {
		ends = append(ends, p.wordEnd(at))
		texts = append(texts, strings.Join(strings.FieldsFunc(string(p.in[i:ends[len(ends)-1]]), isSpace), " "))
	}
	for n, text := range slices.Backward(texts) {
		label := trimmed(text)
		if k := slices.IndexFunc(param.Choices, func(c ltx.Choice) bool { return n > 0 && strings.EqualFold(c.Label, label) }); k >= 0 {
			return param.Choices[k].Typed(), ends[n], true
		}
	}
	for n, text := range texts {
		text = trimmed(text)
		switch {
		case n > 0 && !joins(param, text):
		case p.withUnit(param, text, texts, n):
		case p.fits(param, text):
			return text, ends[n], true
		}
	}
	return "", 0, false
}

var (
	// pixelsWords are "1280 x 704" and what leads to it.
	pixelsWords = regexp.MustCompile(`^[0-9]+ ?(?:x|×|\*|by)(?: ?[0-9]+)?$`)
	unitWord    = regexp.MustCompile(`^(?i)[0-9.,]+ ?(?:ms|msec|milliseconds|m|min|mins|minutes?|s|secs?|seconds?|fps|frames?|steps?|pixels)$`)
)

// joins tells whether several words may be one value of the parameter.
func joins(param ltx.Param, text string) bool {
	switch param.Kind {
	case ltx.KindChoice, ltx.KindPreset:
		return true
	case ltx.KindSize:
		return pixelsWords.MatchString(strings.ToLower(text)) || !strings.ContainsFunc(text, unicode.IsDigit)
	case ltx.KindDuration, ltx.KindInt, ltx.KindFloat:
		return unitWord.MatchString(text)
	case ltx.KindText, ltx.KindBool, ltx.KindLoRAs, ltx.KindAdvanced:
	}
	return false
}

// withUnit tells whether the next word is the unit of the number that text is,
// so that both make the value.
func (p *parser) withUnit(param ltx.Param, text string, texts []string, n int) bool {
	if n != 0 || len(texts) < 2 || strings.ContainsFunc(text, unicode.IsLetter) {
		return false
	}
	both := trimmed(texts[1])
	return (param.Kind == ltx.KindDuration || param.Unit != "") && unitWord.MatchString(both) && p.fits(param, both)
}

// quoted reads a value in quotes that starts at i. A backslash before a quote
// or a backslash makes it part of the value. Where whole is set, a quote
// closes only before the end or another setting, if there is one such: a
// prompt may hold dialogue whose quotes nobody escaped.
func (p *parser) quoted(i int, whole bool) (value string, end int, ok bool) {
	if i >= len(p.in) || !isOpening(p.in[i]) {
		return "", 0, false
	}
	closing := closingOf(p.in[i])
	first, first1 := "", 0
	var b strings.Builder
	for j := i + 1; j < len(p.in); j++ {
		r := p.in[j]
		if r == '\\' && j+1 < len(p.in) && (p.in[j+1] == '\\' || isOpening(p.in[j+1]) || strings.ContainsRune(closing, p.in[j+1])) {
			j++
			b.WriteRune(p.in[j])
			continue
		}
		if strings.ContainsRune(closing, r) && p.ends(j+1) {
			if !whole || p.lastQuote(j) {
				return b.String(), j + 1, true
			}
			if first1 == 0 {
				first, first1 = b.String(), j+1
			}
		}
		b.WriteRune(r)
	}
	return first, first1, first1 > 0
}

// lastQuote tells whether the end or another setting follows the quote at j.
func (p *parser) lastQuote(j int) bool {
	next := p.skipSpace(j + 1)
	if next == len(p.in) {
		return true
	}
	_, ok := p.match(next)
	return ok
}

// The quotes that open a value, and what closes each. A client may have made
// only one of a pair curly.
const (
	doubleQuotes = `"“”„‟`
	singleQuotes = `'‘’‚`
)

func isOpening(r rune) bool {
	return strings.ContainsRune(doubleQuotes, r) || isSingle(r) || r == '«' || r == '「'
}

func isSingle(r rune) bool { return strings.ContainsRune(singleQuotes, r) }

func closingOf(r rune) string {
	switch {
	case r == '«':
		return "»"
	case r == '「':
		return "」"
	case isSingle(r):
		return singleQuotes
	}
	return doubleQuotes
}

// chatLink is a link as chat clients send it.
var chatLink = regexp.MustCompile(`(?i)<(https?://[^<>|\s]+)(?:\|[^<>]*)?>`)

// unwrapLink removes the angle brackets that chat clients put round links,
// and the label after it.
func unwrapLink(text string) string { return chatLink.ReplaceAllString(text, "$1") }
