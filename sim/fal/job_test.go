package fal_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"ltxbot/internal/until"
	"ltxbot/sim/fal"
)

// byHand are jobs that take hours: a test lets them pass with Advance. Each is
// another place in the queue, then another line of the log.
func byHand() fal.Options {
	return fal.Options{Speed: 1, Timing: fal.Timing{Queue: 3 * time.Hour, Ahead: 3, Run: 16 * time.Hour, Steps: 15}}
}

func TestJobRunsItsCourse(t *testing.T) {
	s := start(t, byHand())
	a := ask(t, s, http.MethodPost, s.QueueURL()+withLoRA, `{"prompt":"a cat","loras":[],"seed":7,"num_frames":124,"video_size":{"width":1280,"height":720},"fps":25}`)
	reply := a.json(t)
	id := reply["request_id"].(string)
	if a.header.Get("x-fal-request-id") != id || reply["queue_position"] != 3.0 || id[14] != '7' {
		t.Fatalf("submit: %v", reply)
	}
	early := ask(t, s, http.MethodGet, reply["response_url"].(string), "")
	if early.status != 400 || early.json(t)["detail"] != "Request is still in progress" {
		t.Errorf("early result: %d %s", early.status, early.body)
	}
	seen := map[string]int{}
	positions := map[float64]bool{}
	most := 0
	for ; ; s.Advance(time.Hour) {
		st := ask(t, s, http.MethodGet, reply["status_url"].(string)+"?logs=1", "")
		body := st.json(t)
		state := body["status"].(string)
		seen[state] = st.status
		if p, ok := body["queue_position"].(float64); ok {
			positions[p] = true
		}
		if logs, ok := body["logs"].([]any); ok {
			most = max(most, len(logs))
		}
		if state == "COMPLETED" {
			break
		}
	}
	if want := map[string]int{"IN_QUEUE": 202, "IN_PROGRESS": 202, "COMPLETED": 200}; !maps.Equal(seen, want) {
		t.Errorf("states: %v, want %v", seen, want)
	}
	if len(positions) != 3 || most != 16 {
		t.Errorf("positions %v, %d log lines, want 3 and 16", positions, most)
	}
	res := ask(t, s, http.MethodGet, reply["response_url"].(string), "")
	var out struct {
		Video struct {
			URL           string
			Width, Height int
			Frames        int `json:"num_frames"`
			FPS, Duration float64
			Size          int `json:"file_size"`
		}
		Seed   int
		Prompt string
	}
	if err := json.Unmarshal([]byte(res.body), &out); err != nil {
		t.Fatal(err)
	}
	if v := out.Video; v.Width != 1280 || v.Height != 736 || v.Frames != 121 || v.FPS != 25 || v.Duration != 4.84 || v.Size != len(fal.Clip()) || out.Seed != 7 {
		t.Errorf("result: %s", res.body)
	}
	if got := res.header.Get("X-Fal-Billable-Units"); got != "113.9917" || s.Billed() != 113.9917 {
		t.Errorf("billed %s and %v", got, s.Billed())
	}
	video := ask(t, s, http.MethodGet, out.Video.URL, "", "Authorization:")
	if video.status != 200 || video.body != string(fal.Clip()) {
		t.Errorf("the video: %d, %d bytes", video.status, len(video.body))
	}
}

func TestConcurrencyIsLimited(t *testing.T) {
	s := start(t, fal.Options{Concurrency: 1, Timing: fal.Timing{Queue: time.Millisecond, Run: time.Hour, Ahead: 1}, Speed: 1})
	first := submit(t, s, plain)
	second := submit(t, s, plain)
	third := submit(t, s, plain)
	state := func(id string) (string, any) {
		b := ask(t, s, http.MethodGet, s.QueueURL()+requests+id+"/status", "").json(t)
		return b["status"].(string), b["queue_position"]
	}
	until.True(t, "the first one runs", func() bool { st, _ := state(first); return st == "IN_PROGRESS" })
	until.True(t, "only own jobs are ahead", func() bool { _, p := state(third); return p == 1.0 })
	if st, p := state(second); st != "IN_QUEUE" || p != 0.0 {
		t.Errorf("second: %s at %v", st, p)
	}
	ask(t, s, http.MethodPut, s.QueueURL()+requests+second+"/cancel", "")
	if st, p := state(third); st != "IN_QUEUE" || p != 0.0 {
		t.Errorf("third: %s at %v", st, p)
	}
}

