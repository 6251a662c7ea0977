package slack_test

import (
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"testing"

	"ltxbot/bot/slack"
	"ltxbot/core/generate"
	"ltxbot/core/quota"
	sim "ltxbot/sim/slack"
)

func TestAJobOfAnUninstalledWorkspaceEndsAndTheOthersGoOn(t *testing.T) {
	t.Parallel()
	s := prepareShop(t)
	beta, gamma := s.stranger("beta"), s.stranger("gamma")
	p := newProvider()
	run := s.stage.begin(t.TempDir()+"/jobs.db", 1, p, quota.Policy{})
	defer run.end(t, false)
	s.serve(run.bot)
	s.mustInstall(beta.ws)
	s.mustInstall(gamma.ws)
	for _, in := range []tenant{beta, gamma} {
		s.slash(in.user, in.channel, cowboy)
		s.reads(in.channel, func(m sim.Message) bool { return strings.Contains(m.Text, "40 %") })
	}
	beta.ws.Uninstall()
	s.until("the installation is forgotten", func() bool { return !s.isKept(beta.ws.ID()) })
	p.release()
	s.reads(gamma.channel, func(m sim.Message) bool { return strings.HasPrefix(m.Text, "Done") })
	s.until("no job is unfinished", func() bool {
		jobs, err := run.engine.Jobs(s.ctx, generate.Query{Unfinished: true})
		return err == nil && len(jobs) == 0
	})
	jobs, err := run.engine.Jobs(s.ctx, generate.Query{})
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range jobs {
		gone := j.Place.Tenant == beta.ws.ID()
		if gone != (j.State == generate.Failed && j.Failure.Kind == generate.FailUnreachable) {
			t.Errorf("the job of %s: %s %+v", j.Place.Tenant, j.State, j.Failure)
		}
	}
	if p.submits != 2 || len(videos(gamma.channel)) != 1 || len(videos(beta.channel)) != 0 {
		t.Errorf("%d submits", p.submits)
	}
	select {
	case err := <-run.bot.Fatal():
		t.Errorf("the bot gave up: %v", err)
	default:
	}
	s.mustInstall(beta.ws)
	before := len(fromBot(beta.channel))
	s.slash(beta.user, beta.channel, cowboy)
	s.until("there is a card after installing again", func() bool { return len(fromBot(beta.channel)) > before })
}

