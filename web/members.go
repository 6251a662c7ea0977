package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"ltxbot/core/quota"
	"ltxbot/core/team"
)

// verb is a row of the table of verbs that is known to be there.
func verb(name string) team.Verb {
	v, _ := team.FindVerb(name)
	return v
}

// memberList is who has made videos in a month.
type memberList struct {
	Report team.Report
	Forms  []form
	CSV    string
}

func (s *Server) members(q *request) error {
	if q.team == "" {
		return errChooseTeam
	}
	report, err := s.give(q, verb("top"), argsOf(verb("top"), q.URL.Query().Get), "")
	if err != nil {
		return err
	}
	values := filter{Team: q.team}.values(q.role)
	values.Set("month", report.Month)
	forms := q.forms([]string{"grant", "set", "block"}, nil)
	offer := s.offered(q, report)
	for _, f := range forms {
		for i, x := range f.Fields {
			if x.namesMember() {
				f.Fields[i].Choices = offer
			}
		}
	}
	s.render(q, http.StatusOK, "members", "Members", memberList{
		Report: report, Forms: forms, CSV: link(Path+"/csv/members", values),
	})
	return nil
}

// offered are the members of a report as a field takes them: by their names, or
// where a name is not known or not the only one, by their ids.
func (s *Server) offered(q *request, r team.Report) []string {
	known, times := s.names.of(q.Context(), reported(r)), map[string]int{}
	for _, name := range known {
		times[strings.ToLower(name)]++
	}
	offer := make([]string, 0, len(r.Members))
	for _, m := range r.Members {
		name := known[m.Member]
		if times[strings.ToLower(name)] != 1 {
			name = m.Member
		}
		offer = append(offer, name)
	}
	return offer
}

// memberPage is how one member stands.
type memberPage struct {
	Member string
	Report team.Report
	Log    []team.Record
	Jobs   []jobRow
	Forms  []form
}

// memberVerbs are what can be done with a member.
var memberVerbs = []string{"grant", "set", "unset", "block", "unblock", "reset", "revoke"}

// jobsOfMember is how many of a member's jobs its page shows.
const jobsOfMember = 10

func (s *Server) member(q *request) error {
	if q.team == "" {
		return errChooseTeam
	}
	name := q.PathValue("member")
	report, err := s.give(q, verb("show"), map[string]string{"who": name}, "")
	if err != nil {
		return err
	}
	if report.Member == "" {
		return errNoPage
	}
	log, err := s.give(q, verb("log"), map[string]string{"who": name}, "")
	if err != nil {
		return err
	}
	found, _, _, err := s.find(q.Context(), filter{Team: q.team, Member: report.Member}, q.access, jobsOfMember)
	if err != nil {
		return err
	}
	given := map[string]string{"who": report.Member, "member": report.Member}
	verbs := slices.DeleteFunc(slices.Clone(memberVerbs), func(v string) bool {
		blocked := report.AdminState != nil && report.AdminState.Member.Blocked != nil
		return v == "block" && blocked || v == "unblock" && !blocked
	})
	page := memberPage{Member: report.Member, Report: report, Log: log.Records, Forms: q.forms(verbs, given, "who", "member")}
	for _, j := range found {
		page.Jobs = append(page.Jobs, q.row(j))
	}
	s.render(q, http.StatusOK, "member", report.Member, page)
	return nil
}

// memberData is all that is kept of a member's jobs, as a file for the member.
func (s *Server) memberData(q *request) error {
	member, err := s.theMember(q)
	if err != nil {
		return err
	}
	jobs, err := s.cfg.Export(q.Context(), q.team, member)
	if err != nil {
		return err
	}
	s.log.InfoContext(q.Context(), "exported a member's data in the console", "member", member, "jobs", len(jobs))
	h := q.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Disposition", `attachment; filename="member.json"`)
	enc := json.NewEncoder(q.w)
	enc.SetIndent("", "  ")
	_ = enc.Encode(map[string]any{"member": member, "jobs": jobs}) // whoever does not read it asks again
	return nil
}

// errNotSure says that nobody has confirmed what can't be taken back.
var errNotSure = &problem{http.StatusUnprocessableEntity, "Nothing was erased", "Say that you are sure: it can't be taken back."}

// eraseMember erases what is kept of a member's jobs.
func (s *Server) eraseMember(q *request) error {
	member, err := s.theMember(q)
	if err != nil {
		return err
	}
	if q.PostForm.Get("sure") == "" {
		return errNotSure
	}
	done, err := s.cfg.Erase(q.Context(), q.team, member)
	if err != nil {
		return err
	}
	s.log.InfoContext(q.Context(), "erased a member's data in the console", "member", member, "jobs", done.Jobs, "left", done.Left)
	text := fmt.Sprintf("Prompts, settings and links of %d jobs are gone.", done.Jobs)
	if done.Left > 0 {
		text += fmt.Sprintf(" %d are left, since they are under way or fal did not answer: erase them again later.", done.Left)
	}
	if done.Copies > 0 {
		text += fmt.Sprintf(" fal keeps its copy of %d: the bot has no key that may delete it (fal.admin_key).", done.Copies)
	}
	s.render(q, http.StatusOK, "problem", "The data of "+member+" is erased", text)
	return nil
}

