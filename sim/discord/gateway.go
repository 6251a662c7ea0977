package discord

import (
	"bytes"
	"compress/zlib"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Gateway opcodes.
// https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-opcodes
const (
	opDispatch       = 0
	opHeartbeat      = 1
	opIdentify       = 2
	opPresence       = 3
	opVoiceState     = 4
	opResume         = 6
	opReconnect      = 7
	opMembers        = 8
	opInvalidSession = 9
	opHello          = 10
	opHeartbeatAck   = 11
)

// Gateway close codes.
// https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes
const (
	CloseUnknownError            = 4000
	CloseUnknownOpcode           = 4001
	CloseDecodeError             = 4002
	CloseNotAuthenticated        = 4003
	CloseAuthFailed              = 4004
	CloseAlreadyAuth             = 4005
	CloseInvalidSeq              = 4007
	CloseRateLimited             = 4008
	CloseSessionTimedOut         = 4009
	CloseInvalidShard            = 4010
	CloseInvalidVersion          = 4012
	CloseInvalidIntents          = 4013
	CloseDisallowedIntents       = 4014
	maxGatewayPayload            = 4096 // bytes a client may send at once
	compressAbove                = 1024 // bytes, when the client asked for compression
	resumeBuffer                 = 1000 // events kept for a resume
	heartbeatGrace               = 2    // of 1: an interval and half of one more
	closeHandshake               = time.Second
	sessionLimitWindow           = 24 * time.Hour
	commandLimitPerMinute        = 120
	dispatchReady                = "READY"
	dispatchResumed              = "RESUMED"
	readLimit              int64 = 1 << 20
)

// A frame is one thing to write: a payload, or a close.
type frame struct {
	data   []byte
	code   int // close code when not 0
	reason string
}

// A conn is one websocket connection of a client.
type conn struct {
	s        *Server
	ws       *websocket.Conn
	version  int
	compress bool
	noAck    bool
	session  *session // guarded by Server.mu
	sent     window   // what the client sent, guarded by Server.mu

	mu     sync.Mutex
	queue  []frame
	wake   chan struct{}
	closed bool
}

var upgrader = websocket.Upgrader{
	CheckOrigin:      func(*http.Request) bool { return true },
	HandshakeTimeout: 5 * time.Second,
}

// serveGateway runs one gateway connection.
// https://discord.com/developers/docs/events/gateway#connection-lifecycle
func (s *Server) serveGateway(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	refuse := s.gateway.fault(func(f *GatewayFault) bool { return f.Refuse })
	noHello := !refuse && s.gateway.fault(func(f *GatewayFault) bool { return f.NoHello })
	noAck := !refuse && s.gateway.fault(func(f *GatewayFault) bool { return f.NoAck })
	s.mu.Unlock()
	if refuse {
		http.Error(w, "bad gateway", http.StatusBadGateway)
		return
	}
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	ws.SetReadLimit(readLimit)
	c := &conn{s: s, ws: ws, noAck: noAck, wake: make(chan struct{}, 1)}
	s.mu.Lock()
	select {
	case <-s.done: // Close no longer looks for connections
		s.mu.Unlock()
		_ = ws.Close()
		return
	default:
	}
	s.gateway.conns[c] = true
	s.mu.Unlock()
	var writer sync.WaitGroup
	writer.Go(c.write)

	q := r.URL.Query()
	c.version, _ = strconv.Atoi(q.Get("v"))
	switch {
	case c.version != 9 && c.version != 10:
		c.close(CloseInvalidVersion, "Invalid API version.")
	case q.Get("encoding") != "json" || q.Get("compress") != "":
		c.close(CloseDecodeError, "Error while decoding payload.")
	case !noHello:
		c.send(opHello, object{"heartbeat_interval": s.opts.Heartbeat.Milliseconds(), "_trace": []string{}}, nil, "")
	}
	c.read()
	c.drop()
	writer.Wait()
	_ = ws.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.gateway.conns, c)
	if c.session != nil && c.session.conn == c {
		c.session.conn = nil
	}
	s.changed(Change{Kind: GatewayChanged})
}

