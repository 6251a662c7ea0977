package admin

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"

	"ltxbot/core/library"
	"ltxbot/core/ltx"
	"ltxbot/core/team"
)

// Library is where teams' LoRAs and styles are looked at and changed.
type Library interface {
	Do(ctx context.Context, a team.Actor, o team.Order) (library.Report, error)
	Of(team string) *library.Snapshot
}

// LibraryText is how the API speaks about libraries.
type LibraryText struct {
	// Report writes a report for a person.
	Report func(library.Report) string
	// Refused says why a file is not taken into a library.
	Refused func(*library.UnusableError) string
	// Team returns the team that a name means, and whether there is one.
	Team func(name string) (string, bool)
}

// LibraryFile is all that a team keeps, as it is exported and imported.
type LibraryFile struct {
	LoRAs  []library.Entry `json:"loras" toml:"lora"`
	Styles []library.Style `json:"styles" toml:"style"`
}

// ServeLibrary adds the routes about teams' libraries:
//
//	GET  loras                       what there is to do
//	GET  loras/export?team=          all of a team, as a LibraryFile
//	GET  loras/{verb}?team=&name=…   look at something
//	POST loras/{verb}                do it: {"team": "acme", "args": {"name": "film", "link": "owner/repo"}}
//
// An answer is a library.Report in JSON; text/plain is for people. An order that
// brings a link is answered when its file was looked at.
func (a *API) ServeLibrary(l Library, text LibraryText) {
	a.Handle("GET loras", func(*http.Request) (any, error) {
		var list VerbList
		for _, v := range library.Verbs() {
			if v.Name != library.VerbCheck && !v.InChat {
				list.Verbs = append(list.Verbs, VerbInfo{Name: v.Name, Usage: v.Usage(), Help: v.Help, Reads: v.Reads})
			}
		}
		return list, nil
	})
	a.Handle("GET loras/export", func(r *http.Request) (any, error) {
		id, ok := text.Team(r.URL.Query().Get("team"))
		if !ok {
			return nil, refusedOrder(&team.OrderError{Problem: team.BadTeam, Value: r.URL.Query().Get("team")})
		}
		all := l.Of(id)
		loras, _ := all.Find("", library.MaxLoRAs)
		return LibraryFile{LoRAs: loras, Styles: all.Styles()}, nil
	})
	a.Stream("GET loras/{verb}", func(w http.ResponseWriter, r *http.Request) error {
		o := queryOrder(r)
		if v, ok := library.Verbs().Find(o.Verb); ok && !v.Reads {
			return &Error{http.StatusMethodNotAllowed, o.Verb + " changes something: use POST"}
		}
		return a.libraryOrder(w, r, l, text, o)
	})
	a.Stream("POST loras/{verb}", func(w http.ResponseWriter, r *http.Request) error {
		o, err := bodyOrder(r)
		if err != nil {
			return err
		}
		return a.libraryOrder(w, r, l, text, o)
	})
}

// libraryOrder carries out an order and writes what came of it.
func (a *API) libraryOrder(w http.ResponseWriter, r *http.Request, l Library, text LibraryText, o team.Order) error {
	id, ok := text.Team(o.Team)
	if !ok {
		return refusedOrder(&team.OrderError{Problem: team.BadTeam, Value: o.Team})
	}
	o.Team = id
	report, err := l.Do(r.Context(), team.Actor{Operator: true, From: From}, o)
	if unusable, ok := errors.AsType[*library.UnusableError](err); ok {
		return &Error{http.StatusUnprocessableEntity, text.Refused(unusable)}
	}
	if err != nil {
		return refusedLibrary(err)
	}
	if report.Change != nil {
		a.log.InfoContext(r.Context(), "operator changed a library", "verb", report.Verb, "team", report.Team)
	}
	if accepted(r.Header.Get("Accept")) == asText {
		w.Header().Set("Content-Type", asText+"; charset=utf-8")
		_, _ = io.WriteString(w, text.Report(report)) // whoever does not read it asks again
		return nil
	}
	write(w, http.StatusOK, report)
	return nil
}

// libraryStatus is the status of problems that are no bad requests.
var libraryStatus = map[library.Problem]int{
	library.NoSuchLoRA: http.StatusNotFound, library.NoSuchStyle: http.StatusNotFound,
	library.NameTaken: http.StatusConflict, library.NothingToDo: http.StatusConflict, library.Changed: http.StatusConflict, library.Full: http.StatusConflict,
}

// refusedLibrary gives the errors that an operator can act on their status.
func refusedLibrary(err error) error {
	if e, ok := errors.AsType[*library.Error](err); ok {
		status, ok := libraryStatus[e.Problem]
		if !ok {
			status = http.StatusBadRequest
		}
		return &Error{status, err.Error()}
	}
	if _, ok := errors.AsType[ltx.Invalid](err); ok {
		return &Error{http.StatusBadRequest, err.Error()}
	}
	return refusedOrder(err)
}

// Library gives an order about a team's library and writes the answer to w.
func (c *Client) Library(ctx context.Context, o team.Order, form Form, w io.Writer) error {
	return c.order(ctx, "loras/", o, form, w)
}

// ExportLibrary is all that a team keeps.
func (c *Client) ExportLibrary(ctx context.Context, team string) (LibraryFile, error) {
	var file LibraryFile
	err := c.do(ctx, http.MethodGet, "loras/export?"+url.Values{"team": {team}}.Encode(), &file)
	return file, err
}