// theMember is the member that a request of the operator is about.
func (s *Server) theMember(q *request) (string, error) {
	if q.team == "" {
		return "", errChooseTeam
	}
	report, err := s.give(q, verb("show"), map[string]string{"who": q.PathValue("member")}, "")
	if err == nil && report.Member == "" {
		err = errNoPage
	}
	return report.Member, err
}

// usage is the visitor's own account.
func (s *Server) usage(q *request) error {
	if q.role == Operator {
		return errNoPage
	}
	report, err := s.give(q, verb("mine"), nil, "")
	if err != nil {
		return err
	}
	var verbs []string
	if p := s.cfg.Policy(); p.Linkable != nil && p.Linkable(q.team) {
		verbs = []string{"link", "unlink"}
	}
	s.render(q, http.StatusOK, "usage", "Your usage", memberPage{Member: q.person.Member, Report: report, Forms: q.forms(verbs, nil)})
	return nil
}

// teamPage is how a team stands.
type teamPage struct {
	Report team.Report
	Forms  []form
	Teams  []team.Summary // of the operator
}

// teamVerbs are what can be done with a team.
var teamVerbs = []string{"pause", "resume", "set", "unset", "grant", "revoke", "reset"}

func (s *Server) team(q *request) error {
	if q.team == "" {
		report, err := s.give(q, verb("teams"), nil, "")
		if err != nil {
			return err
		}
		s.render(q, http.StatusOK, "teams", "Teams", teamPage{Report: report, Forms: q.forms([]string{"reload"}, nil)})
		return nil
	}
	report, err := s.give(q, verb("show"), nil, "")
	if err != nil {
		return err
	}
	verbs := slices.DeleteFunc(slices.Clone(teamVerbs), func(v string) bool {
		paused := report.AdminState != nil && report.AdminState.Team.Paused != nil
		return v == "pause" && paused || v == "resume" && !paused
	})
	s.render(q, http.StatusOK, "team", "Team", teamPage{Report: report, Forms: q.forms(verbs, map[string]string{"who": team.TheTeam}, "who")})
	return nil
}

// tierRow is the limits of a tier, or of those who are in none, and the models
// that it adds.
type tierRow struct {
	Name   string
	Limits []string
	Models []string
}

func (s *Server) tiers(q *request) error {
	p := s.cfg.Policy()
	rows := []tierRow{{Name: "everybody in no tier", Limits: writeLimits(p.Member)}}
	for _, t := range p.Tiers {
		rows = append(rows, tierRow{t.Name, writeLimits(t.Limits), s.cfg.Models([]string{t.Name})})
	}
	if q.team != "" {
		limits := p.Team
		if own := p.Teams[q.team].Limits; own != nil {
			limits = *own
		}
		rows = append(rows, tierRow{Name: "the team " + q.team, Limits: writeLimits(limits)})
	}
	s.render(q, http.StatusOK, "tiers", "Tiers", rows)
	return nil
}

// writeLimits writes limits by the names of the config.
func writeLimits(l quota.Limits) []string {
	var all []string
	for _, w := range l.Windows {
		if w.Videos > 0 {
			all = append(all, quota.LimitName{Unit: quota.Videos, Window: w.Window}.String()+" "+quota.WriteAmount(quota.Videos, w.Videos))
		}
		if w.USD > 0 {
			all = append(all, quota.LimitName{Unit: quota.Dollars, Window: w.Window}.String()+" "+quota.WriteAmount(quota.Dollars, int64(w.USD)))
		}
	}
	if l.JobsAtATime > 0 {
		all = append(all, "jobs_at_a_time "+quota.WriteAmount(quota.Jobs, int64(l.JobsAtATime)))
	}
	if len(all) == 0 {
		all = []string{"no limit"}
	}
	return all
}

// logPage is who changed what.
type logPage struct {
	Who     string
	Wrong   string // what is wrong with it
	Records []team.Record
	CSV     string
}

func (s *Server) auditLog(q *request) error {
	if q.team == "" {
		return errChooseTeam
	}
	who := strings.TrimSpace(q.URL.Query().Get("who"))
	report, err := s.give(q, verb("log"), argsOf(verb("log"), q.URL.Query().Get), "")
	if wrong, ok := errors.AsType[*nameError](err); ok {
		s.render(q, http.StatusUnprocessableEntity, "log", "Audit log", logPage{Who: who, Wrong: wrong.Error()})
		return nil
	}
	if err != nil {
		return err
	}
	values := filter{Team: q.team}.values(q.role)
	if who != "" {
		values.Set("who", who)
	}
	s.render(q, http.StatusOK, "log", "Audit log", logPage{Who: who, Records: report.Records, CSV: link(Path+"/csv/log", values)})
	return nil
}

// healthPage is how the bot is.
type healthPage struct {
	Health   Health
	Findings []Finding
	Examined bool
}

func (s *Server) health(q *request) error {
	page := healthPage{Health: s.cfg.Health(q.Context())}
	if q.URL.Query().Get("examine") != "" {
		page.Findings, page.Examined = s.cfg.Examine(q.Context()), true
	}
	s.render(q, http.StatusOK, "health", "Health", page)
	return nil
}
