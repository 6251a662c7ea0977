package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"ltxbot/core/generate"
)

// Client talks to the API of a running bot.
type Client struct {
	base  string // "http://127.0.0.1:8080"
	token string
	http  *http.Client
}

// NewClient makes a client of the bot whose web server is at base.
func NewClient(base, token string) *Client {
	return &Client{base: strings.TrimSuffix(base, "/"), token: token, http: &http.Client{
		// A token must not go where a redirect points.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// BaseURL is where a bot that listens at address is reached from the same
// machine: ":8080" → "http://127.0.0.1:8080".
func BaseURL(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "http://" + listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// ErrNotRunning says that nobody listens where the bot should.
var ErrNotRunning = errors.New("the bot does not run")

// Jobs lists jobs, newest first.
func (c *Client) Jobs(ctx context.Context, q generate.Query) ([]Job, error) {
	v := url.Values{}
	set := func(name, value string) {
		if value != "" {
			v.Set(name, value)
		}
	}
	set("team", q.Team)
	set("member", q.Member)
	set("posted", q.Posted)
	if q.Unfinished {
		v.Set("unfinished", "true")
	}
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	var list JobList
	err := c.do(ctx, http.MethodGet, "jobs?"+v.Encode(), &list)
	return list.Jobs, err
}

// Job reads one job.
func (c *Client) Job(ctx context.Context, id string) (Job, error) {
	var j Job
	err := c.do(ctx, http.MethodGet, "jobs/"+url.PathEscape(id), &j)
	return j, err
}

// Cancel asks to stop a job.
func (c *Client) Cancel(ctx context.Context, id string) (Job, error) {
	var j Job
	err := c.do(ctx, http.MethodPost, "jobs/"+url.PathEscape(id)+"/cancel", &j)
	return j, err
}

// GiveUp ends a job at once.
func (c *Client) GiveUp(ctx context.Context, id string) (Job, error) {
	var j Job
	err := c.do(ctx, http.MethodPost, "jobs/"+url.PathEscape(id)+"/give-up", &j)
	return j, err
}

// Deliver has the video of a job posted that could not be posted before.
func (c *Client) Deliver(ctx context.Context, id string) (Job, error) {
	var j Job
	err := c.do(ctx, http.MethodPost, "jobs/"+url.PathEscape(id)+"/deliver", &j)
	return j, err
}

// Backup writes a copy of the store to w. A copy that is not whole is an error.
func (c *Client) Backup(ctx context.Context, w io.Writer) error {
	resp, err := c.call(ctx, http.MethodGet, "backup")
	if err != nil {
		return err
	}
	defer closeBody(resp)
	if _, err := io.Copy(w, resp.Body); err != nil {
		return fmt.Errorf("read backup: %w", err)
	}
	if resp.Trailer.Get(Complete) != "true" {
		return errors.New("read backup: it broke off")
	}
	return nil
}

// closeBody ends an answer that was read as far as it is of use.
func closeBody(resp *http.Response) { _ = resp.Body.Close() }

// maxAnswer bounds an answer other than a backup, in bytes.
const maxAnswer = 16 << 20

// do makes a call and decodes its answer.
func (c *Client) do(ctx context.Context, method, path string, out any) error {
	resp, err := c.call(ctx, method, path)
	if err != nil {
		return err
	}
	defer closeBody(resp)
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(out); err != nil {
		return fmt.Errorf("read the bot's answer: %w", err)
	}
	return nil
}

// call makes a call. An answer other than 200 is an *Error, and nobody there
// is ErrNotRunning.
func (c *Client) call(ctx context.Context, method, path string) (*http.Response, error) {
	return c.send(ctx, method, path, http.NoBody, asJSON)
}

// send makes a call with a body, and says in which form the answer should be.
func (c *Client) send(ctx context.Context, method, path string, body io.Reader, form string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+Path+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Accept", form)
	resp, err := c.http.Do(req)
	var dial *net.OpError
	switch {
	case errors.As(err, &dial) && dial.Op == "dial":
		return nil, fmt.Errorf("%w at %s: %w", ErrNotRunning, c.base, err)
	case err != nil:
		return nil, err
	case resp.StatusCode == http.StatusOK:
		return resp, nil
	}
	defer closeBody(resp)
	var told problem
	if json.NewDecoder(io.LimitReader(resp.Body, maxBody)).Decode(&told) != nil || told.Error == "" {
		told.Error = "the bot answered " + resp.Status
		if resp.StatusCode == http.StatusNotFound {
			told.Error += ": it has no admin token, or is another version"
		}
	}
	return nil, &Error{Status: resp.StatusCode, Text: told.Error}
}
