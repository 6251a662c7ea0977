package redis

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
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
	head := strings.Fields(first)
	if !ok || len(head) != headLength {
		return kept{}, errDamaged
	}
	k := kept{entry: head[headEntry]}
	if err := json.Unmarshal([]byte(record), &k.job); err != nil {
		return kept{}, fmt.Errorf("%w: %w", errDamaged, err)
	}
	k.job.Version = parseInt(head[headVersion])
	k.job.Admitted = head[headAdmitted] == "1"
	k.job.Line.Seq = parseInt(head[headSeq])
	return k, nil
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

// sortable writes a time so that texts sort as the times do, those before 1970
// included.
func sortable(at time.Time) string {
	const sign = 1 << 63
	return fmt.Sprintf("%016x", uint64(at.UnixNano())^sign)
}

// flagText is how scripts read a yes or no.
func flagText(on bool) string {
	if on {
		return "1"
	}
	return "0"
}

// micros is a time as scripts read it, not earlier than at; 0 for never.
func micros(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	n := at.UnixMicro()
	if at.Nanosecond()%int(time.Microsecond) > 0 {
		n++
	}
	return n
}

func decodeHold(value string) (quota.Hold, error) {
	var h quota.Hold
	if err := json.Unmarshal([]byte(value), &h); err != nil {
		return quota.Hold{}, fmt.Errorf("%w: %w", errDamaged, err)
	}
	return h, nil
}
