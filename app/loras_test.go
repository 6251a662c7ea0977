package app_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"ltxbot/app"
	"ltxbot/app/admin"
	"ltxbot/config"
	"ltxbot/core/library"
	"ltxbot/core/team"
)

// oneFinding is a checker that finds the same of everything.
type oneFinding library.Finding

func (f oneFinding) Check(context.Context, string) (library.Finding, error) {
	return library.Finding(f), nil
}

func (f oneFinding) Known(string) (library.Finding, bool) { return library.Finding{}, false }

func (f oneFinding) Inspect(io.Reader, int64) (library.Finding, error) {
	return library.Finding(f), nil
}

func TestFilesOfLoRAsAreLookedAtIfTheOperatorLetsIt(t *testing.T) {
	opts := app.Options{LoRAs: oneFinding{BaseModel: "LTX-2.3"}}
	for _, allowed := range []bool{true, false} {
		cfg := config.Default()
		if !cfg.Library.Check {
			t.Error("by default it does not")
		}
		cfg.Library.Check = allowed
		check, err := app.LookAtLoRA(t.Context(), cfg, opts, "owner/repo")
		if err != nil || check.LoRA.Path != "owner/repo" || (check.Finding != nil) != allowed {
			t.Errorf("library.check = %v: %+v, %v", allowed, check, err)
		}
	}
	cfg := config.Default()
	cfg.LoRA.Hosts = []string{"fal.media"}
	if _, err := app.LookAtLoRA(t.Context(), cfg, opts, "owner/repo"); err == nil || errors.Is(err, library.ErrOff) {
		t.Errorf("a host that is not allowed: %v", err)
	}
}

// namedFindings is a checker that finds what the name of a file says.
type namedFindings struct{ oneFinding }

func (namedFindings) Check(_ context.Context, path string) (library.Finding, error) {
	switch path {
	case "acme/wan":
		return library.Finding{Warnings: []library.Warning{{Kind: library.OtherModel, Value: "Wan"}}}, nil
	case "acme/pickle":
		return library.Finding{Warnings: []library.Warning{{Kind: library.Pickle}}}, nil
	case "acme/down":
		return library.Finding{}, library.ErrUnreachable
	}
	return library.Finding{Trigger: "ohwx"}, nil
}

// TestTheFileOfALoRAIsLookedAtWhereverItIsAdded: in the chat, in the console, by the
// API and so by the command line.
func TestTheFileOfALoRAIsLookedAtWhereverItIsAdded(t *testing.T) {
	t.Parallel()
	w := prepare(t, "text")
	w.opts.LoRAs = namedFindings{}
	w.cfg.Library.Add = config.AddEveryone
	w.cfg.Console.DiscordClientSecret = config.NewSecret(w.discord.ClientSecret())
	w.run(t)
	w.discord.SetRedirects(w.at("/admin/sign-in/discord/back"))
	w.make(t, "a fox") // the team is known from now on
	browser := w.console(t)
	browser.signIn("discord", w.ada.Authorize)
	api := func(form admin.Form, name, link string) string {
		var answer bytes.Buffer
		o := team.Order{Verb: "add", Team: "discord:" + w.channel.Guild().ID, Args: map[string]string{"name": name, "link": link}}
		if err := admin.NewClient("http://"+w.app.Addr(), adminToken).Library(t.Context(), o, form, &answer); err != nil {
			return err.Error()
		}
		return answer.String()
	}
	for way, add := range map[string]func(name, link string) string{
		"chat": func(name, link string) string { return w.answer(t, "/ltx-loras add name:"+name+" link:"+link) },
		"console": func(name, link string) string {
			_, _, text := browser.do(http.MethodPost, w.at("/admin/library/add"), url.Values{"name": {name}, "link": {link}, "once": {name}})
			return text
		},
		"api":  func(name, link string) string { return api(admin.JSON, name, link) },
		"text": func(name, link string) string { return api(admin.Text, name, link) },
	} {
		for file, want := range map[string][2]string{ // for people, for programs
			"good": {"ohwx", "ohwx"}, "wan": {"made for Wan", `"kind":"other_model","value":"Wan"`}, "pickle": {"can run code", "can run code"}, "down": {"has not looked at it", `"unseen":true`},
		} {
			says := want[0]
			if way == "api" {
				says = want[1]
			}
			if answer := add(way+"-"+file, "acme/"+file); !strings.Contains(answer, says) || file == "pickle" && !strings.Contains(answer, "Nothing was changed") {
				t.Errorf("%s, by the %s: no %q in %s", file, way, says, answer)
			}
			if kept := strings.Contains(w.answer(t, "/ltx-loras show name:"+way+"-"+file), "acme/"+file); kept != (file != "pickle") {
				t.Errorf("%s, by the %s: kept %t", file, way, kept)
			}
		}
	}
}
