package admin

import (
	"time"

	"ltxbot/core/generate"
)

// Job is a job as an operator sees it. What the couriers remember of their
// messages is left out: it may hold tokens of the platforms.
type Job struct {
	ID       string `json:"id"`
	State    string `json:"state"`
	Platform string `json:"platform"`
	Team     string `json:"team"`
	Member   string `json:"member"`
	Channel  string `json:"channel"`
	Parent   string `json:"parent,omitempty"`
	// Batch says which video it is of a command for several; nil for one.
	Batch *Batch `json:"batch,omitempty"`

	Failure   string `json:"failure,omitempty"` // one of generate.FailureKinds
	Field     string `json:"field,omitempty"`   // the parameter that fal refused
	Limit     string `json:"limit,omitempty"`   // the limit that it named
	RequestID string `json:"request_id,omitempty"`
	Endpoint  string `json:"endpoint"`

	Estimate float64 `json:"estimated_usd"` // what was held
	Charged  float64 `json:"charged_usd"`   // what it cost in the end
	// Billed is what fal says that it bills, when that is out of proportion
	// to the estimate: what is above the charge is charged to nobody.
	Billed float64 `json:"billed_usd,omitempty"`
	// Unsure says that the job ended without fal's word on its request: fal
	// may have billed it.
	Unsure bool `json:"unsure,omitempty"`

	Admitted    bool   `json:"admitted"` // its turn has come
	CancelledBy string `json:"cancelled_by,omitempty"`
	Message     string `json:"message,omitempty"` // of the video, as the platform names it
	Link        string `json:"link,omitempty"`
	Fit         string `json:"fit,omitempty"`
	Mark        string `json:"mark,omitempty"`   // in the file: written, found or missing
	SHA256      string `json:"sha256,omitempty"` // of the file

	Created   time.Time `json:"created"`
	Submitted time.Time `json:"submitted,omitzero"`
	Started   time.Time `json:"started,omitzero"`
	Fetched   time.Time `json:"fetched,omitzero"`
	Finished  time.Time `json:"finished,omitzero"`
	Deadline  time.Time `json:"deadline,omitzero"`

	// Command is the request as somebody would type it, with its prompt. It
	// is only shown for a single job.
	Command string `json:"command,omitempty"`
	// Video is where fal keeps the output, while it does; also for a single
	// job only.
	Video string `json:"video,omitempty"`
}

// A Batch says which take a job is: "take 2 of 3, with job k3f92mq7abcd".
type Batch struct {
	Lead string `json:"lead"` // the job that has the card and posts the message
	Take int    `json:"take"` // from 1
	Size int    `json:"size"`
}

// Summary is j for a list: without its prompt and its video.
func Summary(j generate.Job) Job {
	out := Job{
		ID: j.ID, State: string(j.State), Platform: j.Place.Platform,
		Team: j.Team, Member: j.Member, Channel: j.Place.Channel, Parent: j.Parent,
		Failure: string(j.Failure.Kind), Field: j.Failure.Field, Limit: j.Failure.Limit,
		RequestID: j.Submission.RequestID, Endpoint: j.Endpoint,
		Estimate: j.Estimate.Dollars(), Charged: j.Charged.Dollars(), Billed: j.Billed.Dollars(), Unsure: j.Unsure, Admitted: j.Admitted,
		Message: j.Receipt.Message, Link: j.Receipt.Link, Fit: string(j.Receipt.Fit),
		Mark: string(j.Receipt.Mark), SHA256: j.Receipt.SHA256,
		Created: j.Created, Submitted: j.Submitted, Started: j.Started,
		Fetched: j.Fetched, Finished: j.Finished, Deadline: j.Deadline,
	}
	if j.Batch.Size > 1 {
		out.Batch = &Batch{Lead: j.Batch.ID, Take: j.Batch.Index, Size: j.Batch.Size}
	}
	if j.Cancel != nil {
		out.CancelledBy = j.Cancel.By
	}
	return out
}

// Details is all that is shown of j.
func Details(j generate.Job) Job {
	out := Summary(j)
	out.Video = j.Output.URL
	if !j.Request.IsZero() {
		out.Command = j.Request.CommandLine()
	}
	return out
}
