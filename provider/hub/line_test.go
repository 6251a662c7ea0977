package hub_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"ltxbot/provider/hub"
)

// TestASlowHostKeepsNoOtherWaiting: however many looks wait for it, it is asked a
// few times at once, and other hosts answer meanwhile.
func TestASlowHostKeepsNoOtherWaiting(t *testing.T) {
	arrived, gone := make(chan struct{}, 100), make(chan struct{})
	slow, c := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-gone
	}))
	other := httptest.NewTLSServer(http.NotFoundHandler())
	defer other.Close()
	ended := make(chan error)
	const looks = 3 * hub.AtATime
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range looks {
		go func() {
			_, err := c.Check(ctx, slow+"/x.safetensors")
			ended <- err
		}()
	}
	for range hub.AtAHost {
		<-arrived
	}
	if f, err := c.Check(t.Context(), other.URL+"/x.safetensors"); err != nil || f.Usable() {
		t.Errorf("the other host: %+v, %v", f, err)
	}
	cancel()
	for range looks {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("a look that was given up: %v", err)
		}
	}
	close(gone)
	if more := len(arrived); more > 0 {
		t.Errorf("the host was asked %d times at once, want %d", hub.AtAHost+more, hub.AtAHost)
	}
	if _, err := c.Check(t.Context(), slow+"/x.safetensors"); err != nil {
		t.Errorf("when it is quick again: %v", err)
	}
}
