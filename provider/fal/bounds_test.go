package fal_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/provider/fal"
	sim "ltxbot/sim/fal"
)

func TestRetryAfterIsBounded(t *testing.T) {
	w := newWorld(t, sim.Options{})
	for header, want := range map[string]time.Duration{
		"7": 7 * time.Second, "300": 5 * time.Minute, "301": 5 * time.Minute, "28800": 5 * time.Minute,
		"1e300": 5 * time.Minute, "Inf": 5 * time.Minute, "NaN": 0, "-5": 0, "soon": 0, "": 0,
		time.Now().Add(8 * time.Hour).UTC().Format(http.TimeFormat):  5 * time.Minute,
		time.Now().Add(-8 * time.Hour).UTC().Format(http.TimeFormat): 0,
	} {
		w.sim.Inject(sim.Fault{Op: sim.OpSubmit, Status: 429, Header: http.Header{"Retry-After": {header}}})
		_, err := w.Submit(t.Context(), jobRequest(t, prompt))
		if pe, _ := errors.AsType[*generate.ProviderError](err); pe == nil || pe.RetryAfter != want {
			t.Errorf("Retry-After: %s gives %+v, want %s", header, pe, want)
		}
	}
}

func TestBillableUnitsThatCannotBeCountAsNone(t *testing.T) {
	w := newWorld(t, sim.Options{})
	s := w.submit(t, prompt)
	w.await(t, s)
	for header, want := range map[string]float64{
		"71.37": 71.37, "1000000": 1e6, "1000001": 0, "7e300": 0, "Inf": 0, "NaN": 0, "-1": 0, "0": 0, "many": 0, "": 0,
	} {
		w.sim.Inject(sim.Fault{
			Op: sim.OpResult, Status: 200, Header: http.Header{"X-Fal-Billable-Units": {header}},
			Body: `{"video":{"url":"https://v3.fal.media/x.mp4"}}`,
		})
		if r, err := w.Result(t.Context(), s); err != nil || r.BillableUnits != want {
			t.Errorf("X-Fal-Billable-Units: %s gives %v, %v; want %v", header, r.BillableUnits, err, want)
		}
	}
}

// TestAStatusIsAskedWithoutItsLogs: logs may be larger than an answer may be.
func TestAStatusIsAskedWithoutItsLogs(t *testing.T) {
	w := newWorld(t, sim.Options{})
	s := w.submit(t, prompt)
	w.await(t, s)
	for _, e := range w.sim.Log() {
		if e.Op == sim.OpStatus && e.Query.Has("logs") {
			t.Fatalf("asked for %s?%s", e.Path, e.Query.Encode())
		}
	}
}

// TestSoManyCallsAtATime has a server that keeps everybody waiting until one
// too many has come, or nobody comes any more.
func TestSoManyCallsAtATime(t *testing.T) {
	const jobs = 3 * fal.MaxCalls
	if fal.MaxCalls != 20 {
		t.Errorf("%d calls at a time, want 20", fal.MaxCalls)
	}
	entered, release := make(chan struct{}, jobs), make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		entered <- struct{}{}
		<-release
		_, _ = fmt.Fprint(rw, `{"status":"IN_QUEUE","request_id":"abc"}`)
	}))
	t.Cleanup(srv.Close)
	w := newWorld(t, sim.Options{}, func(c *fal.Config) {
		c.QueueURL = srv.URL
	})
	o := jobRequest(t, prompt)
	var group sync.WaitGroup
	for i := range jobs {
		group.Go(func() {
			var err error
			if i%3 == 0 {
				_, err = w.Submit(t.Context(), o)
			} else {
				_, err = w.Status(t.Context(), generate.Submission{RequestID: "abc", Endpoint: lora})
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	inside := 0
	for quiet := time.After(time.Minute); inside <= fal.MaxCalls && quiet != nil; {
		select {
		case <-entered:
			if inside++; inside == fal.MaxCalls {
				quiet = time.After(200 * time.Millisecond)
			}
		case <-quiet:
			quiet = nil
		}
	}
	close(release)
	group.Wait()
	if inside != fal.MaxCalls {
		t.Errorf("%d calls at a time, want %d", inside, fal.MaxCalls)
	}
}

func TestASubmitThatWaitsItsTurnTooLongWasNotSent(t *testing.T) {
	release := make(chan struct{})
	entered := make(chan struct{}, fal.MaxCalls)
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		entered <- struct{}{}
		<-release
		_, _ = fmt.Fprint(rw, `{"status":"IN_QUEUE"}`)
	}))
	t.Cleanup(srv.Close)
	w := newWorld(t, sim.Options{}, func(c *fal.Config) { c.QueueURL = srv.URL })
	var group sync.WaitGroup
	for range fal.MaxCalls {
		group.Go(func() { _, _ = w.Status(t.Context(), generate.Submission{RequestID: "abc", Endpoint: lora}) })
	}
	for range fal.MaxCalls {
		<-entered
	}
	ctx, cancel := contextWithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := w.Submit(ctx, jobRequest(t, prompt)); !errors.Is(err, generate.ErrNotSent) {
		t.Errorf("got %v, want it not sent", err)
	}
	close(release)
	group.Wait()
}

