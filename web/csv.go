package web

import (
	"encoding/csv"
	"slices"
	"strconv"
	"strings"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/library"
	"ltxbot/core/quota"
	"ltxbot/core/team"
)

// writeCSV sends a table. A cell that a spreadsheet would take for a formula
// begins with an apostrophe.
// https://owasp.org/www-community/attacks/CSV_Injection
func (q *request) writeCSV(name string, rows [][]string) error {
	h := q.w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+name+`.csv"`)
	for _, row := range rows {
		for i, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				row[i] = "'" + cell
			}
		}
	}
	return csv.NewWriter(q.w).WriteAll(rows)
}

// csvJobs is how many jobs a file holds at most, csvLooks how often it is looked for
// more of them.
const (
	csvJobs  = 1000
	csvLooks = 10
)

func (s *Server) jobsCSV(q *request) error {
	f, err := s.named(q, filterOf(q))
	if err != nil {
		return err
	}
	var found []generate.Job
	for n := 0; n < csvLooks && len(found) < csvJobs; n++ {
		more, next, _, err := s.find(q.Context(), f, q.access, csvJobs-len(found))
		if err != nil {
			return err
		}
		for _, j := range more {
			if !slices.ContainsFunc(found, func(other generate.Job) bool { return other.ID == j.ID }) {
				found = append(found, j)
			}
		}
		if next.IsZero() {
			break
		}
		f.Before = next
	}
	rows := [][]string{{
		"asked_at", "job", "state", "failure", "team", "member", "platform", "channel", "endpoint", "estimated_usd", "charged_usd", "finished_at", "prompt", "style",
	}}
	for _, j := range found {
		row := q.row(j)
		rows = append(rows, []string{
			stamp(j.Created), j.ID, string(j.State), string(j.Failure.Kind), j.Team, j.Member, j.Place.Platform, j.Place.Channel, j.Endpoint,
			quota.WriteDollars(j.Estimate), quota.WriteDollars(j.Charged), stamp(j.Finished), row.Prompt, row.Style,
		})
	}
	return q.writeCSV("jobs", rows)
}

// stamp writes a time in UTC.
func stamp(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

func (s *Server) daysCSV(q *request) error {
	days, err := s.days(q)
	if err != nil {
		return err
	}
	rows := [][]string{{"day", "videos", "under_way", "charged_usd", "held_usd"}}
	for _, d := range days {
		rows = append(rows, []string{
			d.Day, strconv.FormatInt(d.Videos, 10), strconv.FormatInt(d.UnderWay, 10), quota.WriteDollars(d.Charged), quota.WriteDollars(d.Held),
		})
	}
	return q.writeCSV("days", rows)
}

func (s *Server) membersCSV(q *request) error {
	report, err := s.give(q, verb("top"), argsOf(verb("top"), q.URL.Query().Get), "")
	if err != nil {
		return err
	}
	rows := [][]string{{"member", "videos", "under_way", "estimated_usd", "charged_usd"}}
	for _, m := range report.Members {
		rows = append(rows, []string{
			m.Member, strconv.FormatInt(m.Videos, 10), strconv.FormatInt(m.UnderWay, 10), quota.WriteDollars(m.Estimate), quota.WriteDollars(m.Charged),
		})
	}
	return q.writeCSV("members-"+report.Month, rows)
}

func (s *Server) holdsCSV(q *request) error {
	report, err := s.give(q, verb("export"), argsOf(verb("export"), q.URL.Query().Get), "")
	if err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="usage-`+report.Month+`.csv"`)
	return team.WriteCSV(q.w, report.Holds)
}

func (s *Server) logCSV(q *request) error {
	report, err := s.give(q, verb("log"), argsOf(verb("log"), q.URL.Query().Get), "")
	if err != nil {
		return err
	}
	rows := [][]string{{"at", "by", "from", "verb", "member", "before", "after", "reason"}}
	for _, r := range report.Records {
		rows = append(rows, []string{stamp(r.At), r.By, r.From, r.Verb, r.Member, r.Before, r.After, r.Reason})
	}
	return q.writeCSV("log", rows)
}

func (s *Server) lorasCSV(q *request) error {
	if q.team == "" {
		return errChooseTeam
	}
	found, _ := s.cfg.Library.Of(q.team).Find(q.URL.Query().Get("find"), library.MaxLoRAs)
	rows := [][]string{{"name", "path", "scale", "trigger", "negative", "note", "example", "seed", "models", "by", "at"}}
	for _, e := range found {
		seed := ""
		if e.Seed != nil {
			seed = strconv.FormatInt(*e.Seed, 10)
		}
		rows = append(rows, []string{
			e.Name, e.Path, strconv.FormatFloat(e.Scale, 'f', -1, 64), e.Trigger, e.Negative, e.Note, e.Example, seed, strings.Join(e.Models, " "), e.By, stamp(e.At),
		})
	}
	return q.writeCSV("loras", rows)
}

func (s *Server) stylesCSV(q *request) error {
	if q.team == "" {
		return errChooseTeam
	}
	rows := [][]string{{"name", "options", "prefix", "suffix", "note", "by", "at"}}
	for _, y := range s.cfg.Library.Of(q.team).Styles() {
		rows = append(rows, []string{y.Name, y.Options, y.Prefix, y.Suffix, y.Note, y.By, stamp(y.At)})
	}
	return q.writeCSV("styles", rows)
}
