package slack

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
)

// maxAnswer bounds what the server reads of the app's answer, in bytes.
const maxAnswer = 1 << 20

// Endpoints are the app's request URLs. With any of them set the app is in HTTP
// mode; without Options, choices are asked from Interactions.
type Endpoints struct {
	Commands, Interactions, Options, Events string
}

// UseHTTP puts the app into HTTP mode, or back into Socket Mode when all are
// empty.
func (s *Server) UseHTTP(e Endpoints) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endpoints = e
}

// Sign is the X-Slack-Signature of a body that is sent at timestamp.
// https://docs.slack.dev/authentication/verifying-requests-from-slack
func Sign(signingSecret, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(signingSecret))
	mac.Write([]byte("v0:" + timestamp + ":"))
	mac.Write(body)
	return "v0=" + hex.EncodeToString(mac.Sum(nil))
}

// response is what the app answered to a request.
type response struct {
	status int
	header http.Header
	body   []byte
}

// request is an HTTP request to the app before it is signed.
type request struct {
	url, contentType string
	body             []byte
	header           map[string]string
}

func (s *Server) url(to endpoint) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch to {
	case toCommands:
		return s.endpoints.Commands
	case toEvents:
		return s.endpoints.Events
	case toOptions:
		if s.endpoints.Options != "" {
			return s.endpoints.Options
		}
	case toInteractions:
	}
	return s.endpoints.Interactions
}

// send signs r and sends it, waiting 3 s on the server's clock. The code says
// what people see when there was no answer.
func (s *Server) send(ctx context.Context, r request) (response, string) {
	timestamp := strconv.FormatInt(s.clock.Now().Unix(), 10)
	ctx, stop := s.bounded(ctx)
	defer stop()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer s.clock.after(s, cmp.Or(s.opts.AnswerWithin, ackDeadline), func() { cancel(context.DeadlineExceeded) })()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(r.body))
	if err != nil {
		return response{}, "dispatch_failed"
	}
	req.Header.Set("Content-Type", r.contentType)
	req.Header.Set("User-Agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
	for k, v := range r.header {
		req.Header.Set(k, v)
	}
	req.Header.Set("X-Slack-Request-Timestamp", timestamp)
	req.Header.Set("X-Slack-Signature", Sign(s.creds.signingSecret, timestamp, r.body))
	res, err := s.client.Do(req)
	if err == nil {
		defer func() {
			if err := res.Body.Close(); err != nil {
				s.log.DebugContext(ctx, "close", "error", err)
			}
		}()
		var body []byte
		if body, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer)); err == nil {
			return response{res.StatusCode, res.Header, body}, ""
		}
	}
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return response{}, "operation_timeout"
	}
	return response{}, "dispatch_failed"
}

// deliverHTTP posts e to the app's request URL.
func (s *Server) deliverHTTP(ctx context.Context, e envelope) (Receipt, string) {
	r := e.request(s.url(e.to))
	if r.url == "" {
		return Receipt{}, "dispatch_failed"
	}
	begun := s.clock.Now()
	res, code := s.send(ctx, r)
	rec := Receipt{Took: s.clock.Now().Sub(begun)}
	switch {
	case code != "":
		return rec, code
	case res.status >= http.StatusInternalServerError:
		return rec, "http_service_error"
	case res.status >= http.StatusBadRequest:
		return rec, "http_client_error"
	case res.status >= http.StatusMultipleChoices:
		return rec, "dispatch_unknown_error"
	}
	body := bytes.TrimSpace(res.body)
	media, _, err := mime.ParseMediaType(res.header.Get("Content-Type"))
	switch {
	case len(body) == 0:
	case err == nil && media == "application/json" || json.Valid(body) && body[0] == '{':
		if !json.Valid(body) {
			return rec, "invalid_command_response"
		}
		rec.Answer = body
	default:
		rec.Answer = marshal(string(body))
	}
	return rec, ""
}

// request is the envelope as HTTP carries it: commands as a form, interactions
// as a form with one JSON field, events as JSON.
func (e envelope) request(to string) request {
	form := url.Values{}
	switch e.to {
	case toEvents:
		r := request{url: to, contentType: "application/json", body: marshal(e.payload), header: map[string]string{}}
		if e.retry > 0 {
			r.header["X-Slack-Retry-Num"], r.header["X-Slack-Retry-Reason"] = strconv.Itoa(e.retry), e.reason
		}
		return r
	case toCommands:
		for k, v := range e.payload {
			form.Set(k, str(v))
		}
	case toInteractions, toOptions:
		form.Set("payload", string(marshal(e.payload)))
	}
	return request{url: to, contentType: "application/x-www-form-urlencoded", body: []byte(form.Encode())}
}
