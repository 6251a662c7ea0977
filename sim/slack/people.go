package slack

func (s *Server) usersInfo(c *call) (obj, error) {
	u := s.users[c.str("user")]
	w := s.workspace(c)
	switch {
	case u == nil:
		return nil, refuse("user_not_found")
	case u.ws != w && !c.token.serves(u.ws) && !s.meets(w, u):
		return nil, refuse("user_not_visible")
	}
	o := u.object(w)
	if c.bool("include_locale") {
		o["locale"] = u.spec.Locale
	}
	return obj{"user": o}, nil
}

// meets reports whether people of w share a channel with u.
func (s *Server) meets(w *Workspace, u *User) bool {
	for _, ch := range s.channels {
		if ch.has(u) && ch.in(w) {
			return true
		}
	}
	return false
}

func (s *Server) usergroupsList(c *call) (obj, error) {
	w := s.workspace(c)
	if w.spec.NoUserGroups {
		return nil, refuse("plan_upgrade_required")
	}
	groups := []any{}
	for _, g := range w.groups {
		o := obj{
			"id": g.id, "team_id": w.spec.ID, "is_usergroup": true, "name": g.name, "handle": g.handle, "description": "",
			"is_external": false, "date_create": 1700000000, "date_update": 1700000000, "date_delete": 0, "auto_type": nil,
			"created_by": w.slack.spec.ID, "updated_by": w.slack.spec.ID, "deleted_by": nil, "prefs": obj{"channels": []any{}, "groups": []any{}},
		}
		if c.bool("include_users") {
			o["users"] = g.ids()
		}
		if c.bool("include_count") {
			o["user_count"] = len(g.users)
		}
		groups = append(groups, o)
	}
	return obj{"usergroups": groups}, nil
}

func (s *Server) usergroupsUsers(c *call) (obj, error) {
	w := s.workspace(c)
	if w.spec.NoUserGroups {
		return nil, refuse("plan_upgrade_required")
	}
	g := w.group(c.str("usergroup"))
	if g == nil {
		return nil, refuse("no_such_subteam")
	}
	return obj{"users": g.ids()}, nil
}

func (g *group) ids() []any {
	ids := make([]any, 0, len(g.users))
	for _, u := range g.users {
		ids = append(ids, u.spec.ID)
	}
	return ids
}
