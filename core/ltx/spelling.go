package ltx

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"ltxbot/internal/spell"
)

// fold makes spellings that mean the same equal: it lowers the case and
// drops spaces, underscores and every dash that a chat client may have put in
// place of '-'.
func fold(s string) string {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return strings.Map(folded, s)
		}
	}
	return s // as most are
}

// folded is a rune as fold leaves it; -1 = it is dropped.
func folded(r rune) rune {
	switch {
	case r == '_', unicode.IsSpace(r), isDash(r):
		return -1
	}
	return unicode.ToLower(r)
}

// isDash reports whether a rune is a dash or a hyphen.
func isDash(r rune) bool { return r == '-' || r > unicode.MaxASCII && unicode.Is(unicode.Pd, r) }

// foldsTo reports whether fold makes want of s.
func foldsTo(s, want string) bool {
	for _, r := range s {
		if r = folded(r); r < 0 {
			continue
		}
		next, size := utf8.DecodeRuneInString(want)
		if size == 0 || next != r {
			return false
		}
		want = want[size:]
	}
	return want == ""
}

// narrow writes the full-width characters of East Asian keyboards as the ASCII
// characters that they stand for: "９：１６" is "9:16".
// https://www.unicode.org/charts/PDF/UFF00.pdf
func narrow(s string) string {
	const first, last, offset = '！', '～', '！' - '!'
	return strings.Map(func(r rune) rune {
		if r >= first && r <= last {
			return r - offset
		}
		return r
	}, s)
}

// longestTypo is the length in code points beyond which a word is no typo of
// anything we know.
const longestTypo = 40

// nearest returns the candidate that the word was probably meant to be, or
// "" if none is near. The first of equally near ones wins.
func nearest(word string, candidates []string) string {
	w := []rune(fold(word))
	if len(w) == 0 || len(w) > longestTypo {
		return ""
	}
	best, bestDistance := "", len(w)
	for _, c := range candidates {
		f := fold(c)
		n := utf8.RuneCountInString(f)
		most := min(max(1, min(len(w), n)/3), bestDistance-1)
		if n-len(w) > most || len(w)-n > most {
			continue // so many letters more or less
		}
		if d := spell.Distance(string(w), f); d <= most {
			best, bestDistance = c, d
		}
	}
	if best != "" || len(w) < 3 {
		return best
	}
	for _, c := range candidates {
		if strings.HasPrefix(fold(c), string(w)) {
			return c
		}
	}
	return ""
}

// clean makes text safe to send: valid UTF-8 without control characters other
// than newline and tab, without white space around it.
func clean(s string) string {
	s = strings.ToValidUTF8(s, string(utf8.RuneError))
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

// maxShown is the length in code points beyond which a value is cut short in
// an error.
const maxShown = 60

// shown makes a value fit for an error or a note: short, on one line, without
// what may be a secret in a URL (its query, its user and password).
func shown(s string) string {
	s = strings.Join(strings.Fields(clean(withoutSecrets(s))), " ")
	if utf8.RuneCountInString(s) <= maxShown {
		return s
	}
	return string([]rune(s)[:maxShown-1]) + "…"
}

// withoutSecrets removes the query, the fragment and the user of a URL. It
// also works on what only resembles a URL.
func withoutSecrets(s string) string {
	s, _, _ = strings.Cut(s, "?")
	if slash := strings.Index(s, "/"); slash >= 0 {
		if hash := strings.Index(s[slash:], "#"); hash >= 0 {
			s = s[:slash+hash]
		}
	}
	scheme, rest, found := strings.Cut(s, "://")
	if !found {
		scheme, rest = "", s
	}
	end := strings.Index(rest, "/")
	if end < 0 {
		if !found {
			return s
		}
		end = len(rest)
	}
	if at := strings.LastIndex(rest[:end], "@"); at >= 0 {
		rest = rest[at+1:]
	}
	if found {
		return scheme + "://" + rest
	}
	return rest
}

// listed joins words as a sentence does: "a, b or c".
func listed(words []string) string {
	switch len(words) {
	case 0:
		return ""
	case 1:
		return words[0]
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
