package fal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxInput bounds the body of a submit.
const maxInput = 1 << 20

// routes is all that the simulator serves.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/queue/", s.serveQueue)
	mux.HandleFunc("GET /api/v1/models/requests/by-endpoint", s.answering(OpHistory, s.history))
	mux.HandleFunc("GET /api/v1/models/pricing", s.answering(OpPricing, s.pricing))
	mux.HandleFunc("DELETE /api/v1/models/requests/{id}/payloads", s.answering(OpPurge, s.purge))
	mux.HandleFunc("GET /rest/.well-known/jwks.json", s.answering(OpJWKS, s.jwks))
	mux.HandleFunc("POST /rest/storage/upload/initiate", s.answering(OpUpload, func(r *http.Request) reply { return s.initiate(r, false) }))
	mux.HandleFunc("POST /rest/storage/upload/initiate-multipart", s.answering(OpUpload, func(r *http.Request) reply { return s.initiate(r, true) }))
	mux.HandleFunc("PUT /media/upload/{token}", s.answering(OpUpload, s.receiveWhole))
	mux.HandleFunc("PUT /media/multipart/{token}/{part}", s.answering(OpUpload, s.receivePart))
	mux.HandleFunc("POST /media/multipart/{token}/complete", s.answering(OpUpload, s.completeParts))
	mux.HandleFunc("GET /media/files/b/{dir}/{name}", s.serving(OpMedia, s.serveFile))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.violate("%s %s: there is no such path", r.Method, r.URL.Path)
		jsonReply(http.StatusNotFound, map[string]any{"detail": "Not Found"}).send(w)
	})
	return mux
}

// requestCalls are the calls about a request, by method and end of the path.
var requestCalls = []struct {
	method, tail string
	op           Op
}{
	{http.MethodGet, "", OpResult},
	{http.MethodGet, "status", OpStatus},
	{http.MethodGet, "status/stream", OpStream},
	{http.MethodPut, "cancel", OpCancel},
}

// serveQueue tells a submit from a call about a request. The latter live below
// owner/alias; fal answers a 405 below the whole endpoint, before it looks at
// the key.
func (s *Server) serveQueue(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/queue/")
	where, rest, about := strings.Cut(path, "/requests/")
	if !about {
		s.answering(OpSubmit, s.submit)(w, r)
		return
	}
	id, tail, _ := strings.Cut(rest, "/")
	for _, c := range requestCalls {
		if c.tail != tail || c.method != r.Method {
			continue
		}
		if where != app(where) || !hasApp(where) {
			s.violate("%s %s: fal serves this below owner and alias only", r.Method, r.URL.Path)
			break
		}
		if c.op == OpStream {
			s.serving(OpStream, func(w http.ResponseWriter, r *http.Request, f Fault) {
				s.stream(w, r, where, id, f)
			})(w, r)
			return
		}
		s.answering(c.op, func(r *http.Request) reply { return s.aboutRequest(c.op, r, where, id) })(w, r)
		return
	}
	w.WriteHeader(http.StatusMethodNotAllowed)
}

// refuse checks the key of a request. keyless is what fal says when there is
// none.
func (s *Server) refuse(r *http.Request, keyless string) (reply, bool) {
	var detail string
	status := http.StatusUnauthorized
	s.mu.Lock()
	locked := s.locked
	s.mu.Unlock()
	switch given := r.Header.Get("Authorization"); {
	case given == "":
		detail = keyless
	case given != "Key "+s.o.Key:
		detail = "invalid key credentials"
	case locked != "":
		status = http.StatusForbidden
		detail = fmt.Sprintf("User is locked. Reason: %s. Top up your balance at fal.ai/dashboard/billing.", locked)
	default:
		return reply{}, false
	}
	return jsonReply(status, map[string]any{"detail": detail}), true
}

// keylessService is what everything but the queue says without a key.
const keylessService = "Authorization header is required"

