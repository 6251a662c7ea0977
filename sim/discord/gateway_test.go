package discord_test

import (
	"bytes"
	"compress/zlib"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"testing"
	"time"

	"ltxbot/sim/discord"

	"github.com/gorilla/websocket"
)

// A client is a bare gateway client.
type client struct {
	t  *testing.T
	ws *websocket.Conn
}

type packet struct {
	Op int             `json:"op"`
	D  json.RawMessage `json:"d"`
	S  *int            `json:"s"`
	T  string          `json:"t"`
}

func dial(t *testing.T, server *discord.Server, query string) *client {
	t.Helper()
	ws, resp, err := websocket.DefaultDialer.DialContext(t.Context(), server.GatewayURL()+"/"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	t.Cleanup(func() { ws.Close() })
	_ = ws.SetReadDeadline(time.Now().Add(30 * time.Second))
	return &client{t: t, ws: ws}
}

func (c *client) send(op int, d any) {
	c.t.Helper()
	if err := c.ws.WriteJSON(object{"op": op, "d": d}); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) read() (packet, error) {
	var p packet
	kind, raw, err := c.ws.ReadMessage()
	if err != nil {
		return p, err
	}
	if kind == websocket.BinaryMessage {
		z, err := zlib.NewReader(bytes.NewReader(raw))
		if err != nil {
			return p, err
		}
		if raw, err = io.ReadAll(z); err != nil {
			return p, err
		}
	}
	return p, json.Unmarshal(raw, &p)
}

// next returns the next packet and insists on its op and event.
func (c *client) next(op int, event string) packet {
	c.t.Helper()
	p, err := c.read()
	if err != nil {
		c.t.Fatalf("read: %v, want op %d %s", err, op, event)
	}
	if p.Op != op || p.T != event {
		c.t.Fatalf("got op %d %s, want op %d %s", p.Op, p.T, op, event)
	}
	return p
}

// closeCode reads until the connection is closed.
func (c *client) closeCode() int {
	c.t.Helper()
	for {
		_, err := c.read()
		if closed, ok := errors.AsType[*websocket.CloseError](err); ok {
			return closed.Code
		}
		if err != nil {
			return -1
		}
	}
}

func identity(server *discord.Server, more object) object {
	d := object{"token": server.Token(), "intents": 0, "properties": object{"os": "linux", "browser": "t", "device": "t"}}
	maps.Copy(d, more)
	return d
}

const query = "?v=10&encoding=json"

// ready connects and identifies.
func ready(t *testing.T, server *discord.Server, more object) (c *client, session string) {
	t.Helper()
	c = dial(t, server, query)
	c.next(10, "")
	c.send(2, identity(server, more))
	var d struct {
		SessionID string `json:"session_id"`
		URL       string `json:"resume_gateway_url"`
	}
	if err := json.Unmarshal(c.next(0, "READY").D, &d); err != nil || d.SessionID == "" || d.URL == "" {
		t.Fatalf("READY is %+v, %v", d, err)
	}
	return c, d.SessionID
}

// TestTheGatewayCloses is the table of what ends a connection.
func TestTheGatewayCloses(t *testing.T) {
	for name, tc := range map[string]struct {
		query string
		do    func(c *client, s *discord.Server)
		want  int
	}{
		"version 8":                {"?v=8&encoding=json", nil, discord.CloseInvalidVersion},
		"erlang terms":             {"?v=10&encoding=etf", nil, discord.CloseDecodeError},
		"broken JSON":              {query, func(c *client, _ *discord.Server) { _ = c.ws.WriteMessage(websocket.TextMessage, []byte("{")) }, discord.CloseDecodeError},
		"a payload over 4096":      {query, func(c *client, _ *discord.Server) { c.send(1, chars(4097)) }, discord.CloseDecodeError},
		"an unknown opcode":        {query, func(c *client, _ *discord.Server) { c.send(99, nil) }, discord.CloseUnknownOpcode},
		"presence at first":        {query, func(c *client, _ *discord.Server) { c.send(3, object{}) }, discord.CloseNotAuthenticated},
		"a wrong token":            {query, func(c *client, s *discord.Server) { c.send(2, identity(s, object{"token": "x"})) }, discord.CloseAuthFailed},
		"unknown intents":          {query, func(c *client, s *discord.Server) { c.send(2, identity(s, object{"intents": 1 << 30})) }, discord.CloseInvalidIntents},
		"privileged intents":       {query, func(c *client, s *discord.Server) { c.send(2, identity(s, object{"intents": 1 << 15})) }, discord.CloseDisallowedIntents},
		"a shard out of range":     {query, func(c *client, s *discord.Server) { c.send(2, identity(s, object{"shard": []int{2, 2}})) }, discord.CloseInvalidShard},
		"identify without intents": {query, func(c *client, s *discord.Server) { c.send(2, identity(s, object{"intents": nil})) }, discord.CloseDecodeError},
		"identify twice": {query, func(c *client, s *discord.Server) {
			c.send(2, identity(s, nil))
			c.send(2, identity(s, nil))
		}, discord.CloseAlreadyAuth},
		"121 sends in a minute": {query, func(c *client, _ *discord.Server) {
			for range 121 {
				c.send(1, nil)
			}
		}, discord.CloseRateLimited},
		"resume with a wrong token": {query, func(c *client, _ *discord.Server) {
			c.send(6, object{"token": "x", "session_id": "x", "seq": 1})
		}, discord.CloseAuthFailed},
	} {
		t.Run(name, func(t *testing.T) {
			server := start(t, discord.Options{})
			c := dial(t, server, tc.query)
			if tc.do != nil {
				tc.do(c, server)
			}
			if got := c.closeCode(); got != tc.want {
				t.Errorf("closed with %d, want %d", got, tc.want)
			}
		})
	}
}

func TestASilentClientIsClosed(t *testing.T) {
	server := start(t, discord.Options{Heartbeat: 20 * time.Millisecond})
	if got := dial(t, server, query).closeCode(); got != discord.CloseSessionTimedOut {
		t.Errorf("closed with %d", got)
	}
}

func TestHeartbeatsAreAcknowledged(t *testing.T) {
	server := start(t, discord.Options{})
	c, _ := ready(t, server, nil)
	c.send(1, 1)
	c.next(11, "")
	server.RequestHeartbeat()
	c.next(1, "")
}

func TestIdentifyIsLimited(t *testing.T) {
	server := start(t, discord.Options{SessionStarts: 3})
	ready(t, server, nil)
	second := dial(t, server, query)
	second.next(10, "")
	second.send(2, identity(server, nil))
	if p := second.next(9, ""); string(p.D) != "false" {
		t.Errorf("op 9 says %s", p.D)
	}
	server.Advance(5 * time.Second)
	second.send(2, identity(server, nil))
	second.next(0, "READY")
	if n := server.Connected(); n != 2 {
		t.Errorf("%d connections have a session", n)
	}
	server.Advance(5 * time.Second)
	third := dial(t, server, query)
	third.next(10, "")
	third.send(2, identity(server, nil))
	if got := third.closeCode(); got != discord.CloseAuthFailed {
		t.Errorf("beyond the daily limit closed with %d", got)
	}
	if got := second.closeCode(); got != discord.CloseAuthFailed {
		t.Errorf("the token was not reset for the others: %d", got)
	}
}

func TestEveryConnectionGetsTheInteraction(t *testing.T) {
	s := newStageWith(t, discord.Options{IdentifyEvery: -1, RateLimits: discord.RateLimits{Off: true}})
	one, _ := ready(t, s.server, nil)
	two, _ := ready(t, s.server, object{"compress": true})
	i := s.slash()
	if n := i.Deliveries(); n != 2 {
		t.Errorf("delivered to %d", n)
	}
	ids := make([]string, 0, 2)
	for _, c := range []*client{one, two} {
		var d map[string]any
		if err := json.Unmarshal(c.next(0, "INTERACTION_CREATE").D, &d); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, d["id"].(string))
		for _, field := range []string{
			"application_id", "token", "version", "member", "guild_id", "channel", "channel_id", "app_permissions",
			"attachment_size_limit", "locale", "guild_locale", "context", "authorizing_integration_owners", "data", "entitlements",
		} {
			if d[field] == nil {
				t.Errorf("the interaction has no %s", field)
			}
		}
	}
	if ids[0] != i.ID || ids[1] != i.ID {
		t.Errorf("ids are %v, want %s twice", ids, i.ID)
	}
}

