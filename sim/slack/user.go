package slack

import "slices"

// UserSpec describes a person or a bot to add. The zero value is an ordinary
// member in UTC.
type UserSpec struct {
	// ID is the user's id (U… or W…), at least nine characters; empty means
	// made up.
	ID string
	// Name is the handle; empty means "user" and a number.
	Name string
	// RealName is what others see; empty means Name.
	RealName string
	// Admin and Owner are the workspace's roles.
	Admin, Owner bool
	// Guest is a multi-channel guest, SingleChannelGuest a single-channel one.
	Guest, SingleChannelGuest bool
	// Bot is another app's bot user.
	Bot bool
	// TZ is the IANA time zone.
	TZ string
	// Locale is the IETF language; empty means en-US.
	Locale string
	// Away people are not reached by <!here>.
	Away bool
}

// A User is someone with an account in a workspace. The methods that do
// something (Slash, Click, SubmitView …) act as that person's Slack client
// would.
type User struct {
	s       *Server
	ws      *Workspace
	spec    UserSpec
	deleted bool
	stack   []*view
	home    *view
}

// AddUser adds a person or a bot to the workspace.
func (w *Workspace) AddUser(spec UserSpec) *User {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	u := w.addUser(spec)
	w.s.changed()
	return u
}

func (w *Workspace) addUser(spec UserSpec) *User {
	if spec.ID == "" {
		spec.ID = w.s.newID("U")
	}
	if spec.Name == "" {
		spec.Name = "user" + spec.ID[len(spec.ID)-4:]
	}
	if spec.RealName == "" {
		spec.RealName = spec.Name
	}
	if spec.TZ == "" {
		spec.TZ = "UTC"
	}
	if spec.Locale == "" {
		spec.Locale = "en-US"
	}
	u := &User{s: w.s, ws: w, spec: spec}
	w.people = append(w.people, u)
	if spec.ID != "USLACKBOT" {
		w.s.users[spec.ID] = u
	}
	return u
}

// ID is the user's id.
func (u *User) ID() string { return u.spec.ID }

// Name is the user's handle.
func (u *User) Name() string { return u.spec.Name }

// Deactivate closes the account.
func (u *User) Deactivate() {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	u.deleted = true
}

// SetAdmin gives the role of a workspace admin, or takes it away.
func (u *User) SetAdmin(admin bool) {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	u.spec.Admin = admin
}

// DM is the conversation of the user with the app, made when first asked for.
func (u *User) DM() *Channel {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	return u.s.dm(u.ws, u)
}

// dm finds or makes the app's direct messages with u, in the workspace w of the
// installation.
func (s *Server) dm(w *Workspace, u *User) *Channel {
	for _, c := range w.rooms {
		if c.kind == IM && len(c.members) == 2 && slices.Contains(c.members, u) && slices.Contains(c.members, w.bot) {
			return c
		}
	}
	return w.addChannel(ChannelSpec{Kind: IM, Members: []*User{u, w.bot}})
}

// stranger reports whether u belongs to another workspace than w, outside its
// organisation.
func (u *User) stranger(w *Workspace) bool {
	return u.ws != w && (u.ws.spec.Enterprise == "" || u.ws.spec.Enterprise != w.spec.Enterprise)
}

// payload is the user as interaction payloads carry it.
func (u *User) payload() obj {
	return obj{"id": u.spec.ID, "username": u.spec.Name, "name": u.spec.Name, "team_id": u.ws.spec.ID}
}

// object is the user as users.info returns it to an app installed in w.
func (u *User) object(w *Workspace) obj {
	o := obj{
		"id": u.spec.ID, "team_id": u.ws.spec.ID, "name": u.spec.Name, "deleted": u.deleted, "color": "9f69e7",
		"real_name": u.spec.RealName, "tz": u.spec.TZ, "tz_label": u.spec.TZ, "tz_offset": 0,
		"is_admin": u.spec.Admin || u.spec.Owner, "is_owner": u.spec.Owner,
		"is_primary_owner": false, "is_restricted": u.spec.Guest || u.spec.SingleChannelGuest,
		"is_ultra_restricted": u.spec.SingleChannelGuest, "is_bot": u.spec.Bot, "is_app_user": false, "updated": 1700000000,
		"is_email_confirmed": true, "who_can_share_contact_card": "EVERYONE",
		"profile": obj{
			"real_name": u.spec.RealName, "real_name_normalized": u.spec.RealName, "display_name": u.spec.Name,
			"display_name_normalized": u.spec.Name, "team": u.ws.spec.ID, "status_text": "", "status_emoji": "",
		},
	}
	if u.stranger(w) {
		// Somebody of another organisation who shares a channel is none, and
		// keeps the roles that they have at home.
		// https://docs.slack.dev/reference/objects/user-object
		o["is_stranger"] = !u.s.meets(w, u)
	}
	if u.ws.spec.Enterprise != "" {
		o["enterprise_user"] = obj{
			"id": u.spec.ID, "enterprise_id": u.ws.spec.Enterprise, "enterprise_name": u.ws.spec.EnterpriseName,
			"is_admin": false, "is_owner": false, "teams": []string{u.ws.spec.ID},
		}
	}
	return o
}
