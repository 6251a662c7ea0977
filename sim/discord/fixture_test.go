package discord_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"testing"

	"ltxbot/sim/discord"
)

// A stage is a guild with a channel, a person and a bot that speaks plain
// HTTP.
type stage struct {
	t       *testing.T
	server  *discord.Server
	guild   *discord.Guild
	general *discord.Channel
	ada     *discord.User
	version string
	auth    string
	agent   string
}

func newStage(t *testing.T) *stage {
	t.Helper()
	return newStageWith(t, discord.Options{RateLimits: discord.RateLimits{Off: true}})
}

func newStageWith(t *testing.T, opts discord.Options) *stage {
	t.Helper()
	s := &stage{t: t, server: start(t, opts), version: "v10", agent: "DiscordBot (https://example.org, 1.0)"}
	s.guild = s.server.NewGuild("Acme")
	s.general = s.guild.NewChannel("general")
	s.ada = s.server.NewUser("ada")
	s.guild.Join(s.ada)
	s.auth = "Bot " + s.server.Token()
	return s
}

// ctx returns a context that ends before the test hangs.
func (s *stage) ctx() context.Context { return deadline(s.t) }

// An answer is what the API said.
type answer struct {
	Status int
	Code   int
	Fields map[string]string // path to code of the first error there
	JSON   map[string]any
	List   []any
	Raw    string
	Header http.Header
}

func (a answer) id() string { id, _ := a.JSON["id"].(string); return id }

type object = map[string]any

// part is one file of a multipart request.
type part struct {
	field, name, kind string
	data              []byte
}

func (s *stage) do(method, path string, body any, parts ...part) answer {
	s.t.Helper()
	a, err := s.try(method, path, body, parts...)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

func (s *stage) try(method, path string, body any, parts ...part) (answer, error) {
	s.t.Helper()
	var payload bytes.Buffer
	kind := ""
	if body != nil {
		kind = "application/json"
		if text, ok := body.(string); ok {
			payload.WriteString(text)
		} else if err := json.NewEncoder(&payload).Encode(body); err != nil {
			s.t.Fatal(err)
		}
	}
	if len(parts) > 0 {
		raw := payload.String()
		payload.Reset()
		w := multipart.NewWriter(&payload)
		if err := w.WriteField("payload_json", raw); err != nil {
			s.t.Fatal(err)
		}
		for _, p := range parts {
			h := textproto.MIMEHeader{}
			h.Set("Content-Disposition", fmt.Sprintf(`form-data; name=%q; filename=%q`, p.field, p.name))
			h.Set("Content-Type", p.kind)
			f, err := w.CreatePart(h)
			if err != nil {
				s.t.Fatal(err)
			}
			if _, err := f.Write(p.data); err != nil {
				s.t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			s.t.Fatal(err)
		}
		kind = w.FormDataContentType()
	}
	req, err := http.NewRequestWithContext(s.ctx(), method, s.server.APIURL()+"/"+s.version+path, &payload)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("User-Agent", s.agent)
	if s.auth != "" {
		req.Header.Set("Authorization", s.auth)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{Status: resp.StatusCode, Raw: string(raw), Header: resp.Header, Fields: map[string]string{}}
	if json.Unmarshal(raw, &a.JSON) != nil {
		_ = json.Unmarshal(raw, &a.List)
	}
	if code, ok := a.JSON["code"].(float64); ok {
		a.Code = int(code)
	}
	flatten("", a.JSON["errors"], a.Fields)
	return a, nil
}

func flatten(path string, v any, out map[string]string) {
	m, _ := v.(map[string]any)
	for k, inner := range m {
		if k == "_errors" {
			out[path] = inner.([]any)[0].(map[string]any)["code"].(string)
			continue
		}
		flatten(strings.TrimPrefix(path+"."+k, "."), inner, out)
	}
}

// send posts a message as the bot.
func (s *stage) send(body any, parts ...part) answer {
	s.t.Helper()
	return s.do("POST", "/channels/"+s.general.ID+"/messages", body, parts...)
}

// register puts commands into the guild.
func (s *stage) register(defs ...object) {
	s.t.Helper()
	list := append([]object{}, defs...)
	if a := s.do("PUT", "/applications/"+s.server.ApplicationID()+"/guilds/"+s.guild.ID+"/commands", list); a.Status != 200 {
		s.t.Fatalf("register: %d %s", a.Status, a.Raw)
	}
}

var ltxCommand = object{
	"name": "ltx", "description": "Make a video",
	"options": []object{{"type": 3, "name": "prompt", "description": "What to show", "required": true, "max_length": 20}},
}

// slash uses /ltx as ada.
func (s *stage) slash() *discord.Interaction {
	s.t.Helper()
	s.register(ltxCommand)
	i, err := s.ada.Slash(s.ctx(), s.general, "ltx", discord.Arg("prompt", "a cowboy"))
	if err != nil {
		s.t.Fatal(err)
	}
	return i
}

func (s *stage) callback(i *discord.Interaction, body any, parts ...part) answer {
	s.t.Helper()
	return s.do("POST", "/interactions/"+i.ID+"/"+i.Token()+"/callback", body, parts...)
}

func (s *stage) hook(i *discord.Interaction, rest string) string {
	return "/webhooks/" + s.server.ApplicationID() + "/" + i.Token() + rest
}

// ack answers the interaction with a plain message.
func (s *stage) ack(i *discord.Interaction) {
	s.t.Helper()
	if a := s.callback(i, object{"type": 4, "data": object{"content": "hello"}}); a.Status != 204 {
		s.t.Fatalf("callback: %d %s", a.Status, a.Raw)
	}
}

func chars(n int) string { return strings.Repeat("x", n) }