func TestARequestThatDoesNotStartInItsTimeIsGivenUp(t *testing.T) {
	s := start(t, fal.Options{Concurrency: 1, Timing: fal.Timing{Queue: time.Second, Run: 100 * time.Hour}, Speed: 100})
	s.Next(fal.Video, fal.Video, fal.StaysQueued)
	started := submit(t, s, plain, "X-Fal-Request-Timeout: 30")
	for name, id := range map[string]string{
		"behind another": submit(t, s, plain, "X-Fal-Request-Timeout: 0.2"),
		"never started":  submit(t, s, plain, "X-Fal-Request-Timeout: 0.205"),
	} {
		complete(t, s, id)
		res := ask(t, s, http.MethodGet, s.QueueURL()+requests+id, "")
		if res.status != 504 || res.header.Get("X-Fal-Request-Timeout-Type") != "user" || !strings.Contains(res.body, "request_timeout") {
			t.Errorf("%s: %d %v %s", name, res.status, res.header, res.body)
		}
		st := ask(t, s, http.MethodGet, s.QueueURL()+requests+id+"/status", "").json(t)
		if st["error_type"] != "request_timeout" {
			t.Errorf("%s: status %v", name, st)
		}
	}
	if n := s.Billed(); n != 0 {
		t.Errorf("billed %v for what did not start", n)
	}
	if st := ask(t, s, http.MethodGet, s.QueueURL()+requests+started+"/status", "").json(t); st["status"] != "IN_PROGRESS" {
		t.Errorf("started in time: %v", st)
	}
}

func TestHeadersThatFalDoesNotUnderstandAreNoted(t *testing.T) {
	s := start(t, fal.Options{})
	for _, h := range []string{
		"X-Fal-Request-Timeout: soon", "X-Fal-Request-Timeout: 0.1", "X-Fal-Object-Lifecycle-Preference: 7d",
		`X-Fal-Object-Lifecycle-Preference: {"expiration_duration_seconds":-1}`, "x-app-fal-disable-fallback: yes",
	} {
		before := len(s.Violations())
		submit(t, s, plain, h)
		if len(s.Violations()) != before+1 {
			t.Errorf("%s is not noted", h)
		}
	}
	before := len(s.Violations())
	submit(t, s, plain, "X-Fal-Request-Timeout: 2", `X-Fal-Object-Lifecycle-Preference: {"expiration_duration_seconds":3600}`, "x-app-fal-disable-fallback: true", "X-Fal-Runner-Hint: abc")
	if v := s.Violations(); len(v) != before {
		t.Errorf("headers as they should be: %v", v[before:])
	}
}

func TestATimeLimitOfFalsOwnIsNotTheUsers(t *testing.T) {
	s := start(t, fal.Options{Speed: 1000})
	s.Next(fal.StartTimeout)
	id := submit(t, s, plain)
	complete(t, s, id)
	if res := ask(t, s, http.MethodGet, s.QueueURL()+requests+id, ""); res.status != 504 || res.header.Get("X-Fal-Request-Timeout-Type") != "" {
		t.Errorf("a time limit of fal's own: %d %v", res.status, res.header)
	}
}

func TestCancel(t *testing.T) {
	s := start(t, fal.Options{Timing: fal.Timing{Queue: time.Second, Run: 5 * time.Second}})
	cancel := func(id string) exchange {
		return ask(t, s, http.MethodPut, s.QueueURL()+requests+id+"/cancel", "")
	}
	s.Next(fal.StaysQueued, fal.StaysRunning, fal.Video)
	queued, running, done := submit(t, s, plain), submit(t, s, plain), submit(t, s, plain)
	complete(t, s, done)
	if a := cancel(done); a.status != 400 || !strings.Contains(a.body, "ALREADY_COMPLETED") {
		t.Errorf("of a complete job: %d %s", a.status, a.body)
	}
	for name, id := range map[string]string{"queued": queued, "running": running} {
		if a := cancel(id); a.status != 202 || !strings.Contains(a.body, "CANCELLATION_REQUESTED") {
			t.Errorf("of a %s job: %d %s", name, a.status, a.body)
		}
		complete(t, s, id)
		if a := ask(t, s, http.MethodGet, s.QueueURL()+requests+id, ""); a.status != 499 || !strings.Contains(a.body, "client_cancelled") {
			t.Errorf("result of a %s job: %d %s", name, a.status, a.body)
		}
	}
}

