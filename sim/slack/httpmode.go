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
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
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

// Endpoints are the request URLs in use.
func (s *Server) Endpoints() Endpoints {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.endpoints
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
	ts := strconv.FormatInt(s.clock.Now().Unix(), 10)
	return s.sendSigned(ctx, r, ts, Sign(s.creds.signingSecret, ts, r.body))
}

func (s *Server) sendSigned(ctx context.Context, r request, timestamp, signature string) (response, string) {
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
	if timestamp != "" {
		req.Header.Set("X-Slack-Request-Timestamp", timestamp)
	}
	if signature != "" {
		req.Header.Set("X-Slack-Signature", signature)
	}
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

// VerifyEvents is the url_verification that saving an events URL causes: the
// app must answer with the challenge.
func (s *Server) VerifyEvents(ctx context.Context) error {
	challenge := secret()
	e := envelope{to: toEvents, payload: obj{"token": s.creds.verification, "challenge": challenge, "type": "url_verification"}}
	res, code := s.send(ctx, e.request(s.url(toEvents)))
	if code != "" {
		return fmt.Errorf("verify events URL: %s", code)
	}
	var answer struct{ Challenge string }
	text := strings.TrimSpace(string(res.body))
	if json.Unmarshal(res.body, &answer) == nil {
		text = answer.Challenge
	}
	if res.status != http.StatusOK || text != challenge {
		return fmt.Errorf("verify events URL: status %d without the challenge", res.status)
	}
	return nil
}

// CheckSSL is the ssl_check that Slack sends to a command's URL now and then;
// the app must answer 200.
func (s *Server) CheckSSL(ctx context.Context) error {
	form := url.Values{"ssl_check": {"1"}, "token": {s.creds.verification}}
	r := request{url: s.url(toCommands), contentType: "application/x-www-form-urlencoded", body: []byte(form.Encode())}
	res, code := s.send(ctx, r)
	if code != "" {
		return fmt.Errorf("check SSL: %s", code)
	}
	if res.status != http.StatusOK {
		return fmt.Errorf("check SSL: status %d", res.status)
	}
	return nil
}

// A Probe is a forged request and what the app answered to it.
type Probe struct {
	// Name says what was wrong with the request.
	Name string
	// Status is the answer; anything below 400 is a hole in the app.
	Status int
}

// ProbeSignatures sends requests that are not Slack's to the URL to, each wrong
// in one way, and returns the answers.
func (s *Server) ProbeSignatures(ctx context.Context, to string) ([]Probe, error) {
	body := []byte(url.Values{"command": {"/ltx"}, "text": {"forged"}, "user_id": {"U00000000"}}.Encode())
	now := strconv.FormatInt(s.clock.Now().Unix(), 10)
	old := strconv.FormatInt(s.clock.Now().Add(-301*time.Second).Unix(), 10)
	ahead := strconv.FormatInt(s.clock.Now().Add(302*time.Second).Unix(), 10)
	key := s.creds.signingSecret
	good := Sign(key, now, body)
	probes := []struct{ name, timestamp, signature string }{
		{"no headers", "", ""},
		{"no signature", now, ""},
		{"no timestamp", "", good},
		{"signed with another secret", now, Sign("other", now, body)},
		{"signature of another body", now, Sign(key, now, append([]byte("x"), body...))},
		{"signature of another time", now, Sign(key, old, body)},
		{"five minutes old", old, Sign(key, old, body)},
		{"five minutes ahead", ahead, Sign(key, ahead, body)},
		{"signature cut short", now, good[:len(good)-2]},
		{"version v1", now, "v1" + good[2:]},
	}
	var results []Probe
	for _, p := range probes {
		r := request{url: to, contentType: "application/x-www-form-urlencoded", body: body}
		res, code := s.sendSigned(ctx, r, p.timestamp, p.signature)
		if code != "" {
			return results, fmt.Errorf("probe %s: %s", p.name, code)
		}
		results = append(results, Probe{p.name, res.status})
	}
	return results, nil
}
