package command

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"ltxbot/bot/text"
	"ltxbot/core/ltx"
)

// value reads the value of a setting, and where it ends.
func (p *parser) value(m found) (text string, end int) {
	defer func() { p.work += end - m.value }()
	if m.value >= len(p.in) {
		return "", len(p.in)
	}
	if text, end, ok := p.quoted(m.value, m.param.Name == PromptKey); ok {
		return text, end
	}
	switch {
	case m.open:
		return p.untilSetting(m)
	case !m.known:
	case m.param.Kind == ltx.KindText:
		return p.list(m.value)
	case m.param.Kind == ltx.KindLoRAs:
		text, end, _ := p.loras(m.value)
		return text, end
	case len(m.param.Choices) > 0, m.param.Kind == ltx.KindDuration, m.param.Unit != "":
		if text, end, ok := p.phrase(m.param, m.value); ok {
			return text, end
		}
	}
	end = p.cutEnd(m.value, true)
	return trimmed(string(p.in[m.value:end])), end
}

// trimmed removes from the end of a word the punctuation of a sentence, and a
// bracket that does not open in it.
func trimmed(word string) string {
	t := strings.TrimRight(word, ",;.!?、。，；！？")
	for open, closing := range brackets {
		if strings.HasSuffix(t, string(closing)) && !strings.ContainsRune(t, open) {
			return trimmed(strings.TrimSuffix(t, string(closing)))
		}
	}
	if t != "" {
		return t
	}
	return word
}

// cutEnd is where the word that starts at i ends, or before it: at a comma or
// semicolon that a setting follows, and at any full-width one if wide is set.
func (p *parser) cutEnd(i int, wide bool) int { return p.cutBefore(i, p.wordEnd(i), wide) }

// cutBefore is cutEnd for a word that ends at end.
func (p *parser) cutBefore(i, end int, wide bool) int {
	for k := i; k < end; k++ {
		if !strings.ContainsRune(separators, p.in[k]) {
			continue
		}
		if wide && p.in[k] > unicode.MaxLatin1 || p.startsSetting(k+1) {
			return k
		}
	}
	return end
}

// startsSetting tells whether a setting "key:value" starts at i, where no
// space is before it.
func (p *parser) startsSetting(i int) bool {
	m, ok := p.look(i)
	return ok && m.known && !m.asked && !m.flag
}

// untilSetting reads a text that goes on to the next setting; to the end of
// the line if it may be prose.
func (p *parser) untilSetting(m found) (text string, end int) {
	i := m.value
	for end = i; end < len(p.in) && (!m.asked || p.in[end] != '\n'); end++ {
		if end == i {
			continue
		}
		if _, ok := p.match(end); ok || strings.ContainsRune(separators, p.in[end]) && p.startsSetting(end+1) {
			break
		}
	}
	return strings.TrimRight(trimSpace(string(p.in[i:end])), separators+" "), end
}

// list reads words for as long as they end with a comma.
func (p *parser) list(i int) (text string, end int) {
	var items []string
	for {
		end = p.cutEnd(i, false)
		word := string(p.in[i:end])
		items = append(items, word)
		next := p.skipSpace(end)
		if !strings.HasSuffix(word, ",") && !strings.HasSuffix(word, "，") || next == len(p.in) {
			break
		}
		if _, ok := p.match(next); ok {
			break
		}
		i = next
	}
	return strings.TrimRight(strings.Join(items, " "), separators+" "), end
}

// loras reads a list of LoRAs. It is odd when something else than commas is
// between them.
func (p *parser) loras(i int) (text string, end int, odd bool) {
	var items []string
	for {
		end = p.cutEnd(i, false)
		word := unwrapLink(string(p.in[i:end]))
		items = append(items, strings.TrimRight(word, separators))
		next := p.skipBlank(end)
		if next == len(p.in) {
			break
		}
		switch last := []rune(word + " ")[max(0, len([]rune(word))-1)]; {
		case p.isLink(next) && (last == ';' || last == '；'):
			odd = true
		case strings.ContainsRune("+&;；", p.in[next]) && p.wordEnd(next) == next+1 && p.skipBlank(next+1) < len(p.in):
			odd, next = true, p.skipBlank(next+1)
		case last != ',' && last != '，' && last != '、':
			return strings.Join(items, ", "), end, odd
		}
		if _, ok := p.match(next); ok {
			break
		}
		i = next
	}
	return strings.Join(items, ", "), end, odd
}

