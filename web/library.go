package web

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"regexp"
	"strings"

	"ltxbot/core/library"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/core/team"
)

// Library is where teams' LoRAs and styles are looked at and changed. It checks
// by itself who may do what.
type Library interface {
	// Of is all that a team keeps, for those in it.
	Of(team string) *library.Snapshot
	Do(ctx context.Context, a team.Actor, o team.Order) (library.Report, error)
}

// libraryPage is what a team keeps, or what came of an order about it.
type libraryPage struct {
	Find    string
	Report  *library.Report
	LoRAs   []library.Entry
	Styles  []library.Style
	MayAdd  bool
	Forms   []form
	Checked string   // what the file of a LoRA is
	Newer   []string // what is there in place of what a form has shown
}

// mentioned implements mentions.
func (p libraryPage) mentioned() []string {
	members := make([]string, 0, len(p.LoRAs)+len(p.Styles))
	for _, e := range p.LoRAs {
		members = append(members, e.By)
	}
	for _, s := range p.Styles {
		members = append(members, s.By)
	}
	return members
}

// queries finds the query of a link in a text: it may hold a key.
var queries = regexp.MustCompile(`(\S*[./:]\S*?)\?[^\s,@]+`)

// libraryForm is the form of a verb of the library. No page shows the query of a
// link, not even to who has typed it.
func (q *request) libraryForm(v team.Verb, given map[string]string, fixed ...string) form {
	given = maps.Clone(given)
	for name, value := range given {
		given[name] = queries.ReplaceAllString(value, "$1")
	}
	f := q.formOf(v, given, fixed...)
	f.Path = Path + "/library/" + v.Name
	for i, x := range f.Fields {
		f.Fields[i].Most = cmp.Or(library.MaxLength(x.Name), x.Most)
	}
	return f
}

// askLibrary gives an order about the team's library.
func (s *Server) askLibrary(q *request, verb string, args map[string]string) (library.Report, error) {
	return s.orderLibrary(q, team.Order{Verb: verb, Args: args}, "")
}

func (s *Server) orderLibrary(q *request, o team.Order, event string) (library.Report, error) {
	if q.role == Operator {
		o.Team = q.team
	}
	return s.cfg.Library.Do(q.Context(), q.actor(event), o)
}

// library shows the LoRAs and styles of a team.
func (s *Server) library(q *request) error {
	if q.team == "" {
		return errChooseTeam
	}
	p := libraryPage{Find: q.URL.Query().Get("find")}
	args := map[string]string{}
	if p.Find != "" {
		args["find"] = p.Find
	}
	loras, err := s.askLibrary(q, "list", args)
	if err != nil {
		return err
	}
	styles, err := s.askLibrary(q, "styles", nil)
	if err != nil {
		return err
	}
	p.LoRAs, p.Styles, p.MayAdd = loras.LoRAs, styles.Styles, loras.MayAdd
	for _, v := range library.Verbs() {
		switch {
		case v.Name == library.VerbCheck, v.Who == library.Adders && p.MayAdd:
			p.Forms = append(p.Forms, q.libraryForm(v, nil))
		}
	}
	s.render(q, http.StatusOK, "library", "LoRAs and styles", p)
	return nil
}

// libraryVerb is the verb of the library that a request is about.
func (q *request) libraryVerb() (team.Verb, error) {
	v, ok := library.Verbs().Find(q.PathValue("verb"))
	switch {
	case !ok:
		return v, errNoPage
	case q.team == "":
		return v, errChooseTeam
	}
	return v, nil
}

// libraryOf shows what a verb tells, or its form; those that edit are filled
// in with what is there now.
func (s *Server) libraryOf(q *request) error {
	v, err := q.libraryVerb()
	if err != nil {
		return err
	}
	given := argsOf(v, q.URL.Query().Get)
	p, seen := libraryPage{}, ""
	switch {
	case v.Name == library.VerbCheck && given["link"] == "":
	case v.Name == library.VerbCheck:
		p.Checked = s.cfg.CheckLoRA(q.Context(), q.team, q.name(), given["link"])
	case v.Reads:
		report, err := s.askLibrary(q, v.Name, given)
		if err != nil {
			return s.askLibraryAgain(q, v, team.Order{Args: given}, err)
		}
		p.told(report)
	case library.Edits(v.Name) && len(given) == 1 && given["name"] != "":
		show := strings.Replace(v.Name, library.VerbEdit, "show", 1)
		if _, err := s.askLibrary(q, show, given); err != nil {
			return err
		}
		o, _ := s.cfg.Library.Of(q.team).ToEdit(team.Order{Verb: v.Name, Args: given})
		given, seen = o.Args, o.Seen
	}
	fixed := []string{}
	if !v.Reads && given["name"] != "" {
		fixed = append(fixed, "name")
	}
	f := q.libraryForm(v, given, fixed...)
	f.Open, f.Seen = true, seen
	p.Forms = []form{f}
	s.render(q, http.StatusOK, "library-order", v.Help, p)
	return nil
}

