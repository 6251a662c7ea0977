package web

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"ltxbot/core/library"
	"ltxbot/core/quota"
	"ltxbot/core/team"
)

// form is a verb of team management, as a form made from the table of verbs.
type form struct {
	team.Verb

	Path   string // where it is sent to
	Team   string
	Fields []field
	Once   string
	Seen   string // the edition of what it edits; empty = it edits nothing
	Post   bool   // it changes something
	Open   bool   // it stands alone on a page
	Wrong  string // why it was not carried out, unless a field says so
}

// field is one argument.
type field struct {
	team.Arg

	Label   string
	Type    string // of the input
	Mode    string // inputmode: which keyboard a phone shows
	Value   string
	Hint    string // placeholder
	Choices []string
	Fixed   bool   // it is given, and not shown
	Most    int    // characters
	Wrong   string // what is wrong with the value
}

// namesMember reports whether the argument is a member.
func (f field) namesMember() bool { return f.Kind == team.WhoArg || f.Kind == team.MemberArg }

// kinds say how each kind of argument is asked for.
var kinds = map[team.ArgKind]struct{ kind, mode, hint string }{
	team.WhoArg:    {"text", "", "discord:80351110224678912, or team"},
	team.MemberArg: {"text", "", "discord:80351110224678912"},
	team.LimitArg:  {"text", "", "videos_per_day"},
	team.AmountArg: {"text", "", "10, or none"},
	team.VideosArg: {"number", "numeric", "5"},
	team.MoneyArg:  {"text", "decimal", "2.50"},
	team.UntilArg:  {"text", "", "7d, or 2026-12-31"},
	team.MonthArg:  {"month", "", "2026-03"},
	team.CodeArg:   {"text", "", ""},
	team.TextArg:   {"text", "", ""},
	team.WordsArg:  {"text", "", ""},
	team.LineArg:   {"text", "", "camera:static lora:film@0.8"},
}

// labelOf is the label of an argument's field.
func labelOf(a team.Arg) string {
	if a.Kind == team.MoneyArg {
		return "Dollars"
	}
	return strings.ToUpper(a.Name[:1]) + a.Name[1:]
}

// maxField bounds what is typed for an argument, in characters.
const maxField = 500

// limitNames are the limits that people choose most.
func limitNames(all bool) []string {
	names := []string{
		"videos_per_day", "videos_per_week", "videos_per_month", "usd_per_day", "usd_per_week", "usd_per_month", "jobs_at_a_time",
	}
	if all {
		names = append(names, team.AllLimits)
	}
	return names
}

// mayOrder reports whether a role may give the orders of a verb. The Office
// decides again.
func mayOrder(r Role, v team.Verb) bool {
	switch v.Who {
	case team.Everybody:
		return r == Member || r == Admin // an operator has no account of their own
	case team.Admins:
		return r >= Admin
	case team.Operators:
		return r == Operator
	}
	return false
}

// formOf is the form of a verb. given are arguments that are known; those named in
// fixed are not asked for.
func (q *request) formOf(v team.Verb, given map[string]string, fixed ...string) form {
	f := form{Verb: v, Path: Path + "/orders/" + v.Name, Team: q.team, Once: once(), Post: !v.Reads}
	for _, a := range v.Args {
		k := kinds[a.Kind]
		x := field{
			Arg: a, Label: labelOf(a), Type: k.kind, Mode: k.mode, Hint: k.hint,
			Value: given[a.Name], Fixed: slices.Contains(fixed, a.Name), Most: maxField,
		}
		if a.Kind == team.LimitArg {
			x.Choices = limitNames(v.Name == "unset")
		}
		f.Fields = append(f.Fields, x)
	}
	return f
}

// refused is a form that is shown again with what was typed, and says what keeps
// it from being carried out at the field that is wrong, or else above all; false =
// to change what was typed is no help.
func (f *form) refused(err error) bool {
	wrong := problemOf(err)
	if wrong == nil || wrong.status != http.StatusUnprocessableEntity {
		return false
	}
	arg := ""
	if e, ok := errors.AsType[*team.OrderError](err); ok {
		if e.Problem == team.NothingToDo {
			return false
		}
		arg = e.Arg
	}
	if e, ok := errors.AsType[*library.Error](err); ok {
		arg = e.Arg
	}
	if e, ok := errors.AsType[*nameError](err); ok {
		arg = e.arg
	}
	f.Open = true
	for i, x := range f.Fields {
		if x.Name == arg && !x.Fixed {
			f.Fields[i].Wrong = wrong.text
			return true
		}
	}
	f.Wrong = wrong.text
	return true
}

// notDone is the title of a page with a form that is to be corrected.
const notDone = "That could not be done"

// forms are the forms of verbs, as far as the visitor may give them.
func (q *request) forms(names []string, given map[string]string, fixed ...string) []form {
	var all []form
	for _, name := range names {
		if v, ok := team.FindVerb(name); ok && mayOrder(q.role, v) {
			all = append(all, q.formOf(v, given, fixed...))
		}
	}
	return all
}

// orderResult is what came of an order, above its form.
type orderResult struct {
	Form   form
	Report *team.Report
	Again  string
}

// theVerb is the verb that a request is about.
func (q *request) theVerb() (team.Verb, error) {
	v, ok := team.FindVerb(q.PathValue("verb"))
	switch {
	case !ok:
		return v, errNoPage
	case !mayOrder(q.role, v):
		return v, errNotAllowed
	case q.team == "" && v.Who != team.Operators:
		return v, errChooseTeam
	}
	return v, nil
}

