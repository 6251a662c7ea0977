package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"ltxbot/core/team"
)

// A Role is what somebody may do in a team.
type Role int

// The roles. Each may do what those before it may.
const (
	Nobody   Role = iota // is not signed in
	Member               // sees their own jobs, videos and limits
	Admin                // manages the team
	Operator             // runs the bot
)

// String names the role as people read it.
func (r Role) String() string {
	return [...]string{"not signed in", "member", "admin", "operator"}[r]
}

// A Person is somebody in a guild or workspace, as the platform says now.
type Person struct {
	Member string // "discord:80351110224678912"
	Tiers  []string
	Admin  bool // manages the team
	Locale string
}

// ErrStranger says that somebody is not in a guild or workspace.
var ErrStranger = errors.New("not a member")

// People tells who somebody is on a platform at this moment.
type People interface {
	// Person returns ErrStranger for somebody who is not in the tenant, or is
	// there only as a visitor from another organisation.
	Person(ctx context.Context, tenant, user string) (Person, error)
}

// personLife is how long the platform's answer is believed. Who is no admin
// any more can do harm for so long.
const personLife = 10 * time.Second

// maxKnown is how many answers are remembered.
const maxKnown = 1000

// people remembers what the platforms said a moment ago.
type people struct {
	ask map[string]People
	now func() time.Time

	mu    sync.Mutex
	known map[[3]string]answer // by platform, tenant and user
}

type answer struct {
	person Person
	err    error
	until  time.Time
}

func newPeople(ask map[string]People, now func() time.Time) *people {
	return &people{ask: ask, now: now, known: map[[3]string]answer{}}
}

func (p *people) person(ctx context.Context, platform, tenant, user string) (Person, error) {
	from := p.ask[platform]
	if from == nil {
		return Person{}, ErrStranger
	}
	key := [3]string{platform, tenant, user}
	p.mu.Lock()
	a, ok := p.known[key]
	p.mu.Unlock()
	if ok && p.now().Before(a.until) {
		return a.person, a.err
	}
	person, err := from.Person(ctx, tenant, user)
	if err != nil && !errors.Is(err, ErrStranger) {
		return Person{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.known) >= maxKnown {
		clear(p.known)
	}
	p.known[key] = answer{person, err, p.now().Add(personLife)}
	return person, err
}

// access is what a visitor may do now, and where.
type access struct {
	role   Role
	team   string   // that the page is about; empty = all, for the operator
	teams  []string // that the visitor may choose from
	person Person   // in team; zero for the operator
	// account is the member whose jobs and limits are the visitor's.
	account string
}

// actor is who gives an order.
func (a access) actor(event string) team.Actor {
	return team.Actor{
		Member: a.person.Member, Team: a.team, Tiers: a.person.Tiers, Admin: a.role == Admin, Operator: a.role == Operator,
		From: From, Event: event,
	}
}

// From is where changes by the console come from, in the audit log.
const From = "console"

// access finds out what a visitor may do in the team that the request names.
func (s *Server) access(r *http.Request, v *visitor) (access, error) {
	switch wanted := r.FormValue("team"); {
	case v == nil:
		return access{}, nil
	case v.operator():
		return s.operatorIn(r.Context(), wanted)
	default:
		return s.personIn(r.Context(), v, wanted)
	}
}

func (s *Server) operatorIn(ctx context.Context, wanted string) (access, error) {
	teams, err := s.cfg.Teams(ctx)
	if err != nil {
		return access{}, err
	}
	slices.Sort(teams)
	a := access{role: Operator, teams: teams, team: wanted}
	switch {
	case wanted == "" && len(teams) == 1:
		a.team = teams[0]
	case wanted != "" && !slices.Contains(teams, wanted):
		return a, errNoTeam
	}
	return a, nil
}

func (s *Server) personIn(ctx context.Context, v *visitor, wanted string) (access, error) {
	var a access
	for _, tenant := range v.Tenants {
		if name := s.cfg.Team(ctx, v.Platform, tenant); !slices.Contains(a.teams, name) {
			a.teams = append(a.teams, name)
		}
	}
	slices.Sort(a.teams)
	switch {
	case len(a.teams) == 0:
		return a, errNoTeamOfYours
	case wanted == "":
		a.team = a.teams[0]
	case !slices.Contains(a.teams, wanted):
		return a, errNoTeam
	default:
		a.team = wanted
	}
	var failed error
	for _, tenant := range v.Tenants {
		if s.cfg.Team(ctx, v.Platform, tenant) != a.team {
			continue
		}
		p, err := s.people.person(ctx, v.Platform, tenant, v.User)
		switch {
		case errors.Is(err, ErrStranger):
		case err != nil:
			failed = err
		case p.Admin || a.role == Nobody:
			a.person, a.role = p, Member
			if p.Admin {
				a.role = Admin
			}
		}
	}
	switch {
	case a.role != Nobody:
	case failed != nil:
		s.log.WarnContext(ctx, "cannot ask a platform who somebody is", "owner", v.Owner, "error", failed)
		return a, errPlatformSilent
	default:
		return a, errNotThere
	}
	account, _, err := s.cfg.Account(ctx, a.team, a.person.Member)
	a.account = account
	return a, err
}
