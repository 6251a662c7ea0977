package flaky_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"ltxbot/internal/flaky"
	"ltxbot/internal/leak"
)

func TestMain(m *testing.M) { leak.Verify(m) }

// A server answers each line with the same line after "ok ", and remembers the
// lines it has seen.
type server struct {
	listener net.Listener
	wg       sync.WaitGroup
	mu       sync.Mutex
	seen     []string
}

func newServer(t *testing.T) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{listener: l}
	s.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.wg.Go(func() { s.serve(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		s.wg.Wait()
	})
	return s
}

func (s *server) serve(c net.Conn) {
	defer c.Close()
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		s.mu.Lock()
		s.seen = append(s.seen, lines.Text())
		s.mu.Unlock()
		fmt.Fprintf(c, "ok %s\n", lines.Text())
	}
}

func (s *server) saw() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.seen, " ")
}

// A client asks one line at a time.
type client struct {
	net.Conn
	replies *bufio.Reader
}

func dial(t *testing.T, p *flaky.Proxy) *client {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &client{c, bufio.NewReader(c)}
}

func (c *client) ask(line string) (string, error) {
	if _, err := fmt.Fprintln(c, line); err != nil {
		return "", err
	}
	reply, err := c.replies.ReadString('\n')
	return strings.TrimSuffix(reply, "\n"), err
}

// setup returns a server, a proxy before it and a client of the proxy.
func setup(t *testing.T) (*server, *flaky.Proxy, *client) {
	t.Helper()
	s := newServer(t)
	p := flaky.New(t, s.listener.Addr().String())
	return s, p, dial(t, p)
}

func mustAsk(t *testing.T, c *client, line string) {
	t.Helper()
	if got, err := c.ask(line); err != nil || got != "ok "+line {
		t.Fatalf("ask(%q) = %q, %v", line, got, err)
	}
}

func mustFail(t *testing.T, c *client, line string) {
	t.Helper()
	if got, err := c.ask(line); err == nil {
		t.Fatalf("ask(%q) = %q, want a broken connection", line, got)
	}
}

// mustBeRefused connects anew; the reset may come at once or with the reply.
func mustBeRefused(t *testing.T, p *flaky.Proxy) {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr())
	if err != nil {
		return
	}
	defer conn.Close()
	mustFail(t, &client{conn, bufio.NewReader(conn)}, "refused")
}

func TestUnharmedProxyForwards(t *testing.T) {
	s, p, c := setup(t)
	mustAsk(t, c, "a")
	mustAsk(t, c, "b")
	mustAsk(t, dial(t, p), "c")
	if got := s.saw(); got != "a b c" {
		t.Errorf("server saw %q", got)
	}
	if got := p.Exchanges(); got != 3 {
		t.Errorf("%d exchanges, want 3", got)
	}
}

func TestLostReplyWasAnswered(t *testing.T) {
	s, p, c := setup(t)
	mustAsk(t, c, "a")
	p.LoseReply(2)
	mustAsk(t, c, "b")
	mustFail(t, c, "c")
	mustAsk(t, dial(t, p), "d")
	if got := s.saw(); got != "a b c d" {
		t.Errorf("server saw %q", got)
	}
}

func TestLostReplyCanBeTakenBack(t *testing.T) {
	_, p, c := setup(t)
	p.LoseReply(1)
	p.LoseReply(0)
	mustAsk(t, c, "a")
}

func TestLostReplyToText(t *testing.T) {
	s, p, c := setup(t)
	p.LoseReplyTo("charge")
	mustAsk(t, c, "look")
	mustFail(t, c, "charge 5")
	mustAsk(t, dial(t, p), "charge 5")
	if got := s.saw(); got != "look charge 5 charge 5" {
		t.Errorf("server saw %q", got)
	}
}

func TestEveryThirdReplyIsLost(t *testing.T) {
	_, p, _ := setup(t)
	p.LoseEvery(3)
	lost := 0
	for range 9 {
		if _, err := dial(t, p).ask("x"); err != nil {
			lost++
		}
	}
	if lost != 3 {
		t.Errorf("%d of 9 replies lost, want 3", lost)
	}
	p.LoseEvery(0)
	mustAsk(t, dial(t, p), "y")
	mustAsk(t, dial(t, p), "y")
	mustAsk(t, dial(t, p), "y")
}

func TestCutAfterBytes(t *testing.T) {
	_, p, c := setup(t)
	p.CutAfter(int64(len("ok first\nok se")))
	mustAsk(t, c, "first")
	if got, err := c.ask("second"); err == nil || got != "ok se" && got != "" {
		t.Errorf("reply %q, %v; want it cut", got, err)
	}
	mustAsk(t, dial(t, p), "third")
}

func TestDelayHoldsRepliesBack(t *testing.T) {
	_, p, c := setup(t)
	const delay = 30 * time.Millisecond
	p.Delay(delay)
	start := time.Now()
	mustAsk(t, c, "a")
	if took := time.Since(start); took < delay {
		t.Errorf("reply after %v, want at least %v", took, delay)
	}
}

func TestRefusedConnectionIsReset(t *testing.T) {
	s, p, c := setup(t)
	mustAsk(t, c, "a")
	p.Refuse(true)
	mustBeRefused(t, p)
	mustAsk(t, c, "c")
	p.Refuse(false)
	mustAsk(t, dial(t, p), "d")
	if got := s.saw(); got != "a c d" {
		t.Errorf("server saw %q", got)
	}
}

func TestPauseHoldsEverything(t *testing.T) {
	_, p, c := setup(t)
	mustAsk(t, c, "a")
	p.Pause()
	p.Pause()
	replied := make(chan error, 1)
	go func() {
		_, err := c.ask("b")
		replied <- err
	}()
	timer := time.NewTimer(30 * time.Millisecond)
	defer timer.Stop()
	select {
	case err := <-replied:
		t.Fatalf("a reply passed a paused proxy: %v", err)
	case <-timer.C:
	}
	p.Resume()
	p.Resume()
	if err := <-replied; err != nil {
		t.Errorf("after Resume: %v", err)
	}
}

func TestSeverBreaksWhatIsOpen(t *testing.T) {
	_, p, c := setup(t)
	mustAsk(t, c, "a")
	p.Sever()
	mustFail(t, c, "b")
	mustAsk(t, dial(t, p), "c")
}

func TestEndOfRequestsPasses(t *testing.T) {
	_, _, c := setup(t)
	fmt.Fprint(c, "a\nb\n")
	c.Conn.(*net.TCPConn).CloseWrite()
	if got, err := io.ReadAll(c.replies); err != nil || string(got) != "ok a\nok b\n" {
		t.Errorf("replies %q, %v", got, err)
	}
}

func TestAbsentServerBreaksTheConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	mustBeRefused(t, flaky.New(t, l.Addr().String()))
}
