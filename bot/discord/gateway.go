package discord

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/bwmarrin/discordgo"
	"github.com/gorilla/websocket"
)

// connection is one connection to the gateway, from its opening to its end.
// discordgo makes it and keeps its heart beating. It is never asked to
// connect again: it can lock up for ever in doing so, and goes on after a
// close code that forbids it.
type connection struct {
	wire *wire
	lost <-chan struct{} // closed when the connection has ended
}

// openConnection connects to the gateway at url and returns when events come
// in. Each interaction is given to handle, as it came.
func openConnection(ctx context.Context, url, token, userAgent string, t Timing, handle func([]byte)) (*connection, error) {
	session, err := discordgo.New("Bot " + token)
	if err != nil {
		return nil, fmt.Errorf("open gateway: %w", err)
	}
	w := newWire(t.Idle)
	c := &connection{wire: w, lost: w.ended}
	session.LogLevel = silent
	session.ShouldReconnectOnError = false
	session.ShouldReconnectVoiceOnSessionError = false
	session.StateEnabled = false
	session.Compress = false
	session.SyncEvents = true // handlers only hand on, and keep the order
	session.UserAgent = userAgent
	session.Identify.Intents = 0 // interactions come without any
	session.Client = &http.Client{Transport: gatewayAddress(url)}
	session.Dialer = &websocket.Dialer{
		Proxy: http.ProxyFromEnvironment, NetDialContext: w.dial, HandshakeTimeout: t.Handshake,
	}
	session.AddHandler(func(_ *discordgo.Session, e *discordgo.Event) {
		if e.Type == "INTERACTION_CREATE" {
			handle(e.RawData)
		}
	})

	opened := make(chan error, 1)
	go func() { opened <- session.Open() }()
	timeout := time.NewTimer(t.Handshake)
	defer timeout.Stop()
	select {
	case err = <-opened:
	case <-timeout.C:
		err = errHandshake
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		// Open may hang for ever, when the gateway asks for a new connection
		// before this one is ready: it waits for a lock that it holds. All
		// that is left then is a goroutine without a connection.
		w.close()
		return nil, closeError(err)
	}
	return c, nil
}

// silent is below every level of discordgo's log, which prints tokens.
const silent = -1

// errHandshake says that the gateway did not become ready in time.
var errHandshake = errors.New("gateway did not become ready in time")

// close ends the connection, if it has not ended. discordgo's own Close waits
// a second with its lock held, for a reply that is of no use here: the
// goroutines of the session end with the wire.
func (c *connection) close() { c.wire.close() }

// wire is the network connection below. Its reads have a deadline, since
// discordgo notices a dead connection only after minutes, and its end is seen
// here a second before discordgo tells of it.
type wire struct {
	idle  time.Duration
	ended chan struct{}

	mu     sync.Mutex
	conn   net.Conn
	closed bool
}

func newWire(idle time.Duration) *wire { return &wire{idle: idle, ended: make(chan struct{})} }

// dial makes the connection, once.
func (w *wire) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || w.conn != nil {
		return nil, errors.Join(net.ErrClosed, conn.Close())
	}
	w.conn = conn
	return &wireConn{Conn: conn, wire: w}, nil
}

// close ends the connection. It may be called twice.
func (w *wire) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	w.closed = true
	close(w.ended)
	if w.conn != nil {
		_ = w.conn.Close() // nobody reads from it any more
	}
}

// wireConn fails a read that takes too long. The wire ends with the first
// read that fails, or when discordgo closes it.
type wireConn struct {
	net.Conn
	wire *wire
}

func (c *wireConn) Read(p []byte) (int, error) {
	err := c.SetReadDeadline(time.Now().Add(c.wire.idle))
	n := 0
	if err == nil {
		n, err = c.Conn.Read(p)
	}
	if err != nil {
		c.wire.close()
	}
	return n, err
}

func (c *wireConn) Close() error {
	c.wire.close()
	return nil
}

// gatewayAddress answers the one question that discordgo asks by HTTP, the
// address of the gateway, which is known already. The fragment keeps the
// version that discordgo appends out of the address that is dialled.
type gatewayAddress string

// RoundTrip implements http.RoundTripper.
func (a gatewayAddress) RoundTrip(r *http.Request) (*http.Response, error) {
	address := strings.TrimSuffix(string(a), "/") + "/?v=" + apiVersion + "&encoding=json#"
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: r.Proto, ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
		Body: io.NopCloser(strings.NewReader(`{"url":"` + address + `"}`)),
	}, nil
}

// closeCodes are the reasons for which the gateway ends a connection and will
// end the next one, too.
// https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes
var closeCodes = map[int]string{
	4004: "Discord does not know the bot token; take a new one from https://discord.com/developers/applications",
	4010: "Discord refuses the shard of this bot",
	4011: "the bot is in so many servers that Discord wants it to be sharded; use the mode http",
	4012: "Discord does not speak this version of the gateway any more; update the bot",
	4013: "Discord does not know the intents that the bot asks for; update the bot",
	4014: "Discord does not allow the intents that the bot asks for; update the bot",
}

// A FatalError ends the bot's connection to Discord for good. Its text says
// what the operator can do.
type FatalError struct {
	Code   int // of the gateway; 0 when it was not the gateway
	Reason string
}

func (e *FatalError) Error() string {
	if e.Code == 0 {
		return "discord: " + e.Reason
	}
	return fmt.Sprintf("discord closed the connection with code %d: %s", e.Code, e.Reason)
}

// closeError finds the close code in an error of the connection.
func closeError(err error) error {
	if closed, ok := errors.AsType[*websocket.CloseError](err); ok {
		if reason, ok := closeCodes[closed.Code]; ok {
			return &FatalError{Code: closed.Code, Reason: reason}
		}
	}
	return fmt.Errorf("open gateway: %w", err)
}
