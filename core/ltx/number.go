package ltx

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// decimal is what counts as a number. A decimal comma is understood where it
// cannot be a thousands separator.
var decimal = regexp.MustCompile(`^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+|[0-9]+,[0-9]{1,2}|0,[0-9]+)$`)

// maxDigits is the length of the longest text that is read as a number.
const maxDigits = 40

// parseNumber reads a plain decimal number, with its unit or without. NaN,
// infinities, exponents and hexadecimal numbers are none.
func parseNumber(text, unit string) (float64, bool) {
	s := strings.ToLower(strings.TrimSpace(narrow(text)))
	if unit != "" {
		s = strings.TrimSpace(strings.TrimSuffix(s, unit))
	}
	if len(s) > maxDigits || !decimal.MatchString(s) {
		return 0, false
	}
	v, err := strconv.ParseFloat(strings.Replace(s, ",", ".", 1), 64)
	return v, err == nil
}

// round keeps six decimals: more than any parameter of the model can use, and
// few enough to read.
func round(v float64) float64 {
	return math.Round(v*1e6)/1e6 + 0 // + 0 makes a negative zero positive
}

// num writes a number the shortest way.
func num(v float64) string {
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// parseBool reads yes or no.
func parseBool(text string) (value, ok bool) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "yes", "y", "true", "t", "on", "1":
		return true, true
	case "no", "n", "false", "f", "off", "0", "none":
		return false, true
	}
	return false, false
}

// yesNo writes what parseBool reads.
func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
