package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"ltxbot/core/team"
)

// Office is where quotas are looked at and changed.
type Office interface {
	Do(ctx context.Context, a team.Actor, o team.Order) (team.Report, error)
}

// QuotaText is how the API speaks about quotas.
type QuotaText struct {
	// Report writes a report for a person.
	Report func(team.Report) string
	// Team returns the team that a name means, and whether there is one.
	Team func(name string) (string, bool)
}

// From is where changes by this API come from, in the audit log.
const From = "api"

// The forms of an answer, as in the header Accept.
const (
	asJSON = "application/json"
	asText = "text/plain"
	asCSV  = "text/csv"
)

// VerbList is the answer to GET quota.
type VerbList struct {
	Verbs []VerbInfo `json:"verbs"`
}

// VerbInfo is one verb, with how it is typed.
type VerbInfo struct {
	Name  string `json:"name"`
	Usage string `json:"usage"`
	Help  string `json:"help"`
	Reads bool   `json:"reads,omitempty"` // nothing is changed: GET will do
}

// ServeQuota adds the routes about quotas:
//
//	GET  quota                       what there is to do
//	GET  quota/{verb}?team=&who=…    look at something
//	POST quota/{verb}                do it: {"team": "acme", "args": {"who": "discord:1", "videos": "5"}}
//
// An answer is a team.Report in JSON; text/plain is for people, and export
// can be had as text/csv.
func (a *API) ServeQuota(office Office, text QuotaText) {
	a.Handle("GET quota", func(*http.Request) (any, error) {
		var list VerbList
		for _, v := range team.Verbs() {
			if v.Who != team.Everybody {
				list.Verbs = append(list.Verbs, VerbInfo{Name: v.Name, Usage: v.Usage(), Help: v.Help, Reads: v.Reads})
			}
		}
		return list, nil
	})
	a.Stream("GET quota/{verb}", func(w http.ResponseWriter, r *http.Request) error {
		o := queryOrder(r)
		if v, ok := team.FindVerb(o.Verb); ok && !v.Reads {
			return &Error{http.StatusMethodNotAllowed, o.Verb + " changes something: use POST"}
		}
		return a.order(w, r, office, text, o)
	})
	a.Stream("POST quota/{verb}", func(w http.ResponseWriter, r *http.Request) error {
		o, err := bodyOrder(r)
		if err != nil {
			return err
		}
		return a.order(w, r, office, text, o)
	})
}

// queryOrder is the order of a GET, bodyOrder that of a POST.
func queryOrder(r *http.Request) team.Order {
	o := team.Order{Verb: r.PathValue("verb"), Args: map[string]string{}}
	for name, values := range r.URL.Query() {
		if name == "team" {
			o.Team = values[0]
		} else {
			o.Args[name] = values[0]
		}
	}
	return o
}

func bodyOrder(r *http.Request) (team.Order, error) {
	o := team.Order{}
	if err := json.NewDecoder(r.Body).Decode(&o); err != nil && !errors.Is(err, io.EOF) {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return o, err
		}
		return o, &Error{http.StatusBadRequest, `the body must be JSON: {"team": "…", "args": {"…": "…"}}`}
	}
	o.Verb = r.PathValue("verb")
	return o, nil
}

// order carries out an order and writes what came of it.
func (a *API) order(w http.ResponseWriter, r *http.Request, office Office, text QuotaText, o team.Order) error {
	if v, ok := team.FindVerb(o.Verb); ok && v.Who == team.Admins {
		id, ok := text.Team(o.Team)
		if !ok {
			return refusedOrder(&team.OrderError{Problem: team.BadTeam, Value: o.Team})
		}
		o.Team = id
	}
	report, err := office.Do(r.Context(), team.Actor{Operator: true, From: From}, o)
	if err != nil {
		return refusedOrder(err)
	}
	if report.Change != nil {
		a.log.InfoContext(r.Context(), "operator changed a quota", "verb", report.Verb, "team", report.Team, "member", report.Member)
	}
	switch form := accepted(r.Header.Get("Accept")); {
	case form == asCSV && report.Verb == "export":
		w.Header().Set("Content-Type", asCSV+"; charset=utf-8")
		w.Header().Set("Content-Disposition", `attachment; filename="usage-`+report.Month+`.csv"`)
		return team.WriteCSV(w, report.Holds)
	case form == asText || form == asCSV:
		w.Header().Set("Content-Type", asText+"; charset=utf-8")
		_, _ = io.WriteString(w, text.Report(report)) // whoever does not read it asks again
	default:
		write(w, http.StatusOK, report)
	}
	return nil
}

// accepted is the first form in the header Accept that the API has.
func accepted(header string) string {
	for part := range strings.SplitSeq(header, ",") {
		form, _, err := mime.ParseMediaType(part)
		if err == nil && (form == asText || form == asCSV || form == asJSON) {
			return form
		}
	}
	return asJSON
}

// refusedOrder gives the errors that an operator can act on their status.
func refusedOrder(err error) error {
	var refused *team.OrderError
	switch {
	case errors.As(err, &refused) && refused.Problem == team.UnknownVerb:
		return &Error{http.StatusNotFound, err.Error()}
	case errors.As(err, &refused) && refused.Problem == team.NothingToDo:
		return &Error{http.StatusConflict, err.Error()}
	case errors.As(err, &refused):
		return &Error{http.StatusBadRequest, err.Error()}
	case errors.Is(err, team.ErrReload):
		return &Error{http.StatusUnprocessableEntity, err.Error()}
	}
	return err
}

// Quota gives an order and writes the answer to w: the report for a person,
// as JSON, or an export as CSV.
func (c *Client) Quota(ctx context.Context, o team.Order, form Form, w io.Writer) error {
	return c.order(ctx, "quota/", o, form, w)
}

// order gives an order of one of the tables of verbs.
func (c *Client) order(ctx context.Context, table string, o team.Order, form Form, w io.Writer) error {
	body, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("encode order: %w", err)
	}
	resp, err := c.send(ctx, http.MethodPost, table+o.Verb, bytes.NewReader(body), string(form))
	if err != nil {
		return err
	}
	defer closeBody(resp)
	if _, err := io.Copy(w, resp.Body); err != nil {
		return fmt.Errorf("read the bot's answer: %w", err)
	}
	return nil
}

// Form is how the client gets an answer.
type Form string

// The forms of answers.
const (
	JSON Form = asJSON
	Text Form = asText
	CSV  Form = asCSV
)
