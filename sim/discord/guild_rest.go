package discord

import (
	"maps"
	"slices"
)

// json returns the guild object as GET /guilds/{id} does.
// https://discord.com/developers/docs/resources/guild#guild-object
func (g *Guild) json() object {
	return object{
		"id": g.ID, "name": g.Name, "icon": nil, "description": nil, "home_header": nil, "splash": nil,
		"discovery_splash": nil, "features": []string{}, "banner": nil, "owner_id": g.owner,
		"application_id": nil, "region": "deprecated", "afk_channel_id": nil, "afk_timeout": 300,
		"system_channel_id": nil, "system_channel_flags": 0, "widget_enabled": false, "widget_channel_id": nil,
		"verification_level": 0, "roles": g.rolesJSON(), "default_message_notifications": 0, "mfa_level": 0,
		"explicit_content_filter": 0, "max_presences": nil, "max_members": 500000,
		"max_stage_video_channel_users": 50, "max_video_channel_users": 25, "vanity_url_code": nil,
		"premium_tier": g.tier, "premium_subscription_count": 0, "preferred_locale": g.locale,
		"rules_channel_id": nil, "safety_alerts_channel_id": nil, "public_updates_channel_id": nil,
		"premium_progress_bar_enabled": false, "nsfw": false, "nsfw_level": 0, "emojis": []object{},
		"stickers": []object{}, "incidents_data": nil,
	}
}

// createJSON returns the guild as the GUILD_CREATE event does.
func (g *Guild) createJSON() object {
	out := g.json()
	channels, threads := []object{}, []object{}
	for _, c := range g.channels {
		if c.Type.isThread() {
			threads = append(threads, c.json())
		} else {
			channels = append(channels, c.json())
		}
	}
	members := []object{}
	if m := g.members[g.server.bot.ID]; m != nil {
		members = append(members, m.json())
	}
	maps.Copy(out, object{
		"joined_at": isoTime(snowflakeTime(g.ID)), "large": false, "unavailable": false,
		"member_count": len(g.members), "voice_states": []object{}, "members": members,
		"channels": channels, "threads": threads, "presences": []object{},
		"stage_instances": []object{}, "guild_scheduled_events": []object{}, "soundboard_sounds": []object{},
	})
	return out
}

func (g *Guild) rolesJSON() []object {
	out := make([]object, 0, len(g.roles))
	for i, id := range slices.Sorted(maps.Keys(g.roles)) {
		r := g.roles[id]
		out = append(out, object{
			"id": r.ID, "name": r.Name, "permissions": r.permissions.String(), "position": i, "color": 0,
			"colors": object{"primary_color": 0, "secondary_color": nil, "tertiary_color": nil},
			"hoist":  false, "managed": false, "mentionable": r.mentionable, "icon": nil,
			"unicode_emoji": nil, "flags": 0,
		})
	}
	return out
}

func (r *Role) json() object {
	for _, o := range r.guild.rolesJSON() {
		if o["id"] == r.ID {
			return o
		}
	}
	return nil
}

// json returns the guild member object.
func (m *Member) json() object {
	out := m.partialJSON()
	out["user"] = m.User.json()
	return out
}

// partialJSON returns the member without the user.
func (m *Member) partialJSON() object {
	return object{
		"nick": nil, "avatar": nil, "banner": nil, "roles": m.roles, "joined_at": isoTime(snowflakeTime(m.User.ID)),
		"premium_since": nil, "deaf": false, "mute": false, "flags": 0, "pending": false,
		"communication_disabled_until": nil,
	}
}

func (c *call) botGuild() (*Guild, *apiError) {
	g := c.s.world.guilds[c.param("guild")]
	if g == nil {
		return nil, errUnknownGuild
	}
	if g.members[c.s.bot.ID] == nil {
		return nil, errMissingAccess
	}
	return g, nil
}

func (c *call) getGuild() (int, any, *apiError) {
	g, err := c.botGuild()
	if err != nil {
		return 0, nil, err
	}
	return 200, g.json(), nil
}

func (c *call) getRoles() (int, any, *apiError) {
	g, err := c.botGuild()
	if err != nil {
		return 0, nil, err
	}
	return 200, g.rolesJSON(), nil
}

func (c *call) getMember() (int, any, *apiError) {
	g, err := c.botGuild()
	if err != nil {
		return 0, nil, err
	}
	m := g.members[c.param("user")]
	if m == nil {
		return 0, nil, errUnknownMember
	}
	return 200, m.json(), nil
}

func (c *call) getChannel() (int, any, *apiError) {
	ch, err := c.s.visibleToBot(c.param("channel"))
	if err != nil {
		return 0, nil, err
	}
	return 200, ch.json(), nil
}

func (c *call) getThreadMember() (int, any, *apiError) {
	ch, err := c.s.visibleToBot(c.param("channel"))
	if err != nil {
		return 0, nil, err
	}
	if !ch.joined[c.param("user")] {
		return 0, nil, errUnknownMember
	}
	return 200, object{"id": ch.ID, "user_id": c.param("user"), "join_timestamp": isoTime(snowflakeTime(ch.ID)), "flags": 0}, nil
}

func (c *call) getUser() (int, any, *apiError) {
	if c.param("user") == "@me" || c.param("user") == c.s.bot.ID {
		out := c.s.bot.json()
		out["mfa_enabled"], out["locale"], out["verified"], out["email"] = false, "en-US", true, nil
		return 200, out, nil
	}
	u := c.s.world.users[c.param("user")]
	if u == nil {
		return 0, nil, errUnknownUser
	}
	return 200, u.json(), nil
}

var createDMSchema = fieldsOf(map[string]schema{"recipient_id": need(id()), "access_tokens": orNull(schema{}), "nicks": orNull(schema{})})

func (c *call) createDM() (int, any, *apiError) {
	if err := c.validate(createDMSchema); err != nil {
		return 0, nil, err
	}
	u := c.s.world.users[idIn(c.json["recipient_id"])]
	if u == nil || u.bot {
		return 0, nil, errUnknownUser
	}
	dm := u.openDM()
	return 200, dm.json(), nil
}

// applicationFlags of a bot without privileged intents.
const applicationFlags = 0

func (c *call) getApplication() (int, any, *apiError) {
	s := c.s
	var endpoint any
	if s.webhookURL != "" {
		endpoint = s.webhookURL
	}
	return 200, object{
		"id": s.app, "name": s.bot.Name, "icon": nil, "description": "", "type": nil,
		"bot": s.bot.json(), "bot_public": !s.opts.Private, "bot_require_code_grant": false, "verify_key": s.PublicKey(),
		"flags": applicationFlags, "flags_new": "0", "redirect_uris": []string{}, "interactions_endpoint_url": endpoint,
		"role_connections_verification_url": nil,
		"owner":                             object{"id": "1", "username": "owner", "discriminator": "0", "global_name": nil, "avatar": nil, "public_flags": 0, "flags": 0, "primary_guild": nil},
		"approximate_guild_count":           len(s.world.guilds), "approximate_user_install_count": 0,
		"approximate_user_authorization_count": 0, "explicit_content_filter": 0, "team": nil,
		"eligible_oauth2_scopes": []string{}, "integration_types_config": object{"0": object{}, "1": object{}},
	}, nil
}
