package fal_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"ltxbot/sim/fal"
)

func TestHistoryShowsRequestsAfterALag(t *testing.T) {
	s := start(t, fal.Options{HistoryLag: time.Hour, Speed: 1})
	id := submit(t, s, `{"prompt":"find me","loras":[],"seed":5}`)
	hidden := submit(t, s, `{"prompt":"secret","loras":[]}`, "X-Fal-Store-IO: 0")
	url := s.APIURL() + "/models/requests/by-endpoint?expand=payloads&limit=1&endpoint_id=" + strings.TrimPrefix(withLoRA, "/")
	if a := ask(t, s, http.MethodGet, url, ""); len(a.json(t)["items"].([]any)) != 0 {
		t.Errorf("it is there at once: %s", a.body)
	}
	s.Advance(time.Hour)
	first := ask(t, s, http.MethodGet, url, "").json(t)
	if first["has_more"] != true {
		t.Fatalf("after the lag: %v", first)
	}
	newest := first["items"].([]any)[0].(map[string]any)
	if newest["request_id"] != hidden || newest["json_input"] != nil {
		t.Errorf("newest: %v", newest)
	}
	second := ask(t, s, http.MethodGet, url+"&cursor="+first["next_cursor"].(string), "").json(t)
	item := second["items"].([]any)[0].(map[string]any)
	if item["request_id"] != id || item["json_input"].(map[string]any)["seed"] != 5.0 || second["has_more"] != false {
		t.Errorf("second page: %v", second)
	}
	if a := ask(t, s, http.MethodGet, url, "", "Authorization:"); a.status != 401 {
		t.Errorf("without a key: %d", a.status)
	}
}

func TestStreamFollowsAJobToItsEnd(t *testing.T) {
	s := start(t, byHand())
	id := submit(t, s, plain)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.QueueURL()+requests+id+"/status/stream?logs=1", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Key "+s.Key())
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := resp.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Fatalf("it is %s", got)
	}
	var states []string
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		event, isEvent := strings.CutPrefix(lines.Text(), "data: ")
		if !isEvent {
			continue
		}
		var st struct{ Status string }
		if err := json.Unmarshal([]byte(event), &st); err != nil {
			t.Fatalf("%v: %q", err, event)
		}
		states = append(states, st.Status)
		s.Advance(time.Hour)
	}
	if got := slices.Compact(slices.Clone(states)); lines.Err() != nil || !slices.Equal(got, []string{"IN_QUEUE", "IN_PROGRESS", "COMPLETED"}) || len(states) < 4 {
		t.Errorf("states: %v, %v", states, lines.Err())
	}
}

func TestResultAndMediaExpire(t *testing.T) {
	s := start(t, fal.Options{})
	id := submit(t, s, plain)
	complete(t, s, id)
	res := ask(t, s, http.MethodGet, s.QueueURL()+requests+id, "").json(t)
	url := res["video"].(map[string]any)["url"].(string)
	for _, tc := range []struct {
		passes        time.Duration
		result, video int
	}{
		{0, 200, 200},
		{2 * time.Hour, 404, 200},
		{7 * 24 * time.Hour, 404, 404},
	} {
		s.Advance(tc.passes)
		result, video := ask(t, s, http.MethodGet, s.QueueURL()+requests+id, "").status, ask(t, s, http.MethodGet, url, "", "Authorization:").status
		if result != tc.result || video != tc.video {
			t.Errorf("%s later the result is %d and the video %d, want %d and %d", tc.passes, result, video, tc.result, tc.video)
		}
	}
}

func TestMediaHasRangesAndAnySize(t *testing.T) {
	const size = 3 << 20
	s := start(t, fal.Options{FileSize: size})
	id := submit(t, s, plain)
	complete(t, s, id)
	url := ask(t, s, http.MethodGet, s.QueueURL()+requests+id, "").json(t)["video"].(map[string]any)["url"].(string)
	clip := fal.Clip()
	part := ask(t, s, http.MethodGet, url, "", "Authorization:", "Range: bytes=100-199")
	if part.status != 206 || part.body != string(clip[100:200]) || part.header.Get("Content-Range") != "bytes 100-199/3145728" {
		t.Errorf("part: %d %v", part.status, part.header)
	}
	whole := ask(t, s, http.MethodGet, url, "", "Authorization:")
	rest := []byte(whole.body)[len(clip):]
	header := append([]byte{0, 0, 0, 1}, "free"...)
	if len(whole.body) != size || !bytes.HasPrefix(rest, header) || rest[len(rest)-1] != 0 {
		t.Errorf("whole: %d bytes, then %x", len(whole.body), rest[:16])
	}
	if past := ask(t, s, http.MethodGet, url, "", "Authorization:", "Range: bytes=4000000-"); past.status != 416 {
		t.Errorf("past the end: %d", past.status)
	}
	if len(s.Violations()) != 0 {
		t.Errorf("violations: %v", s.Violations())
	}
	ask(t, s, http.MethodGet, url, "")
	if v := s.Violations(); len(v) != 1 || !strings.Contains(v[0], "key was sent to the CDN") {
		t.Errorf("violations: %v", v)
	}
}