// isLink tells whether the word at i can be the path of a LoRA.
func (p *parser) isLink(i int) bool { return strings.Contains(string(p.in[i:p.wordEnd(i)]), "/") }

var (
	// scaleWord is a LoRA with a scale.
	scaleWord = regexp.MustCompile(`@\s*[0-9.,]+$`)
	// looseScale is a scale that stands by itself after a LoRA.
	looseScale = regexp.MustCompile(`^[x×*]?([0-9]*[.,][0-9]+|[0-4])$`)
)

// takeLoRAs corrects a list of LoRAs that was typed in the way of another tool,
// at pos, and moves on behind it.
func (p *parser) takeLoRAs(m found, value string) string {
	_, _, odd := p.loras(m.value)
	next := p.skipBlank(p.pos)
	if next > p.pos && !scaleWord.MatchString(value) {
		end := p.cutEnd(next, true)
		word := looseScale.FindStringSubmatch(trimmed(string(p.in[next:end])))
		if word != nil && (strings.ContainsAny(word[1], ".,") || p.lacksValue(p.skipSpace(end))) {
			value, p.pos, odd = value+"@"+strings.Replace(word[1], ",", ".", 1), end, true
		}
	}
	typed := text.OneLine(string(p.in[m.value:p.pos]))
	e := m.param.Check(value)
	if e != nil && e.Problem == ltx.Spelling {
		_, value, _ = strings.Cut(e.Nearest, ":")
		odd = true
	}
	if odd {
		value = strings.ReplaceAll(value, ", ", ",")
	}
	switch {
	case m.bracketed:
		p.misspell(m, string(p.in[p.opens[m.from]:p.closes[m.from]+1]), value)
	case odd:
		p.misspell(m, m.key+":"+typed, value)
	}
	return value
}

// misspell records that a setting was typed in the way of another tool.
func (p *parser) misspell(m found, typed, value string) {
	e := ltx.FieldError{
		Option: m.param.Key(), Problem: ltx.Spelling, Value: HideQueries(text.OneLine(typed)),
		Nearest: Write([]ltx.Setting{{Key: m.param.Key(), Value: value}}),
	}
	p.misspelt = append(p.misspelt, e)
}

// maxPhrase is how many words a value without quotes may have: "Landscape
// 16:9 (1024×576)", "None (as the prompt says)".
const maxPhrase = 5

// phrase reads as many words as make a value of the parameter: first what a
// form shows for a choice, then as few words as fit.
func (p *parser) phrase(param ltx.Param, i int) (text string, end int, ok bool) {
	var texts []string
	var ends []int
	for at := i; at < len(p.in) && len(ends) < maxPhrase; {
		end := p.cutBefore(at, p.within(at, i), true)
		if end == at {
			break
		}
		ends = append(ends, end)
		texts = append(texts, strings.Join(Words(string(p.in[i:end])), " "))
		if at = p.skipSpace(end); at == end {
			break
		}
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
	unitWord    = regexp.MustCompile(`^(?i)[0-9０-９.,]+ ?(?:ms|msec|milliseconds|m|min|mins|minutes?|s|secs?|seconds?|sekunden?|segundos?|secondes?|秒間?|fps|frames?|steps?|pixels)$`)
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
	case ltx.KindText, ltx.KindBool, ltx.KindLoRAs, ltx.KindStyle, ltx.KindAdvanced, ltx.KindMedia:
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
	if i >= len(p.in) || !IsOpening(p.in[i]) {
		return "", 0, false
	}
	closing := closingOf(p.in[i])
	closers := p.values[closing]
	k, _ := slices.BinarySearch(closers, i+1)
	if k == len(closers) {
		return "", 0, false
	}
	at := closers[k]
	if whole {
		none, known := p.noLast[closing]
		if !known {
			none = len(closers)
		}
		last := k
		for last < none && !p.lastQuote(closers[last]) {
			last++
		}
		if last < none {
			at = closers[last]
		} else {
			p.noLast[closing] = min(k, none)
		}
	}
	return unescaped(p.in[i+1:at], closing), at + 1, true
}

// unescaped removes the backslash before quotes and backslashes.
func unescaped(in []rune, closing string) string {
	var b strings.Builder
	for j := 0; j < len(in); j++ {
		if in[j] == '\\' && j+1 < len(in) && (in[j+1] == '\\' || IsOpening(in[j+1]) || strings.ContainsRune(closing, in[j+1])) {
			j++
		}
		b.WriteRune(in[j])
	}
	return b.String()
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

// IsOpening tells whether a rune opens a passage in quotes.
func IsOpening(r rune) bool {
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
