package store

import (
	"context"
	"slices"
)

// Teams names the teams of which something is kept: a job, a hold, what admins
// decided. They are in the order of their names.
func (s *Store) Teams(ctx context.Context) ([]string, error) {
	var teams []string
	err := s.view(ctx, func(t *txn) error {
		teams = nil
		for _, prefix := range []string{jobsByTeam, holdsByTeam, libraryKey, defaultsKey, teamKey, memberKey, auditKey} {
			for from, more := "", true; more; {
				more = false
				for k := range t.Scan(prefix, from) {
					team := split(prefix, k)[0]
					teams = append(teams, team)
					// After all that is kept of this team here.
					if from = join(prefix, team); k == from {
						from += "\x01"
					} else {
						from += "0" // follows the slash
					}
					more = true
					break
				}
			}
		}
		return nil
	})
	slices.Sort(teams)
	return slices.Compact(teams), outcome("list teams", err)
}
