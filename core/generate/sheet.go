package generate

import (
	"encoding/json"
	"time"
)

// sheet is what stands beside a video in the archive: how it was made, for whom,
// and what it cost. It holds nothing that is secret. Fields may be added; a name
// is never used for something else.
type sheet struct {
	Job    string `json:"job"`
	Team   string `json:"team"`
	Member string `json:"member"`

	Platform string `json:"platform"`
	Tenant   string `json:"tenant,omitempty"` // guild or workspace
	Channel  string `json:"channel,omitempty"`
	Thread   string `json:"thread,omitempty"`
	Message  string `json:"message,omitempty"` // the link to it
	Private  bool   `json:"private,omitempty"`
	Parent   string `json:"parent,omitempty"`
	Batch    string `json:"batch,omitempty"`
	Take     int    `json:"take,omitempty"`

	// What was typed and what was sent; absent once the prompt is forgotten.
	Command    string         `json:"command,omitempty"`
	Parameters map[string]any `json:"parameters,omitempty"`
	Style      string         `json:"style,omitempty"` // as the team called it then
	Expanded   string         `json:"expanded_prompt,omitempty"`
	Model      string         `json:"model,omitempty"`
	Endpoint   string         `json:"endpoint"`
	RequestID  string         `json:"request_id,omitempty"`
	Seed       *int64         `json:"seed,omitempty"`

	Width  int     `json:"width,omitempty"`
	Height int     `json:"height,omitempty"`
	Frames int     `json:"frames,omitempty"`
	FPS    float64 `json:"fps,omitempty"`

	EstimatedUSD float64 `json:"estimated_usd"`
	ChargedUSD   float64 `json:"charged_usd"`

	Created   time.Time `json:"created"`
	Submitted time.Time `json:"submitted,omitzero"`
	Fetched   time.Time `json:"fetched,omitzero"`
	Delivered time.Time `json:"delivered,omitzero"`
	ModelRan  float64   `json:"model_seconds,omitempty"`

	File   string `json:"file"` // in the archive
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256,omitempty"`
	Posted Fit    `json:"posted_as,omitempty"`
}

// sheet is what stands beside the copy of j.
func (j Job) sheet() ([]byte, error) {
	s := sheet{
		Job: j.ID, Team: j.Team, Member: j.Member,
		Platform: j.Place.Platform, Tenant: j.Place.Tenant, Channel: j.Place.Channel, Thread: j.Place.Thread,
		Message: j.Receipt.Link, Private: j.Place.Private, Parent: j.Parent, Batch: j.Batch.ID, Take: j.Batch.Index,
		Expanded: j.Output.Prompt, Endpoint: j.Endpoint, RequestID: j.Submission.RequestID, Seed: j.Output.Seed,
		Width: j.Output.Width, Height: j.Output.Height, Frames: j.Output.Frames, FPS: j.Output.FPS,
		EstimatedUSD: j.Estimate.Dollars(), ChargedUSD: j.Charged.Dollars(),
		Created: j.Created, Submitted: j.Submitted, Fetched: j.Fetched, Delivered: j.Receipt.At, ModelRan: j.Seconds,
		File: j.Copy.Video(), Bytes: j.Copy.Size, SHA256: j.Copy.SHA256, Posted: j.Receipt.Fit,
	}
	if !j.Request.IsZero() {
		s.Command, s.Parameters, s.Model, s.Style = j.Request.CommandLine(), j.Request.ShownBody(), j.Request.Model(), j.Request.Style()
		if seed := j.Request.Seed(); s.Seed == nil && j.Request.HasSeed() {
			s.Seed = &seed
		}
	}
	return json.MarshalIndent(s, "", "  ")
}
