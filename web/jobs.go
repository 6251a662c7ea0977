package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"ltxbot/core/generate"
)

// How many jobs a page shows, and how many it reads at most to find them where no
// index helps: the next page goes on from there.
const (
	jobsPerPage   = 50
	videosPerPage = 24
	maxLook       = 500
	leastLook     = 10 // at a time
)

// A filter selects jobs.
type filter struct {
	Team    string
	Member  string
	State   string // a state, Unfinished, or "" for all
	Model   string // an endpoint
	LoRA    string // a name or path
	Style   string // its name
	Channel string
	Text    string // a part of the prompt, an id, or what was posted
	Videos  bool   // only those that have one
	Before  time.Time
}

// Unfinished selects the jobs that are under way.
const Unfinished = "unfinished"

// filterOf reads the filter of a list. Members see their own jobs alone.
func filterOf(q *request) filter {
	v := q.URL.Query()
	f := filter{
		Team: q.team, Member: strings.TrimSpace(v.Get("member")), State: v.Get("state"), Model: strings.TrimSpace(v.Get("model")),
		LoRA: strings.TrimSpace(v.Get("lora")), Style: strings.TrimSpace(v.Get("style")), Channel: strings.TrimSpace(v.Get("channel")), Text: strings.TrimSpace(v.Get("q")),
	}
	if q.role == Member {
		f.Member = q.account
	}
	if at, err := time.Parse(time.RFC3339Nano, v.Get("before")); err == nil {
		f.Before = at
	}
	return f
}

// named is a filter with the member whom it calls by name.
func (s *Server) named(q *request, f filter) (filter, error) {
	if f.Member == "" || q.role == Member {
		return f, nil
	}
	var err error
	f.Member, err = s.called(q, f.Member)
	return f, err
}

// values is the filter as a query, without where it begins.
func (f filter) values(role Role) url.Values {
	v := url.Values{}
	set := func(key, value string) {
		if value != "" {
			v.Set(key, value)
		}
	}
	set("team", f.Team)
	if role != Member {
		set("member", f.Member)
	}
	set("state", f.State)
	set("model", f.Model)
	set("lora", f.LoRA)
	set("style", f.Style)
	set("channel", f.Channel)
	set("q", f.Text)
	return v
}

// posted is what was posted, where the text names that: the link of a message with a
// video, or "sha256:" and the hash of a file.
func (f filter) posted() string {
	if hash, ok := strings.CutPrefix(strings.ToLower(f.Text), generate.PostedFile("")); ok {
		return generate.PostedFile(hash)
	}
	if strings.HasPrefix(f.Text, "https://") {
		return generate.PostedLink(f.Text)
	}
	return ""
}

// query is what one index of the store finds of the filter, whatever else is in the
// store; selects decides about the rest.
func (f filter) query() generate.Query {
	q := generate.Query{Before: f.Before}
	state := generate.State(f.State)
	switch {
	case f.posted() != "":
		q.Posted = f.posted()
	case f.State == Unfinished, state.Valid() && !state.Terminal():
		q.Unfinished, q.Team, q.Member = true, f.Team, f.Member
	case f.Member != "":
		q.Member = f.Member
	case f.Team != "":
		q.Team = f.Team
	case f.Videos:
		q.State = generate.Delivered
	case state.Valid():
		q.State = state
	case strings.Contains(f.Model, "/"): // else it is what people call it
		q.Endpoint = f.Model
	}
	return q
}

// about reports whether a job is one of those of which a list may tell that there are
// any.
func (f filter) about(j generate.Job) bool {
	return (f.Team == "" || j.Team == f.Team) && (f.Member == "" || j.Member == f.Member)
}

// selects reports whether a job has what is wanted. Of a private job of
// somebody else, nothing is found by what is in it.
func (f filter) selects(j generate.Job, a access) bool {
	open := a.opens(j)
	return f.about(j) && (!generate.State(f.State).Valid() || j.State == generate.State(f.State)) &&
		(f.Model == "" || j.Endpoint == f.Model || j.Request.Model() == f.Model) &&
		(f.Channel == "" || j.Place.Channel == f.Channel) &&
		(!f.Videos || open && j.State == generate.Delivered && (j.Output.URL != "" || j.Copy.Video() != "")) &&
		(f.LoRA == "" || open && usesLoRA(j, f.LoRA)) &&
		(f.Style == "" || open && strings.EqualFold(j.Request.Style(), f.Style)) &&
		(f.Text == "" || j.ID == strings.ToLower(f.Text) || open && (f.posted() != "" || contains(j.Request.Prompt(), f.Text)))
}

