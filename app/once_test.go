package app_test

import (
	"crypto/ed25519"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"ltxbot/app"
	"ltxbot/config"
	"ltxbot/internal/redistest"
)

func TestASignedRequestCountsOnceForAllProcesses(t *testing.T) {
	t.Parallel()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	server := redistest.Start(t)
	var bots []*world
	for range 2 {
		w := prepare(t, "text")
		w.cfg.Discord.Mode, w.cfg.Discord.PublicKey = "http", hex.EncodeToString(public)
		w.cfg.Store.URL = config.NewSecret(server.URL())
		w.run(t)
		bots = append(bots, w)
	}
	send := func(w *world, id string) int {
		body := `{"id":"` + id + `","application_id":"2","type":2,"token":"t","guild_id":"3","channel_id":"4","locale":"en-US",
			"member":{"user":{"id":"5"},"roles":[],"permissions":"32"},"data":{"name":"ltx-help"}}`
		stamp := strconv.FormatInt(time.Now().Unix(), 10)
		status, _ := fetch(t, http.MethodPost, "http://"+w.app.Addr()+"/discord/interactions", strings.NewReader(body), http.Header{
			"X-Signature-Timestamp": {stamp}, "X-Signature-Ed25519": {hex.EncodeToString(ed25519.Sign(private, []byte(stamp+body)))},
		})
		return status
	}
	want := [3]int{http.StatusAccepted, http.StatusConflict, http.StatusConflict}
	for id := 71; ; id++ {
		began, name, first, other := time.Now(), strconv.Itoa(id), bots[id%2], bots[1-id%2]
		got := [3]int{send(first, name), send(other, name), send(first, name)}
		// A machine so busy that the store is not waited for says nothing.
		if got != want && (time.Since(began) < app.OnceLimit || id > 100) {
			t.Fatalf("interaction %d: %v, want %v", id, got, want)
		}
		if got == want && id > 71 {
			break
		}
	}
	server.Freeze() // a store that is away refuses nobody
	defer server.Thaw()
	if got := send(bots[0], "7"); got != http.StatusAccepted {
		t.Errorf("while the store is away: %d", got)
	}
}

// A recorded request is sent again after a restart, while its signature is
// good, with one store on disk.
func TestASignedOrderCountsOnceAcrossARestart(t *testing.T) {
	t.Parallel()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	w := prepare(t, "text")
	w.cfg.Discord.Mode, w.cfg.Discord.PublicKey = "http", hex.EncodeToString(public)
	body := `{"id":"71","application_id":"2","type":2,"token":"t","guild_id":"3","channel_id":"4","locale":"en-US",
		"member":{"user":{"id":"5"},"roles":[],"permissions":"32"},"data":{"name":"ltx-admin","options":[{"name":"grant","type":1,
		"options":[{"name":"who","type":3,"value":"discord:5"},{"name":"videos","type":4,"value":5}]}]}}`
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	for n, want := range []string{"outcome=done", "outcome=nothing_to_do"} {
		w.run(t)
		status, _ := fetch(t, http.MethodPost, "http://"+w.app.Addr()+"/discord/interactions", strings.NewReader(body), http.Header{
			"X-Signature-Timestamp": {stamp}, "X-Signature-Ed25519": {hex.EncodeToString(ed25519.Sign(private, []byte(stamp+body)))},
		})
		if status != http.StatusAccepted {
			t.Fatalf("status %d", status)
		}
		w.stop(t) // which waits for what was taken in
		if !strings.Contains(w.log.String(), want) {
			t.Errorf("request %d: the log has no %q", n+1, want)
		}
	}
}
