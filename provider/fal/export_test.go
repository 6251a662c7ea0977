package fal

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

// The bounds on what fal may say, and on what is asked of it.
const (
	MaxCalls     = maxCalls
	MaxDownloads = maxDownloads
)

// KnownTypes lists the error types in the table.
func KnownTypes() []string { return slices.Sorted(maps.Keys(byType)) }

// Percent reads logs.
func Percent(logs []byte) int { return percent(logs) }

// PercentIn reads one line.
func PercentIn(line string) int { return percentIn(line) }

// DecodeStatus reads a status object.
func DecodeStatus(body []byte) (generate.Status, error) { return decodeStatus(body) }

// DecodeOutput reads a result.
func DecodeOutput(body []byte) (ltx.Output, error) { return decodeOutput(body) }

// ErrNoOutput is the error of a result without a video.
var ErrNoOutput = errNoOutput

// Input is the body of a submit.
func Input(o generate.JobRequest) ([]byte, error) { return input(o) }

// AppOf is the part of an endpoint that queue URLs keep.
func AppOf(endpoint string) (string, error) { return appOf(endpoint) }

// ContentRange reads a header.
func ContentRange(s string) (start, size int64, err error) { return contentRange(s) }

// Refusal makes an error of an answer.
func (c *Client) Refusal(status int, body []byte, private ...string) *generate.ProviderError {
	return c.refusal(opResult, answer{status: status, body: body}, private...)
}

// Scrub cleans a text.
func (c *Client) Scrub(s string, private ...string) string { return c.scrub.text(s, private...) }

// Quote is s as a JSON string.
func Quote(s string) string {
	b, _ := json.Marshal(s)
	return strings.TrimSpace(string(b))
}

// MaxUpload is the size of the largest file that is uploaded, in bytes.
const MaxUpload = maxUpload
