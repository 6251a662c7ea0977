package admin_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/app/admin"
	"ltxbot/internal/ingress"
)

// door is an API, with what it refused.
type door struct {
	api     *admin.API
	refused map[ingress.Reason]int
}

func newDoor() door {
	d := door{refused: map[ingress.Reason]int{}}
	guard := ingress.New(slog.New(slog.DiscardHandler), func(_ ingress.Endpoint, why ingress.Reason) { d.refused[why]++ })
	d.api = admin.New(token, guard, slog.New(slog.DiscardHandler))
	d.api.Handle("GET jobs", func(*http.Request) (any, error) { return "fine", nil })
	return d
}

// knock is the answer to a request from an address.
func (d door) knock(from, header string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/admin/api/jobs", nil)
	r.RemoteAddr = from
	if header != "" {
		r.Header.Set("Authorization", header)
	}
	w := httptest.NewRecorder()
	d.api.ServeHTTP(w, r)
	return w
}

func TestWhoGuessesTheTokenHasToWaitLongerAndLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor()
		const guesser, right, wrong = "198.51.100.7:1234", "Bearer " + token, "Bearer guess"
		want := func(what string, status int, from, header string) {
			t.Helper()
			if got := d.knock(from, header); got.Code != status {
				t.Errorf("%s: %d, want %d: %s", what, got.Code, status, got.Body)
			}
		}
		for n := range 5 {
			want(fmt.Sprintf("wrong token %d", n+1), 401, guesser, wrong)
		}
		want("at once after the fifth, even the right one", 429, guesser, right)
		if w := d.knock(guesser, right); w.Header().Get("Retry-After") != "1" {
			t.Errorf("Retry-After is %q", w.Header().Get("Retry-After"))
		}
		want("from another port", 429, "198.51.100.7:4321", right)
		want("from another address", 200, "198.51.100.8:1234", right)
		elapse(time.Second)
		for pause := 2 * time.Second; pause < time.Minute; pause *= 2 {
			want("a try after the pause", 401, guesser, wrong)
			elapse(pause - time.Millisecond)
			want("within the next pause", 429, guesser, wrong)
			elapse(time.Millisecond)
		}
		for range 20 {
			want("a try after the pause", 401, guesser, wrong)
			elapse(time.Minute)
		}
		want("a minute is the longest pause", 200, guesser, right)
		want("who had the right one begins anew", 401, guesser, wrong)
		want("who had the right one begins anew", 200, guesser, right)
		if d.refused[ingress.BadToken] != 5+5+20+1 || d.refused[ingress.TooOften] != 3+5 {
			t.Errorf("counted %v", d.refused)
		}
	})
}

func TestARequestWithoutATokenIsNoGuess(t *testing.T) {
	d := newDoor()
	for range 50 {
		if w := d.knock("198.51.100.7:1", ""); w.Code != 401 {
			t.Fatalf("status %d", w.Code)
		}
	}
	if w := d.knock("198.51.100.7:1", "Bearer "+token); w.Code != 200 {
		t.Errorf("after 50 requests without a token, the right one is answered %d", w.Code)
	}
}

func TestWrongTokensAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor()
		for range 4 {
			d.knock("198.51.100.7:1", "Bearer guess")
		}
		elapse(10*time.Minute + time.Second)
		for range 4 {
			d.knock("198.51.100.7:1", "Bearer guess")
		}
		if w := d.knock("198.51.100.7:1", "Bearer "+token); w.Code != 200 {
			t.Errorf("four wrong ones, and four later, are answered %d", w.Code)
		}
	})
}

// One customer has a whole network of IPv6 addresses.
func TestANetworkOfIPv6CountsAsOne(t *testing.T) {
	d := newDoor()
	for n := range 5 {
		d.knock(fmt.Sprintf("[2001:db8:1:2::%d]:99", n+1), "Bearer guess")
	}
	if w := d.knock("[2001:db8:1:2::abcd]:99", "Bearer guess"); w.Code != 429 {
		t.Errorf("another address of the network: %d", w.Code)
	}
	if w := d.knock("[2001:db8:1:3::1]:99", "Bearer guess"); w.Code != 401 {
		t.Errorf("another network: %d", w.Code)
	}
}

// TestTheAddressesThatAreRememberedAreBounded: those with the fewest wrong tokens are
// forgotten first, and nobody waits for what others did.
func TestTheAddressesThatAreRememberedAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor()
		const guesser = "10.9.9.9:1"
		for range 9 {
			d.knock(guesser, "Bearer guess")
			elapse(5 * time.Second)
		}
		d.knock(guesser, "Bearer guess") // waits 32 s from here on
		for n := range 3000 {
			d.knock(fmt.Sprintf("10.%d.%d.1:1", n/250, n%250), "Bearer guess")
		}
		if w := d.knock("10.200.0.1:1", "Bearer "+token); w.Code != 200 {
			t.Errorf("however many others guess, the operator is answered %d", w.Code)
		}
		if w := d.knock(guesser, "Bearer guess"); w.Code != 429 {
			t.Errorf("who guessed most is forgotten first: %d", w.Code)
		}
		for range 4 {
			d.knock("10.0.0.1:1", "Bearer guess")
		}
		if w := d.knock("10.0.0.1:1", "Bearer guess"); w.Code != 401 {
			t.Errorf("of more than a thousand addresses, the first is still remembered: %d", w.Code)
		}
	})
}

// elapse lets time pass in a bubble of synctest.
func elapse(d time.Duration) { <-time.NewTimer(d).C }
