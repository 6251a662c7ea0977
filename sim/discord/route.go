package discord

import (
	"net/http"
	"net/url"
	"strings"
)

// A route is one row of the API: its pattern, who may use it, which rate
// limit it has, and what it does.
type route struct {
	pattern string // "METHOD /path/{param}"
	method  string
	parts   []string
	auth    auth
	limit   limitClass
	list    bool // the body is a JSON list
	handle  func(*call) (status int, body any, refused *apiError)
}

type auth int

const (
	authBot   auth = iota // Authorization: Bot TOKEN
	authNone              // the path carries a token, or nothing is secret
	authOwner             // bot, and {application} is its own
)

// The routes to which faults are most often bound. Every row of the table can
// be named by its pattern.
const (
	RouteGatewayBot     = "GET /gateway/bot"
	RouteCallback       = "POST /interactions/{interaction}/{token}/callback"
	RouteFollowup       = "POST /webhooks/{application}/{token}"
	RouteGetResponse    = "GET /webhooks/{application}/{token}/messages/{message}"
	RouteEditResponse   = "PATCH /webhooks/{application}/{token}/messages/{message}"
	RouteDeleteResponse = "DELETE /webhooks/{application}/{token}/messages/{message}"
	RouteCreateMessage  = "POST /channels/{channel}/messages"
	RouteGetMessage     = "GET /channels/{channel}/messages/{message}"
	RouteEditMessage    = "PATCH /channels/{channel}/messages/{message}"
	RouteDeleteMessage  = "DELETE /channels/{channel}/messages/{message}"
	RouteListMessages   = "GET /channels/{channel}/messages"
	RouteGuild          = "GET /guilds/{guild}"
	RouteMember         = "GET /guilds/{guild}/members/{user}"
	RouteCreateDM       = "POST /users/@me/channels"
	RouteRefreshURLs    = "POST /attachments/refresh-urls"
	RoutePutCommands    = "PUT /applications/{application}/commands"
	RoutePutGuildCmds   = "PUT /applications/{application}/guilds/{guild}/commands"
)

// routeTable returns every route. Literal parts come before parameters.
func routeTable() []route {
	const (
		global = "/applications/{application}/commands"
		guild  = "/applications/{application}/guilds/{guild}/commands"
	)
	rows := []route{
		{pattern: "GET /gateway", auth: authNone, handle: (*call).getGateway},
		{pattern: RouteGatewayBot, handle: (*call).getGatewayBot},
		{pattern: "GET /users/{user}", handle: (*call).getUser},
		{pattern: RouteCreateDM, handle: (*call).createDM},
		{pattern: RouteRefreshURLs, handle: (*call).refreshURLs},
		{pattern: "GET /applications/@me", handle: (*call).getApplication},
		{pattern: "GET /oauth2/applications/@me", handle: (*call).getApplication},
		{pattern: RouteGuild, handle: (*call).getGuild},
		{pattern: "GET /guilds/{guild}/roles", handle: (*call).getRoles},
		{pattern: RouteMember, handle: (*call).getMember},
		{pattern: "GET /channels/{channel}", handle: (*call).getChannel},
		{pattern: "GET /channels/{channel}/thread-members/{user}", handle: (*call).getThreadMember},

		{pattern: RouteCreateMessage, limit: limitChannel, handle: (*call).createMessage},
		{pattern: RouteListMessages, limit: limitChannel, handle: (*call).listMessages},
		{pattern: RouteGetMessage, limit: limitChannel, handle: (*call).getMessage},
		{pattern: RouteEditMessage, limit: limitChannel, handle: (*call).editMessage},
		{pattern: RouteDeleteMessage, limit: limitChannel, handle: (*call).deleteMessage},

		{pattern: RouteCallback, auth: authNone, limit: limitNone, handle: (*call).callback},
		{pattern: RouteFollowup, auth: authNone, limit: limitWebhook, handle: (*call).followup},
		{pattern: RouteGetResponse, auth: authNone, limit: limitWebhook, handle: (*call).getResponse},
		{pattern: RouteEditResponse, auth: authNone, limit: limitWebhook, handle: (*call).editResponse},
		{pattern: RouteDeleteResponse, auth: authNone, limit: limitWebhook, handle: (*call).deleteResponse},

		{pattern: "GET " + global, auth: authOwner, handle: (*call).listCommands},
		{pattern: "POST " + global, auth: authOwner, handle: (*call).createCommand},
		{pattern: RoutePutCommands, auth: authOwner, list: true, handle: (*call).putCommands},
		{pattern: "GET " + global + "/{command}", auth: authOwner, handle: (*call).getCommand},
		{pattern: "PATCH " + global + "/{command}", auth: authOwner, handle: (*call).editCommand},
		{pattern: "DELETE " + global + "/{command}", auth: authOwner, handle: (*call).deleteCommand},
		{pattern: "GET " + guild, auth: authOwner, handle: (*call).listCommands},
		{pattern: "POST " + guild, auth: authOwner, handle: (*call).createCommand},
		{pattern: RoutePutGuildCmds, auth: authOwner, list: true, handle: (*call).putCommands},
		{pattern: "GET " + guild + "/{command}", auth: authOwner, handle: (*call).getCommand},
		{pattern: "PATCH " + guild + "/{command}", auth: authOwner, handle: (*call).editCommand},
		{pattern: "DELETE " + guild + "/{command}", auth: authOwner, handle: (*call).deleteCommand},
	}
	for i := range rows {
		method, path, _ := strings.Cut(rows[i].pattern, " ")
		rows[i].method, rows[i].parts = method, strings.Split(strings.Trim(path, "/"), "/")
	}
	return rows
}

// match finds the route of a request below /api/vN, with its parameters.
// %40original and @original are the same.
func (s *Server) match(method, escapedPath string) (*route, map[string]string, *apiError) {
	parts := strings.Split(strings.Trim(escapedPath, "/"), "/")
	for i, p := range parts {
		plain, err := url.PathUnescape(p)
		if err != nil {
			return nil, nil, errNotFound
		}
		parts[i] = plain
	}
	refused := errNotFound
	for i := range s.routes {
		r := &s.routes[i]
		params, ok := r.params(parts)
		if !ok {
			continue
		}
		if r.method == method || (r.method == http.MethodGet && method == http.MethodHead) {
			return r, params, nil
		}
		refused = errMethodNotAllowed
	}
	return nil, nil, refused
}

func (r *route) params(parts []string) (map[string]string, bool) {
	if len(parts) != len(r.parts) {
		return nil, false
	}
	params := map[string]string{}
	for i, p := range r.parts {
		name, isParam := strings.CutPrefix(p, "{")
		switch {
		case isParam && parts[i] != "":
			params[strings.TrimSuffix(name, "}")] = parts[i]
		case p != parts[i]:
			return nil, false
		}
	}
	return params, true
}
