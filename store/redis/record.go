package redis

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"ltxbot/core/generate"
)

// A job is kept as three lines. The first is what scripts read and change:
//
//	version era admitted class life seq member_max team_max bot_max created entry token
//
// The second is its seat, the third the job as JSON, as it was saved. Version,
// Admitted and Line.Seq are those of the first line.
const (
	headVersion = iota
	_           // era
	headAdmitted
	_ // class
	_ // life
	headSeq
	_ // member_max
	_ // team_max
	_ // bot_max
	_ // created
	headEntry
	_ // token
	headLength
)

// kept is a job as it is kept.
type kept struct {
	job   generate.Job
	entry string // in the stream
}

var errDamaged = errors.New("record is damaged")

// decodeJob reads a job as a script or HGET returns it.
func decodeJob(value string) (kept, error) {
	first, rest, _ := strings.Cut(value, "\n")
	_, record, ok := strings.Cut(rest, "\n")
	if !ok {
		return kept{}, errDamaged
	}
	j, err := decodeRecord(record)
	if err != nil {
		return kept{}, err
	}
	if j, err = withHead(j, first); err != nil {
		return kept{}, err
	}
	return kept{job: j, entry: strings.Split(first, " ")[headEntry]}, nil
}

// withHead is j with what the first line of its record says.
func withHead(j generate.Job, line string) (generate.Job, error) {
	head := strings.Split(line, " ")
	if len(head) != headLength {
		return generate.Job{}, errDamaged
	}
	j.Version = parseInt(head[headVersion])
	j.Admitted = head[headAdmitted] == "1"
	j.Line.Seq = parseInt(head[headSeq])
	return j, nil
}

// keptAs is j as it is kept, given its first line and its record.
func keptAs(head string, j generate.Job, record []byte) string {
	return head + "\n" + seat(j.Team, j.Member) + "\n" + string(record)
}

// classOf is where a job is in the line.
func classOf(j generate.Job) string {
	switch {
	case j.HoldsSlot():
		return "slot"
	case j.Waiting():
		return "wait"
	default:
		return "none"
	}
}

// lifeOf is how far a job is from its end.
func lifeOf(j generate.Job) string {
	switch {
	case !j.State.Terminal():
		return "live"
	case j.Unfinished():
		return "ended"
	default:
		return "over"
	}
}

// signBit makes the bits of a number sort as the number does.
const signBit = 1 << 63

// sortable writes a time, in nanoseconds since 1970, so that texts sort as the
// times do. What is before 1678 or after 2261 is written as the earliest or
// latest that there is.
func sortable(at time.Time) string {
	nano := at.UnixNano()
	switch {
	case at.Before(earliest):
		nano = math.MinInt64
	case at.After(latest):
		nano = math.MaxInt64
	}
	const digits = 16
	text := strconv.FormatUint(uint64(nano)^signBit, 16) //nolint:gosec // the same bits
	return strings.Repeat("0", digits-len(text)) + text
}

var earliest, latest = time.Unix(0, math.MinInt64), time.Unix(0, math.MaxInt64)

func parseSortable(text string) (time.Time, error) {
	n, err := strconv.ParseUint(text, 16, 64)
	return time.Unix(0, int64(n^signBit)).UTC(), err //nolint:gosec // the same bits
}

// flagText is how scripts read a yes or no.
func flagText(on bool) string {
	if on {
		return "1"
	}
	return "0"
}
