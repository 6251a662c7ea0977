package discord

import "strings"

// world is who and what exists.
type world struct {
	users    map[string]*User
	guilds   map[string]*Guild
	channels map[string]*Channel
	messages map[string]*message
	files    map[string]*file // by attachment id
}

func newWorld() world {
	return world{
		users:    map[string]*User{},
		guilds:   map[string]*Guild{},
		channels: map[string]*Channel{},
		messages: map[string]*message{},
		files:    map[string]*file{},
	}
}

// Upload limits in bytes. https://support.discord.com/hc/en-us/articles/25444343291031
const (
	mebibyte            = 1 << 20
	defaultUploadLimit  = 10 * mebibyte
	tierTwoUploadLimit  = 50 * mebibyte
	tierThreeUploadSize = 100 * mebibyte
)

// A User is a person with a Discord account, or the bot.
type User struct {
	ID   string
	Name string

	server      *Server
	bot         bool
	locale      string
	uploadLimit int
	refusesDMs  bool
	installed   bool
	dm          *Channel
}

// NewUser makes an account. It is in no guild yet.
func (s *Server) NewUser(name string) *User {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := &User{ID: s.newID(), Name: name, server: s, locale: "en-US"}
	s.world.users[u.ID] = u
	return u
}

// SetLocale sets the language of the person's client, "en-US" at first.
func (u *User) SetLocale(locale string) {
	u.server.mu.Lock()
	defer u.server.mu.Unlock()
	u.locale = locale
}

// SetUploadLimit gives the person Nitro: interactions carry an
// attachment_size_limit of at least this many bytes.
func (u *User) SetUploadLimit(bytes int) {
	u.server.mu.Lock()
	defer u.server.mu.Unlock()
	u.uploadLimit = bytes
}

// limitIn is the largest attachment in bytes that the person may send.
func (u *User) limitIn(ch *Channel) int { return max(u.uploadLimit, ch.guild.uploadLimit()) }

// RefuseDMs makes direct messages to the person fail with 50007.
func (u *User) RefuseDMs(refuse bool) {
	u.server.mu.Lock()
	defer u.server.mu.Unlock()
	u.refusesDMs = refuse
}

// Install adds the application to the person's account: commands with
// integration type USER_INSTALL can be used everywhere.
func (u *User) Install() {
	u.server.mu.Lock()
	defer u.server.mu.Unlock()
	u.installed = true
}

// DM returns the direct conversation between the person and the bot.
func (u *User) DM() *Channel {
	u.server.mu.Lock()
	defer u.server.mu.Unlock()
	return u.openDM()
}

func (u *User) openDM() *Channel {
	if u.dm == nil {
		s := u.server
		u.dm = &Channel{ID: s.newID(), Name: u.Name, Type: DM, server: s, recipient: u}
		s.world.channels[u.dm.ID] = u.dm
	}
	return u.dm
}

func (u *User) json() object {
	return object{
		"id": u.ID, "username": strings.ToLower(u.Name), "global_name": u.Name, "discriminator": "0",
		"avatar": nil, "bot": u.bot, "public_flags": 0, "flags": 0, "primary_guild": nil,
		"avatar_decoration_data": nil,
	}
}

// A Guild is a server that the bot has been added to.
type Guild struct {
	ID   string
	Name string

	server   *Server
	owner    string
	tier     int
	locale   string
	everyone *Role
	roles    map[string]*Role
	members  map[string]*Member
	channels []*Channel
}

// NewGuild makes a guild with the bot as a member that has the default
// permissions.
func (s *Server) NewGuild(name string) *Guild {
	g := s.NewGuildWithoutBot(name)
	g.Join(s.bot)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dispatch(g.ID, intentGuilds, "GUILD_CREATE", g.createJSON())
	return g
}

// NewGuildWithoutBot makes a guild that the bot is not in: only people who
// installed the application for themselves can use it there.
func (s *Server) NewGuildWithoutBot(name string) *Guild {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := &Guild{
		ID: s.newID(), Name: name, server: s, locale: "en-US",
		roles: map[string]*Role{}, members: map[string]*Member{},
	}
	g.owner = s.newID()
	g.everyone = &Role{ID: g.ID, Name: "@everyone", guild: g, permissions: DefaultPermissions}
	g.roles[g.ID] = g.everyone
	s.world.guilds[g.ID] = g
	return g
}

// SetTier sets the boost tier, 0 to 3: uploads of the bot may be 10, 10, 50
// or 100 MiB.
func (g *Guild) SetTier(tier int) {
	g.server.mu.Lock()
	defer g.server.mu.Unlock()
	g.tier = tier
}

// SetLocale sets the guild's preferred language, "en-US" at first.
func (g *Guild) SetLocale(locale string) {
	g.server.mu.Lock()
	defer g.server.mu.Unlock()
	g.locale = locale
}

// SetDefaultPermissions sets what @everyone may do.
func (g *Guild) SetDefaultPermissions(p Permission) {
	g.server.mu.Lock()
	defer g.server.mu.Unlock()
	g.everyone.permissions = p
}

// uploadLimit returns the largest attachment in bytes that the bot may send.
func (g *Guild) uploadLimit() int {
	if g == nil {
		return defaultUploadLimit
	}
	switch g.tier {
	case 2:
		return tierTwoUploadLimit
	case 3:
		return tierThreeUploadSize
	default:
		return defaultUploadLimit
	}
}

// A Role is a named set of permissions in a guild.
type Role struct {
	ID   string
	Name string

	guild       *Guild
	permissions Permission
	mentionable bool
}

// NewRole makes a role.
func (g *Guild) NewRole(name string, p Permission) *Role {
	g.server.mu.Lock()
	defer g.server.mu.Unlock()
	r := &Role{ID: g.server.newID(), Name: name, guild: g, permissions: p}
	g.roles[r.ID] = r
	return r
}

// SetMentionable lets everyone ping the role.
func (r *Role) SetMentionable(mentionable bool) {
	r.guild.server.mu.Lock()
	defer r.guild.server.mu.Unlock()
	r.mentionable = mentionable
}

// A Member is a person in a guild.
type Member struct {
	User  *User
	Guild *Guild

	roles []string
}

// Join adds a person to the guild, or replaces the roles they have there.
func (g *Guild) Join(u *User, roles ...*Role) *Member {
	g.server.mu.Lock()
	defer g.server.mu.Unlock()
	m := &Member{User: u, Guild: g, roles: []string{}}
	for _, r := range roles {
		m.roles = append(m.roles, r.ID)
	}
	g.members[u.ID] = m
	return m
}

// Leave removes a person, or the bot, from the guild.
func (g *Guild) Leave(u *User) {
	g.server.mu.Lock()
	defer g.server.mu.Unlock()
	delete(g.members, u.ID)
}
