package fal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"ltxbot/core/generate"
)

// How fal's storage takes files.
// https://fal.ai/docs/documentation/model-apis/fal-cdn; the sizes are those of fal's own client
const (
	maxWhole  = 90 << 20 // bytes of a file that goes in one request; a larger one goes in parts
	partSize  = 10 << 20 // bytes of a part but the last one
	partTries = 3
	maxUpload = 3 << 30 // bytes of a file

	// slowest is the rate, in bytes per second, below which an upload is given up.
	slowest = 128 << 10
	// maxUploads bounds the uploads of this process at a time.
	maxUploads = 8
)

var errNoUploadURL = errors.New("the answer has no usable upload URL")

// Upload implements generate.Provider. The bytes go to a signed URL and carry
// no key. Each try has a URL of its own: a file that was uploaded and is not
// used costs nothing.
func (c *Client) Upload(ctx context.Context, name, contentType string, body io.ReaderAt, size int64) (fileURL string, err error) {
	return c.upload(ctx, name, contentType, body, size, c.lifecycle())
}

// UploadToStay is Upload for a file that is kept without end, whatever is said
// of others: a LoRA of a library is used for months.
func (c *Client) UploadToStay(ctx context.Context, name, contentType string, body io.ReaderAt, size int64) (fileURL string, err error) {
	return c.upload(ctx, name, contentType, body, size, keepForEver)
}

// upload puts a file on the storage. keep is how long it stays there.
func (c *Client) upload(ctx context.Context, name, contentType string, body io.ReaderAt, size int64, keep string) (fileURL string, err error) {
	defer c.done(opUpload, time.Now(), &err)
	if size < 0 || size > maxUpload {
		return "", fmt.Errorf("upload: %d bytes: want at most %d", size, int64(maxUpload))
	}
	leave, err := enter(ctx, c.uploads)
	if err != nil {
		return "", fmt.Errorf("upload: %w", err)
	}
	defer leave()
	content, path := io.NewSectionReader(body, 0, size), "storage/upload/initiate"
	if size > maxWhole {
		path += "-multipart"
	}
	for n := 0; ; n++ {
		to, fileURL, err := c.initiate(ctx, path, name, contentType, keep)
		if err != nil {
			return "", err
		}
		if size > maxWhole {
			err = c.putParts(ctx, to, content)
		} else {
			_, err = c.put(ctx, http.MethodPut, to, contentType, content)
		}
		pe, answered := errors.AsType[*generate.ProviderError](err)
		final := err == nil || answered && !pe.Temporary
		if final || n+1 >= c.retry.Attempts || !wait(ctx, c.retry.delay(n, c.rand())) {
			return fileURL, err
		}
	}
}

// initiate asks where to put a file.
func (c *Client) initiate(ctx context.Context, path, name, contentType, keep string) (to *url.URL, fileURL string, err error) {
	ask, err := json.Marshal(map[string]string{"file_name": name, "content_type": contentType})
	if err != nil {
		return nil, "", fmt.Errorf("upload: %w", err)
	}
	u := c.rest.JoinPath(path)
	u.RawQuery = url.Values{"storage_type": {"fal-cdn-v3"}}.Encode()
	header := http.Header{}
	if keep != "" {
		header.Set(headerKeepUpload, keep)
	}
	a, err := c.do(ctx, call{op: opUpload, method: http.MethodPost, url: u, body: ask, header: header})
	switch {
	case err != nil:
		return nil, "", err
	case !a.ok():
		return nil, "", c.refusal(opUpload, a)
	}
	var place struct {
		UploadURL string `json:"upload_url"`
		FileURL   string `json:"file_url"`
	}
	_ = json.Unmarshal(a.body, &place) // checked by what it holds
	to, err = url.Parse(place.UploadURL)
	if file, fileErr := url.Parse(place.FileURL); err != nil || fileErr != nil || !c.storage(to) || !c.storage(file) {
		return nil, "", fmt.Errorf("upload: %w", errNoUploadURL)
	}
	return to, place.FileURL, nil
}

// storage reports whether u may be an address of fal's storage: any host, but
// over https.
func (c *Client) storage(u *url.URL) bool {
	return u.Host != "" && (u.Scheme == "https" || c.hosts.check(u) == nil)
}

// putParts puts a large file in parts, and tells when they are all there.
func (c *Client) putParts(ctx context.Context, to *url.URL, body *io.SectionReader) error {
	type part struct {
		Number int    `json:"partNumber"`
		ETag   string `json:"etag"`
	}
	below := func(name string) *url.URL {
		u := *to
		u.Path += "/" + name
		return &u
	}
	var parts []part
	for at := int64(0); at < body.Size(); at += partSize {
		p := part{Number: len(parts) + 1}
		piece := io.NewSectionReader(body, at, min(partSize, body.Size()-at))
		a, err := c.persistently(ctx, func() (answer, error) {
			return c.put(ctx, http.MethodPut, below(strconv.Itoa(p.Number)), "", piece)
		})
		if err != nil {
			return err
		}
		if _ = json.Unmarshal(a.body, &p); p.ETag == "" || p.Number != len(parts)+1 {
			return errors.New("upload: the storage does not tell which part it took")
		}
		parts = append(parts, p)
	}
	all, err := json.Marshal(map[string]any{"parts": parts})
	if err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	_, err = c.persistently(ctx, func() (answer, error) {
		return c.put(ctx, http.MethodPost, below("complete"), "application/json", io.NewSectionReader(bytes.NewReader(all), 0, int64(len(all))))
	})
	return err
}

// persistently makes one request of an upload in parts, up to partTries times:
// each replaces what the one before has put there.
func (c *Client) persistently(ctx context.Context, try func() (answer, error)) (answer, error) {
	for n := 0; ; n++ {
		a, err := try()
		pe, answered := errors.AsType[*generate.ProviderError](err)
		if err == nil || answered && !pe.Temporary || n+1 >= partTries || !wait(ctx, c.retry.delay(n, c.rand())) {
			return a, err
		}
	}
}

// put sends body to a signed URL, once.
func (c *Client) put(ctx context.Context, method string, to *url.URL, contentType string, body *io.SectionReader) (answer, error) {
	timeout := c.limits.Submit + time.Duration(body.Size()/slowest)*time.Second
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, errSlow)
	defer cancel()
	// A try that has ended may still read for a moment: each has its own reader.
	fresh := io.NewSectionReader(body, 0, body.Size())
	req, err := http.NewRequestWithContext(ctx, method, to.String(), struct{ io.Reader }{fresh})
	if err != nil {
		return answer{}, fmt.Errorf("upload: %w", c.scrub.err(err))
	}
	if req.ContentLength = body.Size(); req.ContentLength == 0 {
		req.Body = http.NoBody // or its length would not be told
	}
	req.Header.Set("User-Agent", c.userAgent)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := c.media.Do(req)
	if err != nil {
		return answer{}, fmt.Errorf("upload: %w", c.scrub.err(explain(ctx, err)))
	}
	a, err := readAnswer(resp, maxBody)
	if err != nil {
		return answer{}, fmt.Errorf("upload: %w", c.scrub.err(explain(ctx, err)))
	}
	if !a.ok() {
		return a, &generate.ProviderError{
			Op: opUpload, Kind: generate.FailProvider, HTTPStatus: a.status, RetryAfter: a.retryAfter(),
			Temporary: passes(a.status) || a.status == http.StatusForbidden, // a signature lives for minutes
		}
	}
	return a, nil
}
