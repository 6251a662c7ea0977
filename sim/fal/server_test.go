package fal_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"ltxbot/internal/leak"
	"ltxbot/internal/until"
	"ltxbot/sim/fal"
)

// A server that has answered before it read all lingers for half a second.
func TestMain(m *testing.M) {
	leak.Verify(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

const (
	withLoRA    = "/fal-ai/ltx-2.3-22b/text-to-video/lora"
	withoutLoRA = "/fal-ai/ltx-2.3-22b/text-to-video"
	requests    = "/fal-ai/ltx-2.3-22b/requests/"
)

// start runs a simulator a thousand times as fast as the demo.
func start(t *testing.T, o fal.Options) *fal.Server {
	t.Helper()
	if o.Speed == 0 {
		o.Speed = 1000
	}
	s, err := fal.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// An exchange is a request with its answer.
type exchange struct {
	status int
	header http.Header
	body   string
	err    error
}

func (e exchange) json(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(e.body), &v); err != nil {
		t.Fatalf("not JSON: %v: %s", err, e.body)
	}
	return v
}

// ask sends a request with the simulator's key, or with the headers given as
// "Name: value".
func ask(t *testing.T, s *fal.Server, method, url, body string, headers ...string) exchange {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Key "+s.Key())
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ":")
		req.Header.Set(name, strings.TrimSpace(value))
		if strings.TrimSpace(value) == "" {
			req.Header.Del(name)
		}
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return exchange{err: err}
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return exchange{status: resp.StatusCode, header: resp.Header, body: string(got), err: err}
}

func submit(t *testing.T, s *fal.Server, input string, headers ...string) string {
	t.Helper()
	a := ask(t, s, http.MethodPost, s.QueueURL()+withLoRA, input, headers...)
	if a.status != http.StatusOK {
		t.Fatalf("submit: %d %s", a.status, a.body)
	}
	return a.json(t)["request_id"].(string)
}

func complete(t *testing.T, s *fal.Server, id string) {
	t.Helper()
	until.True(t, "it is complete", func() bool {
		return ask(t, s, http.MethodGet, s.QueueURL()+requests+id+"/status", "").status == http.StatusOK
	})
}

const plain = `{"prompt":"a cat","loras":[]}`

func TestRefusesWhatFalRefuses(t *testing.T) {
	s := start(t, fal.Options{})
	nobody := requests + "00000000-0000-0000-0000-000000000000"
	for _, tc := range []struct {
		name, method, path, body, header string
		status                           int
		want                             string
	}{
		{"a submit without a key", "POST", withLoRA, plain, "Authorization:", 401, "Cannot access application"},
		{"a submit with another key", "POST", withLoRA, plain, "Authorization: Key other:key", 401, "invalid key credentials"},
		{"a bearer token", "POST", withLoRA, plain, "Authorization: Bearer " + fal.DemoKey, 401, "invalid key credentials"},
		{"an application it does not have", "POST", "/fal-ai/nothing", plain, "", 404, `Application \"fal-ai/nothing\" not found`},
		{"a path the application does not have", "POST", "/fal-ai/ltx-2.3-22b/text-to-image", plain, "", 404, "Path /text-to-image not found"},
		{"a GET of an endpoint", "GET", withLoRA, "", "", 405, ""},
		{"a body that is no JSON", "POST", withLoRA, "prompt=a", "", 422, "json_invalid"},
		{"a body that is no object", "POST", withLoRA, "null", "", 422, "json_invalid"},
		{"a webhook that is no URL", "POST", withLoRA + "?fal_webhook=nowhere", plain, "", 400, "bad_request"},
		{"a status below the whole endpoint, even without a key", "GET", withLoRA + "/requests/x/status", "", "Authorization:", 405, ""},
		{"a status by POST", "POST", nobody + "/status", "", "", 405, ""},
		{"a cancel by GET", "GET", nobody + "/cancel", "", "", 405, ""},
		{"the status of a request it does not know", "GET", nobody + "/status", "", "", 404, `{"status":"NOT_FOUND"}`},
		{"the result of a request it does not know", "GET", nobody, "", "", 404, `{"detail":"Request not found"}`},
		{"the cancel of a request it does not know", "PUT", nobody + "/cancel", "", "", 404, `{"status":"NOT_FOUND"}`},
		{"a status without a key", "GET", nobody + "/status", "", "Authorization:", 401, "Cannot access application"},
		{"a stream with another key", "GET", nobody + "/status/stream", "", "Authorization: Key a:b", 401, "invalid key credentials"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var headers []string
			if tc.header != "" {
				headers = []string{tc.header}
			}
			a := ask(t, s, tc.method, s.QueueURL()+tc.path, tc.body, headers...)
			if a.status != tc.status || !strings.Contains(a.body, tc.want) {
				t.Errorf("got %d %s, want %d with %s", a.status, a.body, tc.status, tc.want)
			}
		})
	}
	if n := len(s.RequestIDs()); n != 0 {
		t.Errorf("%d requests were accepted", n)
	}
}

func TestLockedAccountIsForbidden(t *testing.T) {
	s := start(t, fal.Options{})
	s.Lock("Exhausted balance")
	a := ask(t, s, http.MethodPost, s.QueueURL()+withLoRA, plain)
	if a.status != 403 || !strings.Contains(a.body, "User is locked. Reason: Exhausted balance") {
		t.Errorf("got %d %s", a.status, a.body)
	}
}

