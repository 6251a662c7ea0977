package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxAPIBody bounds what the Web API reads of a request, in bytes.
const maxAPIBody = 4 << 20

// A method is a row of the table of Web API methods.
type method struct {
	tier   int      // calls per minute and workspace
	token  kind     // what kind of token it wants
	scopes []string // any one of these is enough
	json   bool     // whether it takes a JSON body
	do     func(*Server, *call) (obj, error)
}

// The rate limits of the tiers, in calls per minute.
// https://docs.slack.dev/apis/web-api/rate-limits
const (
	tier1, tier2, tier3, tier4 = 1, 20, 50, 100
	// posts is the limit of chat.postMessage for a workspace; a channel has
	// its own of one per second with bursts.
	posts = 300
)

// methods is the Web API. What is absent answers unknown_method.
func methods() map[string]method {
	read := func(suffix string) []string {
		return []string{"channels:" + suffix, "groups:" + suffix, "im:" + suffix, "mpim:" + suffix}
	}
	chat, views, files := []string{"chat:write"}, []string(nil), []string{"files:write"}
	return map[string]method{
		"api.test":                       {tier4, anyToken, nil, true, (*Server).apiTest},
		"apps.connections.open":          {tier3, appToken, []string{"connections:write"}, true, (*Server).connectionsOpen},
		"apps.event.authorizations.list": {tier4, appToken, []string{"authorizations:read"}, false, (*Server).eventAuthorizations},
		"auth.revoke":                    {tier3, botToken, nil, false, (*Server).authRevoke},
		"auth.test":                      {tier4 * 6, botToken, nil, true, (*Server).authTest},
		"chat.delete":                    {tier3, botToken, chat, true, (*Server).chatDelete},
		"chat.getPermalink":              {tier4, botToken, nil, false, (*Server).chatPermalink},
		"chat.postEphemeral":             {tier4, botToken, chat, true, (*Server).chatPostEphemeral},
		"chat.postMessage":               {posts, botToken, chat, true, (*Server).chatPostMessage},
		"chat.update":                    {tier3, botToken, chat, true, (*Server).chatUpdate},
		"conversations.history":          {tier3, botToken, read("history"), false, (*Server).conversationsHistory},
		"conversations.info":             {tier3, botToken, read("read"), false, (*Server).conversationsInfo},
		"conversations.join":             {tier3, botToken, []string{"channels:join"}, true, (*Server).conversationsJoin},
		"conversations.open":             {tier3, botToken, []string{"im:write", "mpim:write"}, true, (*Server).conversationsOpen},
		"conversations.replies":          {tier3, botToken, read("history"), false, (*Server).conversationsReplies},
		"files.completeUploadExternal":   {tier4, botToken, files, true, (*Server).filesCompleteUpload},
		"files.delete":                   {tier3, botToken, files, true, (*Server).filesDelete},
		"files.getUploadURLExternal":     {tier4, botToken, files, false, (*Server).filesGetUploadURL},
		"files.info":                     {tier4, botToken, []string{"files:read"}, false, (*Server).filesInfo},
		"oauth.v2.access":                {tier4, anyToken, nil, false, (*Server).oauthAccess},
		"openid.connect.token":           {tier4, anyToken, nil, true, (*Server).openIDToken},
		"openid.connect.userInfo":        {tier4, anyToken, nil, true, (*Server).openIDUser},
		"usergroups.list":                {tier2, botToken, []string{"usergroups:read"}, false, (*Server).usergroupsList},
		"usergroups.users.list":          {tier2, botToken, []string{"usergroups:read"}, false, (*Server).usergroupsUsers},
		"users.info":                     {tier4, botToken, []string{"users:read"}, false, (*Server).usersInfo},
		"views.open":                     {tier4, botToken, views, true, (*Server).viewsOpen},
		"views.publish":                  {tier4, botToken, views, true, (*Server).viewsPublish},
		"views.push":                     {tier4, botToken, views, true, (*Server).viewsPush},
		"views.update":                   {tier4, botToken, views, true, (*Server).viewsUpdate},
	}
}

// call is one request to the Web API.
type call struct {
	name    string
	args    obj
	token   *token
	auth    string    // the token as it was sent
	client  [2]string // id and secret by HTTP basic authentication
	warning string
}

// apiError is a refusal of the Web API, by its name.
type apiError struct {
	code             string
	messages         []string
	needed, provided string
	retryAfter       int // seconds; a 429
}

func (e *apiError) Error() string { return e.code }

// refuse is an apiError with messages for response_metadata.
func refuse(code string, messages ...string) error {
	return &apiError{code: code, messages: messages}
}

// serveAPI answers one call, with the faults that are scripted for it.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("method")
	done := s.applyFault(w, r, name)
	if done {
		return
	}
	c, err := s.readCall(w, r, name)
	var reply obj
	s.mu.Lock()
	if err == nil {
		reply, err = s.do(c)
	}
	fault := s.fault(name, true)
	status, body, refusal := answer(c, reply, err)
	s.logCall(c, status, refusal, fault)
	if c.token != nil {
		w.Header().Set("X-Oauth-Scopes", strings.Join(c.token.scopes, ","))
	}
	s.changed()
	s.mu.Unlock()
	if fault != nil {
		s.breakReply(w, fault)
		return
	}
	if refusal != nil && refusal.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(refusal.retryAfter))
	}
	if m, ok := s.methods[name]; ok && len(m.scopes) > 0 {
		w.Header().Set("X-Accepted-Oauth-Scopes", strings.Join(m.scopes, ","))
	}
	s.writeJSON(w, status, body)
}

