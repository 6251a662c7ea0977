// Package ltx describes the LTX models that fal serves (https://fal.ai/models/fal-ai/ltx-2.3-22b/text-to-video/lora).
//
// One table describes every parameter of the model, see Params. A person's
// settings become a Request by Rules.Parse, which refuses what the model
// would refuse and makes fit what can be made to fit. A Request knows its
// values by the model's own names, what it costs, and the settings that would
// make it again. An Output is what the model made of it.
package ltx

import (
	"maps"
	"reflect"
	"slices"
)

// Request is what a person asked for: every parameter of the model, resolved,
// validated and ready to send. It is made by Rules.Parse and never changes;
// copies may be shared. The zero value asks for nothing.
type Request struct {
	// Private is set when only the requester shall see the video.
	Private bool
	// Notes tell what was changed to fit.
	Notes []Note

	values   map[string]any // by id: string, bool, int64, float64, Size or []LoRA
	model    string         // what people choose: "ltx-2.3"
	endpoint string         // where it goes: "fal-ai/ltx-2.3-22b/text-to-video/lora"
	like     string         // the endpoint of the table whose inputs it has; the same unless the operator has described one
	task     task           // what goes in, and what is done with it
	edit     task           // what is done with the clip, or ""
	auto     []string       // ids of size, length and frame rate where nobody has set them; duration where the number of frames is set
	quality  string         // the quality in effect, or ""
	style    string         // the style that was chosen, as the team calls it, or ""
	count    int            // how many videos are asked for
	trial    Trial          // of a LoRA: then there is a video for each strength
	given    []string       // ids of what the person set to another value than it has by default
}

// Prompt is what the video shows. It is never logged.
func (r Request) Prompt() string { return get[string](r, idPrompt) }

// Negative is what the video must not show. It is never logged.
func (r Request) Negative() string { return get[string](r, idNegative) }

// Size is the size that is asked for. What the model makes can be larger.
func (r Request) Size() Size { return get[Size](r, idSize) }

// Frames is the length in frames.
func (r Request) Frames() int { return int(get[int64](r, idFrames)) }

// FPS is the number of frames per second.
func (r Request) FPS() float64 { return get[float64](r, idFPS) }

// Seconds is the length in seconds.
func (r Request) Seconds() float64 {
	if r.FPS() == 0 {
		return 0
	}
	return float64(r.Frames()) / r.FPS()
}

// Seed is the seed, between 0 and MaxSeed.
func (r Request) Seed() int64 { return get[int64](r, idSeed) }

// HasSeed tells whether the model has a seed.
func (r Request) HasSeed() bool { return r.values[idSeed] != nil }

// Camera is the camera move: "dolly_in", "none".
func (r Request) Camera() string { return get[string](r, idCamera) }

// CameraScale is the strength of the camera move, 0 to 1.
func (r Request) CameraScale() float64 { return get[float64](r, "camera_lora_scale") }

// Audio tells whether the video shall have sound.
func (r Request) Audio() bool { return get[bool](r, idAudio) }

// Steps is the number of inference steps.
func (r Request) Steps() int { return int(get[int64](r, "num_inference_steps")) }

// LoRAs are the LoRAs to use.
func (r Request) LoRAs() []LoRA { return slices.Clone(get[[]LoRA](r, idLoRAs)) }

// HasLoRA tells whether the request names a LoRA.
func (r Request) HasLoRA() bool { return len(get[[]LoRA](r, idLoRAs)) > 0 }

// OutputType is the file format as the model calls it: "X264 (.mp4)".
func (r Request) OutputType() string { return get[string](r, idFormat) }

// Expand tells whether the model may elaborate on the prompt.
func (r Request) Expand() bool { return get[bool](r, idExpand) }

// Quality is the name of the chosen quality, or "".
func (r Request) Quality() string { return r.quality }

// Style is the name of the team's style that the request was made with, as it
// was then, or "".
func (r Request) Style() string { return r.style }

// Model is the name of the model: "ltx-2.3".
func (r Request) Model() string { return r.model }

// Endpoint is where the request goes: the table chooses it by what goes into
// the video, by the model, by what is done with a clip, and by the LoRAs.
func (r Request) Endpoint() string { return r.endpoint }

// Edit is what is done with the clip: "extend", "retake"; "" without a clip.
func (r Request) Edit() string { return string(r.edit) }

// TakesLoRAs tells whether the endpoint requires a list of LoRAs.
func (r Request) TakesLoRAs() bool { return endpoints[r.like].TakesLoRAs() }

// IsZero tells whether the request asks for nothing.
func (r Request) IsZero() bool { return r.values == nil }

// Value returns the value that is sent for an input of the model: a string,
// bool, int64, float64, Size or []LoRA. It is nil for an unknown name.
func (r Request) Value(apiName string) any {
	if loras, ok := r.values[apiName].([]LoRA); ok {
		return slices.Clone(loras)
	}
	return r.values[apiName]
}

// WithSeed returns the request with another seed, which must be between 0 and
// MaxSeed. Nothing else changes. A model without a seed makes another video
// each time: its request stays as it is.
func (r Request) WithSeed(seed int64) Request {
	if r.IsZero() || !r.HasSeed() {
		return r
	}
	r.values = maps.Clone(r.values)
	r.values[idSeed] = seed
	return r
}

// Count is how many videos are asked for, from 1 to MaxCount.
func (r Request) Count() int { return max(1, r.count, len(r.trial.Scales)) }

// One returns the request for one video, where several are asked for.
func (r Request) One() Request {
	r.count, r.trial = 1, Trial{}
	r.given = slices.DeleteFunc(slices.Clone(r.given), func(id string) bool { return id == idCount })
	return r
}

// Equal tells whether two requests are the same in every respect.
func (r Request) Equal(other Request) bool {
	return r.Private == other.Private && r.Count() == other.Count() && r.quality == other.quality && r.style == other.style && r.model == other.model && r.endpoint == other.endpoint &&
		r.like == other.like && reflect.DeepEqual(r.trial, other.trial) && r.task == other.task && slices.Equal(r.auto, other.auto) &&
		slices.Equal(r.Notes, other.Notes) && slices.Equal(r.given, other.given) &&
		sameValue(r.values, other.values)
}

// get returns the value of a row, or zero.
func get[T any](r Request, id string) T {
	v, _ := r.values[id].(T)
	return v
}
