package app_test

import (
	"crypto/ed25519"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"ltxbot/config"
	"ltxbot/internal/redistest"
)

func TestASignedRequestCountsOnceForAllProcesses(t *testing.T) {
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
	for n, c := range []struct {
		to   *world
		id   string
		want int
	}{
		{bots[0], "71", http.StatusAccepted},
		{bots[1], "71", http.StatusConflict},
		{bots[0], "71", http.StatusConflict},
		{bots[1], "72", http.StatusAccepted},
		{bots[0], "72", http.StatusConflict},
	} {
		if got := send(c.to, c.id); got != c.want {
			t.Errorf("request %d, interaction %s: %d, want %d", n, c.id, got, c.want)
		}
	}
	server.Freeze() // a store that is away refuses nobody
	defer server.Thaw()
	if got := send(bots[0], "73"); got != http.StatusAccepted {
		t.Errorf("while the store is away: %d", got)
	}
}
