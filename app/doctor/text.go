package doctor

import (
	"fmt"
	"strconv"
	"strings"
)

func ok(area, format string, args ...any) Finding {
	return Finding{Level: OK, Area: area, Text: fmt.Sprintf(format, args...)}
}

func warning(area, advice, format string, args ...any) Finding {
	return Finding{Level: Warning, Area: area, Text: fmt.Sprintf(format, args...), Advice: advice}
}

func problem(area, advice, format string, args ...any) Finding {
	return Finding{Level: Problem, Area: area, Text: fmt.Sprintf(format, args...), Advice: advice}
}

// line writes one line of the report in columns.
func line(b *strings.Builder, level, area, text string) {
	fmt.Fprintf(b, "%-8s %-28s %s\n", level, area, text)
}

// number writes "1 problem", "2 problems".
func number(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}

// size writes bytes as people do: "1.3 GB".
func size(bytes uint64) string {
	for _, u := range []struct {
		name string
		is   uint64
	}{{"GB", 1_000_000_000}, {"MB", 1_000_000}, {"kB", 1_000}} {
		if bytes >= u.is {
			return fmt.Sprintf("%.1f %s", float64(bytes)/float64(u.is), u.name)
		}
	}
	return strconv.FormatUint(bytes, 10) + " bytes"
}
