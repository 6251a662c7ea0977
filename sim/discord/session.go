package discord

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Gateway intents that decide which events a session gets.
// https://discord.com/developers/docs/events/gateway#gateway-intents
const (
	intentGuilds         = 1 << 0
	intentMembers        = 1 << 1
	intentPresences      = 1 << 8
	intentGuildMessages  = 1 << 9
	intentDirectMessages = 1 << 12
	intentMessageContent = 1 << 15
	privilegedIntents    = intentMembers | intentPresences | intentMessageContent
	allIntents           = 1<<17 - 1 | 1<<20 | 1<<21 | 1<<24 | 1<<25
)

// An event is a dispatch that a resume can replay.
type event struct {
	seq  int
	name string
	data any
}

// A session is what an identify began. It outlives its connection.
type session struct {
	id      string
	shard   [2]int
	intents int
	seq     int
	events  []event
	conn    *conn // nil while disconnected
}

// gatewayState is all sessions and connections.
type gatewayState struct {
	sessions map[string]*session
	conns    map[*conn]bool
	starts   window
	recent   map[int]*window // identifies by rate-limit key
	faults   []*GatewayFault
	beats    int // heartbeats of clients
}

func newGatewayState() gatewayState {
	return gatewayState{sessions: map[string]*session{}, conns: map[*conn]bool{}, recent: map[int]*window{}}
}

func (g *gatewayState) open() []*conn {
	return slices.Collect(maps.Keys(g.conns))
}

type identifyData struct {
	Token      string            `json:"token"`
	Intents    *int              `json:"intents"`
	Properties map[string]string `json:"properties"`
	Compress   bool              `json:"compress"`
	Shard      *[2]int           `json:"shard"`
}

// identify begins a session.
// https://discord.com/developers/docs/events/gateway-events#identify
func (c *conn) identify(raw json.RawMessage) {
	s := c.s
	g := &s.gateway
	var d identifyData
	if c.session != nil {
		c.close(CloseAlreadyAuth, "Already authenticated.")
		return
	}
	if err := json.Unmarshal(raw, &d); err != nil || d.Intents == nil || d.Properties == nil {
		c.close(CloseDecodeError, "Error while decoding payload.")
		return
	}
	shard := [2]int{0, 1}
	if d.Shard != nil {
		shard = *d.Shard
	}
	var code int
	g.fault(func(f *GatewayFault) bool {
		if f.CloseAtIdentify == 0 {
			return false
		}
		code = f.CloseAtIdentify
		return true
	})
	switch {
	case code != 0:
		c.close(code, "Scripted.")
	case !s.authentic(d.Token):
		c.close(CloseAuthFailed, "Authentication failed.")
	case shard[1] < 1 || shard[0] < 0 || shard[0] >= shard[1]:
		c.close(CloseInvalidShard, "Invalid shard.")
	case *d.Intents < 0 || *d.Intents&^allIntents != 0:
		c.close(CloseInvalidIntents, "Invalid intent(s).")
	case *d.Intents&privilegedIntents != 0:
		c.close(CloseDisallowedIntents, "Disallowed intent(s).")
	case s.tooManyStarts():
		c.close(CloseAuthFailed, "Authentication failed.")
	case s.identifiesTooFast(shard[0]), g.fault(func(f *GatewayFault) bool { return f.InvalidIdentify }):
		c.send(opInvalidSession, false, nil, "")
	case g.fault(func(f *GatewayFault) bool { return f.Reconnect }):
		c.send(opReconnect, nil, nil, "")
	case g.fault(func(f *GatewayFault) bool { return f.NoReady }):
	default:
		c.begin(d, shard)
	}
}

// authentic says whether a token is the bot's; a "Bot " prefix is ignored.
func (s *Server) authentic(token string) bool {
	return !s.tokenReset && strings.TrimPrefix(token, "Bot ") == s.token
}

