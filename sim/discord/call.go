package discord

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/gorilla/websocket"
)

// A call is one request to the REST API.
type call struct {
	form

	s             *Server
	r             *http.Request
	route         *route
	params        map[string]string
	version       int
	uploadChannel string // where the files of this call will be
}

func (c *call) param(name string) string { return c.params[name] }

// validate checks the JSON body against a schema.
func (c *call) validate(s schema) *apiError {
	check := &checker{}
	var body any
	if c.json != nil {
		body = c.json
	}
	check.check("", s, body)
	return check.result()
}

// userAgent is what a bot has to call itself.
// https://discord.com/developers/docs/reference#user-agent
var userAgent = regexp.MustCompile(`^DiscordBot \(\S+, \S+\)`)

// ServeHTTP serves the API below /api, attachments, and the gateway.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		panic(http.ErrAbortHandler)
	}
	defer s.running.Done()
	switch {
	case websocket.IsWebSocketUpgrade(r):
		s.serveGateway(w, r)
	case strings.HasPrefix(r.URL.Path, "/attachments/"), strings.HasPrefix(r.URL.Path, "/ephemeral-attachments/"):
		s.serveAttachment(w, r)
	case oauthRequest(r):
		s.serveOAuth(w, r)
	default:
		s.serveAPI(w, r)
	}
}

func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	rest, isAPI := strings.CutPrefix(r.URL.EscapedPath(), "/api/")
	version, path, _ := strings.Cut(rest, "/")
	c := &call{s: s, r: r}
	entry := Request{Method: r.Method}
	reply := response{}
	switch {
	case !isAPI:
		reply.refuse(errNotFound)
	case version != "v9" && version != "v10":
		reply.refuse(errAPIVersion)
	default:
		c.version, _ = strconv.Atoi(version[1:])
		route, params, refused := s.match(r.Method, path)
		if refused != nil {
			reply.refuse(refused)
			break
		}
		c.route, c.params = route, params
		entry.Route, entry.Params = route.pattern, withoutToken(params)
		dropped, fault := s.faultBefore(r, route, &reply)
		if dropped {
			entry.Lost = true
			s.log(entry)
			panic(http.ErrAbortHandler)
		}
		if reply.status == 0 {
			s.serveRoute(c, &reply)
		} else {
			s.drain(r, &reply)
		}
		entry.Lost = fault != nil && fault.LoseReply
	}
	entry.Status, entry.Code = reply.status, reply.code
	s.log(entry)
	if entry.Lost || reply.aborted {
		panic(http.ErrAbortHandler) // drops the connection without an answer
	}
	reply.write(w)
}

// drain reads the body of a request that a fault answers, so that the client
// gets to see the answer.
func (s *Server) drain(r *http.Request, reply *response) {
	_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, maxRequestBody))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits.invalid(s, reply)
}

// serveRoute checks what every route has in common, then runs it.
func (s *Server) serveRoute(c *call, reply *response) {
	body, refused, err := s.readForm(c.r)
	if err != nil {
		reply.aborted = true
		return
	}
	c.form = body
	defer func() { discard(c.uploads) }()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !userAgent.MatchString(c.r.UserAgent()) {
		reply.refuse(errUserAgent)
		s.limits.invalid(s, reply)
		return
	}
	if refusedAuth := c.authorize(); refusedAuth != nil {
		reply.refuse(refusedAuth)
		s.limits.invalid(s, reply)
		return
	}
	if limited := s.limits.take(c, reply); limited {
		s.limits.invalid(s, reply)
		return
	}
	if refused != nil {
		reply.refuse(refused)
		return
	}
	if c.array != nil && !c.route.list {
		reply.refuse(invalidForm(fieldError{code: "MODEL_TYPE_CONVERT", message: "Only dictionaries may be used in a ModelType"}))
		return
	}
	status, out, refused := c.route.handle(c)
	if refused != nil {
		reply.refuse(refused)
		if refused == errTooManyOldEdits {
			reply.retryAfter(oldEditWindow)
		}
	} else {
		reply.status, reply.body = status, out
	}
	s.limits.invalid(s, reply)
}

func (c *call) authorize() *apiError {
	if c.route.auth == authNone {
		return nil
	}
	if c.s.tokenReset || c.r.Header.Get("Authorization") != "Bot "+c.s.token {
		return errUnauthorized
	}
	if c.route.auth == authOwner && c.param("application") != c.s.app {
		if c.s.world.users[c.param("application")] == nil {
			return errUnknownApplication
		}
		return errNotAuthorizedApp
	}
	return nil
}

// A response is what will be written.
type response struct {
	status  int
	code    int // Discord's error code
	body    any
	html    string
	header  http.Header
	aborted bool // the client went away while sending
	shared  bool // a 429 that does not count as invalid
}

func (p *response) set(name, value string) {
	if p.header == nil {
		p.header = http.Header{}
	}
	p.header.Set(name, value)
}

func (p *response) refuse(e *apiError) {
	p.status, p.code, p.body = e.status, e.code, e.body()
}

func (p *response) write(w http.ResponseWriter) {
	maps.Copy(w.Header(), p.header)
	switch {
	case p.html != "":
		w.Header().Set("Content-Type", "text/html; charset=UTF-8")
		w.WriteHeader(p.status)
		_, _ = w.Write([]byte(p.html))
	case p.body == nil:
		w.WriteHeader(p.status)
	default:
		w.Header().Set("Content-Type", "application/json")
		raw, err := json.Marshal(p.body)
		if err != nil {
			http.Error(w, "internal error", http.StatusInternalServerError)
			return
		}
		w.WriteHeader(p.status)
		_, _ = w.Write(raw)
	}
}
