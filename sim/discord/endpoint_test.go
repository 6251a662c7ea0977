package discord_test

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ltxbot/sim/discord"
)

// endpoint is an application in HTTP mode.
func endpoint(t *testing.T, publicKey string, verify bool, answer func(w http.ResponseWriter, i map[string]any)) string {
	t.Helper()
	key, err := hex.DecodeString(publicKey)
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		signature, _ := hex.DecodeString(r.Header.Get("X-Signature-Ed25519"))
		signed := append([]byte(r.Header.Get("X-Signature-Timestamp")), body...)
		if verify && !ed25519.Verify(key, signed, signature) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		var i map[string]any
		_ = json.Unmarshal(body, &i)
		w.Header().Set("Content-Type", "application/json")
		if i["type"] == 1.0 {
			_, _ = io.WriteString(w, `{"type":1}`)
			return
		}
		answer(w, i)
	}))
	t.Cleanup(web.Close)
	return web.URL
}

func TestHTTPInteractionsAreSigned(t *testing.T) {
	s := newStage(t)
	careless := endpoint(t, s.server.PublicKey(), false, nil)
	if err := s.server.SetInteractionsURL(s.ctx(), careless); err == nil || !strings.Contains(err.Error(), "forged") {
		t.Errorf("an endpoint that verifies nothing was accepted: %v", err)
	}
	url := endpoint(t, s.server.PublicKey(), true, func(w http.ResponseWriter, i map[string]any) {
		data := i["data"].(map[string]any)
		if data["options"].([]any)[0].(map[string]any)["value"] == "later" {
			w.WriteHeader(http.StatusAccepted)
			return
		}
		_, _ = io.WriteString(w, `{"type":4,"data":{"content":"inline"}}`)
	})
	if err := s.server.SetInteractionsURL(s.ctx(), url); err != nil {
		t.Fatal(err)
	}
	c, _ := ready(t, s.server, nil)
	i := s.slash()
	if m, ok := i.Response(); !ok || m.Text() != "inline" {
		t.Errorf("response is %+v", m)
	}
	later, err := s.ada.Slash(s.ctx(), s.general, "ltx", discord.Arg("prompt", "later"))
	if err != nil {
		t.Fatal(err)
	}
	s.ack(later)
	s.server.AskReconnect()
	c.next(7, "") // and no INTERACTION_CREATE before it
}
