//go:build unix

package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	simdiscord "ltxbot/sim/discord"
)

// lines is output that is read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// wait waits until the output has a text n times.
func (l *lines) wait(t *testing.T, text string, n int) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for strings.Count(l.String(), text) < n {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("no %q in:\n%s", text, l)
		}
	}
}

// TestQuotasOfARunningBot runs the bot as a service manager does: it is asked
// by the command line, told by signals to read its config again, and to stop.
func TestQuotasOfARunningBot(t *testing.T) {
	sim, err := simdiscord.Start(simdiscord.Options{BotName: "ltx"})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	guild := sim.NewGuild("Acme")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "ltx.toml")
	configure := func(perDay string) {
		t.Helper()
		text := fmt.Sprintf(`
[fal]
key = "not-asked"
[discord]
token = %q
application_id = %q
api_url = %q
[store]
url = "bolt:%s/ltx.db"
[http]
listen = %q
admin_token = "0123456789abcdef"
[quota.member]
videos_per_day = %s
[[team]]
name = "acme"
discord_guilds = [%q]
`, sim.Token(), sim.ApplicationID(), sim.APIURL(), dir, address, perDay, guild.ID)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	configure("4")
	log, done := &lines{}, make(chan int, 1)
	go func() {
		done <- run([]string{"run", "--config", file}, terminal{in: strings.NewReader(""), out: log, err: log})
	}()
	log.wait(t, "bot is running", 1)

	ask := func(words ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if code := run(append([]string{"quota", "--config", file}, words...), terminal{out: &out, err: &errs}); code != 0 {
			t.Fatalf("bot quota %s: exit %d: %s", words, code, errs.String())
		}
		return out.String()
	}
	want := func(text string, words ...string) {
		t.Helper()
		if got := ask(words...); !strings.Contains(got, text) {
			t.Errorf("bot quota %s: no %q in\n%s", words, text, got)
		}
	}
	want("0 of 4 videos today", "show", "discord:1")
	want("gets extra: 5 videos", "grant", "discord:1", "videos:5", "a launch")
	want(`"verb":"grant"`, "log", "--json")
	want("no more videos", "block", "discord:2", "spam \x1b[2Jgone\u202e")
	want("“spam [2Jgone”", "log")
	want(`\u001b[2Jgone\u202e`, "log", "--json")
	if text := ask("log") + ask("log", "--json"); strings.ContainsAny(text, "\x1b\u202e") {
		t.Errorf("the log of changes controls the terminal: %q", text)
	}
	want("asked_at,job,member,state", "export")

	// A negative amount is no flag, wherever flags stand.
	want("The team: usd_per_month none from now on", "set", "team", "usd_per_month", "-1")
	want("The team: usd_per_month none from now on", "set", "team", "usd_per_month", "-1", "--team", "acme")
	want("usd_per_month 200.00 again", "unset", "team", "all")
	var out, errs bytes.Buffer
	if code := run([]string{"quota", "--config", file, "set", "team", "usd_per_month", "-3"}, terminal{out: &out, err: &errs}); code != 1 ||
		!strings.Contains(errs.String(), `"-3" is not an amount`) {
		t.Errorf("set -3: exit %d, %s", code, errs.String())
	}

	// All teams, and a team that may be a slip of the pen.
	want("acme · 0 videos · $0 · $0 of $200 this month", "teams")
	want(`"team":"acme"`, "teams", "--json")
	want("Nobody knows the team discord:999", "pause", "--team", "discord:999")
	want(`"unknown_team":true`, "show", "--team", "discord:999", "--json")
	want("discord:999 · 0 videos", "teams") // an admin has decided something about it
	want("Nobody knows the team discord:999", "resume", "--team", "discord:999")
	if text := ask("show", "--team", "discord:"+guild.ID); strings.Contains(text, "Nobody knows") {
		t.Errorf("a guild of the config: %s", text)
	}

	signals := func(s syscall.Signal) {
		t.Helper()
		if err := syscall.Kill(os.Getpid(), s); err != nil {
			t.Fatal(err)
		}
	}
	configure("7")
	signals(syscall.SIGHUP)
	log.wait(t, "config was read again", 1)
	want("0 of 7 videos today", "show", "discord:1")
	configure("-7")
	signals(syscall.SIGHUP)
	log.wait(t, "config stays as it was", 1)
	configure("8")
	want("The config was read again", "reload")
	want("0 of 8 videos today", "show", "discord:1")

	signals(syscall.SIGTERM)
	select {
	case code := <-done:
		if code != 0 {
			t.Errorf("the bot ended with %d:\n%s", code, log)
		}
	case <-time.After(time.Minute):
		t.Fatalf("the bot does not stop:\n%s", log)
	}
}
