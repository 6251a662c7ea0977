package app

import (
	"context"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/core/team"
)

// Jobs lists jobs, newest first.
func (a *App) Jobs(ctx context.Context, q generate.Query) ([]generate.Job, error) {
	return a.engine.Jobs(ctx, q)
}

// Hold is the quota that a job holds or held, or quota.ErrNoHold.
func (a *App) Hold(ctx context.Context, job string) (quota.Hold, error) {
	return a.store.Hold(ctx, job)
}

// Usage is what a member of a team has used, as the operator sees it.
func (a *App) Usage(ctx context.Context, tenant, member string) (team.Report, error) {
	office := newOffice(records{now: a.current, store: a.store, engine: a.engine, log: a.log})
	order := team.Order{Verb: "show", Team: tenant, Args: map[string]string{"who": member}}
	return office.Do(ctx, team.Actor{Operator: true, Team: tenant}, order)
}

// AdminState is what admins decided about a member and its team.
func (a *App) AdminState(ctx context.Context, tenant, member string) (quota.AdminState, error) {
	return a.store.AdminState(ctx, tenant, member)
}
