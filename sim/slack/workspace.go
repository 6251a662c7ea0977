package slack

import (
	"slices"
	"time"
)

// WorkspaceSpec describes a workspace to add. The zero value is a paid
// workspace of its own with the app installed.
type WorkspaceSpec struct {
	// ID is the workspace's id, at least nine characters; empty means made up.
	ID string
	// Domain is the part before .slack.com; empty means "acme".
	Domain string
	// Enterprise is the id of the organisation it belongs to, if any.
	Enterprise, EnterpriseName string
	// OrgInstall installs the app on the whole organisation: payloads say
	// is_enterprise_install and one token serves all its workspaces.
	OrgInstall bool
	// NotInstalled leaves the app out; see Server.Authorize.
	NotInstalled bool
	// NamesItself makes the presses of its people name it as their workspace,
	// also where the message stands in another one's channel.
	NamesItself bool
	// Scopes overrides the scopes of the app for this installation.
	Scopes []string
	// NoUserGroups is a plan without user groups: plan_upgrade_required.
	NoUserGroups bool
	// NoUploads is a policy against uploads: file_uploads_disabled.
	NoUploads bool
	// MaxUpload is the largest upload, in bytes; zero means 1 GB. Larger ones
	// meet file_upload_size_restricted.
	MaxUpload int64
	// Storage is the room for files, in bytes; zero means unlimited. When it
	// is used up: storage_limit_reached.
	Storage int64
	// EditWindow is how long a message may be edited; zero means for ever.
	EditWindow time.Duration
}

// maxUpload is Slack's limit for one file, in bytes.
// https://slack.com/help/articles/201330736
const maxUpload = 1 << 30

// A Workspace is one Slack team.
type Workspace struct {
	s      *Server
	spec   WorkspaceSpec
	bot    *User
	bots   string // the bot's B… id
	slack  *User  // Slackbot, who tells people what went wrong
	token  *token // nil while the app is not installed
	used   int64  // bytes of files
	people []*User
	rooms  []*Channel
	groups []*group
}

type group struct {
	id, handle, name string
	users            []*User
}

// AddWorkspace adds a workspace with a bot user for the app, which is installed
// unless the spec says otherwise.
func (s *Server) AddWorkspace(spec WorkspaceSpec) *Workspace {
	s.mu.Lock()
	defer s.mu.Unlock()
	if spec.ID == "" {
		spec.ID = s.newID("T")
	}
	if spec.Domain == "" {
		spec.Domain = "acme"
	}
	if spec.MaxUpload == 0 {
		spec.MaxUpload = maxUpload
	}
	w := &Workspace{s: s, spec: spec, bots: s.newID("B")}
	w.bot = w.addUser(UserSpec{Name: s.app.Name, Bot: true})
	w.slack = w.addUser(UserSpec{ID: "USLACKBOT", Name: "slackbot", Bot: true})
	s.workspaces = append(s.workspaces, w)
	if !spec.NotInstalled {
		scopes := spec.Scopes
		if scopes == nil {
			scopes = s.app.Scopes
		}
		s.install(w, scopes)
	}
	s.changed()
	return w
}

// ID is the workspace's id.
func (w *Workspace) ID() string { return w.spec.ID }

// Bot is the app's bot user.
func (w *Workspace) Bot() *User { return w.bot }

// BotToken is the installation's xoxb token, or empty when the app is not
// installed.
func (w *Workspace) BotToken() string {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	if w.token == nil {
		return ""
	}
	return w.token.value
}

// SetScopes changes the scopes that the installation has been granted.
func (w *Workspace) SetScopes(scopes ...string) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	if w.token != nil {
		w.token.scopes = scopes
	}
}

// RevokeToken revokes the bot token: calls meet token_revoked, and the app is
// told by the event tokens_revoked.
func (w *Workspace) RevokeToken() {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	if w.token == nil {
		return
	}
	w.token.problem = "token_revoked"
	w.s.emit(w, obj{"type": "tokens_revoked", "tokens": obj{"oauth": []string{}, "bot": []string{w.bot.spec.ID}}})
}

// Uninstall removes the app: calls meet account_inactive, commands are unknown,
// and the app is told by the event app_uninstalled.
func (w *Workspace) Uninstall() {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	if w.token == nil {
		return
	}
	w.token.problem = "account_inactive"
	w.s.emit(w, obj{"type": "app_uninstalled"})
	w.token = nil
}

// AddGroup adds a user group, as <!subteam^ID> mentions it.
func (w *Workspace) AddGroup(handle string, users ...*User) (id string) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	g := &group{id: w.s.newID("S"), handle: handle, name: handle, users: slices.Clone(users)}
	w.groups = append(w.groups, g)
	return g.id
}

// SetGroup replaces the members of a user group.
func (w *Workspace) SetGroup(id string, users ...*User) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	if g := w.group(id); g != nil {
		g.users = slices.Clone(users)
	}
}

func (w *Workspace) group(id string) *group {
	for _, g := range w.groups {
		if g.id == id {
			return g
		}
	}
	return nil
}

// team is the workspace as payloads carry it.
func (w *Workspace) team() obj {
	t := obj{"id": w.spec.ID, "domain": w.spec.Domain}
	if w.spec.Enterprise != "" {
		t["enterprise_id"], t["enterprise_name"] = w.spec.Enterprise, w.spec.EnterpriseName
	}
	return t
}

// enterprise is the organisation as payloads carry it: null without one.
func (w *Workspace) enterprise() any {
	if w.spec.Enterprise == "" {
		return nil
	}
	return obj{"id": w.spec.Enterprise, "name": w.spec.EnterpriseName}
}
