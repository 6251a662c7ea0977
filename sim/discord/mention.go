package discord

import (
	"regexp"
	"slices"
	"strings"
)

// Pings says who is notified by a message. Edits notify nobody.
type Pings struct {
	Users    []string // user ids
	Roles    []string // role ids
	Everyone bool
}

// mentions is what a message object lists as mentioned.
type mentions struct {
	users    []string
	roles    []string
	everyone bool
}

func (m mentions) usersJSON(s *Server) []object {
	out := make([]object, 0, len(m.users))
	for _, id := range m.users {
		out = append(out, s.world.users[id].json())
	}
	return out
}

var (
	codeSpan     = regexp.MustCompile("(?s)```.*?```|``.*?``|`[^`]*`")
	userMention  = regexp.MustCompile(`<@!?(\d+)>`)
	roleMention  = regexp.MustCompile(`<@&(\d+)>`)
	everyoneWord = regexp.MustCompile(`@(everyone|here)\b`)
)

// mentionable returns the text in which mentions count: the content and every
// TextDisplay, without code. Embeds never notify.
func (m *message) mentionable() string {
	parts := []string{m.content}
	walk("", m.components, func(_ string, c object) {
		if intOf(c["type"]) == textDisplay {
			parts = append(parts, textIn(c["content"]))
		}
	})
	return codeSpan.ReplaceAllString(strings.Join(parts, "\n"), "")
}

// mentionRules are the allowed_mentions of a body with their defaults: all
// kinds for a bot's message, users for an interaction's.
// https://discord.com/developers/docs/resources/message#allowed-mentions-object
type mentionRules struct {
	parse        []string
	users, roles []string
	repliedUser  bool
}

func rulesOf(body object, interaction bool) mentionRules {
	given, ok := body["allowed_mentions"].(object)
	if !ok {
		rules := mentionRules{parse: []string{"users"}, repliedUser: true}
		if !interaction {
			rules.parse = append(rules.parse, "roles", "everyone")
		}
		return rules
	}
	rules := mentionRules{repliedUser: boolIn(given["replied_user"])}
	for _, p := range listIn(given["parse"]) {
		rules.parse = append(rules.parse, textIn(p))
	}
	for _, u := range listIn(given["users"]) {
		rules.users = append(rules.users, idIn(u))
	}
	for _, r := range listIn(given["roles"]) {
		rules.roles = append(rules.roles, idIn(r))
	}
	return rules
}

// allows says whether a mention of id, of a kind ("users", "roles"), counts.
func (r mentionRules) allows(kind, id string, listed []string) bool {
	return slices.Contains(r.parse, kind) || slices.Contains(listed, id)
}

// findMentions returns whom the message mentions under the rules, for its
// object and for notification.
func (m *message) findMentions(rules mentionRules) mentions {
	out := mentions{users: []string{}, roles: []string{}}
	t := m.mentionable()
	mayPingAll := m.channel.guild == nil || m.channel.permissions(m.author.ID).has(MentionEveryone)
	for _, found := range userMention.FindAllStringSubmatch(t, -1) {
		id := found[1]
		if rules.allows("users", id, rules.users) && m.reaches(id) && !slices.Contains(out.users, id) {
			out.users = append(out.users, id)
		}
	}
	if m.channel.guild != nil {
		for _, found := range roleMention.FindAllStringSubmatch(t, -1) {
			role := m.channel.guild.roles[found[1]]
			if role != nil && rules.allows("roles", role.ID, rules.roles) && (role.mentionable || mayPingAll) && !slices.Contains(out.roles, role.ID) {
				out.roles = append(out.roles, role.ID)
			}
		}
		out.everyone = slices.Contains(rules.parse, "everyone") && mayPingAll && everyoneWord.MatchString(t)
	}
	if m.replyTo != nil && rules.repliedUser && m.replyTo.author != m.author && m.reaches(m.replyTo.author.ID) {
		if id := m.replyTo.author.ID; !slices.Contains(out.users, id) {
			out.users = append(out.users, id)
		}
	}
	return out
}

// reaches says whether the user can see the message at all.
func (m *message) reaches(user string) bool {
	if m.channel.server.world.users[user] == nil {
		return false
	}
	if m.ephemeralTo != "" {
		return m.ephemeralTo == user
	}
	if m.channel.guild == nil {
		return m.channel.recipient.ID == user
	}
	return m.channel.admits(user, m.channel.permissions(user))
}

// notify records the mentions of a new message and whom it pings.
func (m *message) notify(rules mentionRules) {
	m.mentions = m.findMentions(rules)
	m.pings = Pings{Users: m.mentions.users, Roles: m.mentions.roles, Everyone: m.mentions.everyone}
}

// remention records the mentions of an edited message, which pings nobody.
func (m *message) remention(rules mentionRules) { m.mentions = m.findMentions(rules) }
