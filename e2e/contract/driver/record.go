package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"
)

// A recorder is a reverse proxy that keeps what a bot says to a platform and
// what it is told, without secrets.
type recorder struct {
	listener net.Listener
	server   *http.Server
	served   chan struct{}
	path     func(string) string

	mu    sync.Mutex
	calls []recorded
}

// recorded is one exchange, a line of the file that scripts validate.
type recorded struct {
	Method string            `json:"method"`
	Path   string            `json:"path"` // ids and tokens replaced
	Status int               `json:"status"`
	Body   json.RawMessage   `json:"body,omitempty"`  // of the request: JSON, or what a form says of it
	Form   map[string]string `json:"form,omitempty"`  // of the request, if it was a form
	Files  []string          `json:"files,omitempty"` // names of the request's files
	Answer json.RawMessage   `json:"answer,omitempty"`
}

// maxBody bounds what is kept of a body: the largest upload of a check and
// what surrounds it.
const maxBody = 64 << 20

// newRecorder starts a proxy to a simulator. path replaces what is secret or
// differs from run to run in the path of a request.
func newRecorder(ctx context.Context, target string, path func(string) string) (*recorder, error) {
	to, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &recorder{listener: listener, served: make(chan struct{}), path: path}
	r.server = &http.Server{
		ReadHeaderTimeout: 5 * time.Second,
		Handler: &httputil.ReverseProxy{
			Transport: &exchanges{record: r, base: &http.Transport{}},
			ErrorLog:  slog.NewLogLogger(slog.DiscardHandler, slog.LevelWarn), // a request that its sender gave up
			Rewrite: func(p *httputil.ProxyRequest) {
				p.SetURL(to)
				p.Out.Host = to.Host
			},
		},
	}
	go func() {
		defer close(r.served)
		_ = r.server.Serve(listener)
	}()
	return r, nil
}

// url is a path of the proxy.
func (r *recorder) url(path string) string { return "http://" + r.listener.Addr().String() + path }

func (r *recorder) close() {
	_ = r.server.Close()
	<-r.served
}

// add keeps an exchange.
func (r *recorder) add(c recorded) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, c)
}

// save writes all exchanges, a line for each.
func (r *recorder) save(path string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out bytes.Buffer
	encode := json.NewEncoder(&out)
	encode.SetEscapeHTML(false)
	for _, c := range r.calls {
		if err := encode.Encode(c); err != nil {
			return fmt.Errorf("save %s %s: %w", c.Method, c.Path, err)
		}
	}
	return os.WriteFile(path, out.Bytes(), 0o600)
}

// exchanges sends requests on and keeps them.
type exchanges struct {
	record *recorder
	base   http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (e *exchanges) RoundTrip(req *http.Request) (*http.Response, error) {
	sent, err := whole(&req.Body)
	if err != nil {
		return nil, fmt.Errorf("read request: %w", err)
	}
	resp, err := e.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	answer, err := whole(&resp.Body)
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	c := recorded{Method: req.Method, Path: e.record.path(req.URL.Path), Status: resp.StatusCode}
	if json.Valid(answer) {
		c.Answer = answer
	}
	if err := c.read(req.Header.Get("Content-Type"), sent); err != nil {
		return nil, err
	}
	e.record.add(c)
	return resp, nil
}

// whole reads a body and puts it back.
func whole(body *io.ReadCloser) ([]byte, error) {
	if *body == nil {
		return nil, nil
	}
	data, err := io.ReadAll(io.LimitReader(*body, maxBody+1))
	err = errors.Join(err, (*body).Close())
	if len(data) > maxBody {
		err = errors.Join(err, errors.New("the body is too large to keep"))
	}
	*body = io.NopCloser(bytes.NewReader(data))
	return data, err
}

// read takes in the body of the request.
func (c *recorded) read(contentType string, body []byte) error {
	kind, params, _ := mime.ParseMediaType(contentType)
	switch kind {
	case "multipart/form-data":
		return c.readParts(multipart.NewReader(bytes.NewReader(body), params["boundary"]))
	case "application/x-www-form-urlencoded":
		values, err := url.ParseQuery(string(body))
		if err != nil {
			return fmt.Errorf("read form: %w", err)
		}
		c.Form = map[string]string{}
		for key := range values {
			if key != "token" {
				c.Form[key] = values.Get(key)
			}
		}
	case "application/json":
		c.Body = body
	}
	return nil
}

// readParts reads a multipart form: payload_json is the body, the rest are
// files.
func (c *recorded) readParts(form *multipart.Reader) error {
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read multipart form: %w", err)
		}
		if part.FormName() != "payload_json" {
			c.Files = append(c.Files, part.FormName()+"="+part.FileName())
			continue
		}
		if c.Body, err = io.ReadAll(part); err != nil {
			return fmt.Errorf("read payload_json: %w", err)
		}
	}
}

// snowflake is an id of Discord in a path, webhookToken what follows the id of
// an application or an interaction.
var (
	snowflake    = regexp.MustCompile(`/\d{15,20}\b`)
	webhookToken = regexp.MustCompile(`^(/(?:webhooks|interactions)/\{id\})/[^/]+`)
)

// discordPath is a path of Discord's API as its documentation has it:
// "/channels/{id}/messages".
func discordPath(path string) string {
	for _, prefix := range []string{"/api/v10", "/api/v9"} {
		path = strings.TrimPrefix(path, prefix)
	}
	path = snowflake.ReplaceAllString(path, "/{id}")
	return webhookToken.ReplaceAllString(path, "$1/{token}")
}

// refused finds answers that refuse a request and are not expected.
func (r *recorder) refused(expected map[string]string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []error
	for _, c := range r.calls {
		var answer struct {
			Message string `json:"message"`
		}
		_ = json.Unmarshal(c.Answer, &answer)
		if _, ok := expected[answer.Message]; c.Status >= http.StatusBadRequest && !ok {
			found = append(found, fmt.Errorf("%s %s: %d %s, to %s", c.Method, c.Path, c.Status, c.Answer, c.Body))
		}
	}
	return errors.Join(found...)
}
