package app

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"ltxbot/app/admin"
	"ltxbot/config"
	"ltxbot/core/generate"
	"ltxbot/core/team"
	"ltxbot/store"
)

// records answer what is asked about teams and their members.
type records struct {
	now    *current
	store  *storage
	engine *generate.Engine
	log    *slog.Logger
}

// newOffice makes the place where quotas are looked at and changed.
func newOffice(r records) *team.Office {
	return team.NewOffice(team.OfficeConfig{
		Store:       r.store,
		Policy:      r.now.policy,
		ParseMember: admin.ParseMember,
		Now:         r.time,
		Tiers:       r.lastTiers,
		Models:      r.now.models,
		Linkable:    func(team string) bool { return r.now.teams().shared[team] },
		Teams:       r.allTeams,
		Known:       r.knows,
		Reload:      func(context.Context) ([]string, error) { return r.now.Reread() },
	})
}

// time is that of the store, by which the windows of limits are counted. While
// it does not answer, it is this process' own.
func (r records) time() time.Time {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	now, err := r.store.Now(ctx)
	if err != nil {
		return time.Now()
	}
	return now
}

// namedTeams are the teams that the config names, in its order.
func namedTeams(c config.Config) []string {
	t := teamsOf(c)
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, team := range c.Teams {
		add(team.Name)
	}
	for _, p := range c.Platforms() {
		for _, tenant := range p.Teams {
			add(t.of(p.Name, tenant))
		}
	}
	return names
}

// allTeams are the teams that there are, as far as is known now.
func (r records) allTeams(ctx context.Context) ([]string, error) {
	return Teams(ctx, r.now.config(), r.store.Store)
}

// Teams names the teams of a config, and those of which the store keeps
// something: they have asked for a video, or an admin has decided something
// about them.
func Teams(ctx context.Context, cfg config.Config, s *store.Store) ([]string, error) {
	names := namedTeams(cfg)
	kept, err := s.Teams(ctx)
	for _, name := range kept {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, err
}

// knows reports whether the config names a team, or it has asked for a video.
func (r records) knows(ctx context.Context, team string) (bool, error) {
	if slices.Contains(namedTeams(r.now.config()), team) {
		return true, nil
	}
	jobs, err := r.store.Jobs(ctx, generate.Query{Team: team, Limit: 1})
	return len(jobs) > 0, err
}

// lastTiers are the tiers that a member was in when it last asked for a job.
// Roles and groups are told by the platforms only about who does something.
func (r records) lastTiers(ctx context.Context, team, member string) []string {
	tiers := tiersOf(r.now.config(), member, "", nil)
	jobs, err := r.engine.Jobs(ctx, generate.Query{Team: team, Member: member, Limit: 1})
	if err != nil {
		r.log.WarnContext(ctx, "cannot read in which tiers a member was", "team", team, "member", member, "error", err)
	}
	for _, j := range jobs {
		for _, t := range j.Tiers {
			if !slices.Contains(tiers, t) {
				tiers = append(tiers, t)
			}
		}
	}
	return tiers
}
