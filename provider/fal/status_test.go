package fal_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/provider/fal"
	sim "ltxbot/sim/fal"
)

func contextWithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, d)
}

func TestDecodeStatus(t *testing.T) {
	for _, tc := range []struct {
		name, body string
		want       generate.Status
		bad        bool
	}{
		{name: "in the queue", body: `{"status":"IN_QUEUE","queue_position":3}`, want: generate.Status{Phase: generate.PhaseQueued, Position: 3, Percent: -1}},
		{name: "in the queue, no position", body: `{"status":"IN_QUEUE"}`, want: generate.Status{Phase: generate.PhaseQueued, Position: -1, Percent: -1}},
		{name: "in progress, logs are null", body: `{"status":"IN_PROGRESS","logs":null}`, want: generate.Status{Phase: generate.PhaseRunning, Position: -1, Percent: -1}},
		{name: "in progress, with logs", body: `{"status":"IN_PROGRESS","logs":[{"message":"10%","timestamp":"2026-01-01T00:00:00Z"}]}`, want: generate.Status{Phase: generate.PhaseRunning, Position: -1, Percent: 10}},
		{name: "complete", body: `{"status":"COMPLETED","logs":[],"metrics":{"inference_time":41.7}}`, want: generate.Status{Phase: generate.PhaseComplete, Position: -1, Percent: -1, Seconds: 41.7}},
		{name: "complete, no time", body: `{"status":"COMPLETED","metrics":{"inference_time":null}}`, want: generate.Status{Phase: generate.PhaseComplete, Position: -1, Percent: -1}},
		{name: "complete, no metrics, with an error", body: `{"status":"COMPLETED","error":"x","error_type":"y"}`, want: generate.Status{Phase: generate.PhaseComplete, Position: -1, Percent: -1, Failed: true}},
		{name: "complete, with the type of an error", body: `{"status":"COMPLETED","error_type":"y"}`, want: generate.Status{Phase: generate.PhaseComplete, Position: -1, Percent: -1, Failed: true}},
		{name: "complete, with an error that is none", body: `{"status":"COMPLETED","error":null,"error_type":""}`, want: generate.Status{Phase: generate.PhaseComplete, Position: -1, Percent: -1}},
		{name: "complete, after a day", body: `{"status":"COMPLETED","metrics":{"inference_time":86400}}`, want: generate.Status{Phase: generate.PhaseComplete, Position: -1, Percent: -1, Seconds: 86400}},
		{name: "complete, after longer than can be", body: `{"status":"COMPLETED","metrics":{"inference_time":86401}}`, want: generate.Status{Phase: generate.PhaseComplete, Position: -1, Percent: -1}},
		{name: "in the queue, behind a million", body: `{"status":"IN_QUEUE","queue_position":1000000}`, want: generate.Status{Phase: generate.PhaseQueued, Position: 1000000, Percent: -1}},
		{name: "in the queue, behind more than can be", body: `{"status":"IN_QUEUE","queue_position":1000001}`, want: generate.Status{Phase: generate.PhaseQueued, Position: -1, Percent: -1}},
		{name: "a state we do not know", body: `{"status":"WARMING_UP"}`, want: generate.Status{Phase: generate.PhaseRunning, Position: -1, Percent: -1}},
		{name: "no state", body: `{}`, bad: true},
		{name: "no JSON", body: `<html>`, bad: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := fal.DecodeStatus([]byte(tc.body))
			if (err != nil) != tc.bad || got != tc.want {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestPercentOfALine(t *testing.T) {
	for line, want := range map[string]int{
		"10%": 10,
		" 53%|█████▎    | 8/15 [00:04<00:03,  2.1it/s]": 53,
		"100%|██████████| 15/15 [00:07<00:00]":          100,
		"  0%|          | 0/15 [00:00<?, ?it/s]":        0,
		"step 3/15":                                     20,
		"Step: 3 of 4":                                  75,
		"denoising 3/15 [":                              20,
		"Sampling: 12.5 %":                              12,
		"first 10%\rthen 20%":                           20,
		"first 10%\r":                                   10,
		"Loading checkpoint shards: 100%|███| 3/3":      -1,
		"Fetching 12 files: 40%":                        -1,
		"compiling 80%":                                 -1,
		"GPU memory 250%":                               -1,
		"step 16/15":                                    -1,
		"step 0/0":                                      -1,
		"version 3/15":                                  -1,
		"nothing to see":                                -1,
		"":                                              -1,
		strings.Repeat("x", 500) + " 50%":               -1,
	} {
		if got := fal.PercentIn(line); got != want {
			t.Errorf("%.60q: got %d, want %d", line, got, want)
		}
	}
}

func TestPercentOfLogs(t *testing.T) {
	entry := func(second int, message string) string {
		return fmt.Sprintf(`{"timestamp":"2026-01-01T00:00:%02dZ","message":%s}`, second, fal.Quote(message))
	}
	var long []string
	for i := range 60 {
		long = append(long, entry(i, "line"))
	}
	for _, tc := range []struct {
		name, logs string
		want       int
	}{
		{"null", `null`, -1},
		{"missing", ``, -1},
		{"empty", `[]`, -1},
		{"a number", `5`, -1},
		{"the highest counts", "[" + entry(1, "10%") + "," + entry(3, "30%") + "," + entry(2, "20%") + "]", 30},
		{"the same line twice", "[" + entry(1, "10%") + "," + entry(1, "10%") + "]", 10},
		{"an object of entries", `{"a":` + entry(1, "10%") + `,"b":` + entry(2, "40%") + `}`, 40},
		{"one entry", entry(1, "10%"), 10},
		{"entries of other types", `[1,"10%",null,{"message":5},` + entry(1, "7%") + `]`, 7},
		{"repeated lines take no room", "[" + entry(0, "30%") + strings.Repeat(","+entry(1, "line"), 60) + "]", 30},
		{"long ago", "[" + entry(0, "99%") + "," + strings.Join(long, ",") + "]", -1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := fal.Percent([]byte(tc.logs)); got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
}

func FuzzStatus(f *testing.F) {
	f.Add([]byte(`{"status":"IN_PROGRESS","logs":[{"message":" 53%|█| 8/15 [","timestamp":"t"}],"queue_position":1e300}`))
	f.Add([]byte(`{"status":"COMPLETED","logs":{"a":{"message":"step 3/15"}},"metrics":[]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		st, err := fal.DecodeStatus(body)
		if err == nil && (st.Percent < -1 || st.Percent > 100 || st.Position < -1 || st.Phase == "" || st.Seconds < 0) {
			t.Errorf("%+v", st)
		}
		if p := fal.PercentIn(string(body)); p < -1 || p > 100 {
			t.Errorf("%d", p)
		}
	})
}

func TestStatusOfAForgottenRequestIsGone(t *testing.T) {
	w := newWorld(t, sim.Options{})
	s := w.submit(t, prompt)
	w.sim.Forget(s.RequestID)
	if _, err := w.Status(t.Context(), s); !errors.Is(err, generate.ErrGone) {
		t.Errorf("status: %v", err)
	}
	if _, err := w.Result(t.Context(), s); !errors.Is(err, generate.ErrGone) {
		t.Errorf("result: %v", err)
	}
	if out, err := w.Cancel(t.Context(), s); err != nil || out != generate.CancelUnknown {
		t.Errorf("cancel: %s, %v", out, err)
	}
}

func TestJobThatFallsBackIntoTheQueue(t *testing.T) {
	w := newWorld(t, byHand())
	s := w.submit(t, "goes-back")
	var phases []generate.Phase
	for ; !slices.Contains(phases, generate.PhaseComplete); w.sim.Advance(time.Hour) {
		st, err := w.Status(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		phases = append(phases, st.Phase)
	}
	phases = slices.Compact(phases)
	if got := fmt.Sprint(phases); got != "[queued running queued running complete]" {
		t.Errorf("phases: %s", got)
	}
}

func TestCancel(t *testing.T) {
	w := newWorld(t, sim.Options{})
	w.sim.Next(sim.StaysRunning)
	s := w.submit(t, prompt)
	for range 2 {
		if out, err := w.Cancel(t.Context(), s); err != nil || (out != generate.CancelRequested && out != generate.CancelTooLate) {
			t.Errorf("%s, %v", out, err)
		}
	}
	w.await(t, s)
	_, err := w.Result(t.Context(), s)
	if pe, _ := errors.AsType[*generate.ProviderError](err); pe == nil || pe.Kind != generate.FailCancelled {
		t.Errorf("result: %v", err)
	}
	for body, want := range map[string]generate.CancelOutcome{`{"success":true}`: generate.CancelRequested, `{"success":false}`: generate.CancelTooLate, ``: generate.CancelRequested} {
		w.sim.Inject(sim.Fault{Op: sim.OpCancel, Status: 200, Body: body})
		if out, err := w.Cancel(t.Context(), s); err != nil || out != want {
			t.Errorf("%s: %s, %v", body, out, err)
		}
	}
	w.sim.Inject(sim.Fault{Op: sim.OpCancel, Status: 400, Body: `{"detail":"what?"}`})
	if out, err := w.Cancel(t.Context(), s); err == nil {
		t.Errorf("a strange 400: %s", out)
	}
}

// byHand are jobs that take hours: a test lets them pass with Advance. Each is
// another place in the queue, then another line of the log.
func byHand() sim.Options {
	return sim.Options{Speed: 1, Timing: sim.Timing{Queue: 3 * time.Hour, Ahead: 3, Run: 16 * time.Hour, Steps: 15}}
}

// watch collects what a stream yields.
func watch(ctx context.Context, c *fal.Client, s generate.Submission) (states []generate.Status, err error) {
	for st, e := range c.Watch(ctx, s) {
		if e != nil {
			return states, e
		}
		states = append(states, st)
	}
	return states, nil
}

func TestWatchFollowsAJobToItsEnd(t *testing.T) {
	w := newWorld(t, byHand())
	s := w.submit(t, prompt)
	var states []generate.Status
	for st, err := range w.Watch(t.Context(), s) {
		if err != nil {
			t.Fatalf("after %d states: %v", len(states), err)
		}
		states = append(states, st)
		w.sim.Advance(time.Hour)
	}
	if len(states) < 5 {
		t.Fatalf("%d states", len(states))
	}
	last, percent := states[len(states)-1], -1
	for _, st := range states {
		if st.Percent < percent {
			t.Errorf("percent falls: %+v", states)
		}
		percent = st.Percent
	}
	if last.Phase != generate.PhaseComplete || states[0].Phase != generate.PhaseQueued || percent != 100 || w.lastSeen() != "watch ok" {
		t.Errorf("%+v, observed %s", states, w.lastSeen())
	}
	if n := w.sim.Count(sim.OpStatus); n != 0 {
		t.Errorf("%d polls", n)
	}
}

func TestWatchStopsWhenItsUserDoes(t *testing.T) {
	w := newWorld(t, sim.Options{})
	w.sim.Next(sim.StaysRunning)
	s := w.submit(t, prompt)
	for _, err := range w.Watch(t.Context(), s) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	for _, err := range w.Watch(ctx, s) {
		if n++; err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			continue
		}
		cancel()
	}
	cancel()
	if n < 2 {
		t.Errorf("%d states", n)
	}
}

func TestWatchBreaks(t *testing.T) {
	for _, tc := range []struct {
		name  string
		fault sim.Fault
		state int // how many states come first
		is    error
	}{
		{"when the connection does", sim.Fault{Cut: 2}, 2, nil},
		{"when an event is garbled", sim.Fault{Malformed: true}, 0, nil},
		{"when the request is unknown", sim.Fault{Status: 404, Body: "{}"}, 0, generate.ErrGone},
		{"when the key is refused", sim.Fault{Status: 401, Body: `{"detail":"invalid key credentials"}`}, 0, nil},
		{"when the answer is no stream", sim.Fault{Status: 200, Body: `{"status":"IN_QUEUE"}`}, 0, nil},
		{"when nobody answers", sim.Fault{Drop: true, Times: -1}, 0, nil},
		{"when the answer is late", sim.Fault{Delay: time.Minute}, 0, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, sim.Options{Speed: 20}, func(c *fal.Config) {
				if tc.fault.Delay > 0 {
					c.Timeouts.Call = 300 * time.Millisecond
				}
			})
			s := w.submit(t, prompt)
			tc.fault.Op = sim.OpStream
			w.sim.Inject(tc.fault)
			states, err := watch(t.Context(), w.Client, s)
			w.assertError(t, err)
			if len(states) != tc.state || tc.is != nil && !errors.Is(err, tc.is) {
				t.Errorf("%d states, %v", len(states), err)
			}
		})
	}
}

// TestWatchReadsStreamsOfAllKinds has a server that writes what it is told.
func TestWatchReadsStreamsOfAllKinds(t *testing.T) {
	const queued = `{"status":"IN_QUEUE","queue_position":1}`
	big := `{"status":"IN_PROGRESS","logs":[{"message":"` + strings.Repeat("x", 200<<10) + `"}]}`
	for _, tc := range []struct {
		name, stream string
		states       int
		hang         bool
		want         string // part of the error
	}{
		{"comments, blank lines and other fields", ": hello\n\n\n\nevent: status\nid: 1\nretry: 5\ndata: " + queued + "\n\n: bye\n\n", 1, false, ""},
		{"windows line ends", "data: " + queued + "\r\n\r\ndata: " + queued + "\r\n\r\n", 2, false, ""},
		{"data over several lines", "data: {\"status\":\ndata: \"IN_QUEUE\"}\n\n", 1, false, ""},
		{"an event of 200 kB", "data: " + big + "\n\n", 1, false, ""},
		{"an event that never ends", "data: " + strings.Repeat("x", 2<<20) + "\n\n", 0, false, "token too long"},
		{"an end before the job's", "data: " + queued + "\n\n", 1, false, ""},
		{"a last event cut in half", "data: " + queued + "\n\ndata: {\"sta", 1, false, "unexpected"},
		{"nothing more than a complete job", "data: {\"status\":\"COMPLETED\"}\n\ndata: garbage\n\n", 1, false, ""},
		{"silence", "data: " + queued + "\n\n", 1, true, "the stream fell silent"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			release := make(chan struct{})
			srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
				_, _ = io.WriteString(rw, tc.stream)
				_ = http.NewResponseController(rw).Flush()
				if tc.hang {
					<-release
				}
			}))
			t.Cleanup(srv.Close)
			t.Cleanup(func() { close(release) })
			w := newWorld(t, sim.Options{}, func(c *fal.Config) {
				if c.QueueURL = srv.URL; tc.hang {
					c.Timeouts.Idle = 100 * time.Millisecond
				}
			})
			states, err := watch(t.Context(), w.Client, generate.Submission{RequestID: "abc", Endpoint: lora})
			if len(states) != tc.states || (err != nil) != (tc.want != "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%d states, %v", len(states), err)
			}
		})
	}
}
