package fal

import (
	"slices"
	"strings"
)

// An Outcome is how a job goes.
type Outcome string

// The outcomes that a job can be given.
const (
	Video          Outcome = "video"            // the default: all goes well
	Refused        Outcome = "refused"          // 422 content_policy_violation
	BadLoRA        Outcome = "bad_lora"         // 422 file_download_error
	LargeLoRA      Outcome = "large_lora"       // 422 file_too_large
	NoMedia        Outcome = "no_media"         // 422 no_media_generated
	ServerError    Outcome = "server_error"     // 500 internal_server_error
	ModelTimeout   Outcome = "model_timeout"    // 504 generation_timeout
	StartTimeout   Outcome = "start_timeout"    // 504 request_timeout, told by the status too
	RunnerLost     Outcome = "runner_lost"      // 503 runner_disconnected, told by the status too
	Cancelled      Outcome = "cancelled"        // 499 client_cancelled
	GoesBack       Outcome = "goes_back"        // falls back into the queue once, then a video
	StaysQueued    Outcome = "stays_queued"     // never starts
	StaysRunning   Outcome = "stays_running"    // never ends
	IgnoresCancel  Outcome = "ignores_cancel"   // a video, even when cancelled while it runs
	Slow           Outcome = "slow"             // a video that takes ten times as long
	Huge           Outcome = "huge"             // a video of 40 MiB
	InvalidInput   Outcome = "invalid_input"    // 422 of the schema; what a bad input gets by itself
	NoSuchEndpoint Outcome = "no_such_endpoint" // 404 for the path, after the queue took it
)

// hugeSize is larger than what any conversation takes for free.
const hugeSize = 40 << 20

// An outcomeRow says what a job with an outcome answers.
type outcomeRow struct {
	outcome Outcome
	word    string // in a prompt, it asks for the outcome
	about   string // for people
	status  int    // of the result
	kind    string // fal's name for the error
	msg     string
	field   string // the input it blames
	request bool   // an error of the queue ("error_type"), not of the model (a list)
	told    bool   // the status of the complete job says that there was an error, as that of the queue's errors does
}

var outcomeRows = []outcomeRow{
	{outcome: Video, about: "a video", status: 200},
	{
		outcome: Refused, word: "nsfw", about: "the content checker refuses it", status: 422,
		kind: "content_policy_violation", field: "prompt",
		msg: "The content could not be processed because it contained material flagged by a content checker.",
	},
	{
		outcome: BadLoRA, word: "broken-lora", about: "the LoRA can't be downloaded", status: 422,
		kind: "file_download_error", field: "loras", msg: "Failed to download the file.",
	},
	{
		outcome: LargeLoRA, word: "large-lora", about: "the LoRA is too large", status: 422,
		kind: "file_too_large", field: "loras", msg: "The file is too large.",
	},
	{
		outcome: NoMedia, word: "no-media", about: "the model makes nothing", status: 422,
		kind: "no_media_generated", field: "prompt", msg: "No media was generated.",
	},
	{
		outcome: ServerError, word: "server-error", about: "the model crashes", status: 500,
		kind: "internal_server_error", msg: "Internal server error", told: true,
	},
	{
		outcome: ModelTimeout, word: "model-timeout", about: "the model takes too long", status: 504,
		kind: "generation_timeout", msg: "The generation timed out.",
	},
	{
		outcome: StartTimeout, word: "start-timeout", about: "no machine is free in time", status: 504,
		kind: "request_timeout", msg: "Request timed out", request: true,
	},
	{
		outcome: RunnerLost, word: "runner-lost", about: "the machine disappears", status: 503,
		kind: "runner_disconnected", msg: "Runner disconnected", request: true,
	},
	{
		outcome: Cancelled, word: "cancelled-by-fal", about: "fal cancels it", status: 499,
		kind: "client_cancelled", msg: "Request was cancelled", request: true,
	},
	{outcome: NoSuchEndpoint, status: 404, msg: "Path /text-to-video/lora not found", request: true},
	{outcome: InvalidInput, status: 422},
	{outcome: GoesBack, word: "goes-back", about: "it falls back into the queue once", status: 200},
	{outcome: StaysQueued, word: "stays-queued", about: "it never starts", status: 200},
	{outcome: StaysRunning, word: "stays-running", about: "it never ends", status: 200},
	{outcome: IgnoresCancel, word: "ignores-cancel", about: "cancelling it while it runs comes too late", status: 200},
	{outcome: Slow, word: "takes-long", about: "it takes ten times as long", status: 200},
	{outcome: Huge, word: "huge-file", about: "the video is 40 MB", status: 200},
}

func (o Outcome) row() outcomeRow {
	i := slices.IndexFunc(outcomeRows, func(r outcomeRow) bool { return r.outcome == o })
	if i < 0 {
		return outcomeRows[0]
	}
	return outcomeRows[i]
}

// A Trigger is a word that, in a prompt, decides how the job goes.
type Trigger struct {
	Word  string
	About string
}

// Triggers lists the words for people who try the bot.
func Triggers() []Trigger {
	var list []Trigger
	for _, r := range outcomeRows {
		if r.word != "" {
			list = append(list, Trigger{Word: r.word, About: r.about})
		}
	}
	return list
}

// Next gives the next jobs these outcomes, in this order.
func (s *Server) Next(outcomes ...Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = append(s.next, outcomes...)
}

// outcomeFor decides how a job with this input goes. The caller holds mu.
func (s *Server) outcomeFor(in map[string]any) Outcome {
	if len(s.next) > 0 {
		o := s.next[0]
		s.next = s.next[1:]
		return o
	}
	prompt, _ := in["prompt"].(string)
	prompt = strings.ToLower(prompt)
	for _, r := range outcomeRows {
		if r.word != "" && strings.Contains(prompt, r.word) {
			return r.outcome
		}
	}
	list, _ := in["loras"].([]any)
	for _, item := range list {
		l, _ := item.(map[string]any)
		if path, _ := l["path"].(string); strings.Contains(path, "missing") {
			return BadLoRA
		}
	}
	return Video
}