func TestOutcomes(t *testing.T) {
	s := start(t, fal.Options{Concurrency: 50})
	for _, tc := range []struct {
		prompt string
		status int
		want   string
	}{
		{"a cat", 200, `"video"`},
		{"something NSFW", 422, "content_policy_violation"},
		{"a broken-lora", 422, "file_download_error"},
		{"a large-lora", 422, "file_too_large"},
		{"no-media at all", 422, "no_media_generated"},
		{"server-error", 500, "internal_server_error"},
		{"model-timeout", 504, "generation_timeout"},
		{"start-timeout", 504, `"error_type":"request_timeout"`},
		{"runner-lost", 503, `"error_type":"runner_disconnected"`},
		{"cancelled-by-fal", 499, "client_cancelled"},
		{"goes-back", 200, `"video"`},
		{"takes-long", 200, `"video"`},
	} {
		t.Run(tc.prompt, func(t *testing.T) {
			id := submit(t, s, `{"loras":[],"prompt":"`+tc.prompt+`"}`)
			complete(t, s, id)
			a := ask(t, s, http.MethodGet, s.QueueURL()+requests+id, "")
			if a.status != tc.status || !strings.Contains(a.body, tc.want) {
				t.Errorf("got %d %s, want %d %s", a.status, a.body, tc.status, tc.want)
			}
		})
	}
	if got, want := s.Billed(), 3*71.3687; got != want {
		t.Errorf("billed %v, want that of the three videos: %v", got, want)
	}
	for _, tr := range fal.Triggers() {
		if tr.Word == "" || tr.About == "" {
			t.Errorf("trigger without a word: %+v", tr)
		}
	}
}

func TestWhatTheModelMakesOfTheInput(t *testing.T) {
	for _, tc := range []struct {
		name, input           string
		exact                 bool
		width, height, frames float64
		contentType, start    string // of the file
	}{
		{"the defaults", `{}`, false, 1024, 576, 121, "video/mp4", "\x00\x00\x00"},
		{"a preset", `{"video_size":"portrait_4_3","num_frames":9}`, false, 768, 1024, 9, "video/mp4", "\x00\x00\x00"},
		{"a size off the grid", `{"video_size":{"width":1000,"height":10},"num_frames":16}`, false, 992, 32, 9, "video/mp4", "\x00\x00\x00"},
		{"the same, not snapped", `{"video_size":{"width":1000},"num_frames":16}`, true, 1000, 512, 16, "video/mp4", "\x00\x00\x00"},
		{"a GIF", `{"video_output_type":"GIF (.gif)"}`, false, 1024, 576, 121, "image/gif", "GIF89a"},
		{"a WebM", `{"video_output_type":"VP9 (.webm)"}`, false, 1024, 576, 121, "video/webm", "\x1aE\xdf\xa3"},
		{"a QuickTime film", `{"video_output_type":"PRORES4444 (.mov)"}`, false, 1024, 576, 121, "video/quicktime", "\x00\x00\x00"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := start(t, fal.Options{Exact: tc.exact})
			id := submit(t, s, `{"prompt":"a","loras":[],"enable_prompt_expansion":false`+more(tc.input))
			complete(t, s, id)
			out := ask(t, s, http.MethodGet, s.QueueURL()+requests+id, "").json(t)
			video := out["video"].(map[string]any)
			if video["width"] != tc.width || video["height"] != tc.height || video["num_frames"] != tc.frames || out["prompt"] != "a" {
				t.Errorf("got %v", out)
			}
			file := ask(t, s, http.MethodGet, video["url"].(string), "", "Authorization:")
			if file.header.Get("Content-Type") != tc.contentType || video["content_type"] != tc.contentType || !strings.HasPrefix(file.body, tc.start) {
				t.Errorf("file: %v, %.8q", file.header, file.body)
			}
		})
	}
}

// more is what follows when the fields of input are added to an object.
func more(input string) string {
	if input == "{}" {
		return "}"
	}
	return "," + input[1:]
}
