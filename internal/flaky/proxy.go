// Package flaky is a TCP proxy with faults, for tests of what happens when a
// network or a server fails at the worst moment. It stands between a client
// and a server on loopback; the test scripts it:
//
//	p := flaky.New(t, server.Addr())
//	client := dial(p.Addr())
//	p.LoseReply(1)        // the server does what it is asked next, nobody hears of it
//	err := client.Charge()
//
// Its faults are those of real networks: a connection that breaks says nothing
// about whether the server acted.
package flaky

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"ltxbot/internal/retry"
)

// A Proxy forwards connections to one server and damages them as it is told.
// Its methods may be called from many goroutines.
type Proxy struct {
	listener net.Listener
	stop     context.CancelFunc // ends dials, delays and pauses
	owned    sync.WaitGroup

	mu        sync.Mutex
	target    string
	links     map[*link]struct{}
	open      chan struct{} // closed while data may flow
	refuse    bool
	delay     time.Duration
	exchanges int
	lose      int    // the reply of this many-eth exchange is lost; 0 = none
	loseEvery int    // the reply of every so-many-eth exchange is lost; 0 = none
	loseMatch []byte // the reply to a request that holds this is lost; nil = none
	cut       int64  // bytes of replies that pass before a cut; -1 = no cut
}

// A link is one client's connection and its twin to the server.
type link struct {
	client, server net.Conn
	answered       bool // the last bytes were a reply: the next request begins an exchange
	doomed         bool // the reply to the current exchange will be lost
}

// New starts a proxy to target, "host:port", on a loopback port of its own. It
// ends with the test.
func New(t testing.TB, target string) *Proxy {
	t.Helper()
	var listen net.ListenConfig
	l, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("flaky: %v", err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	p := &Proxy{target: target, listener: l, stop: stop, links: map[*link]struct{}{}, open: closed(), cut: -1}
	p.owned.Go(func() { p.accept(ctx) })
	t.Cleanup(p.close)
	return p
}

// closed returns a closed channel.
func closed() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

// Lead sends new connections to another server, and breaks those there are.
func (p *Proxy) Lead(target string) {
	p.mu.Lock()
	p.target = target
	p.mu.Unlock()
	p.Sever()
}

// Addr is where clients connect, "127.0.0.1:port".
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Exchanges counts the exchanges so far, over all connections. An exchange is
// what a client sends until a reply begins, and that reply.
func (p *Proxy) Exchanges() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.exchanges
}

// LoseReply loses the reply to the n-th exchange from now, counted from 1: the
// server gets the request and answers it, then the connection breaks before a
// byte of the answer reaches the client. Zero takes the order back.
func (p *Proxy) LoseReply(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lose = 0
	if n > 0 {
		p.lose = p.exchanges + n
	}
}

// LoseReplyTo loses, once, the reply to the next request that holds text.
func (p *Proxy) LoseReplyTo(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.loseMatch = []byte(text)
}

// LoseEvery loses the reply to every n-th exchange; zero takes the order back.
func (p *Proxy) LoseEvery(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.loseEvery = n
}

// CutAfter lets n more bytes of replies pass, over all connections, and then
// breaks the connection that would carry the next one. It happens once.
func (p *Proxy) CutAfter(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = n
}

// Delay holds each piece of a reply back for d from now on.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// Refuse says whether new connections are reset at once.
func (p *Proxy) Refuse(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = on
}

// Pause holds all data back until Resume; connections stay open.
func (p *Proxy) Pause() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.open:
		p.open = make(chan struct{})
	default: // paused already
	}
}

// Resume lets data flow again.
func (p *Proxy) Resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.open:
	default:
		close(p.open)
	}
}

// Sever breaks every connection there is.
func (p *Proxy) Sever() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.reset()
	}
}

// close ends the proxy and waits for its goroutines.
func (p *Proxy) close() {
	p.stop()
	_ = p.listener.Close()
	p.Sever()
	p.owned.Wait()
}

