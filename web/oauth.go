package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A Client is the bot as a client of a platform's OAuth2.
type Client struct {
	// ID is the client's id; it may have to be asked for.
	ID     func(ctx context.Context) (string, error)
	Secret string
	APIURL string // "https://discord.com/api", "https://slack.com/api/"
	// UserAgent is what the bot calls itself.
	UserAgent string
}

// oauthTimeout bounds one call; maxOAuth is how much of an answer is read, in
// bytes.
const (
	oauthTimeout = 10 * time.Second
	maxOAuth     = 1 << 20
)

// oauthHTTP follows no redirect: tokens go nowhere else.
var oauthHTTP = &http.Client{
	Timeout:       oauthTimeout,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// fixed is a client id that is known.
func fixed(id string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return id, nil }
}

// NewClient is a client whose id is known.
func NewClient(id, secret, apiURL, userAgent string) Client {
	return Client{ID: fixed(id), Secret: secret, APIURL: apiURL, UserAgent: userAgent}
}

// call sends a form, or asks without one, and reads the answer into out. auth is
// the Authorization header; empty for none. Its errors hold no secret.
func (c Client) call(ctx context.Context, address, auth string, form url.Values, out any) error {
	method, body := http.MethodGet, io.Reader(http.NoBody)
	if form != nil {
		method, body = http.MethodPost, strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", c.UserAgent)
	req.Header.Set("Accept", "application/json")
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	resp, err := oauthHTTP.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxOAuth))
	if err != nil {
		return err
	}
	var refused struct {
		Error   json.RawMessage `json:"error"` // a text, and not of one kind
		Message string          `json:"message"`
	}
	_ = json.Unmarshal(data, &refused) // an answer without it has none
	reason := strings.Trim(string(refused.Error), `"`)
	switch {
	case resp.StatusCode >= http.StatusInternalServerError || resp.StatusCode == http.StatusTooManyRequests:
		return fmt.Errorf("answered %s", resp.Status)
	case resp.StatusCode >= http.StatusMultipleChoices, reason != "":
		if reason == "" {
			reason = refused.Message
		}
		return &RefusedError{Reason: shorten(resp.Status+" "+reason, maxReason)}
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return errors.New("the answer is not JSON")
	}
	return nil
}

// maxReason is how much of a platform's reason is logged, in characters.
const maxReason = 200

// basic is the header of a client that shows its secret. Both parts are encoded as
// in a form.
// https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1
func basic(id, secret string) string {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	return r.Header.Get("Authorization")
}
