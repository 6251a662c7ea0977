package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// localSlack is a running local-slack, a fake of Slack that others have
// written: https://github.com/parvalabs/local-slack
type localSlack struct {
	cmd    *exec.Cmd
	exited chan struct{}
	addr   string
	http   *http.Client
}

// localToken and localAppToken are the bot's tokens there.
const (
	localToken    = "xoxb-contract" //nolint:gosec // opens a fake on loopback
	localAppToken = "xapp-contract"
)

// localConfig is a workspace with a bot, a person and a channel.
const localConfig = `{
  "workspace": {"name": "Acme", "domain": "acme", "teamId": "T0ACME0001"},
  "apps": [{"appId": "A0LTX00001", "botUserId": "U0BOT00001", "botName": "ltx", "botToken": "` + localToken + `", "appToken": "` + localAppToken + `"}],
  "users": [{"id": "U0ANN00001", "name": "ann", "real_name": "Ann"}],
  "channels": [{"id": "C0VIDEOS01", "name": "videos", "members": ["U0ANN00001", "U0BOT00001"]}]
}`

// The person and the channel.
const (
	localAnn     = "U0ANN00001"
	localChannel = "C0VIDEOS01"
)

// startLocalSlack starts local-slack on loopback.
func startLocalSlack(ctx context.Context, b *bench) (*localSlack, error) {
	dir, err := os.MkdirTemp(b.tmp, "local-slack-")
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "config.json")
	if err := os.WriteFile(config, []byte(localConfig), 0o600); err != nil {
		return nil, err
	}
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	binary := filepath.Join(b.dir, "node_modules", "local-slack-linux-x64", "bin", "local-slack")
	cmd := exec.CommandContext(ctx, binary, "--config", config, "--port", strconv.Itoa(port), "--base-host", "127.0.0.1", "--files-dir", dir) //nolint:gosec // what npm has installed
	cmd.Env = append(withoutSecrets(os.Environ()), "BUN_OPTIONS=--preload "+filepath.Join(b.dir, "driver", "loopback.js"))
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("run local-slack: %w", err)
	}
	s := &localSlack{
		cmd: cmd, exited: make(chan struct{}), addr: "127.0.0.1:" + strconv.Itoa(port),
		http: &http.Client{Transport: &http.Transport{}, Timeout: 30 * time.Second},
	}
	go func() {
		defer close(s.exited)
		_ = cmd.Wait()
	}()
	return s, s.ready(ctx)
}

// freePort is a port of loopback where nobody listens.
func freePort(ctx context.Context) (int, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(port)
}

// ready waits until local-slack answers, on loopback and nowhere else.
func (s *localSlack) ready(ctx context.Context) error {
	err := s.wait(ctx, "an answer of local-slack", func(localState) bool { return true })
	if err != nil {
		return err
	}
	sockets, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return err
	}
	_, port, _ := net.SplitHostPort(s.addr)
	n, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	if everywhere := fmt.Sprintf("00000000:%04X", n); strings.Contains(string(sockets), everywhere) {
		return errors.New("local-slack listens on all addresses")
	}
	return nil
}

func (s *localSlack) close() {
	_ = s.cmd.Process.Kill()
	<-s.exited
	s.http.CloseIdleConnections()
}

// localState is what people see there.
type localState struct {
	Apps []struct {
		Connected bool `json:"connected"`
	} `json:"apps"`
	Messages map[string][]localMessage `json:"messages"` // by channel
	Modals   []localView               `json:"modalStack"`
	Homes    map[string]map[string]any `json:"homeViews"`
}

// localMessage is a message. Its blocks are searched as text.
type localMessage struct {
	TS        string            `json:"ts"`
	Ephemeral string            `json:"ephemeral_to"`
	Text      string            `json:"text"`
	Blocks    json.RawMessage   `json:"blocks"`
	Files     []json.RawMessage `json:"files"`
}

// button is the id of the message's button for an action: "v1:again:…".
func (m localMessage) button(action string) string {
	_, rest, found := strings.Cut(string(m.Blocks), `"action_id":"v1:`+action+":")
	job, _, _ := strings.Cut(rest, `"`)
	if !found {
		return ""
	}
	return "v1:" + action + ":" + job
}

type localView struct {
	Title struct {
		Text string `json:"text"`
	} `json:"title"`
}

// state asks for what people see, as the web page of local-slack does.
func (s *localSlack) state(ctx context.Context) (localState, error) {
	var init struct {
		State localState `json:"state"`
	}
	page, err := s.page(ctx)
	if err != nil {
		return init.State, err
	}
	defer func() { _ = page.Close() }()
	return init.State, page.ReadJSON(&init)
}

// page connects as the web page does.
func (s *localSlack) page(ctx context.Context) (*websocket.Conn, error) {
	conn, resp, err := websocket.DefaultDialer.DialContext(ctx, "ws://"+s.addr+"/ui", nil)
	if err != nil {
		return nil, fmt.Errorf("open the page of local-slack: %w", err)
	}
	return conn, resp.Body.Close()
}

// tell sends what the web page would send.
func (s *localSlack) tell(ctx context.Context, message map[string]any) error {
	page, err := s.page(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = page.Close() }()
	return page.WriteJSON(message)
}

// control calls the control API.
func (s *localSlack) control(ctx context.Context, path string, body map[string]any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.addr+"/_control/"+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s %s", path, resp.Status, answer)
	}
	return nil
}

// lookLocal is how often local-slack is looked at.
const lookLocal = 50 * time.Millisecond

// wait waits until what people see satisfies ok.
func (s *localSlack) wait(ctx context.Context, what string, ok func(localState) bool) error {
	tick := time.NewTicker(lookLocal)
	defer tick.Stop()
	var last error
	for {
		state, err := s.state(ctx)
		if err == nil && ok(state) {
			return nil
		}
		last = err
		select {
		case <-tick.C:
		case <-s.exited:
			return errors.New("local-slack has ended")
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("wait for %s: %w", what, ctx.Err()), last)
		}
	}
}
