package admin

import (
	"context"
	"net/http"
	"net/url"

	"ltxbot/bot/discord"
	"ltxbot/bot/slack"
	"ltxbot/core/generate"
	"ltxbot/core/team"
)

// MemberData is all that is kept of a member's jobs.
type MemberData struct {
	Member string              `json:"member"`
	Jobs   []generate.Personal `json:"jobs"` // newest first
}

// ServeMembers adds the routes about the data of members:
//
//	GET    members/{member}?team=   all that is kept of a member's jobs
//	DELETE members/{member}?team=   erase it; jobs under way are left
//
// Without a team they mean all teams. purges says that the provider's copies are
// deleted as well. erased is told whose data was erased.
func (a *API) ServeMembers(records generate.Records, purges bool, erased func(member string)) {
	a.Handle("GET members/{member}", func(r *http.Request) (any, error) {
		member, team, err := a.whose(r)
		if err != nil {
			return nil, err
		}
		jobs, err := generate.Export(r.Context(), records, team, member)
		if err == nil {
			a.log.InfoContext(r.Context(), "operator exported a member's data", "member", member, "jobs", len(jobs))
		}
		return MemberData{Member: member, Jobs: jobs}, err
	})
	a.Handle("DELETE members/{member}", func(r *http.Request) (any, error) {
		member, team, err := a.whose(r)
		if err != nil {
			return nil, err
		}
		done, err := generate.Erase(r.Context(), records, purges, team, member)
		erased(member)
		if err == nil {
			a.log.InfoContext(r.Context(), "operator erased a member's data", "member", member, "jobs", done.Jobs, "left", done.Left)
		}
		return done, err
	})
}

// ParseMember reads how people write a member on any platform. home is the
// member who writes: a bare id of Slack is of the same workspace.
func ParseMember(text, home string) (member string, ok bool) {
	if member, ok := discord.ParseMember(text); ok {
		return member, true
	}
	return slack.ParseMember(text, home)
}

// whose reads whose data is meant, and in which team.
func (a *API) whose(r *http.Request) (member, team string, err error) {
	if member, err = memberOf(r.PathValue("member")); err != nil {
		return "", "", err
	}
	team = r.URL.Query().Get("team")
	return member, team, a.checkTeam(r.Context(), team)
}

// memberOf reads the name of a member.
func memberOf(text string) (string, error) {
	member, ok := ParseMember(text, "")
	if !ok {
		return "", &Error{http.StatusBadRequest, (&team.OrderError{Problem: team.BadMember, Value: text}).Error()}
	}
	return member, nil
}

// Member returns all that is kept of a member's jobs.
func (c *Client) Member(ctx context.Context, team, member string) (MemberData, error) {
	var data MemberData
	err := c.do(ctx, http.MethodGet, memberPath(team, member), &data)
	return data, err
}

// EraseMember erases a member's data.
func (c *Client) EraseMember(ctx context.Context, team, member string) (generate.Erased, error) {
	var done generate.Erased
	err := c.do(ctx, http.MethodDelete, memberPath(team, member), &done)
	return done, err
}

func memberPath(team, member string) string {
	path := "members/" + url.PathEscape(member)
	if team != "" {
		path += "?" + url.Values{"team": {team}}.Encode()
	}
	return path
}
