package discord

import (
	"context"
	"fmt"
)

// A GatewayFault is something that goes wrong with gateway connections.
// Exactly one of the actions is set. It strikes at the next connection for
// which it has a meaning.
type GatewayFault struct {
	// Times is how often it strikes. Zero means once, negative for ever.
	Times int

	Refuse          bool // the upgrade is answered 502
	NoHello         bool // the connection opens and stays silent
	NoReady         bool // IDENTIFY is not answered
	NoAck           bool // heartbeats are not acknowledged
	InvalidIdentify bool // IDENTIFY is answered op 9
	InvalidResume   bool // RESUME is answered op 9
	Reconnect       bool // IDENTIFY is answered op 7
	DeadResumeHost  bool // READY names a resume_gateway_url where nobody listens
	CloseAtIdentify int  // IDENTIFY is answered with this close code
	CloseAfterReady int  // the connection is closed with this code after READY
	DropAfterReady  bool // the TCP connection is cut after READY

	struck int
}

// GatewayFault adds a fault of the gateway.
func (s *Server) GatewayFault(f GatewayFault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gateway.faults = append(s.gateway.faults, &f)
}

// ClearGatewayFaults removes all faults of the gateway.
func (s *Server) ClearGatewayFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gateway.faults = nil
}

// fault lets the first fault strike that is not used up and for which match
// is true. It reports whether there was one.
func (g *gatewayState) fault(match func(*GatewayFault) bool) bool {
	for _, f := range g.faults {
		if f.Times >= 0 && f.struck >= max(f.Times, 1) {
			continue
		}
		if match(f) {
			f.struck++
			return true
		}
	}
	return false
}

// CloseGateway closes every connection with a close code. Codes that end a
// session (1000, 1001, 4004, 4007, 4009 to 4014) forget it.
func (s *Server) CloseGateway(code int) {
	s.eachConn(func(c *conn) {
		ends := code == 1000 || code == 1001 || code == CloseAuthFailed || code == CloseInvalidSeq || code >= CloseSessionTimedOut
		if ends && c.session != nil {
			delete(s.gateway.sessions, c.session.id)
		}
		c.close(code, "Scripted.")
	})
}

// DropGateway cuts every connection without a close frame.
func (s *Server) DropGateway() { s.eachConn(func(c *conn) { c.drop() }) }

// AskReconnect sends op 7 to every connection.
func (s *Server) AskReconnect() {
	s.eachConn(func(c *conn) { c.send(opReconnect, nil, nil, "") })
}

// InvalidateSessions sends op 9 to every connection. Unless resumable, the
// sessions are forgotten.
func (s *Server) InvalidateSessions(resumable bool) {
	s.eachConn(func(c *conn) {
		if !resumable && c.session != nil {
			delete(s.gateway.sessions, c.session.id)
			c.session = nil
		}
		c.send(opInvalidSession, resumable, nil, "")
	})
}

// RequestHeartbeat sends op 1 to every connection, which has to answer at
// once.
func (s *Server) RequestHeartbeat() {
	s.eachConn(func(c *conn) { c.send(opHeartbeat, nil, nil, "") })
}

func (s *Server) eachConn(do func(*conn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.gateway.open() {
		do(c)
	}
}

// Connected returns how many connections have a session.
func (s *Server) Connected() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connected()
}

func (s *Server) connected() int {
	n := 0
	for c := range s.gateway.conns {
		if c.session != nil && !c.isClosed() {
			n++
		}
	}
	return n
}

// WaitConnected blocks until n connections have a session.
func (s *Server) WaitConnected(ctx context.Context, n int) error {
	found := 0
	err := s.await(ctx, fmt.Sprintf("%d connections", n), func() bool {
		found = s.connected()
		return found == n
	})
	if err != nil {
		return fmt.Errorf("%w; there are %d", err, found)
	}
	return nil
}

// Identifies returns how many sessions were started in the last 24 h.
func (s *Server) Identifies() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gateway.starts.used
}

// Heartbeats returns how many heartbeats have come.
func (s *Server) Heartbeats() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gateway.beats
}