// do checks token, rate limit and scope, in this order, and runs the method.
func (s *Server) do(c *call) (obj, error) {
	m, ok := s.methods[c.name]
	if !ok {
		return nil, refuse("unknown_method")
	}
	if err := s.authenticate(c, m); err != nil {
		return nil, err
	}
	if err := s.limit(c, m.tier); err != nil {
		return nil, err
	}
	if len(m.scopes) > 0 && !slices.ContainsFunc(m.scopes, c.token.has) {
		return nil, c.token.missing(m.scopes[0])
	}
	return m.do(s, c)
}

// missing is the refusal for want of a scope.
func (t *token) missing(scope string) error {
	return &apiError{code: "missing_scope", needed: scope, provided: strings.Join(t.scopes, ",")}
}

// answer is the HTTP status and body for a reply or a refusal.
func answer(c *call, reply obj, err error) (int, obj, *apiError) {
	if err == nil {
		body := obj{"ok": true}
		maps.Copy(body, reply)
		if c.warning != "" && body["warning"] == nil {
			body["warning"], body["response_metadata"] = c.warning, obj{"warnings": []any{c.warning}}
		}
		return http.StatusOK, body, nil
	}
	var refusal *apiError
	if !errors.As(err, &refusal) {
		refusal = &apiError{code: "internal_error"}
	}
	body := obj{"ok": false, "error": refusal.code}
	if len(refusal.messages) > 0 {
		prefixed := make([]string, len(refusal.messages))
		for i, m := range refusal.messages {
			prefixed[i] = "[ERROR] " + m
		}
		body["errors"], body["response_metadata"] = refusal.messages, obj{"messages": prefixed}
	}
	if refusal.needed != "" {
		body["needed"], body["provided"] = refusal.needed, refusal.provided
	}
	if refusal.code == "unknown_method" {
		body["req_method"] = c.name
	}
	if refusal.retryAfter > 0 {
		return http.StatusTooManyRequests, body, refusal
	}
	return http.StatusOK, body, refusal
}

// readCall reads the arguments of a call from a form or a JSON body. The call
// is never nil.
func (s *Server) readCall(w http.ResponseWriter, r *http.Request, name string) (*call, error) {
	c := &call{name: name, args: obj{}}
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		c.auth = bearer
	}
	if id, password, ok := r.BasicAuth(); ok {
		c.client = [2]string{id, password}
	}
	if r.Method != http.MethodPost {
		c.take(r.URL.Query())
		delete(c.args, "token") // tokens in query strings have not counted since 2021
		return c, nil
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxAPIBody)
	contentType := r.Header.Get("Content-Type")
	media, params, err := mime.ParseMediaType(contentType)
	switch {
	case contentType == "" && r.ContentLength == 0:
		c.take(r.URL.Query())
		delete(c.args, "token")
		return c, nil
	case err != nil:
		return c, refuse("missing_post_type")
	case media == "application/json":
		return c, c.readJSON(r, s.methods[name].json, params["charset"])
	case media == "application/x-www-form-urlencoded":
		if err := r.ParseForm(); err != nil {
			return c, refuse("invalid_form_data")
		}
		c.take(r.Form)
		if r.PostForm.Get("token") == "" {
			delete(c.args, "token")
		}
	case media == "multipart/form-data":
		if err := r.ParseMultipartForm(maxAPIBody); err != nil { //nolint:gosec // the body is bounded above
			return c, refuse("invalid_form_data")
		}
		c.take(r.MultipartForm.Value)
	default:
		return c, refuse("invalid_post_type")
	}
	if token, _ := c.args["token"].(string); token != "" && c.auth == "" {
		c.auth = token
		if name == "apps.connections.open" {
			c.auth = ""
		}
	}
	delete(c.args, "token")
	return c, nil
}

func (c *call) readJSON(r *http.Request, taken bool, charset string) error {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return refuse("request_timeout")
	}
	if len(raw) == 0 {
		return nil
	}
	if !taken {
		return nil // the body is ignored, so required arguments are missing
	}
	var body any
	if err := json.Unmarshal(raw, &body); err != nil {
		return refuse("invalid_json")
	}
	args, ok := body.(obj)
	if !ok && body != nil {
		return refuse("json_not_object")
	}
	maps.Copy(c.args, args)
	delete(c.args, "token") // with JSON the token belongs in the header
	if charset == "" {
		c.warning = "missing_charset"
	}
	return nil
}

func (c *call) take(values url.Values) {
	for k := range values {
		c.args[k] = values.Get(k)
	}
}

// str is a string argument, whatever JSON type a number or a boolean came as.
func (c *call) str(name string) string {
	switch x := c.args[name].(type) {
	case string:
		return x
	case bool:
		return strconv.FormatBool(x)
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return ""
}

// need is a required argument.
func (c *call) need(name string) (string, error) {
	s := c.str(name)
	if s == "" {
		return "", refuse("invalid_arguments", "missing required field: "+name+" [json-pointer:]")
	}
	return s, nil
}

func (c *call) has(name string) bool { return c.args[name] != nil }

func (c *call) bool(name string) bool {
	s := c.str(name)
	return s == "true" || s == "1"
}

// value is an argument that is JSON: decoded already, or as a string.
func (c *call) value(name string) (any, error) {
	s, ok := c.args[name].(string)
	if !ok {
		return c.args[name], nil
	}
	if s == "" {
		return nil, nil
	}
	var x any
	if err := json.Unmarshal([]byte(s), &x); err != nil {
		return nil, fmt.Errorf("argument %s: %w", name, err)
	}
	return x, nil
}

func (s *Server) writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	if _, err := w.Write(marshal(body)); err != nil {
		s.log.Debug("reply", "error", err)
	}
}
