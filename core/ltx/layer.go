package ltx

import (
	"maps"
	"regexp"
	"strings"
	"unicode"
)

// A source says who gave a setting. A later one wins over an earlier one.
type source int

const (
	byOperator source = iota // the operator's defaults
	byQuality                // the quality that was chosen
	byStyle                  // the style that was chosen, or the member's own defaults
	byPerson                 // the person who asks
)

// A layer holds the texts that one source gives, by the id of the row.
type layer map[string]string

// over returns the lower layer with this one on top. Duration and frames are
// two ways to say the same, so the higher one hides the other.
func (l layer) over(lower layer) layer {
	merged := maps.Clone(lower)
	if merged == nil {
		merged = layer{}
	}
	_, duration := l[idDuration]
	_, frames := l[idFrames]
	if duration || frames {
		delete(merged, idDuration)
		delete(merged, idFrames)
	}
	maps.Copy(merged, l)
	return merged
}

// defaultText writes the default as a person would type it.
func (p Param) defaultText() string {
	switch d := p.Default.(type) {
	case string:
		return d
	case bool:
		return yesNo(d)
	case int:
		return num(float64(d))
	case float64:
		return num(d)
	default:
		return ""
	}
}

// maxProblems is how many problems are looked for: more than anybody reads,
// and few enough that a text full of mistakes costs nothing.
const maxProblems = 20

// collect sorts settings into a layer and tells which cannot be.
func collect(from source, in []Setting) (layer, Invalid) {
	l := layer{}
	in, problems := withoutHabits(in)
	for _, s := range in {
		if len(problems) >= maxProblems {
			return l, problems
		}
		p, ok := Lookup(s.Key)
		switch {
		case !ok:
			problems = append(problems, FieldError{Option: shown(s.Key), Problem: Unknown, Nearest: NearestKey(s)})
		case p.Operator && from != byOperator:
			problems = append(problems, FieldError{Option: p.Key(), Problem: OperatorOnly})
		case from != byPerson && misplaced(p, from):
			problems = append(problems, FieldError{Option: p.Key(), Problem: Misplaced})
		case p.Kind == KindAdvanced:
			pairs, faults := splitPairs(p, s.Value)
			inner, more := collect(from, pairs)
			problems = append(append(problems, faults...), more...)
			for _, q := range table {
				if text, ok := inner[q.id()]; ok {
					problems = append(problems, l.put(q, text)...)
				}
			}
		case strings.TrimSpace(s.Value) != "":
			problems = append(problems, l.put(p, s.Value)...)
		}
	}
	if _, both := l[idDuration]; both {
		if _, both = l[idFrames]; both {
			problems = append(problems, FieldError{Option: row(idDuration).Key(), Problem: Conflict, Other: row(idFrames).Key()})
		}
	}
	return l, problems
}

// misplaced tells whether a row makes no sense but in a command.
func misplaced(p Param, from source) bool {
	return p.id() == idPrompt || p.id() == idEdit || p.id() == idStyle || p.id() == idCount || p.Kind == KindMedia || from == byQuality && (p.id() == idQuality || p.id() == idPrivate || p.id() == idSeed)
}

// put adds the text for a row, unless another is there already.
func (l layer) put(p Param, text string) Invalid {
	before, twice := l[p.id()]
	if !twice {
		l[p.id()] = text
		return nil
	}
	if p.sameText(before, text) {
		return nil
	}
	e := FieldError{Option: p.Key(), Problem: Duplicate}
	if p.Kind != KindText {
		e.Value, e.Other = shown(before), shown(text)
	}
	return Invalid{e}
}

// sameText tells whether two texts for the row obviously mean the same.
func (p Param) sameText(a, b string) bool {
	switch p.Kind {
	case KindChoice, KindSize, KindBool, KindPreset, KindStyle:
		return fold(a) == fold(b)
	case KindText, KindInt, KindFloat, KindDuration, KindLoRAs, KindAdvanced, KindMedia:
	}
	return strings.TrimSpace(a) == strings.TrimSpace(b)
}

// splitPairs reads "key=value key2:"a value", key3=x": pairs with spaces or
// commas between them, values with quotes where they hold either.
func splitPairs(p Param, text string) (pairs []Setting, problems Invalid) {
	s := scanner{rest: []rune(text)}
	for {
		s.take(func(r rune) bool { return isComma(r) || unicode.IsSpace(r) })
		if len(s.rest) == 0 || len(problems) >= maxProblems {
			return pairs, problems
		}
		key := s.take(func(r rune) bool { return !isEqualSign(r) && !isComma(r) && !unicode.IsSpace(r) })
		spaced := s.take(unicode.IsSpace) != ""
		if len(s.rest) == 0 || !isEqualSign(s.rest[0]) {
			problems = append(problems, FieldError{Option: p.Key(), Problem: BadAdvanced, Value: shown(key)})
			continue
		}
		s.rest = s.rest[1:]
		if spaced {
			s.take(unicode.IsSpace)
		}
		value := s.value()
		if inner, ok := Lookup(key); ok && inner.Kind == KindAdvanced {
			problems = append(problems, FieldError{Option: p.Key(), Problem: Misplaced})
			continue
		}
		pairs = append(pairs, Setting{Key: key, Value: value})
	}
}

func isEqualSign(r rune) bool { return r == '=' || r == ':' || r == '＝' || r == '：' }

func isComma(r rune) bool { return r == ',' || r == '，' || r == '、' }

// A scanner reads a text from its start.
type scanner struct{ rest []rune }

// take returns what is to be kept, from the start on.
func (s *scanner) take(keep func(rune) bool) string {
	n := 0
	for n < len(s.rest) && keep(s.rest[n]) {
		n++
	}
	taken := string(s.rest[:n])
	s.rest = s.rest[n:]
	return taken
}

var (
	// fraction is what a decimal comma begins: no key begins with a digit.
	fraction    = regexp.MustCompile(`^[,，][0-9]+(?:[\s,，、]|$)`)
	endsInDigit = regexp.MustCompile(`[0-9]$`)
)

// value reads a value, in straight or curly quotes or without. Inside quotes
// a backslash makes a quote or a backslash part of the value.
func (s *scanner) value() string {
	if len(s.rest) == 0 || !isQuote(s.rest[0]) {
		value := s.take(func(r rune) bool { return !isComma(r) && !unicode.IsSpace(r) })
		if m := fraction.FindString(string(s.rest)); m != "" && endsInDigit.MatchString(value) {
			value += s.take(isComma) + s.take(unicode.IsDigit)
		}
		return value
	}
	var b strings.Builder
	for i := 1; i < len(s.rest); i++ {
		r := s.rest[i]
		switch {
		case r == '\\' && i+1 < len(s.rest) && (isQuote(s.rest[i+1]) || s.rest[i+1] == '\\'):
			i++
			b.WriteRune(s.rest[i])
		case isQuote(r):
			s.rest = s.rest[i+1:]
			return b.String()
		default:
			b.WriteRune(r)
		}
	}
	s.rest = nil
	return b.String()
}

func isQuote(r rune) bool {
	return r == '"' || r == '“' || r == '”' || r == '„' || r == '‟'
}