// keylessApp is what the queue says without a key.
func keylessApp(app string) string {
	return fmt.Sprintf("Cannot access application %q. Authentication is required to access this application.", app)
}

// hasApp says whether fal has endpoints below owner and alias.
func hasApp(name string) bool {
	for path := range endpoints() {
		if app(path) == name {
			return true
		}
	}
	return false
}

// submit answers a POST to an endpoint.
func (s *Server) submit(r *http.Request) reply {
	path := strings.TrimPrefix(r.URL.Path, "/queue/")
	body, _ := io.ReadAll(io.LimitReader(r.Body, maxInput)) // what is missing is not JSON
	seen := Submit{
		Endpoint: path, Query: r.URL.Query(), Header: r.Header.Clone(), Body: slices.Clone(body),
		Webhook: r.URL.Query().Get("fal_webhook"), At: time.Now(),
	}
	seen.Header.Del("Authorization")
	a, id := s.accept(r, path, body, &seen)
	seen.RequestID = id
	s.mu.Lock()
	defer s.mu.Unlock()
	s.submits = append(s.submits, seen)
	return a
}

// accept queues a job if fal would.
func (s *Server) accept(r *http.Request, path string, body []byte, seen *Submit) (reply, string) {
	if r.Method != http.MethodPost {
		return reply{status: http.StatusMethodNotAllowed}, ""
	}
	if a, no := s.refuse(r, keylessApp(app(path))); no {
		return a, ""
	}
	e, found := endpoints()[path]
	if !found {
		detail := fmt.Sprintf("Application %q not found", path)
		if a := app(path); hasApp(a) {
			detail = fmt.Sprintf("Path %s not found", strings.TrimPrefix(path, a))
		}
		return jsonReply(http.StatusNotFound, map[string]any{"detail": detail}), ""
	}
	var in map[string]any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&in); err != nil || in == nil {
		return jsonReply(http.StatusUnprocessableEntity, map[string]any{"detail": []complaint{
			complain("json_invalid", "JSON decode error", nil, nil),
		}}), ""
	}
	wrong, ignored := e.validate(in)
	seen.Ignored = ignored
	for _, name := range ignored {
		s.violate("submit: the input has no %q; fal ignores it", name)
	}
	if len(wrong) > 0 && s.o.RefuseAtSubmit {
		return jsonReply(http.StatusUnprocessableEntity, map[string]any{"detail": wrong}), ""
	}
	if hook := seen.Webhook; hook != "" {
		if u, err := url.Parse(hook); err != nil || u.Host == "" {
			return jsonReply(http.StatusBadRequest, map[string]any{"detail": "Invalid webhook URL", "error_type": "bad_request"}), ""
		}
	}
	return s.queueUp(r, e, in, body, wrong, seen.Webhook)
}

func (s *Server) queueUp(r *http.Request, e endpoint, in map[string]any, body []byte, wrong []complaint, hook string) (reply, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if longest, err := strconv.Atoi(r.URL.Query().Get("fal_max_queue_length")); err == nil && len(s.queue) > longest {
		a := jsonReply(http.StatusTooManyRequests, map[string]any{"detail": "Queue is too long", "error_type": "concurrent_requests_limit"})
		a.header.Set("X-Fal-Needs-Retry", "1")
		return a, ""
	}
	j := &job{
		id: newID(now), endpoint: e, input: in, raw: body, wrong: wrong, webhook: hook,
		noStore: r.Header.Get("X-Fal-Store-IO") == "0",
		state:   inQueue, sent: now, outcome: s.outcomeFor(in),
		eligible: now.Add(s.scaled(s.o.Timing.Queue)), ahead: s.o.Timing.Ahead,
		run: s.scaled(s.o.Timing.Run), steps: s.o.Timing.Steps,
	}
	if life, wrong := lifetime(r.Header.Get("X-Fal-Object-Lifecycle-Preference")); wrong != "" {
		s.violations = append(s.violations, "submit: X-Fal-Object-Lifecycle-Preference: "+wrong)
	} else {
		j.life = life
	}
	if v := r.Header.Get("x-app-fal-disable-fallback"); v != "" && v != "true" {
		s.violations = append(s.violations, fmt.Sprintf("submit: x-app-fal-disable-fallback is %q", v))
	}
	if limit, ok := s.startLimit(r); ok {
		j.startBy = now.Add(limit)
	}
	switch {
	case len(wrong) > 0:
		j.outcome = InvalidInput
	case j.outcome == Slow:
		j.run *= 10
	}
	s.enqueue(j)
	answer := map[string]any{"status": inQueue, "request_id": j.id, "gateway_request_id": j.id, "queue_position": s.position(j, now)}
	maps.Copy(answer, s.urls(j))
	a := jsonReply(http.StatusOK, answer)
	a.header.Set("x-fal-request-id", j.id)
	return a, j.id
}

