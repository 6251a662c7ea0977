package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"ltxbot/app"
	"ltxbot/app/admin"
	"ltxbot/config"
	"ltxbot/core/generate"
	"ltxbot/core/library"
	"ltxbot/core/ltx"
	simdiscord "ltxbot/sim/discord"
	simslack "ltxbot/sim/slack"
)

// slackRoom is a workspace with a channel that the bot is in, and somebody there.
type slackRoom struct {
	sim     *simslack.Server
	ann     *simslack.User
	general *simslack.Channel
}

// withSlack puts the bot of a world on Slack, too.
func (w *world) withSlack(t *testing.T) slackRoom {
	t.Helper()
	sim, err := simslack.Start(simslack.Options{NoRateLimits: true, AnswerWithin: answerLimit})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	workspace := sim.AddWorkspace(simslack.WorkspaceSpec{})
	ann := workspace.AddUser(simslack.UserSpec{Name: "ann"})
	general := workspace.AddChannel(simslack.ChannelSpec{Name: "general", Members: []*simslack.User{ann, workspace.Bot()}})
	w.cfg.Slack.BotToken, w.cfg.Slack.AppToken = config.NewSecret(workspace.BotToken()), config.NewSecret(sim.AppToken())
	w.cfg.Slack.APIURL = sim.APIURL()
	return slackRoom{sim, ann, general}
}

// answer types a command on Discord and returns what is answered.
func (w *world) answer(t *testing.T, line string) string {
	t.Helper()
	i, err := w.ada.Type(t.Context(), w.channel, line)
	if err != nil {
		t.Fatal(err)
	}
	m, err := i.WaitResponse(t.Context(), func(m simdiscord.Message) bool { return !m.Loading })
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return all(t, m)
}

