package generate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"ltxbot/core/usd"
)

// Personal is what is kept of a member's job, for the member: everything but
// what the bot needs to talk to the platform and the provider.
type Personal struct {
	ID       string   `json:"id"`
	State    State    `json:"state"`
	Team     string   `json:"team"`
	Member   string   `json:"member"`
	Tiers    []string `json:"tiers,omitempty"`
	Platform string   `json:"platform"`
	Tenant   string   `json:"tenant,omitempty"` // guild or workspace
	Channel  string   `json:"channel,omitempty"`
	Thread   string   `json:"thread,omitempty"`
	User     string   `json:"user,omitempty"`
	Locale   string   `json:"locale,omitempty"`
	Parent   string   `json:"parent,omitempty"`
	Batch    string   `json:"batch,omitempty"` // of a command for several videos: the job with its card
	Take     int      `json:"take,omitempty"`  // which of them, from 1

	// Command is what was asked for, as it is typed, but for what may be secret
	// in a link, Style the team's style in it, and Expanded the prompt
	// as the model elaborated on it. All are empty once they are forgotten.
	Command  string `json:"command,omitempty"`
	Style    string `json:"style,omitempty"`
	Expanded string `json:"expanded_prompt,omitempty"`
	Video    string `json:"video,omitempty"`   // at the provider, while it keeps it
	Archive  string `json:"archive,omitempty"` // name of the video in the operator's archive
	Message  string `json:"message,omitempty"` // id of the message with the video
	Link     string `json:"link,omitempty"`    // of that message
	SHA256   string `json:"sha256,omitempty"`  // of the file in it

	Failure     FailureKind `json:"failure,omitempty"`
	CancelledBy string      `json:"cancelled_by,omitempty"`
	Estimate    usd.Micros  `json:"estimated_usd_micros"`
	Charged     usd.Micros  `json:"charged_usd_micros"`

	Created  time.Time `json:"created"`
	Finished time.Time `json:"finished,omitzero"`
}

// Personal is what its member may have of j.
func (j Job) Personal() Personal {
	p := Personal{
		ID: j.ID, State: j.State, Team: j.Team, Member: j.Member, Tiers: j.Tiers,
		Platform: j.Place.Platform, Tenant: j.Place.Tenant, Channel: j.Place.Channel, Thread: j.Place.Thread,
		User: j.Place.User, Locale: j.Place.Locale, Parent: j.Parent,
		Batch: j.Batch.ID, Take: j.Batch.Index,
		Expanded: j.Output.Prompt, Video: j.Output.URL, Archive: j.Copy.Video(), Message: j.Receipt.Message, Link: j.Receipt.Link, SHA256: j.Receipt.SHA256,
		Failure: j.Failure.Kind, Estimate: j.Estimate, Charged: j.Charged, Created: j.Created, Finished: j.Finished,
	}
	if !j.Request.IsZero() {
		p.Command, p.Style = j.Request.CommandLine(), j.Request.Style()
	}
	if j.Cancel != nil {
		p.CancelledBy = j.Cancel.By
	}
	return p
}

// Export returns all that is kept of the jobs of members, and of those that
// they asked for while their accounts were linked with others, newest first, in
// a team or with an empty team in all.
func Export(ctx context.Context, records interface {
	Jobs(ctx context.Context, q Query) ([]Job, error)
}, team string, members ...string,
) ([]Personal, error) {
	all := []Personal{}
	err := eachOf(ctx, records, team, members, func(j Job) (bool, error) {
		all = append(all, j.Personal())
		return true, nil
	})
	if err != nil {
		return nil, fmt.Errorf("export data of a member: %w", err)
	}
	slices.SortStableFunc(all, func(a, b Personal) int { return b.Created.Compare(a.Created) })
	return all, nil
}