func TestResumeReplaysWhatWasMissed(t *testing.T) {
	s := newStage(t)
	c, session := ready(t, s.server, nil)
	s.server.DropGateway()
	if got := c.closeCode(); got != -1 && got != websocket.CloseAbnormalClosure {
		t.Errorf("a cut connection was closed with %d", got)
	}
	if err := s.server.WaitConnected(s.ctx(), 0); err != nil {
		t.Fatal(err)
	}
	i := s.slash()
	if n := i.Deliveries(); n != 0 {
		t.Errorf("delivered to %d", n)
	}
	again := dial(t, s.server, query)
	again.next(10, "")
	again.send(6, object{"token": s.server.Token(), "session_id": session, "seq": 1})
	if p := again.next(0, "INTERACTION_CREATE"); *p.S != 2 {
		t.Errorf("replayed as %d", *p.S)
	}
	again.next(0, "RESUMED")
	s.server.CloseGateway(1000)
	again.closeCode()
	if err := s.server.WaitConnected(s.ctx(), 0); err != nil {
		t.Fatal(err)
	}
	last := dial(t, s.server, query)
	last.next(10, "")
	last.send(6, object{"token": s.server.Token(), "session_id": session, "seq": 3})
	last.next(9, "")
}

func TestGatewayFaults(t *testing.T) {
	server := start(t, discord.Options{IdentifyEvery: -1})
	guild := server.NewGuild("Acme")

	server.GatewayFault(discord.GatewayFault{CloseAfterReady: 4000})
	c, session := ready(t, server, nil)
	if got := c.closeCode(); got != 4000 {
		t.Errorf("closed with %d", got)
	}
	server.GatewayFault(discord.GatewayFault{InvalidResume: true})
	c = dial(t, server, query)
	c.next(10, "")
	c.send(6, object{"token": server.Token(), "session_id": session, "seq": 1})
	c.next(9, "")

	server.GatewayFault(discord.GatewayFault{Reconnect: true})
	c = dial(t, server, query)
	c.next(10, "")
	c.send(2, identity(server, nil))
	c.next(7, "")

	server.GatewayFault(discord.GatewayFault{DeadResumeHost: true})
	c, _ = ready(t, server, object{"intents": 1})
	c.next(0, "GUILD_CREATE")
	_ = guild

	server.GatewayFault(discord.GatewayFault{CloseAtIdentify: discord.CloseAuthFailed})
	c = dial(t, server, query)
	c.next(10, "")
	c.send(2, identity(server, nil))
	if got := c.closeCode(); got != discord.CloseAuthFailed {
		t.Errorf("closed with %d", got)
	}

	server.GatewayFault(discord.GatewayFault{NoAck: true})
	c, _ = ready(t, server, nil)
	c.send(1, nil)
	server.AskReconnect()
	c.next(7, "")

	server.GatewayFault(discord.GatewayFault{NoReady: true})
	c = dial(t, server, query)
	c.next(10, "")
	c.send(2, identity(server, nil))
	c.send(1, nil)
	c.next(11, "")

	server.GatewayFault(discord.GatewayFault{NoHello: true})
	c = dial(t, server, query)
	c.send(2, identity(server, nil))
	c.next(0, "READY")

	server.InvalidateSessions(true)
	if p := c.next(9, ""); string(p.D) != "true" {
		t.Errorf("op 9 says %s", p.D)
	}

	server.GatewayFault(discord.GatewayFault{Refuse: true})
	ws, resp, err := websocket.DefaultDialer.DialContext(t.Context(), server.GatewayURL()+"/"+query, nil)
	if err == nil {
		ws.Close()
		t.Error("the upgrade was not refused")
	}
	if resp != nil {
		resp.Body.Close()
	}
}