func TestAContentCheckInWords(t *testing.T) {
	w := newWorld(t, sim.Options{})
	s := w.submit(t, prompt)
	w.await(t, s)
	const said = "The content could not be processed because it was flagged by a content checker."
	for _, tc := range []struct {
		name   string
		status int
		body   string
		kind   generate.FailureKind
	}{
		{"a sentence", 422, `{"detail":"` + said + `"}`, generate.FailRefused},
		{"a sentence as a 400", 400, `{"detail":"` + said + `"}`, generate.FailRefused},
		{"a sentence as a 200", 200, `{"detail":"` + said + `"}`, generate.FailRefused},
		{"a list without a type", 422, `{"detail":[{"loc":["body","prompt"],"msg":"` + said + `"}]}`, generate.FailRefused},
		{"pydantic's type for any error", 422, `{"detail":[{"loc":["body","prompt"],"msg":"Value error, NSFW content","type":"value_error"}]}`, generate.FailRefused},
		{"a type that is not known", 422, `{"detail":[{"msg":"Blocked by the content policy","type":"moderation_blocked"}]}`, generate.FailRefused},
		{"another type that says what it is", 422, `{"detail":[{"loc":["body","prompt"],"msg":"Too long for the content checker","type":"string_too_long"}]}`, generate.FailInvalid},
		{"another sentence", 422, `{"detail":"The video could not be made."}`, generate.FailInvalid},
		{"the words of the prompt", 422, `{"detail":[{"loc":["body","prompt"],"msg":"can't read \"an nsfw cat\"","input":"an nsfw cat"}]}`, generate.FailInvalid},
		{"a server's trouble with it", 502, `{"detail":"content checker unavailable","error_type":"x"}`, generate.FailProvider},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w.sim.Inject(sim.Fault{Op: sim.OpResult, Status: tc.status, Body: tc.body, Header: http.Header{"X-Fal-Request-Id": {s.RequestID}}})
			_, err := w.Result(t.Context(), s)
			pe, _ := errors.AsType[*generate.ProviderError](err)
			if pe == nil || pe.Kind != tc.kind || pe.Temporary || tc.kind == generate.FailRefused && pe.Message != "" {
				t.Errorf("got %+v (%v), want %s for good", pe, err, tc.kind)
			}
		})
	}
	w.sim.Inject(sim.Fault{Op: sim.OpSubmit, Status: 422, Body: `{"detail":"` + said + `"}`})
	_, err := w.Submit(t.Context(), jobRequest(t, prompt))
	if pe, _ := errors.AsType[*generate.ProviderError](err); pe == nil || pe.Kind != generate.FailRefused {
		t.Errorf("at the submit: %v", err)
	}
}

// TestFindPagesOnAndNarrowsTheTime looks for one request among more than a
// thousand of its minutes.
func TestFindPagesOnAndNarrowsTheTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{HistoryLag: time.Nanosecond, Concurrency: 5000})
	mine := w.submit(t, prompt).RequestID
	for i := range 1050 {
		w.submit(t, fmt.Sprint("prompt ", i))
	}
	began := time.Now()
	found, err := w.Find(t.Context(), jobRequest(t, prompt), began.Add(-time.Minute), began)
	if err != nil || len(found) != 1 || found[0].RequestID != mine {
		t.Errorf("found %+v, %v; want %s", found, err, mine)
	}
	for _, e := range w.sim.Log() {
		if e.Op != sim.OpHistory {
			continue
		}
		start, err1 := time.Parse(time.RFC3339, e.Query.Get("start"))
		end, err2 := time.Parse(time.RFC3339, e.Query.Get("end"))
		if err1 != nil || err2 != nil || end.Sub(start).Round(time.Minute) != 5*time.Minute {
			t.Fatalf("asked for %s to %s, want the minute and two on each side", start, end)
		}
	}
}

