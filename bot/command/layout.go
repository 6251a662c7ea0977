package command

import (
	"slices"
	"strings"
	"unicode"
)

// A layout is what is known of a line before any of it is understood: where
// words, quotes and brackets end. It is made in one pass over the line, so
// that reading the line takes time in proportion to its length.
type layout struct {
	in       []rune
	wordEnds []int // where the word at a position ends
	links    []int // where the "<https://…|label>" at a position ends; 0 = none starts there
	says     []int // the next position with a letter, a digit or a quote
	opens    []int // the innermost bracket round a position; -1 = none
	closes   []int // what closes that bracket; the line's length = none

	values   map[string][]int // where quotes can close a value, by the closing quotes
	passages map[string][]int // where they can close a passage
}

func newLayout(line string) layout {
	in := []rune(line)
	l := layout{in: in, values: map[string][]int{}, passages: map[string][]int{}}
	l.findWords()
	l.findBrackets()
	l.findQuotes()
	return l
}

func (l *layout) findWords() {
	n := len(l.in)
	l.wordEnds, l.links, l.says = make([]int, n+1), make([]int, n+1), make([]int, n+1)
	l.wordEnds[n], l.says[n] = n, n
	closing := -1 // the next '>' on the line
	for i, r := range slices.Backward(l.in) {
		switch r {
		case '>':
			closing = i
		case '\n':
			closing = -1
		case '<':
			if closing >= 0 && strings.HasPrefix(strings.ToLower(string(l.in[i:min(i+5, n)])), "<http") {
				l.links[i] = closing + 1
			}
		}
		switch {
		case IsSpace(r):
			l.wordEnds[i] = i
		case l.links[i] > 0:
			l.wordEnds[i] = l.wordEnds[l.links[i]]
		default:
			l.wordEnds[i] = l.wordEnds[i+1]
		}
		l.says[i] = l.says[i+1]
		if unicode.IsLetter(r) || unicode.IsDigit(r) || IsOpening(r) {
			l.says[i] = i
		}
	}
}

// brackets are what people put round settings, each with what closes it.
var brackets = map[rune]rune{'(': ')', '[': ']', '{': '}', '<': '>', '（': '）', '［': '］', '｛': '｝', '【': '】'}

// findBrackets pairs the brackets of each line that stand before a word.
func (l *layout) findBrackets() {
	n := len(l.in)
	closeOf := make([]int, n)
	var open []int
	for i, r := range l.in {
		if r == '\n' {
			open = open[:0]
			continue
		}
		if isBracket(r) && l.links[i] == 0 && (i == 0 || wordMayFollow(l.in[i-1])) && i+1 < n && !IsSpace(l.in[i+1]) {
			open = append(open, i)
		} else if k := len(open) - 1; k >= 0 && r == brackets[l.in[open[k]]] {
			closeOf[open[k]] = i
			open = open[:k]
		}
	}
	l.opens, l.closes = make([]int, n+1), make([]int, n+1)
	l.opens[n], l.closes[n] = -1, n
	open = open[:0]
	for i := range l.in {
		if k := len(open) - 1; k >= 0 && closeOf[open[k]] == i {
			open = open[:k]
		}
		l.opens[i], l.closes[i] = -1, n
		if k := len(open) - 1; k >= 0 {
			l.opens[i], l.closes[i] = open[k], closeOf[open[k]]
		}
		if closeOf[i] > 0 {
			open = append(open, i)
		}
	}
}

// wordMayFollow tells whether a word may start after the rune, which is no
// letter of a language that puts spaces between words.
func wordMayFollow(r rune) bool {
	return isBracket(r) || IsSpace(r) ||
		r > unicode.MaxLatin1 && (unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) || strings.ContainsRune("、。，；「」『』：", r))
}

func isBracket(r rune) bool {
	if unicode.IsLetter(r) || r == ' ' { // most are
		return false
	}
	_, ok := brackets[r]
	return ok
}

// findQuotes lists where quotes close. A quote after an odd number of
// backslashes is part of the value.
func (l *layout) findQuotes() {
	backslashes := 0
	for i, r := range l.in {
		if unicode.IsLetter(r) || IsSpace(r) { // most are
			backslashes = 0
			continue
		}
		for _, closing := range []string{doubleQuotes, singleQuotes, "»", "」"} {
			if !strings.ContainsRune(closing, r) || !l.ends(i+1) {
				continue
			}
			if backslashes%2 == 0 {
				l.values[closing] = append(l.values[closing], i)
			}
			if i > 0 && backslashes == 0 && (closing == "»" || !IsSpace(l.in[i-1])) {
				l.passages[closing] = append(l.passages[closing], i)
			}
		}
		if r == '\\' {
			backslashes++
		} else {
			backslashes = 0
		}
	}
}

// ends tells whether a word may end before i.
func (l *layout) ends(i int) bool {
	return i >= len(l.in) || IsSpace(l.in[i]) || strings.ContainsRune(".,;:!?)]}>…—–、。，；：）］｝】」", l.in[i])
}

func (l *layout) skipSpace(i int) int {
	for i < len(l.in) && IsSpace(l.in[i]) {
		i++
	}
	return i
}

// skipBlank is skipSpace that stays on the line.
func (l *layout) skipBlank(i int) int {
	for i < len(l.in) && IsSpace(l.in[i]) && l.in[i] != '\n' {
		i++
	}
	return i
}
