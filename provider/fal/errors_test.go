package fal_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ltxbot/core/generate"
	"ltxbot/provider/fal"
	sim "ltxbot/sim/fal"
)

// modelErrors are fal's documented errors and what they mean for a job.
var modelErrors = []struct {
	status int
	kind   generate.FailureKind
	bills  bool
	types  string
}{
	{422, generate.FailRefused, true, "content_policy_violation"},
	{422, generate.FailNoMedia, true, "no_media_generated"},
	{422, generate.FailLoRA, false, "file_download_error file_too_large"},
	{504, generate.FailTimeout, false, "generation_timeout"},
	{504, generate.FailBusy, false, "request_timeout startup_timeout"},
	{500, generate.FailProvider, false, "internal_server_error downstream_service_unavailable internal_error runner_server_error"},
	{400, generate.FailProvider, false, "downstream_service_error"},
	{503, generate.FailProvider, false, "runner_scheduling_failure runner_connection_timeout runner_disconnected runner_connection_refused runner_connection_error"},
	{502, generate.FailProvider, false, "runner_incomplete_response"},
	{499, generate.FailCancelled, false, "client_disconnected client_cancelled"},
	{400, generate.FailInvalid, false, "bad_request"},
	{429, generate.FailBusy, false, "concurrent_requests_limit"},
	{
		422, generate.FailInvalid, false, "greater_than greater_than_equal less_than less_than_equal multiple_of " +
			"sequence_too_short sequence_too_long one_of feature_not_supported image_too_small image_too_large image_load_error " +
			"face_detection_error invalid_archive archive_file_count_below_minimum archive_file_count_exceeds_maximum " +
			"audio_duration_too_long audio_duration_too_short video_duration_too_long video_duration_too_short " +
			"unsupported_audio_format unsupported_image_format unsupported_video_format",
	},
	{
		422, generate.FailInvalid, false, "assertion_error bool_parsing bool_type dict_type enum extra_forbidden finite_number " +
			"float_parsing float_type int_from_float int_parsing int_parsing_size int_type json_invalid json_type list_type " +
			"literal_error missing model_attributes_type model_type string_pattern_mismatch string_too_long string_too_short " +
			"string_type too_long too_short url_parsing url_scheme url_type value_error",
	},
}

func TestEveryDocumentedErrorOfAJob(t *testing.T) {
	w := newWorld(t, sim.Options{})
	s := w.submit(t, prompt)
	w.await(t, s)
	var covered []string
	for _, row := range modelErrors {
		for name := range strings.FieldsSeq(row.types) {
			covered = append(covered, name)
			for shape, body := range map[string]string{
				"a list":   `{"detail":[{"loc":["body","loras",0,"scale"],"msg":"No, ` + prompt + `","type":"` + name + `","ctx":{"le":481},"input":"` + prompt + `","url":"https://docs.fal.ai/errors#x"}]}`,
				"a string": `{"detail":"no","error_type":"` + name + `"}`,
			} {
				w.sim.Inject(sim.Fault{Op: sim.OpResult, Status: row.status, Body: body, Header: http.Header{"X-Fal-Request-Id": {s.RequestID}, "X-Fal-Retryable": {"true"}}, Times: 1})
				_, err := w.Result(t.Context(), s)
				if row.status == 429 { // not how a job ends: the call is repeated
					if err != nil {
						t.Errorf("%s as %s: %v", name, shape, err)
					}
					continue
				}
				pe, _ := errors.AsType[*generate.ProviderError](err)
				if pe == nil {
					t.Errorf("%s as %s: %v", name, shape, err)
					continue
				}
				w.assertError(t, err)
				if pe.Kind != row.kind || pe.MayBill != row.bills || pe.Temporary || pe.Type != name || pe.HTTPStatus != row.status {
					t.Errorf("%s as %s: %+v", name, shape, *pe)
				}
				words := "No, <input>"
				if row.kind == generate.FailRefused {
					words = ""
				}
				if shape == "a list" && (pe.Field != "loras[0].scale" || pe.Limit != "<= 481" || pe.Message != words) {
					t.Errorf("%s as %s: field %q, limit %q, message %q", name, shape, pe.Field, pe.Limit, pe.Message)
				}
				if got, want := w.lastSeen(), "result "+string(row.kind); got != want {
					t.Errorf("observed %s, want %s", got, want)
				}
			}
		}
	}
	slices.Sort(covered)
	if diff := cmp.Diff(fal.KnownTypes(), covered); diff != "" {
		t.Errorf("types that are known but not tested (-), or the reverse (+):\n%s", diff)
	}
}