// TestARequestIsInTheLogBeforeItsAnswer: of a large file, before all of it is read.
func TestARequestIsInTheLogBeforeItsAnswer(t *testing.T) {
	s := start(t, fal.Options{FileSize: 64 << 20})
	id := submit(t, s, plain)
	complete(t, s, id)
	url := ask(t, s, http.MethodGet, s.QueueURL()+requests+id, "").json(t)["video"].(map[string]any)["url"].(string)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if last := s.Log()[len(s.Log())-1]; last.Op != fal.OpMedia || last.Status != http.StatusOK {
		t.Errorf("the last request in the log is %+v", last)
	}
}

func TestFaults(t *testing.T) {
	s := start(t, fal.Options{})
	post := func() exchange { return ask(t, s, http.MethodPost, s.QueueURL()+withLoRA, plain) }
	for _, tc := range []struct {
		name     string
		fault    fal.Fault
		accepted int
		check    func(exchange) bool
	}{
		{"dropped before it is handled", fal.Fault{Drop: true}, 0, func(e exchange) bool { return e.err != nil }},
		{"handled, the reply lost", fal.Fault{Lose: true}, 1, func(e exchange) bool { return e.err != nil }},
		{"answered by a proxy", fal.Fault{Status: 502, Body: "<html>"}, 0, func(e exchange) bool {
			return e.status == 502 && e.body == "<html>" && e.header.Get("Content-Type") == "text/html"
		}},
		{"handled, answered by a proxy", fal.Fault{Status: 502, Handle: true}, 1, func(e exchange) bool { return e.status == 502 }},
		{"too many", fal.Fault{Status: 429, Header: http.Header{"Retry-After": {"2"}}, Body: "{}"}, 0, func(e exchange) bool {
			return e.status == 429 && e.header.Get("Retry-After") == "2"
		}},
		{"garbled", fal.Fault{Malformed: true}, 1, func(e exchange) bool { return e.status == 200 && !json.Valid([]byte(e.body)) }},
		{"cut off", fal.Fault{Cut: 10}, 1, func(e exchange) bool { return e.err != nil && len(e.body) == 10 }},
		{"late", fal.Fault{Delay: 50 * time.Millisecond}, 1, func(e exchange) bool { return e.status == 200 }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := len(s.RequestIDs())
			tc.fault.Op = fal.OpSubmit
			s.Inject(tc.fault)
			if e := post(); !tc.check(e) {
				t.Errorf("got %+v", e)
			}
			if got := len(s.RequestIDs()) - before; got != tc.accepted {
				t.Errorf("%d requests were accepted, want %d", got, tc.accepted)
			}
			if e := post(); e.status != 200 {
				t.Errorf("the fault stays: %+v", e)
			}
		})
	}
	s.Inject(fal.Fault{Op: fal.OpSubmit, Times: 2, After: 1, Status: 500})
	var got []int
	for range 4 {
		got = append(got, post().status)
	}
	if !slices.Equal(got, []int{200, 500, 500, 200}) {
		t.Errorf("after one, two times: %v", got)
	}
}

// place asks for an upload and returns where it goes.
func place(t *testing.T, s *fal.Server, path, lifecycle string) (put, get string) {
	t.Helper()
	a := ask(t, s, http.MethodPost, s.RESTURL()+"/storage/upload/"+path+"?storage_type=fal-cdn-v3", `{"file_name":"a.txt","content_type":"text/plain"}`,
		"X-Fal-Object-Lifecycle:"+lifecycle)
	at := a.json(t)
	return at["upload_url"].(string), at["file_url"].(string)
}

const keyless = "Authorization:"

func TestUpload(t *testing.T) {
	s := start(t, fal.Options{})
	put, get := place(t, s, "initiate", "")
	for _, tt := range []struct {
		name    string
		url     string
		headers []string
		want    int
	}{
		{"with a key", put, []string{"Content-Type:text/plain"}, 400},
		{"of another type", put, []string{keyless, "Content-Type:text/html"}, 403},
		{"without a type", put, []string{keyless}, 403},
		{"with another signature", put + "x", []string{keyless, "Content-Type:text/plain"}, 403},
		{"as signed", put, []string{keyless, "Content-Type:text/plain"}, 200},
		{"again", put, []string{keyless, "Content-Type:text/plain"}, 403},
	} {
		if tt.want == 200 {
			if got := ask(t, s, http.MethodGet, get, "", keyless); got.status != 404 {
				t.Errorf("before it is put: %d", got.status)
			}
		}
		if got := ask(t, s, http.MethodPut, tt.url, "hello", tt.headers...); got.status != tt.want {
			t.Errorf("%s: %d %s", tt.name, got.status, got.body)
		}
	}
	if got := ask(t, s, http.MethodGet, get, "", keyless); got.body != "hello" || got.header.Get("Content-Type") != "text/plain" {
		t.Errorf("get: %+v", got)
	}
	if stored := s.Stored(); !slices.Equal(stored, []string{get}) {
		t.Errorf("stored: %v", stored)
	}
}

