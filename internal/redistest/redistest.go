// Package redistest runs redis-server for tests: a server of the test's own, on
// loopback, that writes what it is told to disk, and that the test can kill,
// stop in its tracks and start again.
package redistest

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ltxbot/internal/need"
)

// A Server is one redis-server.
type Server struct {
	Port int
	Dir  string   // where it runs and keeps its files
	Args []string // of the command line

	t    testing.TB
	path string
	tls  []string // how redis-cli connects, if by TLS
	cmd  *exec.Cmd
	out  bytes.Buffer
}

// Start starts a server that keeps an append-only file, and waits until it
// answers. The test is skipped where redis-server is not installed. More args
// are added to its command line.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	s := New(t, append([]string{"--appendonly", "yes", "--save", ""}, args...)...)
	s.Start()
	return s
}

// New prepares a server with nothing but a port and a folder.
func New(t testing.TB, args ...string) *Server {
	t.Helper()
	s := &Server{t: t, path: need.Tool(t, "redis-server"), Dir: t.TempDir(), Port: FreePort(t)}
	s.Args = append([]string{"--port", strconv.Itoa(s.Port), "--bind", "127.0.0.1", "--dir", s.Dir}, args...)
	return s
}

// Addr is where the server listens: "127.0.0.1:6379".
func (s *Server) Addr() string { return fmt.Sprintf("127.0.0.1:%d", s.Port) }

// URL is the server as a store's URL.
func (s *Server) URL() string {
	if s.tls != nil {
		return "rediss://" + s.Addr() + "/0"
	}
	return "redis://" + s.Addr() + "/0"
}

// Start starts the server, again after a kill with what it had on disk.
func (s *Server) Start() {
	s.t.Helper()
	s.cmd = exec.CommandContext(context.WithoutCancel(s.t.Context()), s.path, s.Args...) //nolint:gosec // a program of the machine, with the test's own arguments
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = s.Dir, &s.out, &s.out
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(s.Kill)
	s.wait()
}

// startLimit is how long a server may take until it answers.
const startLimit = time.Minute

// wait waits until the server takes connections.
func (s *Server) wait() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.t.Context()), startLimit)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", s.Addr())
		if err == nil {
			_ = c.Close()
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			s.t.Fatal("redis-server does not answer")
		}
	}
}

// Kill ends the server without a word of warning.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}

// Freeze stops the server in its tracks: connections stay and nothing answers.
func (s *Server) Freeze() { _ = s.cmd.Process.Signal(syscall.SIGSTOP) }

// Thaw lets a frozen server go on.
func (s *Server) Thaw() { _ = s.cmd.Process.Signal(syscall.SIGCONT) }

// FreePort finds a port of loopback on which nobody listens, and that nobody gets
// before the test has ended, whether a server is running there or not. It is below
// the ports that systems hand out by themselves, and is kept from other tests by
// its twin of UDP, which no server here uses.
func FreePort(t testing.TB) int {
	t.Helper()
	const first, count = 12_000, 20_000
	for range 1000 {
		port := first + rand.IntN(count) //nolint:gosec // it keeps no secret
		addr := fmt.Sprintf("127.0.0.1:%d", port)
		twin, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", addr)
		if err != nil {
			continue
		}
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", addr)
		if err == nil {
			err = l.Close()
		}
		if err != nil {
			_ = twin.Close()
			continue
		}
		t.Cleanup(func() { _ = twin.Close() })
		return port
	}
	t.Fatal("no port of loopback is free")
	return 0
}

// Config writes a file into the server's folder and returns its path.
func (s *Server) Config(name, text string) string {
	path := filepath.Join(s.Dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// CLI sends one command to the server, as an operator would.
func (s *Server) CLI(args ...string) string {
	s.t.Helper()
	all := slices.Concat([]string{"-p", strconv.Itoa(s.Port)}, s.tls, args)
	out, err := exec.CommandContext(s.t.Context(), need.Tool(s.t, "redis-cli"), all...).CombinedOutput() //nolint:gosec // as above
	if err != nil {
		return err.Error() // a server closes its connections when it is promoted
	}
	return string(out)
}

// Replicated waits until a replica has all that the server has written so far.
func (s *Server) Replicated(replica *Server) {
	s.t.Helper()
	deadline := time.Now().Add(startLimit)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for want := s.offset("master_repl_offset"); replica.offset("slave_repl_offset") < want; <-tick.C {
		if time.Now().After(deadline) {
			s.t.Fatal("the replica lags behind")
		}
	}
}

// offset is a field of INFO replication; -1 when it is not there.
func (s *Server) offset(name string) int64 {
	for line := range strings.Lines(s.CLI("INFO", "replication")) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), name+":"); ok {
			if n, err := strconv.ParseInt(text, 10, 64); err == nil {
				return n
			}
		}
	}
	return -1
}