func contains(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}

func usesLoRA(j generate.Job, name string) bool {
	for _, l := range j.Request.LoRAs() {
		if strings.EqualFold(l.Name, name) || strings.EqualFold(l.ShownPath(), name) {
			return true
		}
	}
	return false
}

// owns reports whether a job is the visitor's own.
func (a access) owns(j generate.Job) bool {
	return a.person.Member != "" && j.Team == a.team && (j.Member == a.account || j.Member == a.person.Member || j.AskedBy() == a.person.Member)
}

// opens reports whether the visitor may see what is in a job: its prompt and
// its video. A private one is its requester's; the operator sees all.
func (a access) opens(j generate.Job) bool {
	return a.role == Operator || a.owns(j) || !j.Place.Private
}

// find lists jobs, newest first. next is where the next page begins; the zero
// time when there is none. looked is how many jobs of the team and the member were
// examined.
func (s *Server) find(ctx context.Context, f filter, a access, most int) (found []generate.Job, next time.Time, looked int, err error) {
	query := f.query()
	query.Limit = most + 1
	seen := map[string]bool{} // of the page before
	for read := 0; ; {
		page, err := s.cfg.Jobs.Jobs(ctx, query)
		if err != nil {
			return nil, time.Time{}, looked, err
		}
		now := make(map[string]bool, len(page))
		for _, j := range page {
			now[j.ID] = true
			if seen[j.ID] {
				continue
			}
			if len(found) == most {
				return found, j.Created.Add(1), looked, nil
			}
			if f.about(j) && (query.Posted == "" || a.opens(j)) {
				looked++
			}
			if f.selects(j, a) && (!f.Videos || !deleted(j)) {
				found = append(found, j)
			}
		}
		if len(page) < query.Limit {
			return found, time.Time{}, looked, nil
		}
		// The takes of a batch are of the same moment, and may be on either side of
		// the page's end: the next one begins with them again.
		last, least := page[len(page)-1].Created, leastLook
		if last.Equal(page[0].Created) {
			least = 2 * query.Limit
		}
		query.Before, seen = last.Add(1), now
		if read += len(page); read >= max(maxLook, 10*most) {
			return found, query.Before, looked, nil
		}
		query.Limit = max(least, 2*(most+1-len(found)))
	}
}

// jobList is a page of jobs.
type jobList struct {
	Filter filter
	Wrong  string // what is wrong with it
	States []stateChoice
	Jobs   []jobRow
	Older  string // the query of the next page; empty = there is none
	CSV    string
	Looked int // at how many jobs was looked, where others than these were among them or may follow; else 0
	// Own is set where only the visitor's jobs can be seen.
	Own bool
}

// stateChoice is a choice of the filter by state.
type stateChoice struct{ Value, Text string }

// jobRow is a job for a list.
type jobRow struct {
	generate.Job

	Open   bool // the visitor may see what is in it
	Prompt string
	Style  string // its name
}

// deleted reports whether somebody has deleted the video of a job.
func deleted(j generate.Job) bool { return j.Notes[generate.NoteDeleted] != "" }

// Look is the class of the state on a page.
func (r jobRow) Look() string {
	if r.State == generate.Delivered && deleted(r.Job) {
		return "deleted"
	}
	return string(r.State)
}

// maxPrompt is how much of a prompt a list shows, in characters.
const maxPrompt = 120

func (a access) row(j generate.Job) jobRow {
	r := jobRow{Job: j, Open: a.opens(j)}
	if r.Open {
		r.Prompt, r.Style = shorten(j.Request.Prompt(), maxPrompt), j.Request.Style()
	}
	return r
}

func shorten(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most]) + "…"
}

// link is a path with a query; the empty string without a query.
func link(path string, v url.Values) string { return path + "?" + v.Encode() }

