// Package archive copies what one store holds into another of any kind: jobs
// with their holds, what admins decided and who decided it, marks and settings.
//
// A store lists what it holds as items. The other one takes them in by the very
// calls that a running bot makes, so that its own rules and sums apply; at the
// end both are added up and compared.
package archive

import (
	"context"
	"errors"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

// An Item is one thing that a store holds; one of its fields is set, or Job
// with its Hold.
type Item struct {
	Job     *generate.Job
	Hold    *quota.Hold
	Member  *Member
	Team    *Team
	Record  *quota.Record
	Mark    *Mark
	Setting *Setting
}

// Member is what admins decided about a member of a team.
type Member struct {
	Team, Member string
	Standing     quota.MemberStanding
}

// Team is what admins decided about a team.
type Team struct {
	Team     string
	Standing quota.TeamStanding
}

// Mark is a value that expires.
type Mark struct {
	Key, Value string
	Expires    time.Time
}

// Setting is a small value that a part of the bot keeps.
type Setting struct {
	Name  string
	Value []byte
}

// A Store can be copied and copied into.
type Store interface {
	generate.Store
	quota.Store

	// Export calls emit with each item that the store holds, in any order but
	// a job with its hold, until emit returns an error, which is returned. An
	// item that can't be read is an error: a copy must not lack it unseen.
	Export(ctx context.Context, emit func(Item) error) error
	Audit(ctx context.Context) (quota.Audit, error)
	PutMemberStanding(ctx context.Context, team, member string, s quota.MemberStanding) error
	PutTeamStanding(ctx context.Context, team string, s quota.TeamStanding) error
	PutSetting(ctx context.Context, name string, value []byte) error
}

// ErrInUse says that a store is not empty: nothing is copied into it.
var ErrInUse = errors.New("the store holds something already")

// errFound ends an Export that was only to find anything.
var errFound = errors.New("found")

// Empty returns nil for a store that holds nothing, and ErrInUse for another.
func Empty(ctx context.Context, s Store) error {
	err := s.Export(ctx, func(Item) error { return errFound })
	if errors.Is(err, errFound) {
		return ErrInUse
	}
	return err
}