// sizeNames is what pydantic says of a size that is none of the names.
const sizeNames = "video_size.literal['square_hd','square','portrait_4_3','portrait_16_9','landscape_4_3','landscape_16_9'] literal_error"

func TestInputIsHeldAgainstTheDocument(t *testing.T) {
	s := start(t, fal.Options{RefuseAtSubmit: true})
	for _, tc := range []struct {
		name, input string
		want        []string // "field type", joined by a space, in fal's order
	}{
		{"nothing is wrong", plain, nil},
		{"seed may be null", `{"prompt":"a","loras":[],"seed":null}`, nil},
		{"a custom size may lack a side", `{"prompt":"a","loras":[],"video_size":{"width":64}}`, nil},
		{"both required fields are missing", `{}`, []string{"prompt missing", "loras missing"}},
		{"a field that is ignored, in a size and a lora", `{"prompt":"a","loras":[{"path":"a","weight":1}],"video_size":{"depth":1}}`, nil},
		{"prompt is null", `{"prompt":null,"loras":[]}`, []string{"prompt string_type"}},
		{"too few frames", `{"prompt":"a","loras":[],"num_frames":8}`, []string{"num_frames greater_than_equal"}},
		{"too many frames", `{"prompt":"a","loras":[],"num_frames":482}`, []string{"num_frames less_than_equal"}},
		{"half a frame", `{"prompt":"a","loras":[],"num_frames":9.5}`, []string{"num_frames int_from_float"}},
		{"frames in words", `{"prompt":"a","loras":[],"num_frames":"121"}`, []string{"num_frames int_type"}},
		{"no such scheduler", `{"prompt":"a","loras":[],"scheduler":"euler"}`, []string{"scheduler literal_error"}},
		{"no such camera move", `{"prompt":"a","loras":[],"camera_lora":"spin"}`, []string{"camera_lora literal_error"}},
		{"audio is a word", `{"prompt":"a","loras":[],"generate_audio":"yes"}`, []string{"generate_audio bool_type"}},
		{"a scheduler is a number", `{"prompt":"a","loras":[],"scheduler":5}`, []string{"scheduler literal_error"}},
		{"a seed in words", `{"prompt":"a","loras":[],"seed":"x"}`, []string{"seed int_type"}},
		{"no such size", `{"prompt":"a","loras":[],"video_size":"720p"}`, []string{"video_size.ImageSize model_attributes_type", sizeNames}},
		{"a size is a number", `{"prompt":"a","loras":[],"video_size":5}`, []string{"video_size.ImageSize model_attributes_type", sizeNames}},
		{"no width and a huge height", `{"prompt":"a","loras":[],"video_size":{"width":0,"height":14143}}`, []string{
			"video_size.ImageSize.height less_than_equal", "video_size.ImageSize.width greater_than", sizeNames,
		}},
		{"loras is an object", `{"prompt":"a","loras":{}}`, []string{"loras list_type"}},
		{"a lora without a path, one too strong", `{"prompt":"a","loras":[{"scale":1},{"path":"","scale":4.5}]}`, []string{"loras.0.path missing", "loras.1.scale less_than_equal"}},
		{"several at once", `{"prompt":"a","loras":[],"fps":0,"video_cfg_scale":21,"acceleration":"max"}`, []string{"fps greater_than_equal", "video_cfg_scale less_than_equal", "acceleration literal_error"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := ask(t, s, http.MethodPost, s.QueueURL()+withLoRA, tc.input)
			if len(tc.want) == 0 {
				if a.status != http.StatusOK {
					t.Fatalf("refused: %s", a.body)
				}
				return
			}
			var body struct {
				Detail []struct {
					Loc  []any
					Type string
				}
			}
			if err := json.Unmarshal([]byte(a.body), &body); err != nil || a.status != 422 {
				t.Fatalf("got %d %s", a.status, a.body)
			}
			var got []string
			for _, d := range body.Detail {
				var loc []string
				for _, part := range d.Loc[1:] {
					loc = append(loc, fmt.Sprint(part))
				}
				got = append(got, strings.Join(loc, ".")+" "+d.Type)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestUnknownInputIsIgnoredButRecorded(t *testing.T) {
	s := start(t, fal.Options{})
	submit(t, s, `{"prompt":"a","loras":[],"image_size":"square"}`)
	if v := s.Violations(); len(v) != 1 || !strings.Contains(v[0], `"image_size"`) {
		t.Errorf("violations: %q", v)
	}
	ask(t, s, http.MethodPost, s.QueueURL()+withoutLoRA, plain)
	if v := s.Violations(); len(v) != 2 || !strings.Contains(v[1], `"loras"`) {
		t.Errorf("violations: %q", v)
	}
	submit(t, s, `{"prompt":"a","loras":[{"path":"a","weight":1}],"video_size":{"width":64,"depth":1}}`)
	want := []string{"loras.0.weight", "video_size.depth"}
	if got := s.Submits()[2].Ignored; !slices.Equal(got, want) {
		t.Errorf("ignored %q, want %q", got, want)
	}
}

func TestBadInputIsToldWithTheResult(t *testing.T) {
	s := start(t, fal.Options{})
	id := submit(t, s, `{"prompt":"a","loras":[],"num_frames":999}`)
	complete(t, s, id)
	a := ask(t, s, http.MethodGet, s.QueueURL()+requests+id, "")
	if a.status != 422 || !strings.Contains(a.body, `"less_than_equal"`) || a.header.Get("X-Fal-Billable-Units") != "0" {
		t.Errorf("got %d %s", a.status, a.body)
	}
}
