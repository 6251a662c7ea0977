package eventstream_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/internal/eventstream"
)

// stream serves what a script says, one entry for each time that it is asked, and
// nothing after it.
func stream(ctx context.Context, script ...[]eventstream.Event) (said string, asked int) {
	rec := httptest.NewRecorder()
	eventstream.Serve(rec, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil), func() ([]eventstream.Event, <-chan struct{}, bool) {
		asked++
		if asked > len(script) {
			return nil, nil, true
		}
		soon := make(chan struct{})
		close(soon)
		return script[asked-1], soon, true
	})
	return rec.Body.String(), asked
}

func TestAPageIsToldWhatIsNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 19*time.Second)
		defer cancel()
		said, asked := stream(ctx, []eventstream.Event{{Data: []byte("a")}}, nil, []eventstream.Event{{Name: "end", Data: []byte("b")}, {Data: []byte("c")}})
		if want := "data: a\n\nevent: end\ndata: b\n\ndata: c\n\n"; said != want || asked != 4 {
			t.Errorf("it was asked %d times, and said %q; want %q", asked, said, want)
		}
	})
}

func TestASilentStreamSaysThatItIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 61*time.Second)
		defer cancel()
		if said, asked := stream(ctx); said != strings.Repeat(":\n\n", 3) || asked != 4 {
			t.Errorf("in a minute it was asked %d times, and said %q", asked, said)
		}
	})
}

func TestAStreamEndsWhenThereIsNoMore(t *testing.T) {
	rec := httptest.NewRecorder()
	eventstream.Serve(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), func() ([]eventstream.Event, <-chan struct{}, bool) {
		return []eventstream.Event{{Data: []byte("last")}}, nil, false
	})
	if said := rec.Body.String(); !strings.HasSuffix(said, "data: last\n\n") {
		t.Errorf("said %q", said)
	}
	for name, want := range map[string]string{"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"} {
		if got := rec.Header().Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// The time that a server gives a request to come in does not end a stream.
func TestAStreamOutlivesTheTimeForARequest(t *testing.T) {
	t.Parallel()
	const within = 2 * time.Second // in which a busy machine has to bring the request, too
	var soon <-chan time.Time
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		changed := make(chan struct{})
		soon = time.After(within + time.Second)
		first := true
		eventstream.Serve(w, r, func() ([]eventstream.Event, <-chan struct{}, bool) {
			if first {
				first = false
				go func() {
					<-soon
					close(changed)
				}()
				return nil, changed, true
			}
			return []eventstream.Event{{Data: []byte("late")}}, nil, false
		})
	}))
	server.Config.ReadTimeout = within
	server.Start()
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); ; {
		if !lines.Scan() {
			t.Fatal("the stream ended before anything came")
		}
		if lines.Text() == "data: late" {
			return
		}
	}
}
