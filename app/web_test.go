package app_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ltxbot/config"
	simdiscord "ltxbot/sim/discord"
	simslack "ltxbot/sim/slack"
)

// fetch is the answer of an address to a request.
func fetch(t *testing.T, method, url string, body io.Reader, header http.Header) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		req.Header = header
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func TestTheOperatorsPathsCanHaveAnAddressOfTheirOwn(t *testing.T) {
	t.Parallel()
	w := prepare(t, "text")
	w.cfg.HTTP.OpsListen = "127.0.0.1:0"
	w.cfg.Fal.WebhookURL = "https://ltx.example.com"
	w.run(t)
	if w.app.Addr() == w.app.OpsAddr() {
		t.Fatal("there is one address")
	}
	token := http.Header{"Authorization": {"Bearer " + adminToken}}
	for path, here := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 200, "/admin/api/jobs": 200} {
		if status, _ := fetch(t, http.MethodGet, "http://"+w.app.OpsAddr()+path, nil, token.Clone()); status != here {
			t.Errorf("%s at ops_listen: %d", path, status)
		}
		if status, _ := fetch(t, http.MethodGet, "http://"+w.app.Addr()+path, nil, token.Clone()); status != http.StatusNotFound {
			t.Errorf("%s at listen: %d", path, status)
		}
	}
	if status, text := fetch(t, http.MethodPost, "http://"+w.app.Addr()+"/fal/webhook", nil, nil); status != http.StatusNotFound || !strings.Contains(text, "no such thing") {
		t.Errorf("the webhook at listen: %d %s", status, text)
	}
	if status, text := fetch(t, http.MethodPost, "http://"+w.app.OpsAddr()+"/fal/webhook", nil, nil); status != http.StatusNotFound || strings.Contains(text, "no such thing") {
		t.Errorf("the webhook at ops_listen: %d %s", status, text)
	}
}

// public is a world where everything comes by HTTP.
func public(t *testing.T) *world {
	t.Helper()
	w := prepare(t, "text")
	w.cfg.Discord.Mode, w.cfg.Discord.PublicKey = "http", w.discord.PublicKey()
	slack, err := simslack.Start(simslack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(slack.Close)
	w.cfg.Slack.BotToken = config.NewSecret(slack.AddWorkspace(simslack.WorkspaceSpec{}).BotToken())
	w.cfg.Slack.Mode, w.cfg.Slack.SigningSecret, w.cfg.Slack.APIURL = "http", config.NewSecret("8f742231b10e8888abcd99yyyzzz85a5"), slack.APIURL()
	w.run(t)
	return w
}

// A thousand bodies that never end, under headers that could be Discord's, must
// not fill the memory, nor keep a command out.
func TestManyLargeBodiesTakeLittleMemory(t *testing.T) {
	w := public(t)
	const bodies, size = 300, 1 << 20
	head := fmt.Sprintf("POST /discord/interactions HTTP/1.1\r\nHost: x\r\nX-Signature-Ed25519: %s\r\nX-Signature-Timestamp: %d\r\nContent-Length: %d\r\n\r\n",
		strings.Repeat("ab", 64), time.Now().Unix(), size)
	part := bytes.Repeat([]byte("x"), size-1)
	var sent sync.WaitGroup
	var conns []net.Conn
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range bodies {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", w.app.Addr())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		conns = append(conns, conn)
		sent.Go(func() {
			_, _ = io.WriteString(conn, head)
			_, _ = conn.Write(part) // those that are refused break off
		})
	}
	sent.Wait()
	runtime.GC()
	runtime.ReadMemStats(&during)
	if grown := int64(during.HeapAlloc) - int64(before.HeapAlloc); grown > 64<<20 {
		t.Errorf("%d bodies of 1 MB that are under way take %d MB", bodies, grown>>20)
	}
	if err := w.discord.SetInteractionsURL(t.Context(), "http://"+w.app.Addr()+"/discord/interactions"); err != nil {
		t.Errorf("a ping of Discord is not answered meanwhile: %v", err)
	}
	if _, err := w.ada.Slash(t.Context(), w.channel, "ltx", simdiscord.Arg("prompt", "a fox")); err != nil {
		t.Errorf("a command is not taken meanwhile: %v", err)
	}
	for _, conn := range conns {
		_ = conn.Close()
	}
}

func TestRefusedRequestsAreCountedByReasonAndDoNotFloodTheLog(t *testing.T) {
	t.Parallel()
	w := public(t)
	began := time.Now()
	now := strconv.FormatInt(began.Unix(), 10)
	forged := map[string]http.Header{
		"/discord/interactions": {"X-Signature-Ed25519": {strings.Repeat("ab", 64)}, "X-Signature-Timestamp": {now}},
		"/slack/commands":       {"X-Slack-Signature": {"v0=" + strings.Repeat("ab", 32)}, "X-Slack-Request-Timestamp": {now}},
		"/fal/webhook":          {},
		"/admin/api/jobs":       {"Authorization": {"Bearer a-wrong-token"}},
	}
	const times = 100
	for path, header := range forged {
		for range times {
			status, _ := fetch(t, http.MethodPost, "http://"+w.app.Addr()+path, strings.NewReader("{}"), header.Clone())
			if status < 400 || status >= 500 {
				t.Fatalf("%s answers %d", path, status)
			}
		}
	}
	_, text := w.get(t, "/metrics")
	for _, line := range []string{
		`ltxbot_http_refused_total{endpoint="discord",reason="bad_signature"} 100`,
		`ltxbot_http_refused_total{endpoint="slack",reason="bad_signature"} 100`,
		`ltxbot_http_refused_total{endpoint="webhook",reason="unknown"} 100`,
		`ltxbot_http_refused_total{endpoint="install",reason="too_often"} 0`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("/metrics has no line %s", line)
		}
	}
	refused := func(reason string) int {
		_, rest, _ := strings.Cut(text, `ltxbot_http_refused_total{endpoint="admin",reason="`+reason+`"} `)
		line, _, _ := strings.Cut(rest, "\n")
		n, _ := strconv.Atoi(line)
		return n
	}
	// A few wrong tokens are looked at, and one more every while.
	if looked, unseen := refused("bad_token"), refused("too_often"); looked < 5 || looked > 50 || looked+unseen != times {
		t.Errorf("of %d wrong tokens %d were looked at and %d were not", times, looked, unseen)
	}
	w.stop(t)
	log := w.log.String()
	lines := regexp.MustCompile(`"HTTP requests refused" requests=(\d+)`).FindAllStringSubmatch(log, -1)
	if most := 2 + int(time.Since(began)/time.Minute); len(lines) > most {
		t.Errorf("%d lines about %d refused requests, want %d: the first, the rest at the end, and one for each minute", len(lines), len(forged)*times, most)
	}
	told := 0
	for _, line := range lines {
		n, _ := strconv.Atoi(line[1])
		told += n
	}
	if n := strings.Count(log, "\n"); n > 100 {
		t.Errorf("the log has %d lines", n)
	}
	if told != len(forged)*times {
		t.Errorf("the log tells of %d refusals, want %d:\n%s", told, len(forged)*times, log)
	}
}

func TestAnAddressThatIsTakenIsNamed(t *testing.T) {
	t.Parallel()
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	w := prepare(t, "text")
	w.cfg.HTTP.OpsListen = taken.Addr().String()
	w.cfg.Store.URL = config.NewSecret("bolt:" + filepath.Join(t.TempDir(), "ltx.db"))
	if err := w.tryRun(t); err == nil || !strings.Contains(err.Error(), "http.ops_listen") {
		t.Errorf("error = %v", err)
	}
}
