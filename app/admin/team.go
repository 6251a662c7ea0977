package admin

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"ltxbot/internal/spell"
)

// KnowTeams makes the API refuse the names of teams that are not among those
// that there are. It is called before the API serves.
func (a *API) KnowTeams(teams func(context.Context) ([]string, error)) { a.teams = teams }

// checkTeam returns an *Error for a team that nobody knows; "" is all teams.
func (a *API) checkTeam(ctx context.Context, team string) error {
	if team == "" || a.teams == nil {
		return nil
	}
	known, err := a.teams(ctx)
	if err != nil {
		return err
	}
	return CheckTeam(team, known)
}

// Teams whose names are told to somebody who has named another one.
const (
	nearTeams = 2 // edits
	mostTeams = 10
)

// CheckTeam returns an *Error if a team is not known. It tells those with
// similar names, else which there are.
func CheckTeam(team string, known []string) error {
	if slices.Contains(known, team) {
		return nil
	}
	var near []string
	for _, k := range known {
		if spell.Distance(strings.ToLower(k), strings.ToLower(team)) <= nearTeams {
			near = append(near, k)
		}
	}
	text := fmt.Sprintf("no team is called %q", team)
	switch known = slices.Sorted(slices.Values(known)); {
	case len(near) > 0:
		text += "; did you mean " + strings.Join(near, " or ") + "?"
	case len(known) > mostTeams:
		text += "; there are " + strings.Join(known[:mostTeams], ", ") + fmt.Sprintf(" and %d more", len(known)-mostTeams)
	case len(known) > 0:
		text += "; there is " + strings.Join(known, ", ")
	default:
		text += "; there is none yet"
	}
	return &Error{http.StatusNotFound, text}
}