func TestFindReadsPagesOfAnySize(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		prompt int // bytes of each prompt that is not looked for
		sizes  string
	}{
		{"a page of more than 1 MiB", 20 << 10, "100"},
		{"a page of more than 4 MiB", 60 << 10, "100 20 20 20 20 20"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sim.Options{HistoryLag: time.Nanosecond, Concurrency: 500})
			mine := w.submit(t, prompt).RequestID
			for range 99 {
				post(t, w, `{"prompt":"`+strings.Repeat("x", tc.prompt)+`","loras":[]}`)
			}
			found, err := w.Find(t.Context(), jobRequest(t, prompt), time.Now().Add(-time.Minute), time.Now())
			if err != nil || len(found) != 1 || found[0].RequestID != mine {
				t.Errorf("found %+v, %v; want %s", found, err, mine)
			}
			var sizes []string
			for _, e := range w.sim.Log() {
				if e.Op == sim.OpHistory {
					sizes = append(sizes, e.Query.Get("limit"))
				}
			}
			if got := strings.Join(sizes, " "); got != tc.sizes {
				t.Errorf("pages of %s, want %s", got, tc.sizes)
			}
		})
	}
}

// post submits a body as it is.
func post(t *testing.T, w *world, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.sim.QueueURL()+"/"+lora, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Key "+w.sim.Key())
	resp, err := w.web.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status)
	}
}

func TestAHistoryThatCannotBeReadIsAnError(t *testing.T) {
	w := newWorld(t, sim.Options{})
	w.sim.Inject(sim.Fault{Op: sim.OpHistory, Times: -1, Status: 200, Body: `{"items":["` + strings.Repeat("x", 5<<20) + `"]}`})
	found, err := w.Find(t.Context(), jobRequest(t, prompt), time.Now(), time.Now())
	if err == nil || len(found) != 0 {
		t.Errorf("found %+v, %v; want an error", found, err)
	}
}

// TestSoManyDownloadsAtATime: a start with thousands of finished videos does
// not fetch them all at once, and each that ends, or fails, makes room.
func TestSoManyDownloadsAtATime(t *testing.T) {
	if fal.MaxDownloads != 16 {
		t.Errorf("%d downloads at a time, want 16", fal.MaxDownloads)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/gone.mp4" {
			rw.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = fmt.Fprint(rw, "a video")
	}))
	t.Cleanup(srv.Close)
	w := newWorld(t, sim.Options{}, func(c *fal.Config) { c.MediaHosts = []string{strings.TrimPrefix(srv.URL, "http://")} })
	within := func(d time.Duration, path string) (generate.Media, error) {
		ctx, cancel := contextWithTimeout(t.Context(), d)
		t.Cleanup(cancel)
		return w.Open(ctx, srv.URL+path, 0)
	}
	open := func(path string) (generate.Media, error) { return within(time.Minute, path) }
	// oneMore waits for its turn until it is given up.
	oneMore := func() error { _, err := within(200*time.Millisecond, "/x.mp4"); return err }
	var under []generate.Media
	for n := range fal.MaxDownloads {
		if _, err := open("/gone.mp4"); !errors.Is(err, generate.ErrGone) {
			t.Fatalf("a file that is gone: %v", err)
		}
		m, err := open("/x.mp4")
		if err != nil {
			t.Fatalf("download %d: %v", n+1, err)
		}
		under = append(under, m)
	}
	if err := oneMore(); err == nil {
		t.Error("one more is begun beside them")
	}
	for range 2 { // closing twice makes room once
		if err := under[0].Body.Close(); err != nil {
			t.Error(err)
		}
	}
	m, err := open("/x.mp4")
	if err != nil {
		t.Errorf("one has ended, and there is no room: %v", err)
	}
	if err := oneMore(); err == nil {
		t.Error("one that was closed twice made room for two")
	}
	for _, m := range append(under[1:], m) {
		_ = m.Body.Close()
	}
}
