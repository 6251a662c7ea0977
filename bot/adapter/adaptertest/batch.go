package adaptertest

import (
	"fmt"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

// Batch makes a job the lead of a batch of so many takes whose videos are made,
// and returns it as a whole.
func (e *Engine) Batch(id string, size int) generate.Job {
	e.Lock()
	defer e.Unlock()
	lead := e.Known[id]
	lead.Batch = generate.Batch{ID: id, Index: 1, Size: size, Trial: lead.Request.Trial()}
	lead.Batch.Posting = lead.TakeIDs()
	takes := make([]generate.Job, 0, size)
	for i, id := range lead.TakeIDs() {
		t := lead
		t.ID, t.State = id, generate.Fetched
		t.Batch.Index = i + 1
		t.Request = lead.Request.Take(i)
		t.Output = ltx.Output{URL: fmt.Sprintf("https://v3.fal.media/files/b/%s.mp4", id)}
		e.Known[id] = t
		takes = append(takes, t)
	}
	return takes[0].Whole(takes)
}