// tooManyStarts counts an identify in the daily limit. Exceeding it resets
// the token, as the real service does.
func (s *Server) tooManyStarts() bool {
	remaining, _ := s.gateway.starts.take(rule{count: s.opts.SessionStarts, window: sessionLimitWindow}, s.now())
	if remaining >= 0 {
		return false
	}
	s.tokenReset = true
	for _, c := range s.gateway.open() {
		c.close(CloseAuthFailed, "Authentication failed.")
	}
	return true
}

// identifiesTooFast counts an identify in its max_concurrency bucket.
func (s *Server) identifiesTooFast(shard int) bool {
	if s.opts.IdentifyEvery < 0 {
		return false
	}
	key := shard % s.opts.MaxConcurrency
	w := s.gateway.recent[key]
	if w == nil {
		w = &window{}
		s.gateway.recent[key] = w
	}
	remaining, _ := w.take(rule{count: 1, window: s.opts.IdentifyEvery}, s.now())
	return remaining < 0
}

// begin answers READY, then a GUILD_CREATE for each guild if asked for.
func (c *conn) begin(d identifyData, shard [2]int) {
	s := c.s
	ss := &session{id: randomHex(16), shard: shard, intents: *d.Intents, conn: c}
	s.gateway.sessions[ss.id] = ss
	c.session = ss
	c.mu.Lock()
	c.compress = d.Compress
	c.mu.Unlock()
	resumeURL := s.GatewayURL()
	if s.gateway.fault(func(f *GatewayFault) bool { return f.DeadResumeHost }) {
		resumeURL = "ws://127.0.0.1:1"
	}
	guilds, served := []object{}, []*Guild{}
	for _, g := range s.world.guilds {
		if g.members[s.bot.ID] != nil && ss.serves(g.ID) {
			guilds = append(guilds, object{"id": g.ID, "unavailable": true})
			served = append(served, g)
		}
	}
	ss.push(dispatchReady, object{
		"v": c.version, "user": s.bot.json(), "guilds": guilds, "session_id": ss.id, "resume_gateway_url": resumeURL,
		"session_type": "normal", "shard": shard, "application": object{"id": s.app, "flags": applicationFlags},
		"private_channels": []object{}, "relationships": []object{}, "presences": []object{},
		"guild_join_requests": []object{}, "geo_ordered_rtc_regions": []string{}, "user_settings": object{},
		"auth": object{}, "_trace": []string{},
	})
	if ss.intents&intentGuilds != 0 {
		for _, g := range served {
			ss.push("GUILD_CREATE", g.createJSON())
		}
	}
	s.changed(Change{Kind: GatewayChanged})
	s.closeIfScripted(c)
}

func (s *Server) closeIfScripted(c *conn) {
	s.gateway.fault(func(f *GatewayFault) bool {
		if f.CloseAfterReady == 0 {
			return false
		}
		c.close(f.CloseAfterReady, "Scripted.")
		return true
	})
	if s.gateway.fault(func(f *GatewayFault) bool { return f.DropAfterReady }) {
		c.drop()
	}
}

// resume continues a session on a new connection and replays what it missed.
// https://discord.com/developers/docs/events/gateway-events#resume
func (c *conn) resume(raw json.RawMessage) {
	s := c.s
	var d struct {
		Token     string `json:"token"`
		SessionID string `json:"session_id"`
		Seq       *int   `json:"seq"`
	}
	if err := json.Unmarshal(raw, &d); err != nil || d.Seq == nil {
		c.close(CloseDecodeError, "Error while decoding payload.")
		return
	}
	ss := s.gateway.sessions[d.SessionID]
	switch {
	case c.session != nil:
		c.close(CloseAlreadyAuth, "Already authenticated.")
	case !s.authentic(d.Token):
		c.close(CloseAuthFailed, "Authentication failed.")
	case s.gateway.fault(func(f *GatewayFault) bool { return f.InvalidResume }), ss == nil, !ss.has(*d.Seq):
		if ss != nil && *d.Seq > ss.seq {
			c.close(CloseInvalidSeq, "Invalid seq.")
			return
		}
		delete(s.gateway.sessions, d.SessionID)
		c.send(opInvalidSession, false, nil, "")
	default:
		if old := ss.conn; old != nil {
			old.session = nil
			old.close(CloseSessionTimedOut, "Session resumed elsewhere.")
		}
		ss.conn, c.session = c, ss
		for _, e := range ss.events {
			if e.seq > *d.Seq {
				c.send(opDispatch, e.data, &e.seq, e.name)
			}
		}
		ss.push(dispatchResumed, object{"_trace": []string{}})
		s.changed(Change{Kind: GatewayChanged})
	}
}

