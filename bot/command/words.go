package command

import "strings"

// SplitWords splits a line at spaces. Quotes hold a value together.
func SplitWords(line string) []string {
	var words []string
	var word strings.Builder
	var closing string
	open := false
	for _, r := range line {
		switch {
		case closing != "" && strings.ContainsRune(closing, r):
			closing = ""
		case closing != "":
			word.WriteRune(r)
		case strings.ContainsRune(doubleQuotes, r):
			closing, open = doubleQuotes, true
		case IsSpace(r):
			if word.Len() > 0 || open {
				words = append(words, word.String())
			}
			word.Reset()
			open = false
		default:
			word.WriteRune(r)
		}
	}
	if word.Len() > 0 || open {
		words = append(words, word.String())
	}
	return words
}
