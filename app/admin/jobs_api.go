package admin

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"ltxbot/core/generate"
)

// Jobs is what the API needs of the engine.
type Jobs interface {
	Job(ctx context.Context, id string) (generate.Job, error)
	Jobs(ctx context.Context, q generate.Query) ([]generate.Job, error)
	Cancel(ctx context.Context, id, by string) (generate.Job, error)
	GiveUp(ctx context.Context, id, by string) (generate.Job, error)
	Redeliver(ctx context.Context, id, by string) (generate.Job, error)
}

// Operator is who cancels a job by this API, gives it up, or has it delivered again.
const Operator = "operator"

// ServeJobs adds the routes about jobs:
//
//	GET  jobs?team=&member=&unfinished=true&limit=   list, newest first
//	GET  jobs?posted=sha256:…                        those whose video is this file; or a link, of its message
//	GET  jobs/{id}                                   one job, with its prompt
//	POST jobs/{id}/cancel                            ask to stop it
//	POST jobs/{id}/give-up                           end it at once, whatever it waits for
//	POST jobs/{id}/deliver                           post its video, which could not be posted before
func (a *API) ServeJobs(jobs Jobs) {
	a.Handle("GET jobs", func(r *http.Request) (any, error) {
		q, err := queryOf(r.URL.Query())
		if err != nil {
			return nil, err
		}
		found, err := jobs.Jobs(r.Context(), q)
		if err == nil && len(found) == 0 {
			err = a.checkTeam(r.Context(), q.Team)
		}
		list := JobList{Jobs: make([]Job, 0, len(found))}
		for _, j := range found {
			list.Jobs = append(list.Jobs, Summary(j))
		}
		return list, err
	})
	a.Handle("GET jobs/{id}", func(r *http.Request) (any, error) {
		j, err := jobs.Job(r.Context(), r.PathValue("id"))
		return Details(j), known(err)
	})
	a.Handle("POST jobs/{id}/cancel", func(r *http.Request) (any, error) {
		j, err := jobs.Cancel(r.Context(), r.PathValue("id"), Operator)
		if err == nil {
			a.log.InfoContext(r.Context(), "operator asked to stop a job", "job", j.ID, "state", string(j.State))
		}
		return Summary(j), known(err)
	})
	a.Handle("POST jobs/{id}/give-up", func(r *http.Request) (any, error) {
		j, err := jobs.GiveUp(r.Context(), r.PathValue("id"), Operator)
		if errors.Is(err, generate.ErrTooLate) {
			return Summary(j), &Error{http.StatusConflict, "the job is over already"}
		}
		if err == nil {
			a.log.InfoContext(r.Context(), "operator gave up a job", "job", j.ID, "state", string(j.State),
				"request_id", j.Submission.RequestID, "charged_usd", j.Charged.Dollars())
		}
		return Summary(j), known(err)
	})
	a.Handle("POST jobs/{id}/deliver", func(r *http.Request) (any, error) {
		j, err := jobs.Redeliver(r.Context(), r.PathValue("id"), Operator)
		if errors.Is(err, generate.ErrTooLate) {
			return Summary(j), &Error{http.StatusConflict, "another video of its command is being posted; try again in a minute"}
		}
		if err == nil {
			a.log.InfoContext(r.Context(), "operator asked to deliver a job again", "job", j.ID, "state", string(j.State))
		}
		return Summary(j), known(err)
	})
}

// ServeBackup adds the route for a copy of the store, for stores that write one:
//
//	GET backup
func (a *API) ServeBackup(backup func(ctx context.Context, w io.Writer) error) {
	a.Stream("GET backup", func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Content-Type", "application/octet-stream")
		// The length is not known before: a copy that breaks off must not
		// look like a whole one.
		w.Header().Set("Trailer", Complete)
		if err := backup(r.Context(), w); err != nil {
			a.log.ErrorContext(r.Context(), "backup did not succeed", "error", err)
			panic(http.ErrAbortHandler)
		}
		w.Header().Set(Complete, "true")
		a.log.InfoContext(r.Context(), "operator made a backup")
		return nil
	})
}

// Complete is the trailer of a backup that was written to its end.
const Complete = "X-Backup-Complete"

// JobList is the answer to a list.
type JobList struct {
	Jobs []Job `json:"jobs"`
}

// MaxList is how many jobs a list may have.
const MaxList = 1000

// maxPosted bounds the name of what was posted, in bytes.
const maxPosted = 1000

// queryOf reads the query of a list.
func queryOf(v url.Values) (generate.Query, error) {
	q := generate.Query{Team: v.Get("team"), Posted: generate.PostedLink(v.Get("posted"))}
	if len(q.Posted) > maxPosted {
		return q, &Error{http.StatusBadRequest, "posted must have at most " + strconv.Itoa(maxPosted) + " bytes"}
	}
	var err error
	if s := v.Get("member"); s != "" {
		if q.Member, err = memberOf(s); err != nil {
			return q, err
		}
	}
	if s := v.Get("unfinished"); s != "" {
		if q.Unfinished, err = strconv.ParseBool(s); err != nil {
			return q, &Error{http.StatusBadRequest, "unfinished must be true or false"}
		}
	}
	if s := v.Get("limit"); s != "" {
		if q.Limit, err = strconv.Atoi(s); err != nil || q.Limit < 1 || q.Limit > MaxList {
			return q, &Error{http.StatusBadRequest, "limit must be from 1 to " + strconv.Itoa(MaxList)}
		}
	}
	return q, nil
}

// known gives the errors of the engine that an operator can act on their
// status.
func known(err error) error {
	switch {
	case errors.Is(err, generate.ErrNoJob):
		return &Error{http.StatusNotFound, "there is no such job"}
	case errors.Is(err, generate.ErrTooLate):
		return &Error{http.StatusConflict, "the job is past cancelling"}
	case errors.Is(err, generate.ErrDelivered):
		return &Error{http.StatusConflict, "the job has no video that could not be posted"}
	case errors.Is(err, generate.ErrGone):
		return &Error{http.StatusGone, "fal does not keep the video any more"}
	default:
		return err
	}
}