func TestUploadInParts(t *testing.T) {
	s := start(t, fal.Options{})
	put, get := place(t, s, "initiate-multipart", "")
	base, query, _ := strings.Cut(put, "?")
	large := strings.Repeat("x", 5<<20)
	part := func(number, content string) string {
		a := ask(t, s, http.MethodPut, base+"/"+number+"?"+query, content, keyless)
		if a.status != 200 {
			t.Fatalf("part %s: %d %s", number, a.status, a.body)
		}
		return a.json(t)["etag"].(string)
	}
	complete := func(parts string) exchange {
		return ask(t, s, http.MethodPost, base+"/complete?"+query, `{"parts":[`+parts+`]}`, keyless, "Content-Type:application/json")
	}
	named := func(number int, tag string) string { return fmt.Sprintf(`{"partNumber":%d,"etag":%q}`, number, tag) }

	small, second := part("1", "small"), part("2", "end")
	if a := complete(named(1, small) + "," + named(2, second)); a.status != 400 || !strings.Contains(a.body, "EntityTooSmall") {
		t.Errorf("a first part that is too small: %d %s", a.status, a.body)
	}
	first := part("1", large)
	for name, parts := range map[string]string{
		"a tag of what was replaced": named(1, small) + "," + named(2, second),
		"a part that is not there":   named(1, first) + "," + named(3, second),
		"in another order":           named(2, second) + "," + named(1, first),
		"not all of them":            named(1, first),
		"none":                       "",
	} {
		if a := complete(parts); a.status != 400 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if a := ask(t, s, http.MethodPut, base+"/0?"+query, "x", keyless); a.status != 400 {
		t.Errorf("part 0: %d", a.status)
	}
	if a := complete(named(1, first) + "," + named(2, second)); a.status != 200 {
		t.Fatalf("complete: %d %s", a.status, a.body)
	}
	if got := ask(t, s, http.MethodGet, get, "", keyless); got.body != large+"end" {
		t.Errorf("get: %d, %d bytes", got.status, len(got.body))
	}
}

func TestAnUploadIsKeptAsLongAsItsSenderAsks(t *testing.T) {
	s := start(t, fal.Options{})
	put, get := place(t, s, "initiate", `{"expiration_duration_seconds":3600}`)
	if a := ask(t, s, http.MethodPut, put, "hello", keyless, "Content-Type:text/plain"); a.status != 200 {
		t.Fatal(a.status)
	}
	for _, want := range []int{200, 404} {
		if got := ask(t, s, http.MethodGet, get, "", keyless).status; got != want {
			t.Errorf("it is %d, want %d", got, want)
		}
		s.Advance(time.Hour)
	}
	for _, wrong := range []string{"1h", `{"expiration_duration_seconds":"1h"}`, `{"expiration_duration_seconds":0}`, `{"expires":1}`} {
		before := len(s.Violations())
		place(t, s, "initiate", wrong)
		if len(s.Violations()) != before+1 {
			t.Errorf("%s is taken", wrong)
		}
	}
}

func TestQueueLengthCanBeLimited(t *testing.T) {
	s := start(t, fal.Options{})
	s.Next(fal.StaysQueued, fal.StaysQueued)
	submit(t, s, plain)
	submit(t, s, plain)
	a := ask(t, s, http.MethodPost, s.QueueURL()+withLoRA+"?fal_max_queue_length=1", plain)
	if a.status != 429 || a.header.Get("X-Fal-Needs-Retry") != "1" {
		t.Errorf("got %d %v", a.status, a.header)
	}
}

func TestPlatformRefusesBadQueries(t *testing.T) {
	s := start(t, fal.Options{})
	const history = "/models/requests/by-endpoint?endpoint_id=x"
	for path, want := range map[string]int{
		history:                         200,
		history + "&limit=101":          422,
		history + "&limit=x":            422,
		history + "&cursor=x":           422,
		history + "&start=yesterday":    422,
		"/models/requests/by-endpoint":  422,
		"/models/pricing":               422,
		"/models/pricing?endpoint_id=x": 200,
		"/models/pricing/nothing":       404,
	} {
		if a := ask(t, s, http.MethodGet, s.APIURL()+path, ""); a.status != want {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	if v := s.Violations(); len(v) != 1 {
		t.Errorf("violations: %q", v)
	}
}

func TestClosingTwiceDoesNoHarm(t *testing.T) {
	s := start(t, fal.Options{})
	submit(t, s, plain)
	s.Close()
	s.Close()
	if _, err := fal.Start(fal.Options{Listen: "nowhere:x"}); err == nil {
		t.Error("it listens nowhere")
	}
}
