package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	simdiscord "ltxbot/sim/discord"
	simslack "ltxbot/sim/slack"
	"ltxbot/web"
)

const (
	discordBack = "http://127.0.0.1:8080/admin/sign-in/discord/back"
	slackBack   = "http://127.0.0.1:8080/admin/sign-in/slack/back"
	agent       = "DiscordBot (https://example.com, 1)"
)

func startDiscord(t *testing.T) *simdiscord.Server {
	t.Helper()
	s, err := simdiscord.Start(simdiscord.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	s.SetRedirects(discordBack)
	return s
}

func startSlack(t *testing.T) *simslack.Server {
	t.Helper()
	s, err := simslack.Start(simslack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	s.SetRedirects(slackBack)
	return s
}

// follow takes the browser to where it was sent, below the console's own address.
func (b *browser) follow(back string) int {
	b.w.Helper()
	at, err := url.Parse(back)
	if err != nil {
		b.w.Fatal(err)
	}
	return b.get(at.RequestURI()).Code
}

func TestSignInWithDiscord(t *testing.T) {
	w, sim := newWorld(t), startDiscord(t)
	guild, person := sim.NewGuild("Acme"), sim.NewUser("ann")
	guild.Join(person)
	sim.NewGuild("Globex")
	w.cfg.SignIns = []web.SignIn{web.Discord{Client: web.NewClient(sim.ApplicationID(), sim.ClientSecret(), sim.APIURL(), agent)}}
	w.cfg.Team = func(_ context.Context, _, tenant string) string { return map[string]string{guild.ID: "acme"}[tenant] }
	w.people.known[guild.ID+" "+person.ID] = web.Person{Member: "discord:" + person.ID}
	w.restart()
	b := w.browser()
	back, err := person.Authorize(b.get("/admin/sign-in/discord?next=/admin/usage").Header().Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	if code := b.follow(back); code != http.StatusSeeOther {
		t.Fatalf("coming back: %d %s", code, w.log)
	}
	mustHave(t, b.page("/admin/usage"), "discord:"+person.ID, "ann")
	if n := sim.OAuthTokens(); n != 0 {
		t.Errorf("%d tokens of the person are good still, want none", n)
	}
	mustLack(t, w.log.String(), sim.ClientSecret())
}

func TestSignInWithSlack(t *testing.T) {
	w, sim := newWorld(t), startSlack(t)
	space := sim.AddWorkspace(simslack.WorkspaceSpec{})
	person := space.AddUser(simslack.UserSpec{Name: "ann", RealName: "Ann <b>Lee</b>"})
	id, secret := sim.Client()
	w.cfg.SignIns = []web.SignIn{web.Slack{Client: web.NewClient(id, secret, sim.APIURL(), "ltxbot/1")}}
	w.cfg.Team = func(_ context.Context, _, tenant string) string { return map[string]string{space.ID(): "acme"}[tenant] }
	w.cfg.People["slack"] = w.people
	w.people.known[space.ID()+" "+person.ID()] = web.Person{Member: "slack:" + space.ID() + ":" + person.ID()}
	w.restart()
	b := w.browser()
	back, err := person.SignIn(b.get("/admin/sign-in/slack").Header().Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	if code := b.follow(back); code != http.StatusSeeOther {
		t.Fatalf("coming back: %d %s", code, w.log)
	}
	mustHave(t, b.page("/admin/usage"), "slack:"+space.ID()+":"+person.ID(), "Ann &lt;b&gt;Lee&lt;/b&gt;")
	other := w.browser()
	theirs, err := person.SignIn(other.get("/admin/sign-in/slack").Header().Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	sim.Advance(11 * time.Minute)
	if code := other.follow(theirs); code != http.StatusBadRequest {
		t.Errorf("with a code of eleven minutes ago: %d", code)
	}
}

// What a platform refuses, the console must do as it should: each row breaks one
// thing, and nobody is signed in.
func TestWhatPlatformsRefuse(t *testing.T) {
	t.Run("discord", func(t *testing.T) {
		sim := startDiscord(t)
		person := sim.NewUser("ann")
		good := web.NewClient(sim.ApplicationID(), sim.ClientSecret(), sim.APIURL(), agent)
		begin := func(c web.Client, p web.Proof) (string, error) {
			address, err := web.Discord{Client: c}.Address(t.Context(), p)
			if err != nil {
				return "", err
			}
			back, err := person.Authorize(address)
			if err != nil {
				return "", err
			}
			at, err := url.Parse(back)
			if at.Query().Get("state") != p.State {
				t.Error("the state does not come back")
			}
			return at.Query().Get("code"), err
		}
		proof := web.Proof{State: "s", Verifier: strings.Repeat("v", 52), Redirect: discordBack}
		for name, c := range map[string]struct {
			client web.Client
			change func(*web.Proof)
			twice  bool
			late   bool
		}{
			"another secret":   {client: web.NewClient(sim.ApplicationID(), "wrong", sim.APIURL(), agent)},
			"another verifier": {client: good, change: func(p *web.Proof) { p.Verifier = strings.Repeat("w", 52) }},
			"another address":  {client: good, change: func(p *web.Proof) { p.Redirect = discordBack + "x" }},
			"a code used":      {client: good, twice: true},
			"a code too old":   {client: good, late: true},
		} {
			code, err := begin(good, proof)
			if err != nil {
				t.Fatal(err)
			}
			p := proof
			if c.change != nil {
				c.change(&p)
			}
			if c.twice {
				if _, err := (web.Discord{Client: c.client}).Identify(t.Context(), code, p); err != nil {
					t.Fatal(err)
				}
			}
			if c.late {
				sim.Advance(10 * time.Minute)
			}
			var refused *web.RefusedError
			if _, err := (web.Discord{Client: c.client}).Identify(t.Context(), code, p); !errors.As(err, &refused) {
				t.Errorf("%s: %v, want a refusal", name, err)
			}
		}
		for name, p := range map[string]web.Proof{"an address that is not registered": {Redirect: "https://evil.example/back"}} {
			if _, err := begin(good, p); err == nil {
				t.Errorf("%s: Discord's page allows it", name)
			}
		}
	})
	t.Run("slack", func(t *testing.T) {
		sim := startSlack(t)
		person := sim.AddWorkspace(simslack.WorkspaceSpec{}).AddUser(simslack.UserSpec{})
		id, secret := sim.Client()
		proof := web.Proof{State: "s", Nonce: "n", Redirect: slackBack}
		for name, c := range map[string]struct {
			client web.Client
			change func(*web.Proof)
			twice  bool
			clock  time.Duration
		}{
			"another secret":    {client: web.NewClient(id, "wrong", sim.APIURL(), "ltxbot/1")},
			"another nonce":     {client: web.NewClient(id, secret, sim.APIURL(), "ltxbot/1"), change: func(p *web.Proof) { p.Nonce = "m" }},
			"another address":   {client: web.NewClient(id, secret, sim.APIURL(), "ltxbot/1"), change: func(p *web.Proof) { p.Redirect = slackBack + "x" }},
			"a code used":       {client: web.NewClient(id, secret, sim.APIURL(), "ltxbot/1"), twice: true},
			"a clock far ahead": {client: web.NewClient(id, secret, sim.APIURL(), "ltxbot/1"), clock: time.Hour},
		} {
			s := web.Slack{Client: c.client, Now: func() time.Time { return sim.Now().Add(c.clock) }}
			address, err := s.Address(t.Context(), proof)
			if err != nil {
				t.Fatal(err)
			}
			back, err := person.SignIn(address)
			if err != nil {
				t.Fatal(err)
			}
			at, _ := url.Parse(back)
			code, p := at.Query().Get("code"), proof
			if c.change != nil {
				c.change(&p)
			}
			if c.twice {
				if _, err := s.Identify(t.Context(), code, p); err != nil {
					t.Fatal(err)
				}
			}
			var refused *web.RefusedError
			if _, err := s.Identify(t.Context(), code, p); !errors.As(err, &refused) {
				t.Errorf("%s: %v, want a refusal", name, err)
			}
		}
	})
}
