package web

import (
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"

	"ltxbot/core/generate"
	"ltxbot/core/team"
	"ltxbot/internal/ingress"
)

// A route is one page or action, who may have it, and what it does.
type route struct {
	pattern string // of http.ServeMux
	may     Role   // the least that may
	do      func(*Server, *request) error
}

// routes is every page and every action.
func routes() []route {
	return []route{
		{"GET /admin/{$}", Member, (*Server).overview},
		{"GET /admin/jobs", Member, (*Server).jobs},
		{"GET /admin/jobs/{id}", Member, (*Server).job},
		{"POST /admin/jobs/{id}/cancel", Member, (*Server).cancelJob},
		{"POST /admin/jobs/{id}/give-up", Operator, (*Server).giveUpJob},
		{"POST /admin/jobs/{id}/deliver", Admin, (*Server).deliverJob},
		{"POST /admin/jobs/{id}/again", Member, (*Server).again},
		{"GET /admin/jobs/{id}/video", Member, (*Server).copy},
		{"GET /admin/gallery", Member, (*Server).gallery},
		{"GET /admin/usage", Member, (*Server).usage},
		{"GET /admin/members", Admin, (*Server).members},
		{"GET /admin/members/{member}", Admin, (*Server).member},
		{"GET /admin/members/{member}/data", Operator, (*Server).memberData},
		{"POST /admin/members/{member}/erase", Operator, (*Server).eraseMember},
		{"GET /admin/team", Admin, (*Server).team},
		{"GET /admin/tiers", Admin, (*Server).tiers},
		{"GET /admin/log", Admin, (*Server).auditLog},
		{"GET /admin/orders/{verb}", Member, (*Server).orderForm},
		{"POST /admin/orders/{verb}", Member, (*Server).order},
		{"GET /admin/library", Member, (*Server).library},
		{"GET /admin/library/{verb}", Member, (*Server).libraryOf},
		{"POST /admin/library/{verb}", Member, (*Server).libraryOrder},
		{"GET /admin/health", Operator, (*Server).health},

		{"GET /admin/csv/jobs", Member, (*Server).jobsCSV},
		{"GET /admin/csv/days", Admin, (*Server).daysCSV},
		{"GET /admin/csv/members", Admin, (*Server).membersCSV},
		{"GET /admin/csv/holds", Admin, (*Server).holdsCSV},
		{"GET /admin/csv/log", Admin, (*Server).logCSV},
		{"GET /admin/csv/loras", Member, (*Server).lorasCSV},
		{"GET /admin/csv/styles", Member, (*Server).stylesCSV},

		{"GET /admin/sign-in", Nobody, (*Server).signInPage},
		{"POST /admin/sign-in/token", Nobody, (*Server).signInByToken},
		{"GET /admin/sign-in/{platform}", Nobody, (*Server).beginSignIn},
		{"GET /admin/sign-in/{platform}/back", Nobody, (*Server).finishSignIn},
		{"POST /admin/sign-out", Nobody, (*Server).signOut},
		{"POST /admin/sign-out/everywhere", Nobody, (*Server).signOutEverywhere},
		{"GET /admin/assets/{file}", Nobody, (*Server).asset},
	}
}

// request is a request with who sent it and what they may do.
type request struct {
	*http.Request
	access

	w     http.ResponseWriter
	who   *visitor // nil = nobody
	piece *piece   // only the live part of the page is wanted; nil = the page
}

// handle checks who sends a request before the route has it.
func (s *Server) handle(to route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := &request{Request: r, w: w}
		serve := s.serve
		if streamed(to, r) {
			serve = s.stream
		}
		if err := serve(to, q); err != nil {
			s.fail(q, err) //nolint:contextcheck // the request carries it
		}
	})
}

func (s *Server) serve(to route, q *request) error {
	if err := s.admit(to, q); err != nil {
		return err
	}
	return to.do(s, q)
}

// admit finds out who sends a request, and what they may do.
func (s *Server) admit(to route, q *request) error {
	if err := q.ParseForm(); err != nil {
		return errForm
	}
	if to.may == Nobody {
		return nil
	}
	if q.who = s.visitor(q.Request); q.who == nil {
		return errNotSignedIn
	}
	var err error
	if q.access, err = s.access(q.Request, q.who); err != nil {
		return err
	}
	if q.role < to.may {
		return errNotAllowed
	}
	return nil
}

