package slack

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Limits of Socket Mode.
// https://docs.slack.dev/apis/events-api/using-socket-mode
const (
	maxConns      = 10
	maxAckFrame   = 20 << 10         // bytes; larger acknowledgements are dropped without a word
	connLife      = time.Hour        // then the server asks for a new connection
	debugConnLife = 6 * time.Minute  // with debug_reconnects=true
	warnAhead     = 10 * time.Second // how long before the end it warns
	writeTimeout  = 5 * time.Second  // real time
	closeTimeout  = time.Second      // real time for the app to answer a close frame
)

// conn is one WebSocket of the app, or a ghost: a dead process's socket that
// Slack still counts.
type conn struct {
	s     *Server
	ws    *websocket.Conn // nil for a ghost
	write sync.Mutex
	ready bool // greeted
}

func (s *Server) connectionsOpen(*call) (obj, error) {
	if s.socketOff {
		return nil, refuse("socket_mode_not_enabled")
	}
	ticket := secret()
	s.tickets[ticket] = true
	o := obj{"url": fmt.Sprintf("ws%s/link/?ticket=%s&app_id=%s", strings.TrimPrefix(s.base, "http"), ticket, s.app.ID)}
	if s.socketMute {
		o["response_metadata"] = obj{"messages": []any{"[WARN] Socket Mode is not turned on."}}
	}
	return o, nil
}

// serveSocket upgrades a request that brings a fresh ticket and reads the
// connection until it ends.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	if s.applyFault(w, r, "socket") {
		return
	}
	s.mu.Lock()
	ticket := r.URL.Query().Get("ticket")
	fresh := s.tickets[ticket]
	delete(s.tickets, ticket)
	s.mu.Unlock()
	if !fresh {
		http.Error(w, "link_expired", http.StatusForbidden)
		return
	}
	spy := &frameSpy{}
	upgrader := websocket.Upgrader{ReadBufferSize: 4096, WriteBufferSize: 64 << 10, CheckOrigin: func(*http.Request) bool { return true }}
	ws, err := upgrader.Upgrade(spy.wrap(w), r, nil)
	if err != nil {
		s.log.DebugContext(r.Context(), "upgrade", "error", err)
		return
	}
	c := &conn{s: s, ws: ws}
	defer c.drop()
	life := connLife
	if r.URL.Query().Get("debug_reconnects") == "true" {
		life = debugConnLife
	}
	if !s.greet(c, life) {
		c.read(spy) // its answer to the close frame
		return
	}
	defer s.forget(c)
	defer s.clock.after(s, life-warnAhead, func() { c.disconnect("warning") })()
	defer s.clock.after(s, life, func() {
		c.disconnect("refresh_requested")
		c.leave()
	})()
	var pings sync.WaitGroup
	ended := make(chan struct{})
	pings.Go(func() { c.ping(ended) })
	defer pings.Wait()
	defer close(ended)
	c.read(spy)
}

// greet counts the connection and says hello, or refuses it.
func (s *Server) greet(c *conn, life time.Duration) bool {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		c.drop()
		return false
	}
	full, off := len(s.conns) >= maxConns, s.socketOff
	if !full && !off {
		s.conns[c] = struct{}{}
	}
	n := len(s.conns)
	s.mu.Unlock()
	switch {
	case off:
		c.disconnect("link_disabled")
		c.leave()
		return false
	case full:
		c.disconnect("too_many_websockets")
		c.leave()
		return false
	}
	c.send(obj{
		"type": "hello", "num_connections": n, "connection_info": obj{"app_id": s.app.ID},
		"debug_info": obj{"host": "applink-sim", "build_number": 1, "approximate_connection_time": int(life.Seconds())},
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	c.ready = true
	s.changed()
	return true
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	s.changed()
}

// read takes the app's frames until the connection ends.
func (c *conn) read(spy *frameSpy) {
	for {
		kind, frame, err := c.ws.ReadMessage()
		if err != nil {
			return
		}
		fragmented := spy.next()
		if kind != websocket.TextMessage {
			continue
		}
		c.s.mu.Lock()
		c.s.acknowledge(frame, fragmented)
		c.s.mu.Unlock()
	}
}

// ping sends WebSocket pings, in real time, until the connection ends.
func (c *conn) ping(ended <-chan struct{}) {
	ticker := time.NewTicker(c.s.opts.PingInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if err := c.ws.WriteControl(websocket.PingMessage, []byte("Ping from applink-sim"), time.Now().Add(writeTimeout)); err != nil {
				return
			}
		case <-ended:
			return
		}
	}
}

