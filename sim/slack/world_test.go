package slack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"ltxbot/internal/leak"
	"ltxbot/sim/slack"

	"github.com/gorilla/websocket"
)

func TestMain(m *testing.M) { leak.Verify(m) }

// world is a server with one workspace: ann, who is a member of everything, and
// a public channel with the bot.
type world struct {
	*slack.Server

	t       *testing.T
	ws      *slack.Workspace
	ann     *slack.User
	general *slack.Channel
	client  *http.Client
}

func newWorld(t *testing.T, o slack.Options) *world {
	t.Helper()
	if o.ShareDelay == 0 {
		o.ShareDelay = time.Millisecond
	}
	s, err := slack.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	w := &world{Server: s, t: t, client: &http.Client{Transport: &http.Transport{}}}
	t.Cleanup(w.client.CloseIdleConnections)
	w.ws = s.AddWorkspace(slack.WorkspaceSpec{})
	w.ann = w.ws.AddUser(slack.UserSpec{Name: "ann"})
	w.general = w.ws.AddChannel(slack.ChannelSpec{Name: "general", Members: []*slack.User{w.ann, w.ws.Bot()}})
	return w
}

// reply is the body of a Web API reply.
type reply map[string]any

func (r reply) str(path ...string) string {
	x := any(map[string]any(r))
	for _, p := range path {
		o, _ := x.(map[string]any)
		x = o[p]
	}
	s, _ := x.(string)
	return s
}

// result is what a reply has besides its body.
type result struct {
	status int
	header http.Header
}

func (w *world) do(req *http.Request) (reply, result, error) {
	res, err := w.client.Do(req)
	if err != nil {
		return nil, result{}, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, result{}, err
	}
	var r reply
	if json.Unmarshal(raw, &r) != nil {
		r = reply{"raw": string(raw)}
	}
	return r, result{res.StatusCode, res.Header}, nil
}

// call calls a method with the bot token in the header and a form of
// alternating names and values.
func (w *world) call(method string, args ...string) reply {
	w.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(args); i += 2 {
		form.Set(args[i], args[i+1])
	}
	token := form.Get("token")
	form.Del("token")
	if token == "" {
		token = w.ws.BotToken()
	}
	req := w.request(method, strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Bearer "+token)
	r, _ := w.send(req)
	return r
}

// send is do where the network must not fail.
func (w *world) send(req *http.Request) (reply, result) {
	w.t.Helper()
	r, res, err := w.do(req)
	w.must(err)
	return r, res
}

// must ends the test where something has failed.
func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// slash lets ann type a command.
func (w *world) slash(text string) slack.Receipt {
	w.t.Helper()
	r, err := w.ann.Slash(w.t.Context(), w.general, "/ltx", text)
	w.must(err)
	return r
}

// click lets ann press a button.
func (w *world) click(on slack.Surface, name string, values ...string) slack.Receipt {
	w.t.Helper()
	r, err := w.ann.Click(w.t.Context(), on, name, values...)
	w.must(err)
	return r
}

// share lets ann post files.
func (w *world) share(c *slack.Channel, text, thread string, files ...slack.FileSpec) slack.Message {
	w.t.Helper()
	m, err := w.ann.Share(c, text, thread, files...)
	w.must(err)
	return m
}

// addFile lets ann upload a file that she has not shared.
func (w *world) addFile(f slack.FileSpec) string {
	w.t.Helper()
	id, err := w.ann.AddFile(f)
	w.must(err)
	return id
}

// shortcut lets ann choose a shortcut of a message.
func (w *world) shortcut(m slack.Message, id string) {
	w.t.Helper()
	_, err := w.ann.MessageShortcut(w.t.Context(), m, id)
	w.must(err)
}

// mention lets ann name the bot.
func (w *world) mention(text, thread string) {
	w.t.Helper()
	_, err := w.ann.Mention(w.general, text, thread)
	w.must(err)
}

// connected waits until the app has so many connections.
func (w *world) connected(n int) {
	w.t.Helper()
	w.must(w.WaitConnected(withTimeout(w.t, 30*time.Second), n))
}

// until waits for something that happens on the server.
func (w *world) until(is func() bool) {
	w.t.Helper()
	w.must(w.Wait(withTimeout(w.t, 30*time.Second), is))
}

func (w *world) newRequest(method, to string, body io.Reader) *http.Request {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, to, body)
	w.must(err)
	return req
}

func (w *world) request(method string, body io.Reader) *http.Request {
	w.t.Helper()
	return w.newRequest(http.MethodPost, w.APIURL()+method, body)
}

// post sends JSON to a URL outside the Web API.
func (w *world) post(to, body string) (reply, int) {
	w.t.Helper()
	req := w.newRequest(http.MethodPost, to, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	r, res := w.send(req)
	return r, res.status
}

// upload sends bytes to an upload URL as they are.
func (w *world) upload(to string, content []byte) int {
	w.t.Helper()
	req := w.newRequest(http.MethodPost, to, bytes.NewReader(content))
	req.Header.Set("Content-Type", "video/mp4")
	_, res := w.send(req)
	return res.status
}

// socket is a bare Socket Mode client that answers envelopes with handle.
type socket struct {
	ws    *websocket.Conn
	done  chan struct{}
	types chan string // what kinds of frame arrived
	end   error       // of the connection, once done
}

type frame struct {
	Type           string          `json:"type"`
	Reason         string          `json:"reason"`
	EnvelopeID     string          `json:"envelope_id"`
	NumConnections int             `json:"num_connections"`
	Accepts        bool            `json:"accepts_response_payload"`
	Payload        map[string]any  `json:"payload"`
	Retry          int             `json:"retry_attempt"`
	DebugInfo      json.RawMessage `json:"debug_info"`
}

// dialer writes every message as one frame, as Slack wants it.
func dialer() *websocket.Dialer { return &websocket.Dialer{WriteBufferSize: 64 << 10} }

// dial opens a Socket Mode connection. handle returns the payload of the
// acknowledgement, or false for none.
func (w *world) dial(handle func(frame) (any, bool)) *socket {
	w.t.Helper()
	r := w.call("apps.connections.open", "token", w.AppToken())
	if r["ok"] != true {
		w.t.Fatalf("apps.connections.open: %v", r)
	}
	before := w.Connections()
	ws, res, err := dialer().DialContext(w.t.Context(), r.str("url"), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	res.Body.Close()
	sock := &socket{ws: ws, done: make(chan struct{}), types: make(chan string, 100)}
	go func() {
		defer close(sock.done)
		for {
			var f frame
			if sock.end = ws.ReadJSON(&f); sock.end != nil {
				return
			}
			sock.types <- f.Type + f.Reason
			if f.EnvelopeID == "" {
				continue
			}
			if payload, ok := handle(f); ok {
				ack := map[string]any{"envelope_id": f.EnvelopeID}
				if payload != nil {
					ack["payload"] = payload
				}
				if ws.WriteJSON(ack) != nil {
					return
				}
			}
		}
	}()
	w.t.Cleanup(func() {
		ws.Close()
		<-sock.done
	})
	w.connected(before + 1)
	return sock
}

// answer acknowledges every envelope with the same payload.
func answer(payload any) func(frame) (any, bool) {
	return func(frame) (any, bool) { return payload, true }
}

// code is the name in an *ActionError, or what else went wrong.
func code(err error) string {
	if err == nil {
		return ""
	}
	if problem, ok := errors.AsType[*slack.ActionError](err); ok {
		return problem.Code
	}
	return err.Error()
}

func withTimeout(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
