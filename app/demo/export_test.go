package demo

import (
	"context"
	"time"
)

// NewTranscript is a transcript to write to.
func NewTranscript() *recorder { return newRecorder(nil) }

// Add writes an event.
func (r *recorder) Add(e Event) { r.add(e) }

// Settle waits for the end, and counts the events.
func (r *recorder) Settle(ctx context.Context) int { r.settle(ctx); return len(r.events()) }

// Silence is how long nothing happens at the end, in the quickest case.
const Silence time.Duration = quietLooks * quietPause