// stateChoices are the choices of the filter by state.
func (s *Server) stateChoices() []stateChoice {
	all := append(make([]stateChoice, 0, 1+len(generate.States)), stateChoice{Unfinished, "Under way"})
	for _, state := range generate.States {
		all = append(all, stateChoice{string(state), s.cfg.Words.StateName(state)})
	}
	return all
}

func (s *Server) jobs(q *request) error {
	f := filterOf(q)
	selects, err := s.named(q, f)
	if wrong, ok := errors.AsType[*nameError](err); ok {
		s.render(q, http.StatusUnprocessableEntity, "jobs", "Jobs", jobList{Filter: f, States: s.stateChoices(), Wrong: wrong.Error()})
		return nil
	}
	if err != nil {
		return err
	}
	if id := strings.ToLower(f.Text); jobID(id) { // an id leads to its job
		if j, err := s.cfg.Jobs.Job(q.Context(), id); err == nil && s.reaches(q, j) {
			http.Redirect(q.w, q.Request, link(Path+"/jobs/"+j.ID, url.Values{"team": {q.team}}), http.StatusSeeOther)
			return nil
		}
	}
	found, next, looked, err := s.find(q.Context(), selects, q.access, jobsPerPage)
	if err != nil {
		return err
	}
	values := f.values(q.role)
	list := jobList{Filter: f, Own: q.role == Member, CSV: link(Path+"/csv/jobs", values), States: s.stateChoices()}
	if looked > len(found) || !next.IsZero() && len(found) < jobsPerPage {
		list.Looked = looked
	}
	for _, j := range found {
		list.Jobs = append(list.Jobs, q.row(j))
	}
	if !next.IsZero() {
		values.Set("before", next.Format(time.RFC3339Nano))
		list.Older = link(Path+"/jobs", values)
	}
	s.render(q, http.StatusOK, "jobs", "Jobs", list)
	return nil
}

// jobID reports whether a text looks like the id of a job.
func jobID(text string) bool {
	return len(text) == 12 && strings.Trim(text, "0123456789abcdefghjkmnpqrstvwxyz") == ""
}

// reaches reports whether the visitor may know that there is a job.
func (s *Server) reaches(q *request, j generate.Job) bool {
	switch q.role {
	case Operator:
		return q.team == "" || j.Team == q.team
	case Admin:
		return j.Team == q.team
	case Member:
		return q.owns(j)
	case Nobody:
	}
	return false
}

// theJob is the job that a request is about.
func (s *Server) theJob(q *request) (generate.Job, error) {
	j, err := s.cfg.Jobs.Job(q.Context(), q.PathValue("id"))
	if err == nil && !s.reaches(q, j) {
		err = generate.ErrNoJob
	}
	return j, err
}

// story is all that there is to know of a job.
type story struct {
	jobRow

	Told       string // what its requester reads
	Command    string
	Events     []event
	Video      string // where it can be played; empty = nowhere
	LoRAs      []string
	Gone       bool // fal does not keep the video any more
	Once       string
	Cancel     bool // it can be asked to stop
	GiveUp     bool
	Deliver    bool // it was paid for and could not be posted
	Again      bool
	Unfinished bool
}

// event is one step of a job.
type event struct {
	At   time.Time
	What string
	// After is how long after the step before.
	After time.Duration
}

func (s *Server) job(q *request) error {
	j, err := s.theJob(q)
	if err != nil {
		return err
	}
	p := story{
		jobRow: q.row(j), Told: s.cfg.Told(j), Events: s.eventsOf(j), Once: once(), Unfinished: j.Unfinished(),
		Cancel: j.State.Cancellable() && j.Cancel == nil, GiveUp: q.role == Operator && j.Unfinished(),
		Deliver: q.role >= Admin && j.Undelivered(), Again: s.mayAgain(q, j),
	}
	if p.Open {
		p.Video, p.Gone = s.video(q, j)
		if !j.Request.IsZero() {
			p.Command = j.Request.CommandLine()
			for _, l := range j.Request.LoRAs() {
				p.LoRAs = append(p.LoRAs, l.ShownPath())
			}
		}
	} else {
		p.Told = ""
	}
	s.render(q, http.StatusOK, "job", "Job "+j.ID, p)
	return nil
}