// A problem is why there is no page, for the person.
type problem struct {
	status int
	title  string
	text   string
}

func (p *problem) Error() string { return p.title }

// The problems.
var (
	errForm          = &problem{http.StatusBadRequest, "This form could not be read", "Nothing was changed. It may be too large; go back and try again."}
	errNotSignedIn   = &problem{http.StatusUnauthorized, "Sign in first", ""}
	errNotAllowed    = &problem{http.StatusForbidden, "This is not for you", "Nothing was changed. An admin of the team may do it, or whoever runs the bot."}
	errNoTeam        = &problem{http.StatusNotFound, "No such team", "Or it is none of yours."}
	errNoTeamOfYours = &problem{http.StatusForbidden, "You are in no team of this bot", "Join a server or workspace where the bot is, then sign out and sign in again."}
	errNotThere      = &problem{http.StatusForbidden, "You are not in this team any more", "If you have come back since, sign out and sign in again."}
	errChooseTeam    = &problem{http.StatusBadRequest, "Choose a team first", "This page is about one team. Choose it at the top."}
	errNoJob         = &problem{http.StatusNotFound, "No such job", "It may have been forgotten: finished jobs are kept for a while only (retention.jobs)."}
	errNoVideo       = &problem{http.StatusNotFound, "There is no such video", "It is not in the archive, or it is private."}
	errNoPage        = &problem{http.StatusNotFound, "There is no such page", ""}
	errTooLate       = &problem{http.StatusConflict, "It is too late for that", "The job is over, or past the point where it can be stopped. Nothing was changed."}

	errDelivered = &problem{http.StatusConflict, "There is nothing to deliver", "The video is posted, on its way, or there is none. Nothing was changed."}
	errGone      = &problem{
		http.StatusGone, "fal does not keep the video any more",
		"So it can't be delivered. Make it again, if it is still wanted. Nothing was changed.",
	}

	errPlatformSilent = &problem{
		http.StatusServiceUnavailable, "The platform does not answer",
		"The bot asks it at each page what you may do, and got no answer. Nothing was changed. Try again in a minute.",
	}
)

// problemOf is what an error means for the person; nil = the bot is to blame.
func problemOf(err error) (known *problem) {
	var order *team.OrderError
	var name *nameError
	switch {
	case errors.Is(err, generate.ErrNoJob):
		known = errNoJob
	case errors.Is(err, generate.ErrTooLate):
		known = errTooLate
	case errors.Is(err, generate.ErrDelivered):
		known = errDelivered
	case errors.Is(err, generate.ErrGone):
		known = errGone
	case errors.Is(err, team.ErrNotAdmin), errors.Is(err, team.ErrNotOperator), errors.Is(err, team.ErrOtherTeam):
		known = errNotAllowed
	case errors.As(err, &order):
		known = &problem{http.StatusUnprocessableEntity, notDone, told(order)}
	case errors.As(err, &name):
		known = &problem{http.StatusUnprocessableEntity, notDone, name.Error()}
	case errors.Is(err, team.ErrReload):
		known = &problem{http.StatusUnprocessableEntity, "The config was not read", err.Error()}
	case refusedLibrary(err) != nil:
		known = refusedLibrary(err)
	default:
		errors.As(err, &known)
	}
	return known
}

// fail answers a request that could not be carried out.
func (s *Server) fail(q *request, err error) {
	known := problemOf(err)
	if known == nil {
		if q.Context().Err() != nil {
			return
		}
		id := rand.Text()[:8]
		s.log.ErrorContext(q.Context(), "request of the console did not succeed", "incident", id, "route", q.Pattern, "error", err)
		known = &problem{
			http.StatusInternalServerError, "That did not work",
			"Something went wrong inside the bot, and what you asked for may not be done. Try again in a minute. The log knows more under " + id + ".",
		}
	}
	switch known.status {
	case http.StatusUnauthorized:
		next := Path + "/"
		if q.Method == http.MethodGet {
			next = q.URL.RequestURI()
		}
		http.Redirect(q.w, q.Request, Path+"/sign-in?"+url.Values{"next": {next}}.Encode(), http.StatusSeeOther)
		return
	case http.StatusForbidden:
		s.cfg.Guard.Note(ingress.Console, ingress.Forbidden)
	}
	s.render(q, known.status, "problem", known.title, known.text)
}

// missing answers what is no page.
func (s *Server) missing(*request) error { return errNoPage }
