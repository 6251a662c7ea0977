package main

import (
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// pageURL is where a demo says that its page is.
var pageURL = regexp.MustCompile(`The page: (http://127\.0\.0\.1:\d+)\n`)

// TestWithoutATerminalThePageIsServedUntilTheEnd: nothing is typed, as in a
// service or behind "</dev/null".
func TestWithoutATerminalThePageIsServedUntilTheEnd(t *testing.T) {
	t.Parallel()
	ctx, end := context.WithTimeout(t.Context(), time.Minute)
	defer end()
	out, written := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		c := demoCmd{On: "discord", Fal: "sim", Listen: "127.0.0.1:0"}
		err := c.Run(ctx, terminal{in: strings.NewReader(""), out: written, err: io.Discard})
		_ = written.Close()
		ended <- err
	}()
	var said strings.Builder
	buf := make([]byte, 4096)
	for !pageURL.MatchString(said.String()) {
		n, err := out.Read(buf)
		if err != nil {
			t.Fatalf("it ends with %v after %q", <-ended, said.String())
		}
		said.Write(buf[:n])
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, pageURL.FindStringSubmatch(said.String())[1], nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(body), "ltxbot") {
		t.Errorf("the page: %d, %v", resp.StatusCode, err)
	}
	select {
	case err := <-ended:
		t.Errorf("it ends by itself: %v", err)
	default:
	}
	end()
	if err := <-ended; err != nil {
		t.Errorf("it ends with %v", err)
	}
}