// read handles what the client sends until the connection ends.
func (c *conn) read() {
	timeout := c.s.opts.Heartbeat + c.s.opts.Heartbeat/heartbeatGrace
	_ = c.ws.SetReadDeadline(time.Now().Add(timeout))
	for {
		kind, raw, err := c.ws.ReadMessage()
		if err != nil {
			c.readFailed(err)
			return
		}
		if kind != websocket.TextMessage || len(raw) > maxGatewayPayload {
			c.close(CloseDecodeError, "Error while decoding payload.")
			continue
		}
		var p struct {
			Op *int            `json:"op"`
			D  json.RawMessage `json:"d"`
		}
		if err := json.Unmarshal(raw, &p); err != nil || p.Op == nil {
			c.close(CloseDecodeError, "Error while decoding payload.")
			continue
		}
		if *p.Op == opHeartbeat && !c.isClosed() {
			_ = c.ws.SetReadDeadline(time.Now().Add(timeout))
		}
		c.s.mu.Lock()
		c.handle(*p.Op, p.D)
		c.s.mu.Unlock()
	}
}

// readFailed ends the session if the client closed it or stopped its
// heartbeat; any other loss can be resumed.
func (c *conn) readFailed(err error) {
	var timeout net.Error
	var closed *websocket.CloseError
	switch {
	case errors.As(err, &timeout) && timeout.Timeout() && !c.isClosed():
		c.close(CloseSessionTimedOut, "Session timed out.")
	case errors.As(err, &closed) && (closed.Code == websocket.CloseNormalClosure || closed.Code == websocket.CloseGoingAway):
		c.s.mu.Lock()
		if c.session != nil {
			delete(c.s.gateway.sessions, c.session.id)
		}
		c.s.mu.Unlock()
	}
}

// handle runs one operation of the client. The server's lock is held.
func (c *conn) handle(op int, d json.RawMessage) {
	if c.isClosed() {
		return
	}
	if remaining, _ := c.sent.take(rule{count: commandLimitPerMinute, window: time.Minute}, c.s.now()); remaining < 0 {
		c.close(CloseRateLimited, "Rate limited.")
		return
	}
	switch op {
	case opHeartbeat:
		c.s.gateway.beats++
		if !c.noAck {
			c.send(opHeartbeatAck, nil, nil, "")
		}
	case opIdentify:
		c.identify(d)
	case opResume:
		c.resume(d)
	case opPresence, opVoiceState, opMembers:
		if c.session == nil {
			c.close(CloseNotAuthenticated, "Not authenticated.")
		}
	default:
		c.close(CloseUnknownOpcode, "Unknown opcode.")
	}
}

// send queues one payload.
func (c *conn) send(op int, d any, seq *int, event string) {
	var t *string
	if event != "" {
		t = &event
	}
	raw, err := json.Marshal(struct {
		T  *string `json:"t"`
		S  *int    `json:"s"`
		Op int     `json:"op"`
		D  any     `json:"d"`
	}{t, seq, op, d})
	if err == nil {
		c.enqueue(frame{data: raw})
	}
}

// close queues a close frame: nothing is written after it.
func (c *conn) close(code int, reason string) { c.enqueue(frame{code: code, reason: reason}) }

func (c *conn) enqueue(f frame) {
	c.mu.Lock()
	if !c.closed {
		c.queue = append(c.queue, f)
		c.closed = f.code != 0
	}
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *conn) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// drop ends the connection after what is queued, without a close frame.
func (c *conn) drop() { c.enqueue(frame{code: -1}) }

// write writes the queue until a close frame.
func (c *conn) write() {
	for range c.wake {
		c.mu.Lock()
		batch := c.queue
		c.queue = nil
		c.mu.Unlock()
		for _, f := range batch {
			if f.code != 0 {
				c.writeClose(f)
				return
			}
			if err := c.writeData(f.data); err != nil {
				_ = c.ws.Close()
			}
		}
	}
}

func (c *conn) writeClose(f frame) {
	if f.code > 0 {
		deadline := time.Now().Add(closeHandshake)
		_ = c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(f.code, f.reason), deadline)
		_ = c.ws.SetReadDeadline(deadline) // the client answers, or not
		return
	}
	_ = c.ws.NetConn().Close()
}

func (c *conn) writeData(data []byte) error {
	_ = c.ws.SetWriteDeadline(time.Now().Add(10 * time.Second))
	c.mu.Lock()
	compress := c.compress
	c.mu.Unlock()
	if !compress || len(data) < compressAbove {
		return c.ws.WriteMessage(websocket.TextMessage, data)
	}
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	_, _ = z.Write(data)
	_ = z.Close()
	return c.ws.WriteMessage(websocket.BinaryMessage, packed.Bytes())
}
