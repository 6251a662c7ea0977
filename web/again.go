package web

import (
	"crypto/rand"
	"errors"

	"ltxbot/core/generate"
)

// Again is a wish to make the video of a job once more, with another seed.
type Again struct {
	// Event names the form that was sent: the same one is the same job.
	Event  string
	Job    generate.Job
	Person Person
	User   string // of the person, on the platform of the job
	Team   string
}

// AgainError says why a video is not made once more, to who asked.
type AgainError struct{ Text string }

func (e *AgainError) Error() string { return e.Text }

// mayAgain reports whether the visitor can have the video of a job made once
// more: it is posted where the first one was, and charged to who asks, so it
// must be somebody of the platform of that place.
func (s *Server) mayAgain(q *request, j generate.Job) bool {
	return s.cfg.Again != nil && q.role != Operator && q.who.Platform == j.Place.Platform && q.opens(j) && !j.Request.IsZero() &&
		(q.owns(j) || !j.Place.Private)
}

func (s *Server) again(q *request) error {
	j, err := s.theJob(q)
	if err != nil {
		return err
	}
	switch {
	case !s.mayAgain(q, j):
		return errNotAllowed
	case q.event() == "": // all forms without a name would be the same job
		return errForm
	}
	made, err := s.cfg.Again(q.Context(), Again{Event: q.event(), Job: j, Person: q.person, User: q.who.User, Team: q.team})
	if refused := (*AgainError)(nil); errors.As(err, &refused) {
		return &problem{422, "There will be no video", refused.Text}
	}
	if err != nil {
		return err
	}
	return q.backToJob(made.ID)
}

// once is the name of a form, so that sending it twice does something once.
func once() string { return rand.Text() }

// event is the form that was sent, among the events of all platforms; "" when
// the form has no name.
func (q *request) event() string {
	if name := q.PostForm.Get("once"); name != "" && len(name) <= maxOnce {
		return From + ":" + q.who.Owner + ":" + name
	}
	return ""
}

const maxOnce = 64
