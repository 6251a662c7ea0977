package fal

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"ltxbot/core/ltx"
)

// errNoOutput says that a body holds no video: it is an error of fal or
// something else.
var errNoOutput = errors.New("no video in the answer")

// decodeOutput reads fal's result. A field that is missing, null or
// of another type than documented is zero: a video that was paid for is not
// lost for a detail about it. The error is errNoOutput, wrapped, and holds
// nothing of the body.
// https://fal.ai/models/fal-ai/ltx-2.3-22b/text-to-video/lora/api#schema-output
func decodeOutput(body []byte) (ltx.Output, error) {
	var result struct {
		Video  json.RawMessage `json:"video"`
		Seed   number          `json:"seed"`
		Prompt text            `json:"prompt"`
		Detail json.RawMessage `json:"detail"`
	}
	var video struct {
		URL         text   `json:"url"`
		ContentType text   `json:"content_type"`
		FileName    text   `json:"file_name"`
		FileSize    number `json:"file_size"`
		Width       number `json:"width"`
		Height      number `json:"height"`
		Frames      number `json:"num_frames"`
		FPS         number `json:"fps"`
		Seconds     number `json:"duration"`
	}
	if err := json.Unmarshal(body, &result); err != nil {
		return ltx.Output{}, fmt.Errorf("decode output: %w: not a JSON object", errNoOutput)
	}
	if len(result.Video) == 0 && len(result.Detail) > 0 {
		return ltx.Output{}, fmt.Errorf("decode output: %w: it is an error", errNoOutput)
	}
	if err := json.Unmarshal(result.Video, &video); err != nil || video.URL == "" {
		return ltx.Output{}, fmt.Errorf("decode output: %w: no URL", errNoOutput)
	}
	o := ltx.Output{
		URL: string(video.URL), ContentType: string(video.ContentType), FileName: string(video.FileName),
		FileSize: video.FileSize.whole(), Width: video.Width.side(), Height: video.Height.side(),
		Frames: video.Frames.side(), FPS: video.FPS.upTo(maxFPS), Seconds: video.Seconds.upTo(maxSeconds),
		Prompt: string(result.Prompt),
	}
	if seed := result.Seed; seed.told {
		n := seed.exact
		o.Seed = &n
	}
	if o.Seconds == 0 && o.FPS > 0 {
		if s := float64(o.Frames) / o.FPS; s <= maxSeconds {
			o.Seconds = s
		}
	}
	return o, nil
}

// text is a JSON string; anything else is "".
type text string

// UnmarshalJSON never fails.
func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*t = text(s)
	}
	return nil
}

// number is a JSON number, or a string that holds one; anything else is not
// told.
type number struct {
	told  bool
	value float64
	exact int64 // value as a whole number, without the rounding of a float64
}

// UnmarshalJSON never fails.
func (n *number) UnmarshalJSON(b []byte) error {
	s := strings.Trim(string(b), `"`)
	if v, err := strconv.ParseFloat(s, 64); err == nil && math.Abs(v) < math.MaxInt64/2 {
		*n = number{told: true, value: v, exact: int64(v)}
	}
	if i, err := strconv.ParseInt(s, 10, 64); err == nil && n.told {
		n.exact = i
	}
	return nil
}

// A video has fewer frames in a second, and is shorter, than this. An output
// that says more does not say it.
const (
	maxFPS     = 1000
	maxSeconds = 24 * 60 * 60
)

// upTo is the value, or 0 if it is negative or more than most.
func (n number) upTo(most float64) float64 {
	if n.value > most {
		return 0
	}
	return max(n.value, 0)
}

// whole is the value as bytes are counted.
func (n number) whole() int64 { return max(n.exact, 0) }

// maxCount is more pixels on a side, and more frames, than any video has.
const maxCount = 1 << 20

// side is the value as pixels and frames are counted.
func (n number) side() int {
	if n.value < 0 || n.value > maxCount {
		return 0
	}
	return int(math.Round(n.value))
}