// send writes a frame; what a broken connection loses is lost.
func (c *conn) send(frame obj) {
	if c.ws == nil {
		return
	}
	c.write.Lock()
	defer c.write.Unlock()
	if err := c.ws.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return
	}
	if err := c.ws.WriteMessage(websocket.TextMessage, marshal(frame)); err != nil {
		c.s.log.Debug("send", "error", err)
	}
}

func (c *conn) disconnect(reason string) {
	c.send(obj{"type": "disconnect", "reason": reason, "debug_info": obj{"host": "applink-sim"}})
}

// leave ends the connection with a close frame. It brings no more events, and
// is broken when the app has answered or had the time to.
// https://www.rfc-editor.org/rfc/rfc6455#section-7.1.1
func (c *conn) leave() {
	c.s.mu.Lock()
	c.ready = false
	c.s.changed()
	c.s.mu.Unlock()
	if c.ws == nil {
		return
	}
	farewell := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	if err := c.ws.WriteControl(websocket.CloseMessage, farewell, time.Now().Add(writeTimeout)); err != nil {
		c.s.log.Debug("leave", "error", err)
	}
	if err := c.ws.NetConn().SetReadDeadline(time.Now().Add(closeTimeout)); err != nil {
		c.drop()
	}
}

// drop breaks the connection without a close frame.
func (c *conn) drop() {
	if c.ws == nil {
		return
	}
	if err := c.ws.Close(); err != nil {
		c.s.log.Debug("drop", "error", err)
	}
}

// pickConn is a random greeted connection, or nil; s.mu is held.
func (s *Server) pickConn() *conn {
	if s.socketMute {
		return nil
	}
	var ready []*conn
	for c := range s.conns {
		if c.ready {
			ready = append(ready, c)
		}
	}
	if len(ready) == 0 {
		return nil
	}
	return ready[s.random.IntN(len(ready))]
}

func (s *Server) liveConns() []*conn {
	conns := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	return conns
}

// Connections is the number of live sockets that have been greeted, ghosts
// included.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for c := range s.conns {
		if c.ready {
			n++
		}
	}
	return n
}

// DropSockets breaks all connections without a close frame.
func (s *Server) DropSockets() {
	s.mu.Lock()
	conns := s.liveConns()
	s.mu.Unlock()
	for _, c := range conns {
		c.drop()
	}
}

// Disconnect sends a disconnect frame with this reason on all connections
// (warning, refresh_requested, link_disabled, too_many_websockets) and, but for
// a warning, closes them.
func (s *Server) Disconnect(reason string) {
	s.mu.Lock()
	conns := s.liveConns()
	s.mu.Unlock()
	for _, c := range conns {
		c.disconnect(reason)
		if reason != "warning" {
			c.leave()
		}
	}
}

// SetSocketMode switches Socket Mode off, with link_disabled to everybody
// connected, or on again.
func (s *Server) SetSocketMode(on bool) {
	s.mu.Lock()
	s.socketOff = !on
	s.mu.Unlock()
	if !on {
		s.Disconnect("link_disabled")
	}
}

// MuteSocketMode switches Socket Mode off as apps have met it, too: connections
// are still given and greeted, with a warning in the answer of
// apps.connections.open, and no event comes. unmute switches it on again.
func (s *Server) MuteSocketMode() (unmute func()) {
	set := func(mute bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.socketMute = mute
		s.changed()
	}
	set(true)
	s.DropSockets()
	return func() { set(false) }
}

// AddGhost adds a connection of a process that has died without closing it: it
// counts, and swallows its share of envelopes, until remove is called.
func (s *Server) AddGhost() (remove func()) {
	c := &conn{s: s, ready: true}
	s.mu.Lock()
	s.conns[c] = struct{}{}
	s.changed()
	s.mu.Unlock()
	return func() { s.forget(c) }
}

// SendFrame sends any frame on one of the connections, for tests of what a
// client does with it. It reports whether there was a connection.
func (s *Server) SendFrame(frame map[string]any) bool {
	s.mu.Lock()
	c := s.pickConn()
	s.mu.Unlock()
	if c == nil {
		return false
	}
	c.send(frame)
	return true
}
