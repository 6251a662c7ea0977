package bot

import (
	"errors"
	"slices"

	"ltxbot/core/generate"
)

// is reports whether the caller is a member, under any name.
func (c Caller) is(member string) bool { return c.Member == member || slices.Contains(c.Also, member) }

// owns reports whether a job is charged to the caller, or the caller asked for
// it. These can differ: accounts may have been linked then, and not now.
func (c Caller) owns(j generate.Job) bool { return c.is(j.Member) || c.is(j.AskedBy()) }

// Caller is who typed or pressed something, with the roles that the platform
// reports at that moment.
type Caller struct {
	Platform string   // "discord", "slack"
	Member   string   // "discord:80351110224678912", "slack:T0123ABCD:U0123ABCD"
	Team     string   // the budget: "discord:<guild id>", "slack:<workspace id>", or a name from the config
	Tiers    []string // names of the quota tiers the member is in
	// Unidentified is set where the platform was not asked yet for tiers and rights.
	Unidentified bool
	Admin        bool // may manage the team: checked with the platform, never told by the client
	// Outsider is set for somebody of another organisation, who reaches the
	// bot in a channel that both share. They see what stands in that channel:
	// not the team's budget, and no job from elsewhere but their own.
	Outsider bool
	Channel  string // where an outsider is
	Locale   string // "en-US", "de"
	Event    string // names what the caller did: an order is carried out once for it
	// Also are further names of the same person: accounts that are linked
	// with Member. The service fills them in.
	Also []string
}

// ErrStranger says that somebody is not in a guild or workspace, or is there
// only as a visitor from another organisation.
var ErrStranger = errors.New("not a member there")
