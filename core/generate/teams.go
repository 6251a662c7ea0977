package generate

import (
	"context"
	"fmt"
	"slices"
)

// Teams names the teams that the stored jobs are of, in the order of their
// names. It reads all jobs.
func Teams(ctx context.Context, a interface {
	Jobs(ctx context.Context, q Query) ([]Job, error)
},
) ([]string, error) {
	var teams []string
	err := each(ctx, a, Query{}, func(j Job) (bool, error) {
		if i, found := slices.BinarySearch(teams, j.Team); !found {
			teams = slices.Insert(teams, i, j.Team)
		}
		return true, nil
	})
	if err != nil {
		return nil, fmt.Errorf("list teams: %w", err)
	}
	return teams, nil
}
