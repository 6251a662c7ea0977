package adapter

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"ltxbot/core/generate"
)

// maxRefusal is how many bytes of the answer to a refused request are read, to
// use the connection again.
const maxRefusal = 64 << 10

// OpenFile sends a request for a file that somebody has given. is reports whether
// an answer with status 200 is the file. The errors do not name the address: it
// may hold a token.
func OpenFile(client *http.Client, r *http.Request, is func(contentType string) bool) (generate.Media, error) {
	resp, err := client.Do(r) //nolint:gosec // each adapter allows the hosts of its platform alone
	if err != nil {
		return generate.Media{}, fmt.Errorf("open a file: %w", Scrub(err))
	}
	contentType := resp.Header.Get("Content-Type")
	if resp.StatusCode == http.StatusOK && is(contentType) {
		return generate.Media{Body: resp.Body, Size: resp.ContentLength, ContentType: contentType}, nil
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxRefusal))
	_ = resp.Body.Close()
	if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= http.StatusInternalServerError {
		return generate.Media{}, errors.New("open a file: " + resp.Status)
	}
	return generate.Media{}, fmt.Errorf("%w: answered %s with %s", generate.ErrGone, resp.Status, contentType)
}