func TestAnswersOfAResult(t *testing.T) {
	id := http.Header{"X-Fal-Request-Id": {"x"}}
	for _, tc := range []struct {
		name      string
		fault     sim.Fault
		kind      generate.FailureKind // "" when it is no *ProviderError
		is        error
		temporary bool
		bills     bool
	}{
		{"still in progress, as a 400", sim.Fault{Status: 400, Body: `{"detail":"Request is still in progress"}`}, "", generate.ErrNotReady, false, false},
		{"still in progress, as a 200", sim.Fault{Status: 200, Body: `{"detail":"Request is still in progress"}`}, "", generate.ErrNotReady, false, false},
		{"still in progress, as a 202", sim.Fault{Status: 202, Body: `{"status":"IN_PROGRESS"}`}, "", generate.ErrNotReady, false, false},
		{"forgotten", sim.Fault{Status: 404, Body: `{"detail":"Request not found"}`}, "", generate.ErrGone, false, false},
		{"a path that the model does not have", sim.Fault{Status: 404, Body: `{"detail":"Path /x not found"}`}, generate.FailAccount, nil, false, false},
		{"another 400", sim.Fault{Status: 400, Body: `{"detail":"no"}`}, generate.FailInvalid, nil, false, false},
		{"a 401, until the operator mends the key", sim.Fault{Status: 401, Body: `{"detail":"invalid key credentials"}`}, generate.FailAccount, nil, true, false},
		{"a 403, until the operator pays", sim.Fault{Status: 403, Body: `{"detail":"User is locked."}`}, generate.FailAccount, nil, true, false},
		{"a 405", sim.Fault{Status: 405}, generate.FailAccount, nil, false, false},
		{"a 422 with a sentence", sim.Fault{Status: 422, Body: `{"detail":"no"}`}, generate.FailInvalid, nil, false, true},
		{"a 422 of an unknown type", sim.Fault{Status: 422, Body: `{"detail":[{"type":"brand_new","msg":"no"}]}`}, generate.FailInvalid, nil, false, true},
		{"a 422 that says it is free", sim.Fault{Status: 422, Body: `{"detail":[{"type":"content_policy_violation"}]}`, Header: http.Header{"X-Fal-Billable-Units": {"0"}}}, generate.FailRefused, nil, false, false},
		{"a 422 that says it is not", sim.Fault{Status: 422, Body: `{"detail":[{"type":"missing"}]}`, Header: http.Header{"X-Fal-Billable-Units": {"3.5"}}}, generate.FailInvalid, nil, false, true},
		{"a 422 with one complaint instead of a list", sim.Fault{Status: 422, Body: `{"detail":{"type":"no_media_generated","msg":"no"}}`}, generate.FailNoMedia, nil, false, true},
		{"a 499", sim.Fault{Status: 499}, generate.FailCancelled, nil, false, false},
		{"a proxy's 502, every time", sim.Fault{Status: 502, Body: "<html>", Times: -1}, generate.FailProvider, nil, true, false},
		{"a 500 of fal with a sentence, every time", sim.Fault{Status: 500, Body: `{"detail":"Internal Server Error"}`, Header: id, Times: -1}, generate.FailProvider, nil, false, false},
		{"a 429, every time", sim.Fault{Status: 429, Times: -1}, generate.FailBusy, nil, true, false},
		{"a redirect", sim.Fault{Status: 302, Header: http.Header{"Location": {"https://evil.example/"}}}, generate.FailProvider, nil, false, false},
		{"a 200 without a video", sim.Fault{Status: 200, Body: `{"seed":1}`}, generate.FailNoMedia, nil, false, true},
		{"a 200 with a complaint", sim.Fault{Status: 200, Body: `{"detail":[{"type":"content_policy_violation"}]}`}, generate.FailRefused, nil, false, true},
		{"a 200 that is no JSON, every time", sim.Fault{Status: 200, Body: "oops", Times: -1}, "", nil, false, false},
		{"a 200 that is far too long", sim.Fault{Status: 200, Body: `"` + strings.Repeat("a", 1<<20) + `"`}, "", nil, false, false},
		{"no answer, ever", sim.Fault{Drop: true, Times: -1}, "", nil, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, sim.Options{})
			s := w.submit(t, prompt)
			w.await(t, s)
			tc.fault.Op = sim.OpResult
			w.sim.Inject(tc.fault)
			_, err := w.Result(t.Context(), s)
			w.assertError(t, err)
			pe, _ := errors.AsType[*generate.ProviderError](err)
			switch {
			case tc.is != nil:
				if !errors.Is(err, tc.is) {
					t.Errorf("got %v", err)
				}
			case tc.kind == "":
				if pe != nil || errors.Is(err, generate.ErrGone) || errors.Is(err, generate.ErrNotReady) {
					t.Errorf("got %#v", err)
				}
			case pe == nil:
				t.Errorf("got %v", err)
			case pe.Kind != tc.kind || pe.Temporary != tc.temporary || pe.MayBill != tc.bills:
				t.Errorf("got %+v", *pe)
			}
		})
	}
}

