package demo

import (
	"context"
	"time"

	page "ltxbot/web/demo"
)

// NewTranscript is a transcript to write to.
func NewTranscript() *recorder { return newRecorder(nil) }

// Add writes an event.
func (r *recorder) Add(e Event) { r.add(e) }

// Settle waits for the end, and counts the events.
func (r *recorder) Settle(ctx context.Context) int { r.settle(ctx); return len(r.events()) }

// Silence is how long nothing happens at the end, in the quickest case.
const Silence time.Duration = quietLooks * quietPause

// World is the demo as its page shows it, until the test ends.
func (d *Demo) World(t interface{ Cleanup(func()) }) page.World {
	w := newWorld(d)
	t.Cleanup(w.close)
	return w
}

// Submitted is how often fal was asked for a video.
func (d *Demo) Submitted() int { return len(d.fal.Submits()) }

// SamplePicture is the picture of an example.
var SamplePicture = samplePicture
