package slack

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// triggerLife is how long a trigger_id may be exchanged for a view, once.
// https://docs.slack.dev/interactivity/handling-user-interaction
const triggerLife = 3 * time.Second

// trigger lets the app open a modal for the person who did something.
type trigger struct {
	user    *User
	ws      *Workspace
	from    *Channel
	view    *view // the modal it was pulled in, or nil
	expires time.Time
	used    bool
}

// newTrigger is a fresh trigger_id; s.mu is held.
func (s *Server) newTrigger(u *User, w *Workspace, from *Channel, v *view) string {
	s.counter++
	id := fmt.Sprintf("%d.%d.%s", s.clock.Now().Unix(), s.counter, strings.ToLower(secret()))
	s.triggers[id] = &trigger{user: u, ws: w, from: from, view: v, expires: s.clock.Now().Add(cmp.Or(s.opts.AnswerWithin, triggerLife))}
	return id
}

// exchange uses up the trigger_id of a call.
func (s *Server) exchange(c *call) (*trigger, error) {
	id, err := c.need("trigger_id")
	if err != nil {
		return nil, err
	}
	t := s.triggers[id]
	switch {
	case t == nil || !c.token.serves(t.ws):
		return nil, refuse("invalid_trigger_id")
	case t.used:
		return nil, refuse("exchanged_trigger_id")
	case s.clock.Now().After(t.expires):
		return nil, refuse("expired_trigger_id")
	}
	t.used = true
	return t, nil
}

// wanted is the view that a call wants to show.
func (s *Server) wanted(c *call, kind string) (obj, error) {
	x, err := c.value("view")
	if err != nil {
		return nil, refuse("invalid_arguments", "view is not JSON [json-pointer:/view]")
	}
	return s.checkView(x, kind, c.token)
}

func (s *Server) viewsOpen(c *call) (obj, error) {
	o, err := s.wanted(c, "modal")
	if err != nil {
		return nil, err
	}
	t, err := s.exchange(c)
	if err != nil {
		return nil, err
	}
	v, err := s.newView(o, t.user, t.ws, t.from)
	if err != nil {
		return nil, err
	}
	if t.view != nil && t.view.kind == "modal" && t.view.open {
		return s.push(t.user, v)
	}
	t.user.closeViews(true)
	t.user.stack = []*view{v}
	return obj{"view": v.object()}, nil
}

func (s *Server) viewsPush(c *call) (obj, error) {
	o, err := s.wanted(c, "modal")
	if err != nil {
		return nil, err
	}
	t, err := s.exchange(c)
	if err != nil {
		return nil, err
	}
	if t.view == nil || !t.view.open || t.view.kind != "modal" {
		return nil, refuse("not_found")
	}
	v, err := s.newView(o, t.user, t.ws, t.view.origin)
	if err != nil {
		return nil, err
	}
	return s.push(t.user, v)
}

// push lays v on top of the user's modals.
func (s *Server) push(u *User, v *view) (obj, error) {
	if len(u.stack) >= maxStack {
		v.open = false
		return nil, refuse("push_limit_reached")
	}
	if top := u.top(); top != nil {
		v.previous, v.root = top.id, top.root
	}
	u.stack = append(u.stack, v)
	s.changed()
	return obj{"view": v.object()}, nil
}

func (s *Server) viewsUpdate(c *call) (obj, error) {
	v := s.views[c.str("view_id")]
	if external := c.str("external_id"); v == nil && external != "" {
		for _, other := range s.views {
			if other.external == external && other.open {
				v = other
			}
		}
	}
	if v == nil || !v.open || !c.token.serves(v.ws) {
		return nil, refuse("not_found")
	}
	o, err := s.wanted(c, v.kind)
	if err != nil {
		return nil, err
	}
	if hash := c.str("hash"); hash != "" && hash != v.hash {
		return nil, refuse("hash_conflict")
	}
	if err := s.fill(v, o); err != nil {
		return nil, err
	}
	return obj{"view": v.object()}, nil
}

func (s *Server) viewsPublish(c *call) (obj, error) {
	id, err := c.need("user_id")
	if err != nil {
		return nil, err
	}
	u := s.users[id]
	if u == nil || !c.token.serves(u.ws) {
		return nil, refuse("invalid_arguments", "invalid user_id [json-pointer:/user_id]")
	}
	o, err := s.wanted(c, "home")
	if err != nil {
		return nil, err
	}
	hash := c.str("hash")
	if u.home == nil {
		if hash != "" {
			return nil, refuse("hash_conflict")
		}
		u.home, err = s.newView(o, u, u.ws, nil)
		if err != nil {
			return nil, err
		}
		return obj{"view": u.home.object()}, nil
	}
	if hash != "" && hash != u.home.hash {
		return nil, refuse("hash_conflict")
	}
	if err := s.fill(u.home, o); err != nil {
		return nil, err
	}
	return obj{"view": u.home.object()}, nil
}