// libraryOrder changes a team's library.
func (s *Server) libraryOrder(q *request) error {
	v, err := q.libraryVerb()
	if err != nil {
		return err
	}
	if v.Reads {
		return errNoPage
	}
	args := map[string]string{}
	for _, a := range v.Args {
		if q.PostForm.Has(a.Name) {
			args[a.Name] = q.PostForm.Get(a.Name)
		}
	}
	o := library.Filled(team.Order{Verb: v.Name, Args: args, Seen: q.PostForm.Get("seen")})
	report, err := s.orderLibrary(q, o, q.event())
	if e, ok := errors.AsType[*library.Error](err); ok && e.Problem == library.Changed {
		s.overtaken(q, v, e)
		return nil
	}
	if err != nil {
		return s.askLibraryAgain(q, v, o, err)
	}
	s.log.InfoContext(q.Context(), "library changed in the console", "verb", report.Verb, "team", report.Team, "by", q.name())
	p := libraryPage{Checked: s.cfg.Brought(report)}
	p.told(report)
	s.render(q, http.StatusOK, "library-order", v.Help, p)
	return nil
}

// askLibraryAgain shows the form of an order that was refused, or returns why it
// was.
func (s *Server) askLibraryAgain(q *request, v team.Verb, o team.Order, err error) error {
	fixed := []string{}
	if library.Edits(v.Name) {
		fixed = append(fixed, "name")
	}
	f, p := q.libraryForm(v, o.Args, fixed...), libraryPage{}
	if unusable, ok := errors.AsType[*library.UnusableError](err); ok {
		f.Open, p.Checked = true, s.cfg.NotKept(unusable)
	} else if !f.refused(err) {
		return err
	}
	f.Seen, p.Forms = o.Seen, []form{f}
	s.render(q, http.StatusUnprocessableEntity, "library-order", notDone, p)
	return nil
}

// overtaken shows the form of an order anew whose form has shown what is there no
// more: with what was typed, below what is there. Sent again, it replaces that.
func (s *Server) overtaken(q *request, v team.Verb, e *library.Error) {
	p := libraryPage{Newer: []string{}}
	for _, name := range e.Differs() {
		p.Newer = append(p.Newer, name+": "+cmp.Or(e.Now.Args[name], "–"))
	}
	f := q.libraryForm(v, e.Typed.Args, "name")
	f.Open, f.Seen = true, e.Now.Seen
	p.Forms = []form{f}
	s.render(q, http.StatusConflict, "library-order", v.Help, p)
}

// told takes in what came of an order.
func (p *libraryPage) told(r library.Report) {
	p.Report, p.LoRAs, p.Styles, p.MayAdd = &r, r.LoRAs, r.Styles, r.MayAdd
}

// refusedLibrary is why an order about a library can't be carried out, for who
// gave it; nil for any other error.
func refusedLibrary(err error) *problem {
	var own *library.Error
	var invalid ltx.Invalid
	var limit *quota.LimitError
	switch {
	case errors.As(err, &limit):
		return &problem{http.StatusForbidden, "That is not for you", blocked(limit.Block)}
	case errors.As(err, &own) && (own.Problem == library.OnlyAdmins || own.Problem == library.NotYours || own.Problem == library.OnlyInsiders):
		return &problem{http.StatusForbidden, "That is not for you", sentence(own.Error())}
	case errors.As(err, &own):
		return &problem{http.StatusUnprocessableEntity, notDone, sentence(own.Error())}
	case errors.As(err, &invalid):
		return &problem{http.StatusUnprocessableEntity, notDone, sentence(invalid.Error())}
	}
	return nil
}

// blocked says who has stopped the person, as the chat does.
func blocked(b quota.Block) string {
	who, reason, ask := "An admin", "", "Only an admin can change that."
	if b.By == quota.Operator {
		who, ask = "Whoever runs this bot", "Only they can change that."
	}
	if b.Reason != "" {
		reason = "The reason: “" + b.Reason + "”. "
	}
	return who + " has stopped you from making videos. " + reason + ask
}
