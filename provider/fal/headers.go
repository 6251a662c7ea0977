package fal

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

// The headers of a submit beside those of HTTP.
const (
	// headerStart is within how many seconds fal must begin: after that nobody
	// waits for the video any more.
	// https://fal.ai/docs/documentation/model-apis/common-parameters#request-timeout
	headerStart = "X-Fal-Request-Timeout"
	// headerRunner asks for a machine that has served requests with the same
	// hint: it has their LoRAs loaded.
	// https://fal.ai/docs/documentation/model-apis/common-parameters#runner-hint
	headerRunner = "X-Fal-Runner-Hint"
	// headerNoFallback keeps fal from sending the request to another endpoint,
	// which makes another video of the same seed, and may have another price.
	// https://fal.ai/docs/documentation/model-apis/common-parameters#disable-fallback
	headerNoFallback = "x-app-fal-disable-fallback"
	// headerKeep says how long the files that are made are kept, and
	// headerKeepUpload the same of one that is uploaded.
	// https://fal.ai/docs/documentation/model-apis/media-expiration
	headerKeep       = "X-Fal-Object-Lifecycle-Preference"
	headerKeepUpload = "X-Fal-Object-Lifecycle"
)

// leastStart is the shortest time to begin in that fal's own clients ask for.
const leastStart = 2 * time.Second

// setSubmitHeaders sets the headers of a submit.
func (c *Client) setSubmitHeaders(h http.Header, j generate.JobRequest) {
	h.Set(headerNoFallback, "true")
	if keep := c.lifecycle(); keep != "" {
		h.Set(headerKeep, keep)
	}
	if !j.Deadline.IsZero() {
		left := max(leastStart, time.Until(j.Deadline))
		h.Set(headerStart, strconv.Itoa(int(math.Ceil(left.Seconds()))))
	}
	if hint := runnerHint(j.Request.LoRAs()); hint != "" {
		h.Set(headerRunner, hint)
	}
}

// lifecycle is how long fal keeps files, as its headers say it; empty is as
// long as fal likes.
func (c *Client) lifecycle() string {
	if c.keepMedia <= 0 {
		return ""
	}
	return fmt.Sprintf(`{"expiration_duration_seconds":%d}`, int64(c.keepMedia.Seconds()))
}

// keepForEver is the lifecycle of a file that fal's own clients call "never".
const keepForEver = `{"expiration_duration_seconds":null}`

// runnerHint is the same for the same LoRAs in any order, whatever their
// scales are. It does not tell their paths, which may hold secrets.
func runnerHint(loras []ltx.LoRA) string {
	if len(loras) == 0 {
		return ""
	}
	paths := make([]string, 0, len(loras))
	for _, l := range loras {
		paths = append(paths, l.Path)
	}
	slices.Sort(paths)
	sum := sha256.New()
	for _, p := range paths {
		_, _ = io.WriteString(sum, p+"\x00") // a hash takes all
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}
