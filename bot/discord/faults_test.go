package discord_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"ltxbot/bot"
	"ltxbot/bot/discord"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	sim "ltxbot/sim/discord"
)

func TestPrivateVideoThatIsRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		fault  sim.Fault
		fit    generate.Fit
		direct int
	}{
		{"as too large is made smaller", sim.Fault{Route: sim.RouteEditResponse, Status: 413}, generate.FitReencoded, 0},
		{"as too large twice becomes a link", sim.Fault{Route: sim.RouteEditResponse, Status: 413, Times: 2}, generate.FitLink, 0},
		{"for its token comes by direct message", sim.Fault{Route: sim.RouteEditResponse, Status: 401}, generate.FitOriginal, 1},
		{"for the announcement's token comes by direct message", sim.Fault{Route: sim.RouteFollowup, Status: 401}, generate.FitOriginal, 1},
		{"for its webhook comes by direct message", sim.Fault{Route: sim.RouteFollowup, Status: 404}, generate.FitOriginal, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			j := s.running("/ltx prompt:a secret private:True")
			s.sim.Inject(tt.fault)
			receipt := s.mustDeliver(j.ID, 9<<20)
			here, direct := len(videos(s.general, j.ID)), len(videos(s.ada.DM(), j.ID))
			if receipt.Fit != tt.fit || direct != tt.direct || here+direct != 1 {
				t.Errorf("receipt %+v, %d in the channel, %d direct", receipt, here, direct)
			}
		})
	}
}

func TestPrivateVideoThatIsLimitedIsSentLater(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.running("/ltx prompt:a secret private:True")
	s.sim.Inject(sim.Fault{Route: sim.RouteFollowup, Limit: sim.SharedLimit, RetryAfter: 5 * time.Second})
	var again *generate.RetryError
	if _, err := s.deliver(j.ID, 1<<20); !errors.As(err, &again) {
		t.Fatalf("got %v", err)
	}
	s.restart() // which forgets the limit
	s.mustDeliver(j.ID, 1<<20)
	s.wantVideos(j.ID, 1)
}

func TestOneLimitedAcknowledgementHoldsNobodyElseUp(t *testing.T) {
	t.Parallel()
	for _, kind := range []sim.Limit{sim.UserLimit, sim.SharedLimit, sim.GlobalLimit, sim.CloudflareLimit} {
		s := newStage(t)
		s.sim.Inject(sim.Fault{Route: sim.RouteCallback, Limit: kind, RetryAfter: 30 * time.Second})
		s.types("/ltx prompt:one")
		s.logs("cannot acknowledge")
		s.ask("/ltx prompt:two")
	}
}

func TestAcknowledgementsIgnoreTheHeadersOfABucket(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	target, err := url.Parse(s.sim.BaseURL())
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(r *http.Response) error {
		r.Header.Set("X-RateLimit-Bucket", "everybody's")
		r.Header.Set("X-RateLimit-Remaining", "0")
		r.Header.Set("X-RateLimit-Reset-After", "30")
		return nil
	}
	api := httptest.NewServer(proxy)
	t.Cleanup(api.Close)
	s.check("stop", s.bot.Stop(s.ctx))
	s.cfg.APIURL = api.URL + "/api"
	s.bot = s.newBot()
	s.check("start", s.bot.Start(s.ctx))
	one, two := s.ask("/ltx prompt:one"), s.ask("/ltx prompt:two")
	// Each token has a bucket of its own, even when Discord names them alike.
	s.mustShow(one.ID, generate.Queued)
	s.mustShow(two.ID, generate.Queued)
}

func TestVideosByDirectMessageHaveOnlyTheButtonsThatWorkThere(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.running("/ltx prompt:a secret private:True")
	s.sim.Advance(15 * time.Minute)
	s.mustDeliver(j.ID, 1<<20)
	video := videos(s.ada.DM(), j.ID)[0]
	if len(video.Buttons) != 2 {
		t.Errorf("buttons are %+v", video.Buttons)
	}
	if m := s.response(s.click(s.ada, video, view.ActDetails, j.ID)); !strings.Contains(m.Text(), j.ID) {
		t.Errorf("details are %q", m.Text())
	}
}