// leastStart is the shortest time to start in that may be asked for, in
// seconds.
// https://fal.ai/docs/documentation/model-apis/common-parameters
const leastStart = 0.1

// startLimit is how long a request may wait for its start, queueing and
// falling back included, if its sender says so. The caller holds mu.
func (s *Server) startLimit(r *http.Request) (time.Duration, bool) {
	text := r.Header.Get("X-Fal-Request-Timeout")
	if text == "" {
		return 0, false
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || seconds <= leastStart {
		s.violations = append(s.violations, fmt.Sprintf("submit: X-Fal-Request-Timeout is %q; it takes more than %v seconds", text, leastStart))
		return 0, false
	}
	return time.Duration(seconds * float64(time.Second)), true // it is the client's time, not that of Timing
}

// aboutRequest answers a status, a result or a cancel.
func (s *Server) aboutRequest(op Op, r *http.Request, below, id string) reply {
	if a, no := s.refuse(r, keylessApp(below)); no {
		return a
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	s.advance(now)
	j := s.kept(below, id, now)
	var a reply
	switch {
	case j == nil && op == OpResult:
		a = jsonReply(http.StatusNotFound, map[string]any{"detail": "Request not found"})
	case j == nil:
		a = jsonReply(http.StatusNotFound, map[string]any{"status": "NOT_FOUND"})
	case op == OpStatus:
		code := http.StatusAccepted
		if j.state == completed {
			code = http.StatusOK
		}
		a = jsonReply(code, s.status(j, now, wantsLogs(r)))
	case op == OpCancel:
		a = jsonReply(http.StatusBadRequest, map[string]any{"status": "ALREADY_COMPLETED"})
		if s.cancel(j, now) {
			a = jsonReply(http.StatusAccepted, map[string]any{"status": "CANCELLATION_REQUESTED"})
		}
	case j.state != completed:
		body := s.urls(j)
		body["detail"], body["request_id"] = "Request is still in progress", j.id
		a = jsonReply(http.StatusBadRequest, body)
	default:
		a = j.reply.clone()
	}
	a.header.Set("x-fal-request-id", id)
	return a
}

func wantsLogs(r *http.Request) bool {
	v := r.URL.Query().Get("logs")
	return v == "1" || v == "true"
}

// kept returns a job of an app unless its result has expired. The caller holds
// mu.
func (s *Server) kept(below, id string, now time.Time) *job {
	j := s.jobs[id]
	if j == nil || app(j.endpoint.path) != below || j.state == completed && now.Sub(j.ended) > s.o.Retention {
		return nil
	}
	return j
}

// Forget makes the queue forget a request, as it does after Retention.
func (s *Server) Forget(requestID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.jobs, requestID)
}

// RequestIDs lists the accepted requests, oldest first.
func (s *Server) RequestIDs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := make([]string, 0, len(s.order))
	for _, j := range s.order {
		ids = append(ids, j.id)
	}
	return ids
}

// Ended is when a request was completed; zero if it is not.
func (s *Server) Ended(requestID string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j := s.jobs[requestID]; j != nil {
		return j.ended
	}
	return time.Time{}
}
