package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// Opcodes of the gateway.
// https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-opcodes
const (
	opDispatch       = 0
	opHeartbeat      = 1
	opIdentify       = 2
	opResume         = 6
	opReconnect      = 7
	opInvalidSession = 9
	opHello          = 10
	opHeartbeatAck   = 11
)

// maxEvent bounds what the gateway sends at once, in bytes.
const maxEvent = 8 << 20

// gatewayWrite bounds one write to the gateway.
const gatewayWrite = 5 * time.Second

// payload is what the gateway and the bot send each other.
// https://discord.com/developers/docs/events/gateway-events#payload-structure
type payload struct {
	Op   int             `json:"op"`
	Data json.RawMessage `json:"d"`
	Seq  *int64          `json:"s"`
	Type string          `json:"t"`
}

// session is what a connection leaves for the next one, which resumes it: then
// Discord sends what was missed, and no identify of the day is used.
type session struct {
	id  string // empty = there is nothing to resume
	url string
	seq atomic.Int64 // of the last event; 0 = none came
}

// reset makes the next connection begin a session of its own.
func (s *session) reset() {
	s.id = ""
	s.seq.Store(0)
}

// connection is one connection to the gateway. One goroutine reads from it.
// Another one, the heart, writes to it once the session is asked for.
type connection struct {
	ws      *websocket.Conn
	session *session
	acked   atomic.Bool   // the last heartbeat was answered
	asked   chan struct{} // the gateway wants a heartbeat now
}

// converse makes a connection to the gateway at url and reads from it until it
// ends, with why. ready is called when events come in, and handle with each
// interaction, as it came.
// https://discord.com/developers/docs/events/gateway#connection-lifecycle
func (b *Bot) converse(ctx context.Context, url string, s *session, ready func(), handle func([]byte)) error {
	until := time.Now().Add(b.cfg.Timing.Handshake)
	opening, cancel := context.WithDeadline(ctx, until)
	dialer := websocket.Dialer{Proxy: http.ProxyFromEnvironment}
	address := strings.TrimSuffix(url, "/") + "/?v=" + apiVersion + "&encoding=json"
	ws, resp, err := dialer.DialContext(opening, address, http.Header{"User-Agent": {b.rest.userAgent}})
	cancel()
	if resp != nil {
		_ = resp.Body.Close() // gorilla has read what there is of it
	}
	if err != nil {
		return fmt.Errorf("connect to discord: %w", err)
	}
	ws.SetReadLimit(maxEvent)
	c := &connection{ws: ws, session: s, asked: make(chan struct{}, 1)}
	defer context.AfterFunc(ctx, c.leave)()
	defer func() { _ = ws.Close() }() // most often it is closed already
	if err := ws.SetReadDeadline(until); err != nil {
		return fmt.Errorf("connect to discord: %w", err)
	}
	interval, err := c.greet(b.cfg.Token)
	if err != nil {
		return err
	}
	life, end := context.WithCancel(ctx)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		c.beat(life, interval)
	}()
	defer func() { end(); <-stopped }()
	return c.read(ready, handle)
}

// greet waits for the gateway's HELLO, which tells the pause between two
// heartbeats, and asks for a session.
func (c *connection) greet(token string) (interval time.Duration, err error) {
	var hello struct {
		Op   int `json:"op"`
		Data struct {
			Interval int64 `json:"heartbeat_interval"` // milliseconds
		} `json:"d"`
	}
	if err := c.ws.ReadJSON(&hello); err != nil {
		return 0, closeError(err)
	}
	if hello.Op != opHello || hello.Data.Interval <= 0 {
		return 0, fmt.Errorf("discord gateway: greeted by op %d", hello.Op)
	}
	op, data := opIdentify, map[string]any{
		"token": token, "intents": 0, // interactions come without any
		"properties": map[string]string{"os": runtime.GOOS, "browser": "ltxbot", "device": "ltxbot"},
	}
	if c.session.id != "" {
		op, data = opResume, map[string]any{"token": token, "session_id": c.session.id, "seq": c.session.seq.Load()}
	}
	return time.Duration(hello.Data.Interval) * time.Millisecond, c.write(op, data)
}

// write sends one payload.
func (c *connection) write(op int, data any) error {
	err := c.ws.SetWriteDeadline(time.Now().Add(gatewayWrite))
	if err == nil {
		err = c.ws.WriteJSON(map[string]any{"op": op, "d": data})
	}
	if err != nil {
		return fmt.Errorf("discord gateway: %w", err)
	}
	return nil
}

// read takes in what the gateway sends until the connection ends.
func (c *connection) read(ready func(), handle func([]byte)) error {
	for {
		var p payload
		if err := c.ws.ReadJSON(&p); err != nil {
			return closeError(err)
		}
		if p.Seq != nil {
			c.session.seq.Store(*p.Seq)
		}
		switch p.Op {
		case opDispatch:
			if err := c.event(p, ready, handle); err != nil {
				return err
			}
		case opHeartbeat:
			select {
			case c.asked <- struct{}{}:
			default:
			}
		case opHeartbeatAck:
			c.acked.Store(true)
		case opReconnect:
			return errReconnect
		case opInvalidSession:
			if string(p.Data) != "true" { // it can't be resumed
				c.session.reset()
			}
			return errInvalidSession
		}
	}
}

// Why a connection ended that the gateway did not close.
var (
	errReconnect      = errors.New("discord asks for a new connection")
	errInvalidSession = errors.New("discord does not know the session")
)

// event takes in one event.
func (c *connection) event(p payload, ready func(), handle func([]byte)) error {
	switch p.Type {
	case "READY", "RESUMED":
		if p.Type == "READY" {
			var d struct {
				ID  string `json:"session_id"`
				URL string `json:"resume_gateway_url"`
			}
			if err := json.Unmarshal(p.Data, &d); err != nil {
				return fmt.Errorf("discord gateway: %w", err)
			}
			c.session.id, c.session.url = d.ID, d.URL
		}
		// From now on the heart notices when the gateway is silent.
		if err := c.ws.SetReadDeadline(time.Time{}); err != nil {
			return fmt.Errorf("discord gateway: %w", err)
		}
		ready()
	case "INTERACTION_CREATE":
		handle(p.Data)
	}
	return nil
}

// beat sends heartbeats until ctx is done. It ends the connection when one was
// not answered by the time of the next one.
// https://discord.com/developers/docs/events/gateway#sending-heartbeats
func (c *connection) beat(ctx context.Context, interval time.Duration) {
	next := time.NewTimer(rand.N(interval)) //nolint:gosec // spreads load, guards nothing
	defer next.Stop()
	c.acked.Store(true)
	for {
		select {
		case <-next.C:
			if !c.acked.Swap(false) {
				_ = c.ws.Close() // without a close code, the session can be resumed
				return
			}
			next.Reset(interval)
		case <-c.asked:
		case <-ctx.Done():
			return
		}
		var seq any // null when no event has come
		if n := c.session.seq.Load(); n > 0 {
			seq = n
		}
		if c.write(opHeartbeat, seq) != nil {
			_ = c.ws.Close()
			return
		}
	}
}

// leave tells the gateway that the bot goes, which ends the session, and ends
// the connection.
func (c *connection) leave() {
	bye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	_ = c.ws.WriteControl(websocket.CloseMessage, bye, time.Now().Add(time.Second)) // it may be gone already
	_ = c.ws.Close()
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
	return fmt.Errorf("discord gateway: %w", err)
}