func TestARevokedTokenIsForgotten(t *testing.T) {
	t.Parallel()
	for name, revoke := range map[string]func(s *shop, in tenant, job string){
		"when Slack tells": func(_ *shop, in tenant, _ string) { in.ws.RevokeToken() },
		"at the next call, when the event was lost": func(s *shop, in tenant, job string) {
			s.sim.Inject(sim.Fault{Method: "envelope", Kind: sim.DropBefore, Times: -1})
			in.ws.RevokeToken()
			if err := s.show(job, generate.Running); !errors.Is(err, generate.ErrUnreachable) {
				t.Errorf("show: %v", err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			beta := s.stranger("beta")
			s.mustInstall(beta.ws)
			j := s.use(beta)
			revoke(s, beta, j.ID)
			s.until("the installation is forgotten", func() bool { return !s.isKept(beta.ws.ID()) })
			if _, err := s.deliver(j.ID); !errors.Is(err, generate.ErrUnreachable) {
				t.Errorf("deliver: %v", err)
			}
		})
	}
}

func TestAnEventThatComesLateRemovesNoNewInstallation(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	beta := s.stranger("beta")
	s.mustInstall(beta.ws)
	before := len(s.sim.Requests("auth.test"))
	beta.ws.Emit(map[string]any{"type": "app_uninstalled"})
	s.until("the bot has looked", func() bool { return len(s.sim.Requests("auth.test")) > before })
	s.use(beta)
	if !s.isKept(beta.ws.ID()) {
		t.Error("the installation is gone")
	}
}

func TestAnAnswerThatDoesNotStayRemovesNoInstallation(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	beta := s.stranger("beta")
	s.mustInstall(beta.ws)
	j := s.use(beta)
	s.sim.Inject(sim.Fault{Method: "chat.update", Kind: sim.APIError, Error: "invalid_auth"})
	if err := s.show(j.ID, generate.Running); retryOf(err) == nil {
		t.Errorf("show: %v", err)
	}
	s.showAtLast(j.ID, generate.Running)
	s.sim.Inject(sim.Fault{Method: "files.getUploadURLExternal", Kind: sim.APIError, Error: "org_login_required"})
	if _, err := s.deliver(j.ID); retryOf(err) == nil {
		t.Errorf("deliver: %v", err)
	}
	s.mustDeliver(j.ID)
}

func TestAWorkspaceWithoutAnInstallationIsToldWhereToInstall(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.slash(s.ann, s.general, cowboy)
	s.whisper(s.ann, s.general, s.url+slack.PathInstall)
	s.slash(s.ann, s.general, "")
	s.wantJobs(0)
	if n := len(s.sim.Requests("views.open")); n != 0 {
		t.Errorf("%d forms", n)
	}
}

func TestTheTokenOfTheConfigServesItsWorkspaceBesideTheOthers(t *testing.T) {
	t.Parallel()
	s := prepareShop(t)
	s.cfg.BotToken, s.cfg.OAuth.Workspaces = s.ws.BotToken(), []string{"T0BETA0001"}
	s.bot = s.newBot()
	s.open()
	beta := s.tenant(sim.WorkspaceSpec{ID: "T0BETA0001", NotInstalled: true})
	gamma := s.stranger("gamma")
	s.mustInstall(beta.ws)
	s.use(beta)
	s.use(tenant{s.ws, s.general, s.ann})
	if status, _ := s.install(gamma.ws); status != http.StatusForbidden {
		t.Error("a workspace that is not on the list was let in")
	}
	s.slash(gamma.user, gamma.channel, cowboy)
	s.whisper(gamma.user, gamma.channel, slack.PathInstall)
	s.ws.Uninstall()
	s.use(beta)
	s.reopen() // the token of the config is dead, and the others are served
	s.use(beta)
}

func TestAnotherTokenKeyIsRefused(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	beta := s.stranger("beta")
	s.mustInstall(beta.ws)
	s.check("stop", s.bot.Stop(s.ctx))
	right, wrong := s.cfg.OAuth.TokenKey, make([]byte, slack.TokenKeySize)
	if _, err := rand.Read(wrong); err != nil {
		t.Fatal(err)
	}
	s.cfg.OAuth.TokenKey = wrong
	err := s.newBot().Start(s.ctx)
	if _, ok := errors.AsType[*slack.FatalError](err); !ok {
		t.Fatalf("start: %v", err)
	}
	for _, says := range []string{"slack.token_key is not the key", "Set that one again", "slack.token_key_lost = true"} {
		if !strings.Contains(err.Error(), says) {
			t.Errorf("it does not say %q: %v", says, err)
		}
	}
	if !s.isKept(beta.ws.ID()) {
		t.Error("the installation is gone")
	}
	s.cfg.OAuth.TokenKey = right
	s.reopen()
	s.use(beta)

	// A lost key: everybody installs again, and nothing else is asked.
	s.cfg.OAuth.TokenKey, s.cfg.OAuth.TokenKeyLost = wrong, true
	s.reopen()
	s.slash(beta.user, beta.channel, cowboy)
	s.whisper(beta.user, beta.channel, slack.PathInstall)
	s.mustInstall(beta.ws)
	s.use(beta)
	s.cfg.OAuth.TokenKeyLost = false
	s.reopen()
	s.use(beta)
}

func TestAnInstallationIsGoodForItsOwnWorkspaceOnly(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	beta := s.stranger("beta")
	s.mustInstall(beta.ws)
	stolen, err := s.kept.Get(s.ctx, beta.ws.ID())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.kept.Put(s.ctx, s.ws.ID(), stolen); err != nil {
		t.Fatal(err)
	}
	s.slash(s.ann, s.general, cowboy)
	j := s.job()
	if err := s.show(j.ID, generate.Accepted); retryOf(err) == nil || !strings.Contains(err.Error(), "read installation") {
		t.Errorf("show: %v", err)
	}
	if n := len(s.sim.Requests("chat.postMessage")); n != 0 {
		t.Errorf("%d messages", n)
	}
}

func TestAStoreThatIsNotReadKeepsJobs(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	beta := s.stranger("beta")
	s.mustInstall(beta.ws)
	j := s.use(beta)
	if err := s.kept.store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.show(j.ID, generate.Running); retryOf(err) == nil {
		t.Errorf("show: %v", err)
	}
	if err := s.newBot().Start(s.ctx); err == nil || !strings.Contains(err.Error(), "read installations") {
		t.Errorf("start: %v", err)
	}
}
