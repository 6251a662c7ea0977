package redis_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ltxbot/internal/need"
	"ltxbot/store/redis"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server is a redis-server of the test's own, on loopback, with a log of its
// writes on disk.
type server struct {
	t    testing.TB
	path string
	dir  string
	args []string
	port int
	cmd  *exec.Cmd
	out  bytes.Buffer
}

// startServer starts a redis-server and waits until it answers.
func startServer(t testing.TB, args ...string) *server {
	t.Helper()
	s := newServer(t, "--appendonly", "yes", "--save", "")
	s.args = append(s.args, args...)
	s.start()
	return s
}

// newServer prepares a server with nothing but a port and a folder.
func newServer(t testing.TB, args ...string) *server {
	t.Helper()
	s := &server{t: t, path: need.Tool(t, "redis-server"), dir: t.TempDir(), port: freePort(t)}
	s.args = append([]string{"--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--dir", s.dir}, args...)
	return s
}

func (s *server) addr() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

func (s *server) url() string { return "redis://" + s.addr() + "/0" }

// start starts the server, again after a kill with what it had on disk.
func (s *server) start() {
	s.t.Helper()
	s.cmd = exec.CommandContext(context.WithoutCancel(s.t.Context()), s.path, s.args...)
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = s.dir, &s.out, &s.out
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(s.kill)
	waitFor(s.t, "redis-server to answer", func() bool {
		var dialer net.Dialer
		c, err := dialer.DialContext(s.t.Context(), "tcp", s.addr())
		if err != nil {
			return false
		}
		return c.Close() == nil
	})
}

// kill ends the server without a word of warning.
func (s *server) kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}

// freeze stops the server in its tracks; thaw lets it go on.
func (s *server) freeze() { _ = s.cmd.Process.Signal(syscall.SIGSTOP) }
func (s *server) thaw()   { _ = s.cmd.Process.Signal(syscall.SIGCONT) }

// freePort finds a port on which nobody listens.
func freePort(t testing.TB) int {
	t.Helper()
	var listen net.ListenConfig
	l, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	addr, _ := l.Addr().(*net.TCPAddr)
	return addr.Port
}

// waitFor waits until something has happened.
func waitFor(t testing.TB, what string, happened func() bool) {
	t.Helper()
	deadline, tick := time.After(20*time.Second), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for !happened() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// prefixes makes stores on one server strangers to each other.
var prefixes atomic.Int64

// opened remembers where a store is, so that it can be opened again.
type opened struct {
	*redis.Store
	url  string
	opts redis.Options
}

// open opens an empty store.
func open(t testing.TB, url string, opts redis.Options) *opened {
	t.Helper()
	opts.Prefix = fmt.Sprintf("t%d", prefixes.Add(1))
	return openAs(t, url, opts)
}

// openAs opens the store that opts.Prefix names, as one more process.
func openAs(t testing.TB, url string, opts redis.Options) *opened {
	t.Helper()
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	s, err := redis.Open(t.Context(), url, opts)
	if err != nil {
		t.Fatal(err)
	}
	return &opened{s, url, opts}
}

// another opens a store as one more process, until the end of the test.
func (o *opened) another(t testing.TB) *opened {
	t.Helper()
	s := openAs(t, o.url, o.opts)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// reopen opens a store as a new process after the old one has ended.
func (o *opened) reopen(t testing.TB, now func() time.Time) *opened {
	t.Helper()
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	o.opts.Now = now
	return openAs(t, o.url, o.opts)
}

// config writes a file into the server's folder.
func (s *server) config(name, text string) string {
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// cli sends one command to the server, as an operator would.
func (s *server) cli(args ...string) string {
	s.t.Helper()
	all := append([]string{"-p", strconv.Itoa(s.port)}, args...)
	out, err := exec.CommandContext(s.t.Context(), need.Tool(s.t, "redis-cli"), all...).CombinedOutput()
	if err != nil {
		return err.Error() // a server closes its connections when it is promoted
	}
	return string(out)
}