// slash lets ann type a command.
func (s slackRoom) slash(t *testing.T, line string) simslack.Receipt {
	t.Helper()
	r, err := s.ann.Slash(t.Context(), s.general, "/ltx", line)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// answer types a command on Slack and waits for the answer, which is in the channel.
func (s slackRoom) answer(t *testing.T, line string) {
	t.Helper()
	before := len(s.general.Messages())
	s.slash(t, line)
	if err := s.sim.Wait(t.Context(), func() bool { return len(s.general.Messages()) > before }); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
}

// fewHosts is a checker that reaches one host alone, and finds there a file that
// can't be loaded.
type fewHosts struct{ oneFinding }

func (f fewHosts) Check(_ context.Context, path string) (library.Finding, error) {
	if strings.Contains(path, "civitai.com") {
		shown := ltx.LoRA{Path: path}.ShownPath()
		return library.Finding{File: shown, Warnings: []library.Warning{{Kind: library.Missing, Value: shown}}}, nil
	}
	return library.Finding{}, library.ErrUnreachable
}

// What follows the ? of a link may be a key. People use links with keys for
// themselves, and fal gets them. Nobody else does: not the channel, the team, the
// log, the operator, nor what the store keeps beside the request.
func TestTheQueryOfALinkIsTheRequestsAlone(t *testing.T) {
	t.Parallel()
	const secret = "hush7f3c"
	const link, other = "https://civitai.com/api/download/models/123?token=" + secret, "https://huggingface.co/a/b/resolve/main/x.safetensors?sig=" + secret
	w := prepare(t, "text")
	w.opts.LoRAs = fewHosts{}
	w.cfg.Library.Add = config.AddEveryone
	w.cfg.LoRA.Hosts = []string{"civitai.com", "huggingface.co", "*.fal.media"}
	slack := w.withSlack(t)
	w.run(t)

	var said strings.Builder // all that the bot says
	for _, line := range []string{
		"/ltx-loras add name:film link:" + link, "/ltx-loras add name:film link:" + other + "@9", "/ltx-loras add name:film link:acme/film scale:" + link,
		"/ltx-loras check link:" + link, "/ltx-loras check link:" + other, "/ltx-loras check link:" + link + "@9",
		"/ltx-loras try name:" + link + " prompt:a fox", "/ltx-loras show name:" + link, "/ltx-loras list find:" + link,
		"/ltx-loras style-add name:noir options:lora:" + link, "/ltx-jobs defaults options:lora:" + link,
		"/ltx prompt:loras add film " + link, "/ltx prompt:loras check " + link,
		"/ltx prompt:a fox lora:" + link + "@9", "/ltx prompt:a fox duration:soon lora:" + link, "/ltx prompt:a fox [lora:" + link + "]",
	} {
		fmt.Fprintf(&said, "== %s\n%s\n", strings.ReplaceAll(line, secret, "…"), w.answer(t, line))
	}
	made := w.slash(t, simdiscord.Arg("prompt", "a fox"), simdiscord.Arg("lora", link+"@0.8"))
	jobs := []generate.Job{w.over(t, generate.NewID("discord:"+made.ID))}
	for _, line := range []string{
		"loras add film " + link, "loras add film " + other + "@9", "loras add film acme/film scale:" + link,
		"loras check " + link, "loras check " + other, "loras check " + link + "@9",
		"loras try " + link + " a fox", "loras show " + link, "loras list " + link,
		"styles add noir lora:" + link, "defaults lora:" + link,
		"a fox lora:" + link + "@9", "a fox duration:soon lora:" + link, "a fox [lora:" + link + "]",
	} {
		slack.answer(t, line)
	}
	receipt := slack.slash(t, "a fox lora:"+link+"@0.8")
	jobs = append(jobs, w.over(t, generate.NewID("slack:"+receipt.TriggerID)))
	said.WriteString(w.answer(t, "/ltx-jobs show job:"+jobs[0].ID))
	slack.answer(t, "show "+jobs[1].ID)
	for _, j := range jobs {
		if j.State != generate.Delivered || len(j.Request.LoRAs()) != 1 || j.Request.LoRAs()[0].Path != link {
			t.Fatalf("job %s is %s of %s", j.ID, j.State, j.Request.CommandLine())
		}
	}

	w.tellsNobody(t, slack, secret, &said)
}

// tellsNobody fails if a secret stands anywhere but in the requests of jobs, of
// which both platforms have some. It stops the bot. said is what was answered.
func (w *world) tellsNobody(t *testing.T, slack slackRoom, secret string, said *strings.Builder) {
	t.Helper()
	guild := "discord:" + w.channel.Guild().ID
	client := admin.NewClient("http://"+w.app.Addr(), adminToken)
	for _, form := range []admin.Form{admin.Text, admin.JSON, admin.CSV} {
		for _, words := range [][]string{{"log"}, {"export"}} {
			text, err := w.orderFor(t, guild, form, words...)
			if err != nil && form != admin.CSV {
				t.Fatal(err)
			}
			said.WriteString(text)
		}
	}
	listed, err := client.Jobs(t.Context(), generate.Query{})
	if err != nil || len(listed) == 0 {
		t.Fatalf("%d jobs, %v", len(listed), err)
	}
	kept, err := client.Member(t.Context(), guild, "discord:"+w.ada.ID)
	if err != nil || len(kept.Jobs) == 0 {
		t.Fatalf("%d jobs of the member, %v", len(kept.Jobs), err)
	}
	shelf, err := client.ExportLibrary(t.Context(), guild)
	if err != nil {
		t.Fatal(err)
	}
	var copied bytes.Buffer // it holds the requests
	if err := client.Backup(t.Context(), &copied); err != nil || !bytes.Contains(copied.Bytes(), []byte(secret)) {
		t.Errorf("the backup does not hold the requests: %v", err)
	}
	_, metrics := w.get(t, "/metrics")
	w.stop(t)

	for what, text := range map[string]string{
		"an answer": said.String(), "the channel on Discord": all(t, w.channel.Messages()), "the channel on Slack": all(t, slack.general.Messages()),
		"a call to Slack": all(t, slack.sim.Requests("")), "a message to ann": all(t, slack.ann.DM().Messages()),
		"the log": w.log.String(), "/metrics": metrics, "the list of jobs": all(t, listed), "the member's data": all(t, kept), "the library": all(t, shelf),
		"the store, beside the requests": w.stored(t),
	} {
		if n := strings.Index(text, secret); n >= 0 {
			t.Errorf("%s tells the key: …%s…", what, text[max(0, n-300):min(len(text), n+100)])
		}
	}
}

// all is a value as JSON.
func all(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// stored is all that the store holds, without the requests of jobs: fal must get
// them whole, whenever the bot is started again.
func (w *world) stored(t *testing.T) string {
	t.Helper()
	s, err := app.OpenRecords(t.Context(), w.cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	var b strings.Builder
	requests := 0
	err = s.Export(t.Context(), func(key string, value []byte) error {
		var record map[string]json.RawMessage
		if json.Unmarshal(value, &record) == nil && record["request"] != nil {
			delete(record, "request")
			requests++
			value, _ = json.Marshal(record)
		}
		_, err := fmt.Fprintf(&b, "%s %s\n", key, value)
		return err
	})
	if err != nil || requests == 0 {
		t.Fatalf("%d requests, %v", requests, err)
	}
	return b.String()
}
