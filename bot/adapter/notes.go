package adapter

import (
	"context"
	"maps"
	"strconv"
	"time"

	"ltxbot/core/generate"
)

// Notes are the notes of a job during one call of the courier. They are for
// one goroutine.
type Notes struct {
	values  map[string]string
	unsaved map[string]string
	keep    generate.Keep
}

// NotesOf reads the notes of a job. keep stores what changes.
func NotesOf(j generate.Job, keep generate.Keep) *Notes {
	n := &Notes{values: map[string]string{}, keep: keep}
	maps.Copy(n.values, j.Notes)
	return n
}

// Get returns a note, or "" if there is none.
func (n *Notes) Get(key string) string { return n.values[key] }

// Number returns a note that is a number, or 0 if there is none.
func (n *Notes) Number(key string) int64 {
	number, err := strconv.ParseInt(n.values[key], 10, 64)
	if err != nil {
		return 0
	}
	return number
}

// Save stores notes, given as pairs of a key and a value. An empty value
// removes one. Nothing is stored when nothing changes.
func (n *Notes) Save(ctx context.Context, pairs ...string) error {
	change := n.changed(pairs)
	if len(change) == 0 {
		return nil
	}
	if err := n.keep(ctx, change); err != nil {
		return err
	}
	n.set(change)
	return nil
}

// Set is Save without storing: Unsaved has what is to be stored.
func (n *Notes) Set(pairs ...string) {
	change := n.changed(pairs)
	n.set(change)
	if n.unsaved == nil {
		n.unsaved = map[string]string{}
	}
	maps.Copy(n.unsaved, change)
}

// Unsaved are the notes that were set and are not stored yet.
func (n *Notes) Unsaved() map[string]string { return n.unsaved }

// changed are the pairs that say something new.
func (n *Notes) changed(pairs []string) map[string]string {
	change := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if n.values[pairs[i]] != pairs[i+1] {
			change[pairs[i]] = pairs[i+1]
		}
	}
	return change
}

func (n *Notes) set(change map[string]string) {
	for k, v := range change {
		if v == "" {
			delete(n.values, k)
			continue
		}
		n.values[k] = v
	}
}

// Unix is a time as a note.
func Unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
