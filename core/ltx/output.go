package ltx

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Output is what the model made. Every field but URL may be zero: the
// provider promises none of them.
type Output struct {
	URL         string  `json:"url"`
	ContentType string  `json:"content_type,omitempty"`
	FileName    string  `json:"file_name,omitempty"`
	FileSize    int64   `json:"file_size,omitempty"` // bytes
	Width       int     `json:"width,omitempty"`     // pixels
	Height      int     `json:"height,omitempty"`    // pixels
	Frames      int     `json:"frames,omitempty"`
	FPS         float64 `json:"fps,omitempty"`
	Seconds     float64 `json:"seconds,omitempty"`
	// Seed is the seed that was used; nil when it is not told.
	Seed *int64 `json:"seed,omitempty"`
	// Prompt is the prompt that was used, as the model elaborated on it. It
	// is never logged.
	Prompt string `json:"prompt,omitempty"`
}

// ErrNoOutput says that a body holds no video: it is an error of the provider
// or something else.
var ErrNoOutput = errors.New("no video in the answer")

// DecodeOutput reads the provider's result. A field that is missing, null or
// of another type than documented is zero: a video that was paid for is not
// lost for a detail about it. The error is ErrNoOutput, wrapped, and holds
// nothing of the body.
// https://fal.ai/models/fal-ai/ltx-2.3-22b/text-to-video/lora/api#schema-output
func DecodeOutput(body []byte) (Output, error) {
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
		return Output{}, fmt.Errorf("decode output: %w: not a JSON object", ErrNoOutput)
	}
	if len(result.Video) == 0 && len(result.Detail) > 0 {
		return Output{}, fmt.Errorf("decode output: %w: it is an error", ErrNoOutput)
	}
	if err := json.Unmarshal(result.Video, &video); err != nil || video.URL == "" {
		return Output{}, fmt.Errorf("decode output: %w: no URL", ErrNoOutput)
	}
	o := Output{
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

// Megapixels is what the provider bills for the video as it came out, rounded
// up. It is false when the provider did not tell size or frames.
func (o Output) Megapixels() (int64, bool) {
	if o.Width <= 0 || o.Height <= 0 || o.Frames <= 0 {
		return 0, false
	}
	return megapixels(o.Width, o.Height, o.Frames), true
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
