package adaptertest

import (
	"context"
	"sync"

	"ltxbot/core/team"
)

// An Office notes what it is told to do. Only admins may do what is theirs.
type Office struct {
	mu     sync.Mutex
	Actors []team.Actor
	Orders []team.Order
}

// Do implements bot.Office.
func (f *Office) Do(_ context.Context, a team.Actor, o team.Order) (team.Report, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Actors, f.Orders = append(f.Actors, a), append(f.Orders, o)
	if v, _ := team.FindVerb(o.Verb); v.Who == team.Admins && !a.Admin {
		return team.Report{}, team.ErrNotAdmin
	}
	return team.Report{Verb: o.Verb, Member: o.Args["who"]}, nil
}
