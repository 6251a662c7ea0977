package fal

import (
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// maxLogs is how many of the newest log lines are looked at. fal sends a
// moving window of them.
const maxLogs = 40

// The shapes in which models report their progress: tqdm's
// " 53%|█████▎    | 8/15 [00:04<00:03, 2.1it/s]", "step 8/15", "8/15 [" and a
// bare "53%".
var (
	inPercent = regexp.MustCompile(`(?:^|[^\d.])(\d{1,3})(?:\.\d+)?\s?%`)
	inSteps   = regexp.MustCompile(`(?i)(?:\bsteps?\s*:?\s*(\d{1,4})\s*(?:/|of)\s*(\d{1,4})|(?:^|\s|\|)(\d{1,4})/(\d{1,4})\s*\[)`)
	// preparing are bars that show something other than the video's steps.
	preparing = regexp.MustCompile(`(?i)load|fetch|checkpoint|shard|compil|warm`)
)

// percent reads how far a model is from its logs, 0 to 100; -1 when they do
// not tell. The logs may be null, an array, or an object of entries. The
// highest among the newest lines counts, for they may come in any order.
func percent(logs json.RawMessage) int {
	best := -1
	lines := logLines(logs)
	for _, l := range lines[max(0, len(lines)-maxLogs):] {
		best = max(best, percentIn(l.Message))
	}
	return best
}

type logLine struct {
	Timestamp string `json:"timestamp"`
	Message   string `json:"message"`
}

// logLines returns what can be read of the logs, oldest first and each line
// once: fal's windows overlap.
func logLines(raw json.RawMessage) []logLine {
	var lines []logLine
	if len(raw) == 0 || json.Unmarshal(raw, &lines) == nil { // as fal sends them
		return inOrder(lines)
	}
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil {
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil {
			return nil
		}
		if _, single := object["message"]; single {
			items = []json.RawMessage{raw}
		}
		for _, v := range object {
			items = append(items, v)
		}
	}
	lines = nil
	for _, item := range items {
		var l logLine
		if json.Unmarshal(item, &l) == nil {
			lines = append(lines, l)
		}
	}
	return inOrder(lines)
}

// inOrder sorts lines, and leaves out those that say nothing or are there
// already.
func inOrder(lines []logLine) []logLine {
	slices.SortStableFunc(lines, func(a, b logLine) int { return strings.Compare(a.Timestamp, b.Timestamp) })
	out := lines[:0]
	first := 0 // of those with the same timestamp
	for _, l := range lines {
		if len(out) > 0 && out[len(out)-1].Timestamp != l.Timestamp {
			first = len(out)
		}
		if l.Message != "" && !slices.Contains(out[first:], l) {
			out = append(out, l)
		}
	}
	return out
}

// percentIn reads one message. A bar that is redrawn in place (with carriage
// returns) counts as it was drawn last.
func percentIn(message string) int {
	message = strings.TrimRight(message, "\r\n")
	if i := strings.LastIndexByte(message, '\r'); i >= 0 {
		message = message[i+1:]
	}
	// Most lines are told apart without the patterns, which cost more.
	if len(message) > 400 || !strings.ContainsAny(message, "0123456789") || !strings.ContainsAny(message, "%/fF") || preparing.MatchString(message) {
		return -1
	}
	if m := inPercent.FindStringSubmatch(message); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil && n <= 100 {
			return n
		}
		return -1
	}
	if m := inSteps.FindStringSubmatch(message); m != nil {
		done, total := m[1]+m[3], m[2]+m[4]
		d, _ := strconv.ParseFloat(done, 64)
		t, _ := strconv.ParseFloat(total, 64)
		if t > 0 && d <= t {
			return int(math.Floor(100 * d / t))
		}
	}
	return -1
}
