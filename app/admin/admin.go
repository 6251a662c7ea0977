// Package admin is the bot's HTTP API for its operator, below /admin/api/, and
// the client of it that the command line uses while the bot runs.
//
// Each request carries the token of the config in its Authorization header.
// There are no cookies: a page that somebody is lured to can't act for the
// operator. Whoever sends wrong tokens is slowed down. Without a token in the
// config the API is not there at all.
package admin

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"

	"ltxbot/internal/ingress"
)

// Path is where the API is.
const Path = "/admin/api/"

// maxBody bounds the body of a request, in bytes.
const maxBody = 64 << 10

// API answers the operator's requests. Handlers are added by Handle before it
// serves; each runs only for requests that carry the token.
type API struct {
	on      bool
	token   [sha256.Size]byte
	backoff *ingress.Backoff
	mux     *http.ServeMux
	guard   *ingress.Guard
	log     *slog.Logger
	teams   func(context.Context) ([]string, error) // nil = any
}

// New makes an API that token opens; with an empty one it is not there. What
// it refuses for its token is noted by guard.
func New(token string, guard *ingress.Guard, log *slog.Logger) *API {
	return &API{on: token != "", token: sha256.Sum256([]byte(token)), backoff: ingress.NewBackoff(), mux: http.NewServeMux(), guard: guard, log: log}
}

// A Handler answers one request: v is sent as JSON. An error that is an *Error
// is sent with its status; any other is logged, and told without its cause.
type Handler func(r *http.Request) (v any, err error)

// Handle adds a route. pattern is one of http.ServeMux, with its method, and a
// path below Path: "GET jobs/{id}".
func (a *API) Handle(pattern string, h Handler) {
	a.Stream(pattern, func(w http.ResponseWriter, r *http.Request) error {
		v, err := h(r)
		if err == nil {
			write(w, http.StatusOK, v)
		}
		return err
	})
}

// Stream adds a route whose handler writes its answer itself. An error that it
// returns is answered like that of a Handler; so it must be returned before
// anything was written.
func (a *API) Stream(pattern string, h func(http.ResponseWriter, *http.Request) error) {
	method, path, _ := strings.Cut(pattern, " ")
	a.mux.HandleFunc(method+" "+Path+path, func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			a.refuse(w, r, err)
		}
	})
}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if !a.on {
		http.NotFound(w, r)
		return
	}
	if pause := a.backoff.Pause(r.RemoteAddr); pause > 0 {
		a.guard.Note(ingress.Admin, ingress.TooOften)
		seconds := strconv.Itoa(int(math.Ceil(pause.Seconds())))
		w.Header().Set("Retry-After", seconds)
		write(w, http.StatusTooManyRequests, problem{"too many wrong admin tokens came from this address; try again in " + seconds + " s"})
		return
	}
	if !a.allowed(r) {
		a.guard.Note(ingress.Admin, ingress.BadToken)
		w.Header().Set("WWW-Authenticate", "Bearer")
		write(w, http.StatusUnauthorized, problem{"the admin token is missing or wrong (http.admin_token)"})
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	a.mux.ServeHTTP(w, r)
}

// allowed compares in a time that tells nothing of the token. A request without
// one is refused, but is no try.
func (a *API) allowed(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return false
	}
	sum := sha256.Sum256([]byte(token))
	if subtle.ConstantTimeCompare(sum[:], a.token[:]) != 1 {
		a.backoff.Failed(r.RemoteAddr)
		return false
	}
	a.backoff.Passed(r.RemoteAddr)
	return true
}

// An Error is an answer that is not what was asked for.
type Error struct {
	Status int
	Text   string // what is wrong, for the operator
}

func (e *Error) Error() string { return e.Text }

// NotFound reports whether there is no such thing, or no such route.
func (e *Error) NotFound() bool { return e.Status == http.StatusNotFound }

// problem is an error in JSON.
type problem struct {
	Error string `json:"error"`
}

func (a *API) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var known *Error
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &known):
		write(w, known.Status, problem{known.Text})
	case errors.As(err, &large):
		write(w, http.StatusRequestEntityTooLarge, problem{"the body is too large"})
	case r.Context().Err() != nil:
	default:
		a.log.ErrorContext(r.Context(), "admin request did not succeed", "route", r.Pattern, "error", err)
		write(w, http.StatusInternalServerError, problem{"not possible now; the log says why"})
	}
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // whoever does not read it asks again
}
