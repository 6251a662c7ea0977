package fal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"ltxbot/core/generate"
)

// maxUpload is up to where fal's storage takes a file in one request.
// https://fal.ai/docs/documentation/model-apis/fal-cdn
const maxUpload = 90 << 20

// slowest is the rate, in bytes per second, below which an upload is given up.
const slowest = 128 << 10

var errNoUploadURL = errors.New("the answer has no usable upload URL")

// Upload puts size bytes of body on fal's storage and returns their public
// URL, to be used as an input. The upload itself goes to a signed URL and
// carries no key. It is tried once.
func (c *Client) Upload(ctx context.Context, name, contentType string, body io.Reader, size int64) (fileURL string, err error) {
	defer c.done(opUpload, time.Now(), &err)
	if size < 0 || size > maxUpload {
		return "", fmt.Errorf("upload: %d bytes: want at most %d", size, int64(maxUpload))
	}
	ask, err := json.Marshal(map[string]string{"file_name": name, "content_type": contentType})
	if err != nil {
		return "", fmt.Errorf("upload: %w", err)
	}
	u := c.rest.JoinPath("storage/upload/initiate")
	u.RawQuery = url.Values{"storage_type": {"fal-cdn-v3"}}.Encode()
	a, err := c.do(ctx, call{op: opUpload, method: http.MethodPost, url: u, body: ask})
	switch {
	case err != nil:
		return "", err
	case !a.ok():
		return "", c.refusal(opUpload, a)
	}
	var place struct {
		UploadURL string `json:"upload_url"`
		FileURL   string `json:"file_url"`
	}
	_ = json.Unmarshal(a.body, &place) // checked by what it holds
	to, err := url.Parse(place.UploadURL)
	if err != nil || place.FileURL == "" || to.Host == "" || to.Scheme != "https" && c.hosts.check(to) != nil {
		return "", fmt.Errorf("upload: %w", errNoUploadURL)
	}
	return place.FileURL, c.put(ctx, to, contentType, body, size)
}

func (c *Client) put(ctx context.Context, to *url.URL, contentType string, body io.Reader, size int64) error {
	patience := c.limits.Submit + time.Duration(size/slowest)*time.Second
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errSlow)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, to.String(), struct{ io.Reader }{body})
	if err != nil {
		return fmt.Errorf("upload: %w", c.scrub.err(err))
	}
	req.ContentLength = size
	req.Header.Set("User-Agent", c.userAgent)
	req.Header.Set("Content-Type", contentType)
	resp, err := c.media.Do(req)
	if err != nil {
		return fmt.Errorf("upload: %w", c.scrub.err(explain(ctx, err)))
	}
	a, err := readAnswer(resp, maxBody)
	if err != nil {
		return fmt.Errorf("upload: %w", c.scrub.err(explain(ctx, err)))
	}
	if !a.ok() {
		return &generate.ProviderError{Op: opUpload, Kind: generate.FailProvider, HTTPStatus: a.status, RetryAfter: a.retryAfter(), Temporary: passes(a.status)}
	}
	return nil
}
