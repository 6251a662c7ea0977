package slack

import (
	"slices"
	"strconv"
)

// A View is a modal or a Home tab as a person sees it, at the moment it was
// asked for.
type View struct {
	ID, Type, Hash         string
	Title, Submit, Close   string
	Blocks                 Blocks
	CallbackID, ExternalID string
	PrivateMetadata        string
	// Errors are the mistakes shown beside inputs, by block id.
	Errors map[string]string
}

// maxStack is how many modals may lie on top of each other.
// https://docs.slack.dev/surfaces/modals
const maxStack = 3

// view is a modal or Home tab as Slack keeps it.
type view struct {
	id, kind, hash       string
	user                 *User
	ws                   *Workspace
	title, submit, close any
	blocks               Blocks
	callback, external   string
	private              string
	clearOnClose, notify bool
	submitOff            bool
	root, previous       string
	origin               *Channel // where the trigger came from
	state                state
	errors               map[string]string
	open                 bool
}

// Views are the user's open modals, the visible one last.
func (u *User) Views() []View {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	views := make([]View, 0, len(u.stack))
	for _, v := range u.stack {
		views = append(views, v.snapshot())
	}
	return views
}

// Home is the user's Home tab of the app, and whether it has been published.
func (u *User) Home() (View, bool) {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	if u.home == nil {
		return View{}, false
	}
	return u.home.snapshot(), true
}

func (v *view) snapshot() View {
	return View{
		ID: v.id, Type: v.kind, Hash: v.hash, Title: textOf(v.title), Submit: textOf(v.submit), Close: textOf(v.close), Blocks: v.blocks,
		CallbackID: v.callback, ExternalID: v.external, PrivateMetadata: v.private, Errors: v.errors,
	}
}

// object is the view as the Web API and payloads carry it.
func (v *view) object() obj {
	o := obj{
		"id": v.id, "team_id": v.ws.spec.ID, "type": v.kind, "blocks": v.blocks, "private_metadata": v.private, "callback_id": v.callback,
		"state": v.state.payload(), "hash": v.hash, "title": v.title, "clear_on_close": v.clearOnClose, "notify_on_close": v.notify,
		"close": v.close, "submit": v.submit, "previous_view_id": nil, "root_view_id": v.root, "app_id": v.ws.s.app.ID,
		"external_id": v.external, "app_installed_team_id": v.ws.spec.ID, "bot_id": v.ws.bots,
	}
	if v.previous != "" {
		o["previous_view_id"] = v.previous
	}
	if v.title == nil {
		o["title"] = obj{"type": "plain_text", "text": "View Title", "emoji": true}
	}
	return o
}

// viewFields are the fields of a view that an app sends.
var viewFields = []field{
	need("blocks", anything), may("private_metadata", text(0, maxPrivateMeta)), may("callback_id", text(0, maxCallbackID)),
	may("external_id", text(0, maxExternalID)),
}

var modalFields = append(slices.Clone(viewFields),
	need("title", plain(maxViewTitle)), may("submit", plain(maxViewTitle)), may("close", plain(maxViewTitle)),
	may("clear_on_close", boolean), may("notify_on_close", boolean), may("submit_disabled", boolean))

// checkView checks a view that an app sends for the surface kind, "modal" or
// "home".
func (s *Server) checkView(x any, kind string, t *token) (obj, error) {
	o := asObj(x)
	if o == nil {
		return nil, refuse("invalid_arguments", "missing required field: view [json-pointer:]")
	}
	if len(marshal(o)) > maxViewBytes {
		return nil, refuse("view_too_large")
	}
	v := &validation{surface: onModal, app: s.app, embed: t.has("links.embed:write")}
	fields := modalFields
	if kind == "home" {
		v.surface, fields = onHome, viewFields
	}
	if o["type"] != kind {
		v.errorf("/view/type", "must be one of: %s", kind)
	}
	object(fields...)(v, "/view", o)
	v.checkBlocks("/view/blocks", o["blocks"])
	inputs := slices.ContainsFunc(toBlocks(o["blocks"]), func(b Block) bool { return b["type"] == "input" })
	if kind == "modal" && inputs && o["submit"] == nil {
		v.errorf("/view", "missing required field: submit")
	}
	if len(v.problems) > 0 {
		return nil, refuse("invalid_arguments", v.problems...)
	}
	if v.files && !t.has("files:read") {
		return nil, t.missing("files:read")
	}
	return o, nil
}

// newView makes a view for u from what an app has sent.
func (s *Server) newView(o obj, u *User, w *Workspace, origin *Channel) (*view, error) {
	v := &view{id: s.newID("V"), user: u, ws: w, origin: origin, open: true}
	v.root = v.id
	if err := s.fill(v, o); err != nil {
		return nil, err
	}
	s.views[v.id] = v
	return v, nil
}

// fill gives a view the content that an app has sent. What people have typed
// stays where block and action ids stay.
func (s *Server) fill(v *view, o obj) error {
	external := str(o["external_id"])
	for _, other := range s.views {
		if external != "" && other != v && other.open && other.external == external && other.ws == v.ws {
			return refuse("duplicate_external_id")
		}
	}
	v.kind, v.external, v.callback, v.private = str(o["type"]), external, str(o["callback_id"]), str(o["private_metadata"])
	v.title, v.submit, v.close = o["title"], o["submit"], o["close"]
	v.clearOnClose, v.notify, v.submitOff = o["clear_on_close"] == true, o["notify_on_close"] == true, o["submit_disabled"] == true
	v.blocks = s.identify(toBlocks(o["blocks"]))
	old := v.state
	v.state = initialState(v.blocks, nil)
	for _, p := range v.blocks.placed() {
		block, action := str(p.block["block_id"]), str(p.el["action_id"])
		if value := initialOf(p.el, v.origin); value != nil {
			v.state[block][action] = value
		}
	}
	for block, actions := range old {
		for action, value := range actions {
			if fresh := v.state[block][action]; fresh != nil && fresh["type"] == value["type"] {
				v.state[block][action] = value
			}
		}
	}
	v.errors = nil
	v.hash = strconv.FormatInt(s.clock.Now().Unix(), 10) + "." + secret()[:8]
	s.changed()
	return nil
}

// top is the visible modal of a user, or nil.
func (u *User) top() *view {
	if len(u.stack) == 0 {
		return nil
	}
	return u.stack[len(u.stack)-1]
}

// closeViews takes the visible modal away, or all of them.
func (u *User) closeViews(all bool) []*view {
	from := len(u.stack) - 1
	if all {
		from = 0
	}
	gone := slices.Clone(u.stack[max(0, from):])
	for _, v := range gone {
		v.open = false
	}
	u.stack = u.stack[:max(0, from)]
	return gone
}