// orderForm shows the form of a verb. One that only reads, and of which nothing
// is needed, is carried out.
func (s *Server) orderForm(q *request) error {
	v, err := q.theVerb()
	if err != nil {
		return err
	}
	given := argsOf(v, q.URL.Query().Get)
	page := orderResult{Form: q.formOf(v, given)}
	page.Form.Open = true
	if v.Reads {
		report, err := s.give(q, v, given, "")
		if err != nil {
			return s.askAgain(q, page.Form, err)
		}
		page.Report = &report
	}
	s.render(q, http.StatusOK, "order", v.Help, page)
	return nil
}

// order carries out an order that changes something.
func (s *Server) order(q *request) error {
	v, err := q.theVerb()
	if err != nil {
		return err
	}
	if v.Reads {
		return errNoPage
	}
	given := argsOf(v, q.PostForm.Get)
	report, err := s.give(q, v, given, q.event())
	if err != nil {
		return s.askAgain(q, q.formOf(v, given), err)
	}
	s.log.InfoContext(q.Context(), "order given in the console", "verb", v.Name, "team", report.Team, "member", report.Member, "by", q.name())
	page := orderResult{Form: q.formOf(v, nil), Report: &report}
	s.render(q, http.StatusOK, "order", v.Help, page)
	return nil
}

// askAgain shows the form of an order that was refused, or returns why it was.
func (s *Server) askAgain(q *request, f form, err error) error {
	if !f.refused(err) {
		return err
	}
	s.render(q, http.StatusUnprocessableEntity, "order", notDone, orderResult{Form: f})
	return nil
}

// argsOf reads the arguments of a verb from a form.
func argsOf(v team.Verb, get func(string) string) map[string]string {
	args := map[string]string{}
	for _, a := range v.Args {
		if value := strings.TrimSpace(get(a.Name)); value != "" {
			args[a.Name] = value
		}
	}
	return args
}

// give gives an order to the Office. Members can be named as pages show them.
func (s *Server) give(q *request, v team.Verb, args map[string]string, event string) (team.Report, error) {
	args = maps.Clone(args)
	wrong := map[string]error{}
	for _, a := range v.Args {
		if typed := args[a.Name]; (a.Kind == team.WhoArg || a.Kind == team.MemberArg) && typed != "" && typed != team.TheTeam {
			member, err := s.called(q, typed)
			if e, ok := errors.AsType[*nameError](err); ok {
				e.arg = a.Name
				wrong[a.Name], err = e, nil
			}
			if err != nil {
				return team.Report{}, err
			}
			args[a.Name] = member
		}
	}
	report, err := s.cfg.Office.Do(q.Context(), q.actor(event), team.Order{Verb: v.Name, Team: orderTeam(q, v), Args: args})
	if e, ok := errors.AsType[*team.OrderError](err); ok && e.Problem == team.BadMember && wrong[e.Arg] != nil {
		err = wrong[e.Arg]
	}
	return report, err
}

// A nameError says of what was typed for a member why it is none.
type nameError struct {
	arg  string // of an order
	name string
	why  string
}

func (e *nameError) Error() string { return "“" + e.name + "” " + e.why }

// memberForms are how members can be written.
const memberForms = "as Members shows them, or by the id, discord:USER-ID or slack:WORKSPACE-ID:USER-ID"

// called is the member whom pages show by a name, as far as one alone of those who
// have made videos in this month has it. Else it is the name, with a *nameError.
func (s *Server) called(q *request, typed string) (string, error) {
	name := strings.TrimPrefix(typed, "@")
	wrong := &nameError{name: typed}
	switch {
	case strings.Contains(name, ":"): // an id
		return typed, nil
	case q.team == "":
		wrong.why = "is a name, and names are those of a team: choose one at the top, or write the id."
		return typed, wrong
	}
	top := verb("top")
	report, err := s.cfg.Office.Do(q.Context(), q.actor(""), team.Order{Verb: top.Name, Team: orderTeam(q, top)})
	if err != nil {
		return typed, err
	}
	members := reported(report)
	var found []string
	for member, called := range s.names.of(q.Context(), members) {
		if strings.EqualFold(called, name) {
			found = append(found, member)
		}
	}
	slices.Sort(found)
	switch {
	case len(found) > 1:
		wrong.why = "is the name of several members: " + strings.Join(found, ", ") + ". Write the id of one of them."
	case len(s.names.missing(members)) > 0: // another one may have the name, too
		wrong.why = "may be a name, but not all names are known at the moment. Try again in a minute, or write the id."
	case len(found) == 0:
		wrong.why = "is not a member: nobody who has made a video in this month has that name. Write members " + memberForms + "."
	default:
		return found[0], nil
	}
	return typed, wrong
}

// orderTeam is the team of an operator's order; that of others is their own.
func orderTeam(q *request, v team.Verb) string {
	if q.role == Operator && v.Who != team.Operators {
		return q.team
	}
	return ""
}

// told is an order's error for who gave it.
func told(err error) string { return sentence(strings.TrimPrefix(err.Error(), "quota: ")) }

// sentence writes the text of an error as one.
func sentence(text string) string {
	return strings.ToUpper(text[:1]) + strings.TrimSuffix(text[1:], ".") + "."
}

// ofScope are the gauges of one kind of holder that have a limit or are used.
func ofScope(gauges []quota.Gauge, kind quota.ScopeKind) []quota.Gauge {
	return slices.DeleteFunc(slices.Clone(gauges), func(g quota.Gauge) bool {
		return g.Scope.Kind != kind || g.Max == 0 && g.Used == 0
	})
}

// limited are those of gauges that have a limit, or those that were used without one.
func limited(gauges []quota.Gauge, is bool) []quota.Gauge {
	return slices.DeleteFunc(slices.Clone(gauges), func(g quota.Gauge) bool {
		return (g.Max > 0) != is || !is && g.Used == 0
	})
}
