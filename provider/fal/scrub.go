package fal

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMessage bounds what is quoted of fal's words, in runes.
const maxMessage = 300

// urlQuery finds the query of a URL inside a text, which may have lost its host or
// be in another URL: civitai and Hugging Face put tokens there, storage hosts put
// signatures.
var urlQuery = regexp.MustCompile(`(?:\?|%3[fF])[^\s"'<>]+`)

// credentials finds an echoed Authorization value.
var credentials = regexp.MustCompile(`(?i)\b(key|bearer|basic)(\s+)[^\s"']*[:.=][^\s"']*`)

// A scrubber takes out of a text what must not reach a log.
type scrubber struct{ secrets []string }

func newScrubber(keys ...Key) scrubber {
	var s scrubber
	for _, k := range keys {
		full := strings.TrimSpace(string(k))
		if full == "" {
			continue
		}
		s.secrets = append(s.secrets, full, url.QueryEscape(full))
		if _, half, ok := strings.Cut(full, ":"); ok && len(half) >= 8 {
			s.secrets = append(s.secrets, half)
		}
	}
	return s
}

// text returns s without keys, URL queries and the given private texts, on
// one line and bounded.
func (sc scrubber) text(s string, private ...string) string {
	for _, p := range private {
		if len(p) >= 3 {
			s = strings.ReplaceAll(s, p, "<input>")
		}
	}
	for _, k := range sc.secrets {
		s = strings.ReplaceAll(s, k, secret)
	}
	s = credentials.ReplaceAllString(s, "$1$2"+secret)
	s = urlQuery.ReplaceAllString(s, "")
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > maxMessage {
		s = string(runes[:maxMessage]) + "…"
	}
	return s
}

// err hides what the text of e shows and keeps what errors.Is finds in it. The
// URL that net/http puts in front of its errors is dropped as a whole.
func (sc scrubber) err(e error) error {
	if e == nil {
		return nil
	}
	if ue, ok := errors.AsType[*url.Error](e); ok {
		e = ue.Err
	}
	return &scrubbedError{text: sc.text(e.Error()), cause: e}
}

type scrubbedError struct {
	text  string
	cause error
}

func (e *scrubbedError) Error() string { return e.text }

func (e *scrubbedError) Is(target error) bool { return errors.Is(e.cause, target) }
