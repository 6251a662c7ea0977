package discord

import (
	"net/http"
	"net/url"
)

// The routes that the bot uses.
// https://discord.com/developers/docs/reference

func routeApplication() route {
	return route{method: http.MethodGet, path: "/applications/@me", kind: "GET application"}
}

func routeGatewayBot() route {
	return route{method: http.MethodGet, path: "/gateway/bot", kind: "GET gateway"}
}

func routeGuild(guild string) route {
	return route{method: http.MethodGet, path: "/guilds/" + url.PathEscape(guild), kind: "GET guild", major: guild}
}

func routeMember(guild, user string) route {
	return route{
		method: http.MethodGet, path: "/guilds/" + url.PathEscape(guild) + "/members/" + url.PathEscape(user),
		kind: "GET member", major: guild,
	}
}

// routeThreadMember is 404 for who is not in the thread.
// https://discord.com/developers/docs/resources/channel#get-thread-member
func routeThreadMember(thread, user string) route {
	return route{
		method: http.MethodGet, path: "/channels/" + url.PathEscape(thread) + "/thread-members/" + url.PathEscape(user),
		kind: "GET thread member", major: thread,
	}
}

func routeUser(user string) route {
	return route{method: http.MethodGet, path: "/users/" + url.PathEscape(user), kind: "GET user"}
}

func routeChannel(channel string) route {
	return route{method: http.MethodGet, path: "/channels/" + url.PathEscape(channel), kind: "GET channel", major: channel}
}

// routeRefresh signs addresses of files anew. It is not in Discord's
// documentation; clients and bots use it.
func routeRefresh() route {
	return route{method: http.MethodPost, path: "/attachments/refresh-urls", kind: "POST refresh"}
}

func routeOpenDM() route {
	return route{method: http.MethodPost, path: "/users/@me/channels", kind: "POST dm"}
}

// routeCallback is the first answer to an interaction. No limit holds there,
// and above all none of another person's interaction.
func routeCallback(i *interaction) route {
	return route{
		method: http.MethodPost, path: "/interactions/" + url.PathEscape(i.ID) + "/" + url.PathEscape(i.Token) + "/callback",
		kind: "POST callback", open: true, free: true,
	}
}

// routeFollowup is a new message that answers an interaction.
func routeFollowup(app, token string) route {
	return route{
		method: http.MethodPost, path: "/webhooks/" + url.PathEscape(app) + "/" + url.PathEscape(token),
		kind: "POST webhook", major: token, open: true,
	}
}

// routeOriginal is the message that an interaction's first answer made, or
// for a button the message it is on.
func routeOriginal(method, app, token string) route { return routeOwn(method, app, token, "@original") }

// routeOwn is a message that answers an interaction, by its id.
func routeOwn(method, app, token, message string) route {
	r := routeFollowup(app, token)
	r.method, r.kind = method, method+" webhook message"
	r.path += "/messages/" + message
	return r
}

func routeMessages(method, channel string) route {
	return route{method: method, path: "/channels/" + url.PathEscape(channel) + "/messages", kind: method + " messages", major: channel}
}

func routeMessage(method, channel, message string) route {
	r := routeMessages(method, channel)
	r.kind = method + " message"
	r.path += "/" + url.PathEscape(message)
	return r
}

// routeCommands are the commands of an application, everywhere or in a guild.
func routeCommands(method, app, guild, id string) route {
	r := route{method: method, path: "/applications/" + url.PathEscape(app), kind: method + " commands", major: guild}
	if guild != "" {
		r.path += "/guilds/" + url.PathEscape(guild)
		r.kind = method + " guild commands"
	}
	r.path += "/commands"
	if id != "" {
		r.path += "/" + url.PathEscape(id)
	}
	return r
}