// video is where the video of a job can be played: here, if the archive has it,
// else at fal. gone says that fal had it, and does not keep it any more.
func (s *Server) video(q *request, j generate.Job) (address string, gone bool) {
	if s.archived(j) != "" {
		return link(Path+"/jobs/"+url.PathEscape(j.ID)+"/video", url.Values{"team": {q.team}}), false
	}
	u, err := url.Parse(j.Output.URL)
	switch {
	case deleted(j):
		return "", false
	case j.Output.URL == "" || err != nil || u.Scheme != "https" && !loopbackName(u.Host):
		return "", false
	case s.cfg.KeepMedia > 0 && !j.Fetched.IsZero() && s.cfg.Now().After(j.Fetched.Add(s.cfg.KeepMedia)):
		return "", true
	}
	return j.Output.URL, false
}

// eventsOf is what happened to a job, in order.
func (s *Server) eventsOf(j generate.Job) []event {
	all := []event{
		{At: j.Created, What: "asked for on " + place(j.Place.Platform)},
		{At: j.Submitted, What: "sent to fal"},
		{At: j.Started, What: "the model began"},
		{At: j.Completed, What: "fal said that it is done"},
		{At: j.Fetched, What: "the video was there"},
		{At: j.Receipt.At, What: "the video was posted"},
		{At: j.LookAt, What: "a lost submit is looked for once more"},
		{At: j.Purge, What: "fal's copy is deleted"},
	}
	if j.Cancel != nil {
		all = append(all, event{At: j.Cancel.At, What: "asked to stop by " + j.Cancel.By}, event{At: j.Cancel.Asked, What: "fal was asked to stop it"})
	}
	if j.Redelivery != nil {
		all = append(all, event{At: j.Redelivery.At, What: "asked to deliver it again by " + j.Redelivery.By})
	}
	if j.State.Terminal() {
		all = append(all, event{At: j.Finished, What: "over: " + s.cfg.Words.StateName(j.State)})
	}
	if !j.State.Terminal() || j.Deadline.Before(j.Finished) {
		all = append(all, event{At: j.Deadline, What: "deadline: fal is asked to stop"})
	}
	all = slices.DeleteFunc(all, func(e event) bool { return e.At.IsZero() })
	slices.SortStableFunc(all, func(a, b event) int { return a.At.Compare(b.At) })
	for i := range all[1:] {
		all[i+1].After = all[i+1].At.Sub(all[i].At)
	}
	return all
}

func (s *Server) cancelJob(q *request) error {
	j, err := s.theJob(q)
	if err != nil {
		return err
	}
	if _, err := s.cfg.Jobs.Cancel(q.Context(), j.ID, q.name()); err != nil {
		return err
	}
	s.log.InfoContext(q.Context(), "asked to stop a job in the console", "job", j.ID, "by", q.name())
	return q.backToJob(j.ID)
}

func (s *Server) giveUpJob(q *request) error {
	j, err := s.theJob(q)
	if err != nil {
		return err
	}
	if j, err = s.cfg.Jobs.GiveUp(q.Context(), j.ID, q.name()); err != nil {
		return err
	}
	s.log.InfoContext(q.Context(), "operator gave up a job in the console", "job", j.ID, "state", string(j.State), "charged_usd", j.Charged.Dollars())
	return q.backToJob(j.ID)
}

func (s *Server) deliverJob(q *request) error {
	j, err := s.theJob(q)
	if err != nil {
		return err
	}
	if j, err = s.cfg.Jobs.Redeliver(q.Context(), j.ID, q.name()); err != nil {
		return err
	}
	s.log.InfoContext(q.Context(), "asked to deliver a job again in the console", "job", j.ID, "by", q.name())
	return q.backToJob(j.ID)
}

// backToJob shows a job after something was done with it.
func (q *request) backToJob(id string) error {
	http.Redirect(q.w, q.Request, link(Path+"/jobs/"+url.PathEscape(id), url.Values{"team": {q.team}}), http.StatusSeeOther)
	return nil
}

// name is the visitor in records.
func (q *request) name() string {
	if q.role == Operator {
		return operatorName
	}
	return q.person.Member
}