// accept takes connections until the listener is closed.
func (p *Proxy) accept(ctx context.Context) {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.owned.Go(func() { p.serve(ctx, client) })
	}
}

// serve forwards one connection until it ends or is broken.
func (p *Proxy) serve(ctx context.Context, client net.Conn) {
	l := &link{client: client, answered: true}
	defer l.reset()
	p.mu.Lock()
	refuse, target := p.refuse, p.target
	p.mu.Unlock()
	if refuse {
		return
	}
	var dialer net.Dialer
	server, err := dialer.DialContext(ctx, "tcp", target)
	if err != nil {
		return
	}
	l.server = server
	if !p.add(ctx, l) {
		return
	}
	defer p.remove(l)
	var both sync.WaitGroup
	both.Go(func() { p.requests(ctx, l) })
	both.Go(func() { p.replies(ctx, l) })
	both.Wait()
}

// add registers a link, unless the proxy has ended meanwhile.
func (p *Proxy) add(ctx context.Context, l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.links[l] = struct{}{}
	return ctx.Err() == nil
}

func (p *Proxy) remove(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}

// pieceSize is how much is read at once, in bytes.
const pieceSize = 32 << 10

// requests copies from the client to the server.
func (p *Proxy) requests(ctx context.Context, l *link) {
	buf := make([]byte, pieceSize)
	for {
		n, err := l.client.Read(buf)
		if n > 0 {
			p.noteRequest(l, buf[:n])
			if p.wait(ctx, 0) != nil {
				break
			}
			if _, err := l.server.Write(buf[:n]); err != nil {
				break
			}
		}
		if errors.Is(err, io.EOF) {
			closeWrite(l.server)
			return
		}
		if err != nil {
			break
		}
	}
	l.reset()
}

// noteRequest counts the exchange and decides whether its reply is lost.
func (p *Proxy) noteRequest(l *link, piece []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.answered {
		l.answered = false
		p.exchanges++
		if p.lose == p.exchanges || p.loseEvery > 0 && p.exchanges%p.loseEvery == 0 {
			l.doomed = true
		}
	}
	if p.loseMatch != nil && bytes.Contains(piece, p.loseMatch) {
		p.loseMatch = nil
		l.doomed = true
	}
}

// replies copies from the server to the client.
func (p *Proxy) replies(ctx context.Context, l *link) {
	buf := make([]byte, pieceSize)
	for {
		n, err := l.server.Read(buf)
		if n > 0 {
			pass, broken, delay := p.noteReply(l, n)
			if p.wait(ctx, delay) != nil {
				break
			}
			if _, err := l.client.Write(buf[:pass]); err != nil || broken {
				break
			}
		}
		if errors.Is(err, io.EOF) {
			closeWrite(l.client)
			return
		}
		if err != nil {
			break
		}
	}
	l.reset()
}

// noteReply decides how many of n bytes pass, whether the connection breaks
// then, and how long they are held back.
func (p *Proxy) noteReply(l *link, n int) (pass int, broken bool, delay time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l.answered = true
	switch {
	case l.doomed:
		return 0, true, 0
	case p.cut >= 0 && int64(n) > p.cut:
		pass, p.cut = int(p.cut), -1
		return pass, true, p.delay
	case p.cut >= 0:
		p.cut -= int64(n)
	}
	return n, false, p.delay
}

// wait returns after the delay and when data may flow, or with an error when
// the proxy ends.
func (p *Proxy) wait(ctx context.Context, delay time.Duration) error {
	p.mu.Lock()
	open := p.open
	p.mu.Unlock()
	select {
	case <-open:
	case <-ctx.Done():
		return ctx.Err()
	}
	if delay <= 0 {
		return nil
	}
	if !retry.Wait(ctx, delay) {
		return ctx.Err()
	}
	return nil
}

// reset breaks both connections, as a network does: the client sees a reset or
// an end, not an answer.
func (l *link) reset() {
	for _, c := range []net.Conn{l.client, l.server} {
		if c == nil {
			continue
		}
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = c.Close()
	}
}

// closeWrite passes on that one side has said everything.
func closeWrite(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
}