// has says whether everything after seq can still be replayed.
func (ss *session) has(seq int) bool {
	return seq <= ss.seq && (len(ss.events) == 0 || seq >= ss.events[0].seq-1)
}

// push sends an event to the session, now or after a resume.
func (ss *session) push(name string, data any) {
	ss.seq++
	e := event{seq: ss.seq, name: name, data: data}
	ss.events = append(ss.events, e)
	if len(ss.events) > resumeBuffer {
		ss.events = slices.Clone(ss.events[len(ss.events)-resumeBuffer:])
	}
	if ss.conn != nil {
		ss.conn.send(opDispatch, data, &e.seq, name)
	}
}

// serves says whether the session's shard has the guild; direct messages
// ("" ) go to shard 0.
func (ss *session) serves(guild string) bool {
	if guild == "" {
		return ss.shard[0] == 0
	}
	n, err := strconv.ParseInt(guild, 10, 64)
	return err == nil && (n>>22)%int64(ss.shard[1]) == int64(ss.shard[0])
}

// dispatch sends an event to every session of the guild's shard that has the
// intent (0 needs none). It returns how many are connected.
func (s *Server) dispatch(guild string, intent int, name string, data any) int {
	n := 0
	for _, ss := range s.gateway.sessions {
		if !ss.serves(guild) || ss.intents&intent != intent {
			continue
		}
		ss.push(name, data)
		if ss.conn != nil && !ss.conn.isClosed() {
			n++
		}
	}
	return n
}

// dispatchMessage tells the sessions with the messages intent of a message.
func (s *Server) dispatchMessage(name string, m *message) {
	if m.ephemeralTo != "" {
		return
	}
	intent, guild := intentDirectMessages, ""
	if g := m.channel.guild; g != nil {
		intent, guild = intentGuildMessages, g.ID
	}
	if !s.wanted(intent) {
		return
	}
	var body object
	if name == "MESSAGE_DELETE" {
		body = object{"id": m.id, "channel_id": m.channel.ID}
	} else {
		body = m.json()
	}
	if guild != "" {
		body["guild_id"] = guild
	}
	s.dispatch(guild, intent, name, body)
}

// wanted says whether any session has the intent.
func (s *Server) wanted(intent int) bool {
	for _, ss := range s.gateway.sessions {
		if ss.intents&intent != 0 {
			return true
		}
	}
	return false
}

func (c *call) getGateway() (int, any, *apiError) {
	return 200, object{"url": c.s.GatewayURL()}, nil
}

func (c *call) getGatewayBot() (int, any, *apiError) {
	s := c.s
	g := &s.gateway
	used, reset := 0, time.Duration(0)
	if age := s.now().Sub(g.starts.start); age < sessionLimitWindow {
		used, reset = g.starts.used, sessionLimitWindow-age
	}
	return 200, object{
		"url": s.GatewayURL(), "shards": 1,
		"session_start_limit": object{
			"total": s.opts.SessionStarts, "remaining": max(s.opts.SessionStarts-used, 0),
			"reset_after": reset.Milliseconds(), "max_concurrency": s.opts.MaxConcurrency,
		},
	}, nil
}