func TestFreeCallsAreRepeated(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]sim.Fault{
		"a reset":         {Drop: true},
		"a proxy's 502":   {Status: 502, Body: "<html>"},
		"a 429":           {Status: 429},
		"a 408":           {Status: 408},
		"a short answer":  {Cut: 5},
		"garbled JSON":    {Malformed: true},
		"a short timeout": {Delay: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sim.Options{}, func(c *fal.Config) {
				if c.Timeouts.Call = time.Minute; fault.Delay > 0 {
					c.Timeouts.Call = 300 * time.Millisecond
					c.Retry.Attempts = 100 // a busy machine takes as long for any answer
				}
			})
			s := w.submit(t, prompt)
			w.await(t, s)
			if fault.Times = 2; fault.Delay > 0 {
				fault.Times = 1 // each takes a second
			}
			for _, op := range []sim.Op{sim.OpStatus, sim.OpResult, sim.OpCancel, sim.OpHistory, sim.OpPricing} {
				fault.Op = op
				w.sim.Inject(fault)
			}
			if _, err := w.Status(t.Context(), s); err != nil {
				t.Error(err)
			}
			if _, err := w.Result(t.Context(), s); err != nil {
				t.Error(err)
			}
			if out, err := w.Cancel(t.Context(), s); !fault.Malformed && (err != nil || out != generate.CancelTooLate) {
				t.Error(out, err)
			}
			if _, err := w.Find(t.Context(), jobRequest(t, prompt), time.Now().Add(-time.Hour), time.Now()); err != nil {
				t.Error(err)
			}
			if _, err := w.Prices(t.Context(), lora); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRepeatingHonoursTheCaller(t *testing.T) {
	slow := func(c *fal.Config) { c.Retry = fal.Retry{Base: time.Hour, Max: time.Hour} }
	w := newWorld(t, sim.Options{}, slow)
	s := w.submit(t, prompt)
	w.sim.Inject(sim.Fault{Op: sim.OpStatus, Status: 503, Times: -1})
	ctx := t.Context()
	deadline, cancel := contextWithTimeout(ctx, 30*time.Second)
	defer cancel()
	_, err := w.Status(deadline, s)
	pe, _ := errors.AsType[*generate.ProviderError](err)
	if pe == nil || !pe.Temporary || deadline.Err() != nil {
		t.Errorf("got %v, deadline %v, want a temporary error before it", err, deadline.Err())
	}

	w = newWorld(t, sim.Options{})
	s = w.submit(t, prompt)
	before := w.sim.Count(sim.OpStatus)
	w.sim.Inject(sim.Fault{Op: sim.OpStatus, Status: 429, Header: http.Header{"Retry-After": {"30"}}, Times: -1})
	_, err = w.Status(t.Context(), s)
	pe, _ = errors.AsType[*generate.ProviderError](err)
	if pe == nil || pe.RetryAfter != 30*time.Second || w.sim.Count(sim.OpStatus)-before != 1 {
		t.Errorf("%d calls, %v", w.sim.Count(sim.OpStatus)-before, err)
	}
}

func TestErrorTextsAreScrubbed(t *testing.T) {
	w := newWorld(t, sim.Options{})
	_, half, _ := strings.Cut(w.sim.Key(), ":")
	for in, want := range map[string]string{
		"your key " + w.sim.Key() + " is bad":             "your key <secret> is bad",
		"half of it: " + half:                             "half of it: <secret>",
		"Authorization: Key someone:else, sorry":          "Authorization: Key <secret> sorry",
		"could not fetch https://a.b/c?token=1&x=2 today": "could not fetch https://a.b/c today",
		// As libraries of Python tell of a download.
		"Max retries exceeded with url: /api/download/models/1?token=1 (Caused by it)": "Max retries exceeded with url: /api/download/models/1 (Caused by it)",
		"no file at https%3A%2F%2Fa.b%2Fc%3Ftoken%3D1, sorry":                          "no file at https%3A%2F%2Fa.b%2Fc sorry",
		"c.safetensors?sig is no file. Is it?":                                         "c.safetensors is no file. Is it?",
		"about \"" + prompt + "\" we can't":                                            `about "<input>" we can't`,
		"two\nlines\tand\x00a\x1b[31m bell":                                            "two lines and a [31m bell",
		strings.Repeat("é", 400):                                                       strings.Repeat("é", 300) + "…",
		"bad \xff bytes":                                                               "bad bytes",
		"'https://host/path?" + signature + "' is not a safetensor":                    "'https://host/path' is not a safetensor",
	} {
		if got := w.Scrub(in, prompt); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestInputsAreTakenOutOfTheWords(t *testing.T) {
	c := newWorld(t, sim.Options{}).Client
	for input, want := range map[string]string{
		`"a very private cowboy"`: "no <input> in a dusty town and no owner/repo",
		`{"prompt":` + fal.Quote(prompt) + `,"town":"dusty town","loras":[{"path":"owner/repo","scale":1}]}`: "no <input> and no <input>",
		`7`: "no " + prompt + " and no owner/repo",
	} {
		e := c.Refusal(422, fmt.Appendf(nil, `{"detail":[{"type":"missing","msg":%s,"input":%s}]}`, fal.Quote("no "+prompt+" and no owner/repo"), input))
		if e.Message != want {
			t.Errorf("%s: got %q, want %q", input, e.Message, want)
		}
	}
}

func TestLimitsAreReadable(t *testing.T) {
	c := newWorld(t, sim.Options{}).Client
	for ctx, want := range map[string]string{
		`{"gt":0}`:                      "> 0",
		`{"ge":1.5,"le":20}`:            ">= 1.5, <= 20",
		`{"multiple_of":32}`:            "a multiple of 32",
		`{"max_size":3221225472}`:       "at most 3221225472 bytes",
		`{"expected":"'a' or 'b'"}`:     "one of 'a' or 'b'",
		`{"supported_formats":["mp4"]}`: "one of mp4",
		`{"something":1}`:               "",
		`null`:                          "",
	} {
		e := c.Refusal(422, fmt.Appendf(nil, `{"detail":[{"type":"x","ctx":%s}]}`, ctx))
		if e.Limit != want {
			t.Errorf("%s: got %q, want %q", ctx, e.Limit, want)
		}
	}
}

func FuzzErrorAnswer(f *testing.F) {
	f.Add(422, []byte(`{"detail":[{"loc":["body","num_frames"],"msg":"m","type":"less_than_equal","ctx":{"le":481},"input":"999999"}]}`))
	f.Add(500, []byte(`{"detail":"text","error_type":"internal_error"}`))
	f.Add(422, []byte(`{"detail":[1,null,{"loc":[null,{}],"type":3}]}`))
	f.Add(502, []byte(`<html>`))
	const key = "id:0123456789abcdef"
	c, err := fal.New(fal.Config{Key: key, QueueURL: "https://q.example", RESTURL: "https://r.example", APIURL: "https://a.example"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		e := c.Refusal(status, append(body, key...), prompt)
		if !slices.Contains(generate.FailureKinds, e.Kind) || len([]rune(e.Message)) > 301 {
			t.Errorf("%+v", e)
		}
		echo, _ := json.Marshal(map[string]any{"detail": []any{map[string]any{
			"type": "x" + key, "msg": string(body) + prompt + key, "loc": []any{"body", key}, "ctx": map[string]any{"expected": key}, "input": prompt,
		}}})
		assertClean(t, key, c.Refusal(status, echo, prompt).Error())
	})
}

// TestAFileThatFalCannotLoadIsNamed: it may be the picture and not a LoRA.
func TestAFileThatFalCannotLoadIsNamed(t *testing.T) {
	c := newClient(t, fal.Config{Key: "a:b", QueueURL: "https://queue.fal.run", RESTURL: "https://rest.fal.ai", APIURL: "https://api.fal.ai/v1"})
	for body, want := range map[string]generate.FailureKind{
		`{"detail":[{"loc":["body","image_url"],"type":"file_download_error","msg":"x"}]}`:      generate.FailInputGone,
		`{"detail":[{"loc":["body","video_url"],"type":"file_too_large","msg":"x"}]}`:           generate.FailInputLarge,
		`{"detail":[{"loc":["body","loras",0,"path"],"type":"file_download_error","msg":"x"}]}`: generate.FailLoRA,
		`{"detail":[{"loc":["body"],"type":"file_download_error","msg":"x"}]}`:                  generate.FailLoRA,
	} {
		if got := c.Refusal(422, []byte(body)); got.Kind != want {
			t.Errorf("%s: %s, want %s", body, got.Kind, want)
		}
	}
}
