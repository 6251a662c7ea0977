package command

import (
	"regexp"
	"strconv"
	"strings"
)

// Unformat removes the marks that people and clients put round what they type
// (`code`, *bold*, _italic_, ~struck~, ||hidden||, > quoted): round a whole
// line, round verbs and their words, round settings and round the value of one.
// In a prompt they stay as they were typed, and so does all that stands in
// double quotes.
// https://docs.slack.dev/messaging/formatting-message-text#basic-formatting
// https://support.discord.com/hc/en-us/articles/210298617
func Unformat(line string) string {
	line = trimSpace(line)
	if !strings.ContainsAny(line, "`*_~|>") || strings.Contains(line, hidden) || CheckLength(line) != nil {
		return line
	}
	line, quotes := hideQuotes(line)
	line = trimSpace(strings.ReplaceAll(codeFence.ReplaceAllString(line, "```"), "```", "`"))
	line = trimSpace(strings.TrimLeft(line, "> "))
	for wrapped.MatchString(line) {
		line = trimSpace(line[1 : len(line)-1])
	}
	for _, value := range markedValues {
		line = value.ReplaceAllString(line, `$1"$2"`)
	}
	if bare := unmark(line, func(string) bool { return true }); bare != line {
		if l, err := parseLine(bare); err != nil || l.Verb != "" {
			line = bare
		} else {
			line = unmark(line, isSetting)
		}
	}
	return showQuotes(line, quotes)
}

// codeFence begins a block of code in a language.
var codeFence = regexp.MustCompile("```(?:json|text|txt)[ \t]*\n")

// hidden stands in place of a passage in quotes, before and after its number.
const hidden = "\ue000"

var (
	quotedPassage = regexp.MustCompile(`"(?:\\.|[^"\\])*"`)
	hiddenPassage = regexp.MustCompile(hidden + "([0-9]+)" + hidden)
)

// hideQuotes puts numbers in place of what stands in double quotes.
func hideQuotes(line string) (text string, quotes []string) {
	text = quotedPassage.ReplaceAllStringFunc(line, func(passage string) string {
		quotes = append(quotes, passage)
		return hidden + strconv.Itoa(len(quotes)-1) + hidden
	})
	return text, quotes
}

// showQuotes undoes hideQuotes.
func showQuotes(text string, quotes []string) string {
	return hiddenPassage.ReplaceAllStringFunc(text, func(number string) string {
		n, err := strconv.Atoi(strings.Trim(number, hidden))
		if err != nil || n >= len(quotes) {
			return number
		}
		return quotes[n]
	})
}

// wrapped is a line with marks round it.
var wrapped = regexp.MustCompile("^(?:`[^`]+`|\\*[^*]+\\*|_[^_]+_|~[^~]+~)$")

// markedValues are settings with marks round the value: camera:`dolly_in`.
var markedValues = func() []*regexp.Regexp {
	marks := []string{"`", `\*`, "~"}
	out := make([]*regexp.Regexp, 0, len(marks))
	for _, mark := range marks {
		out = append(out, regexp.MustCompile(`([A-Za-z][A-Za-z0-9_-]*[:=：])`+mark+"+([^"+mark+hidden+`"\s][^`+mark+hidden+"\"\n]*)"+mark+"+"))
	}
	return out
}()

// spans are pieces of a line with marks round them, with the characters beside
// them. An underscore within a word is no mark.
var spans = func() []*regexp.Regexp {
	marks := []string{"`", `\*`, "~", "_", `\|`}
	out := make([]*regexp.Regexp, 0, len(marks))
	for _, mark := range marks {
		inner := "[^" + mark + "\\s](?:[^" + mark + "\n]*[^" + mark + "\\s])?"
		if mark == "_" {
			inner = `[^_\s](?:[^\n]*?[^_\s])?`
		}
		out = append(out, regexp.MustCompile("(^|[\\s(*_~|`\"“])"+mark+"("+inner+")"+mark+"($|[\\s.,;:!?)*_~|`\"”])"))
	}
	return out
}()

// mostMarks bounds how many marks one line may nest.
const mostMarks = 20

// unmark removes the marks round the pieces of a line that are to be without.
func unmark(line string, is func(inner string) bool) string {
	for range mostMarks {
		before := line
		for _, span := range spans {
			line = span.ReplaceAllStringFunc(line, func(found string) string {
				m := span.FindStringSubmatch(found)
				if !is(m[2]) {
					return found
				}
				return m[1] + m[2] + m[3]
			})
		}
		if line == before {
			break
		}
	}
	return line
}

// isSetting reports whether a piece of a line is settings and nothing else.
func isSetting(piece string) bool {
	line, err := parseLine(piece)
	if err != nil || line.Verb != "" || len(line.Settings) == 0 {
		return err != nil
	}
	return line.Settings[0].Key != PromptKey
}