func TestApplicationIDIsAskedOfDiscord(t *testing.T) {
	t.Parallel()
	s := newStage(t, func(c *discord.Config) { c.ApplicationID = "" })
	s.ask("/ltx prompt:a cowboy")
}

func TestWrongConfigIsRefused(t *testing.T) {
	t.Parallel()
	service := bot.New(bot.Config{})
	for want, cfg := range map[string]discord.Config{
		"token":      {Service: service},
		"service":    {Token: "t"},
		"public key": {Token: "t", Service: service, Mode: discord.HTTP, PublicKey: "zz"},
		"mode":       {Token: "t", Service: service, Mode: "carrier pigeon"},
	} {
		if _, err := discord.New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestIdentifiesOfADayAreNotUsedUp(t *testing.T) {
	t.Parallel()
	opts := unlimited
	opts.SessionStarts = 5
	s := newStageWith(t, opts)
	s.sim.InvalidateSessions(false)
	s.logs("too many connections")
	if got := s.sim.Identifies(); got != 1 {
		t.Errorf("%d identifies, want 1", got)
	}
}

func TestStartAndStopAreBounded(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	if err := s.bot.Start(s.ctx); err == nil {
		t.Error("a second start succeeds")
	}
	s.engine.Wait = make(chan struct{}) // never closed: Accept hangs
	s.acked(s.types("/ltx prompt:a cowboy"))
	ctx, cancel := context.WithTimeout(s.ctx, 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := s.bot.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestErrorsNameFieldsAndNotWhatIsInThem(t *testing.T) {
	t.Parallel()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"code":50035,"message":"Invalid Form Body","errors":{"components":{"0":{"content":{"_errors":[
			{"code":"BASE_TYPE_BAD_LENGTH","message":"'a secret prompt' is too long"}]}}}}}`))
	}))
	t.Cleanup(api.Close)
	s := newStage(t)
	j := s.ask("/ltx prompt:a secret prompt")
	s.cfg.APIURL = api.URL
	s.bot = s.newBot()
	err := s.show(j.ID, generate.Running)
	var refused *discord.APIError
	if !errors.As(err, &refused) || refused.Status != 400 || refused.Code != 50035 {
		t.Fatalf("got %v", err)
	}
	if text := err.Error(); strings.Contains(text, "secret") || !strings.Contains(text, "components.0.content BASE_TYPE_BAD_LENGTH") {
		t.Errorf("error is %q", text)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var stolen bool
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen = true }))
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, thief.URL, http.StatusTemporaryRedirect)
	}))
	t.Cleanup(thief.Close)
	t.Cleanup(api.Close)
	s := prepareStage(t, unlimited, func(c *discord.Config) { c.APIURL = api.URL })
	if _, err := s.bot.Sync(s.ctx); err == nil || stolen {
		t.Errorf("got %v, followed: %t", err, stolen)
	}
}

func TestRefusedAcknowledgementMakesNoJob(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.sim.Inject(sim.Fault{Route: sim.RouteCallback, Status: 404, Times: -1})
	i := s.types("/ltx prompt:a cowboy")
	s.logs("cannot acknowledge")
	if _, acked := i.Acked(); acked || len(s.engine.Accepted) != 0 {
		t.Error("a job was accepted for somebody who does not know")
	}
}

func TestPanicAfterTheAcknowledgementIsTold(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.engine.Lock()
	s.engine.PanicsLate = true
	s.engine.Unlock()
	i := s.types("/ltx prompt:a cowboy")
	if m := s.response(i); !strings.Contains(m.Text(), "went wrong") || i.CallbackType() != 5 {
		t.Errorf("answer is %q", m.Text())
	}
}
