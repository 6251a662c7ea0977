package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/core/usd"
	simfal "ltxbot/sim/fal"
	simslack "ltxbot/sim/slack"
	page "ltxbot/web/demo"
)

// printer writes the words of the chat.
var printer = text.BuiltInCatalog().Printer(text.DefaultLanguage, "/ltx")

// shownJobs is how many jobs each side lists.
const shownJobs = 6

// backstage fills in what stands behind the channels.
func (w *world) backstage(ctx context.Context, p *person, s *page.Scene) {
	var jobs []generate.Job
	if bot := w.d.bot.app(); bot != nil {
		jobs, _ = bot.Jobs(ctx, generate.Query{Team: pageTeam}) // what can't be read is not shown
	}
	s.Ledger = w.ledger(ctx, p, jobs)
	s.Guide = guide(jobs, w.granted(ctx), w.d.discord.server.SignIns() > 0)
	s.Plugs = w.plugs()
	w.mu.Lock()
	s.Pulled = w.pulled
	w.mu.Unlock()
	s.Fal = page.Fal{Live: w.d.fal == nil}
	if w.d.fal != nil {
		s.Fal = atFal(w.d.fal)
	}
}

// member is a person's name in the ledger, on a platform.
func (w *world) member(p *person, on string) string {
	if on == discordName {
		return discordName + ":" + p.discord.user.ID
	}
	return slackName + ":" + w.d.slack.team + ":" + p.slack.user.ID()
}

// nameOf is how the page calls a member.
func (w *world) nameOf(member string) string {
	for _, p := range w.d.people {
		for _, on := range []string{discordName, slackName} {
			if w.member(p, on) == member {
				return p.name + " on " + strings.ToUpper(on[:1]) + on[1:]
			}
		}
	}
	return member
}

// granted reports whether an admin has granted somebody something.
func (w *world) granted(ctx context.Context) bool {
	bot := w.d.bot.app()
	if bot == nil {
		return false
	}
	for _, p := range w.d.people {
		for _, on := range []string{discordName, slackName} {
			s, err := bot.AdminState(ctx, pageTeam, w.member(p, on))
			if err == nil && len(s.Member.Grants)+len(s.Team.Grants) > 0 {
				return true
			}
		}
	}
	return false
}

// ledger is what the bot's ledger says about a person.
func (w *world) ledger(ctx context.Context, p *person, jobs []generate.Job) (l page.Ledger) {
	bot := w.d.bot.app()
	if bot == nil {
		return page.Ledger{Down: true}
	}
	var ofTeam []page.Gauge
	for _, on := range []string{discordName, slackName} {
		r, err := bot.Usage(ctx, pageTeam, w.member(p, on))
		if err != nil {
			continue
		}
		for _, g := range r.Gauges {
			switch {
			case g.Max == 0:
			case g.Scope.Kind == quota.Member && g.Unit == quota.Videos:
				l.Gauges = append(l.Gauges, page.Gauge{
					Label: w.nameOf(w.member(p, on)) + ", today", Text: fmt.Sprintf("%d of %d videos", g.Used, g.Max),
					Used: float64(g.Used), Most: float64(g.Max),
				})
			case g.Scope.Kind == quota.Team && g.Unit == quota.Dollars:
				ofTeam = []page.Gauge{{
					Label: "The team, this month", Text: usd.Micros(g.Used).String() + " of " + usd.Micros(g.Max).String(),
					Used: float64(g.Used), Most: float64(g.Max),
				}}
			}
		}
		for _, g := range r.Grants {
			l.Gauges = append(l.Gauges, page.Gauge{
				Label: "Extra for " + w.nameOf(w.member(p, on)), Text: fmt.Sprintf("%d of %d videos", g.UsedVideos, g.Videos),
				Used: float64(g.UsedVideos), Most: float64(max(1, g.Videos)),
			})
		}
	}
	l.Gauges = append(l.Gauges, ofTeam...)
	for _, j := range jobs[:min(len(jobs), shownJobs)] {
		shown := page.Job{ID: j.ID, Member: w.nameOf(j.Member), State: view.JobState(printer, j)}
		if h, err := bot.Hold(ctx, j.ID); err == nil {
			shown.Hold, shown.Held, shown.Paid = string(h.State), h.Estimate.String(), ""
			if h.State == quota.Settled {
				shown.Paid = h.Charged.String()
			}
		}
		l.Jobs = append(l.Jobs, shown)
	}
	return l
}

// guide is the first minute.
func guide(jobs []generate.Job, granted, signedIn bool) []page.Step {
	delivered, again := false, false
	for _, j := range jobs {
		delivered = delivered || j.State == generate.Delivered
		again = again || j.Parent != ""
	}
	return []page.Step{
		{Text: "Press “A cowboy” below a channel, or type / and see what is offered. A card moves, then the video comes.", Done: delivered},
		{Text: "Press Again or Edit under the video. It says what it costs before it is made.", Done: again},
		{
			Text: fmt.Sprintf("Go on until the limit of %d a day says no. Then become ada, the admin, above, and type /ltx-admin grant who:@ben videos:5", pageVideos),
			Done: granted,
		},
		{Text: "Open the console, at the top: what the team has made and spent, and the admin's orders as forms. As ben you see your own videos there.", Done: signedIn},
	}
}

// A plug is something that can go wrong.
type plug struct {
	key, label, help string
	pull             func(w *world)
}

// falPlugs are what the simulated fal can be made to do.
var falPlugs = []plug{
	{"slow", "fal is slow", "The next video takes ten times as long.", func(w *world) { w.d.fal.Next(simfal.Slow) }},
	{"crash", "fal crashes", "The next request fails at fal. Nothing is charged, and the card offers to try again.", func(w *world) { w.d.fal.Next(simfal.ServerError) }},
	{"refuse", "fal refuses", "The content checker refuses the next prompt.", func(w *world) { w.d.fal.Next(simfal.Refused) }},
	{
		"lose", "fal’s reply is lost", "fal takes the next request, but its reply is lost. The bot looks for the request, and does not pay twice.",
		func(w *world) { w.d.fal.Inject(simfal.Fault{Op: simfal.OpSubmit, Lose: true}) },
	},
	{"empty", "fal’s account is empty", "fal refuses every request until it is well again.", func(w *world) { w.d.fal.Lock("Exhausted balance") }},
	{"heal", "fal is well again", "fal works again, and loses nothing more.", func(w *world) { w.d.fal.Heal(); w.d.fal.Lock("") }},
}

const (
	pullBot  = "kill"
	startBot = "start"
	shutOut  = "shut-out"
	letIn    = "let-in"
)

// plugs are what the page offers to pull.
func (w *world) plugs() []page.Plug {
	bot := page.Plug{
		Key: pullBot, Label: "Pull the bot’s plug", Danger: true,
		Help: "It stops at once, in the middle of whatever it does. Do it while a card moves.",
	}
	switch w.d.bot.doing() {
	case up:
	case starting:
		bot = page.Plug{Key: startBot, Label: "The bot starts…", Help: "It reads its file and goes on where that says.", Off: true}
	case down:
		bot = page.Plug{Key: startBot, Label: "Start the bot again", Help: "It is down. What was under way stands in its file: it goes on from there."}
	}
	out := []page.Plug{bot}
	if w.d.fal != nil {
		for _, p := range falPlugs {
			out = append(out, page.Plug{Key: p.key, Label: p.label, Help: p.help})
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.letIn != nil {
		return append(out, page.Plug{Key: letIn, Label: "Slack lets the bot in", Help: "The bot may post there again. What was paid for is delivered from the console: Deliver again, on the page of the job."})
	}
	return append(out, page.Plug{Key: shutOut, Label: "Slack shuts the bot out", Help: shutHelp})
}

// shutHelp says what becomes of jobs meanwhile.
const shutHelp = "Do it while a card moves there. The video is made and paid for, and cannot be posted; a new command ends without cost."

// shut makes Slack refuse what the bot posts, or take it again.
func (w *world) shut(out bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, end := range w.letIn {
		end()
	}
	w.letIn = nil
	if !out {
		return
	}
	for method, code := range map[string]string{"chat.postMessage": "restricted_action", "files.getUploadURLExternal": "file_uploads_disabled"} {
		w.letIn = append(w.letIn, w.d.slack.server.Inject(simslack.Fault{Method: method, Kind: simslack.APIError, Error: code, Times: -1}))
	}
}

// pull makes something go wrong, or right again.
func (w *world) pull(key string) error {
	switch key {
	case pullBot:
		w.d.bot.kill()
		w.pulledNow("The bot is down: it stopped in the middle of whatever it did. Its file says what that was.")
		return nil
	case startBot:
		w.pulledNow("The bot reads its file and goes on where that says.")
		w.busy.Go(func() {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			if err := w.d.bot.start(ctx); err != nil {
				w.d.opts.Logger.ErrorContext(ctx, "the bot of the demo does not start", "error", err)
			}
		})
		return nil
	}
	switch key {
	case shutOut:
		w.shut(true)
		w.pulledNow(shutHelp)
		return nil
	case letIn:
		w.shut(false)
		w.pulledNow("The bot may post on Slack again.")
		return nil
	}
	n := slices.IndexFunc(falPlugs, func(p plug) bool { return p.key == key })
	if n < 0 || w.d.fal == nil {
		return errors.New("there is nothing to pull by this name")
	}
	falPlugs[n].pull(w)
	w.pulledNow(falPlugs[n].help)
	return nil
}

// pulledNow says what was pulled last.
func (w *world) pulledNow(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pulled = text
}

// falStates are the states of the queue, for people.
var falStates = map[string]string{"IN_QUEUE": "in the queue", "IN_PROGRESS": "running", "COMPLETED": "done"}

// atFal is what the simulated fal sees.
func atFal(sim *simfal.Server) page.Fal {
	var out page.Fal
	total := 0.0
	for _, v := range slices.Backward(sim.Views()) {
		total += v.USD
		if len(out.Jobs) == shownJobs {
			continue
		}
		j := page.FalJob{ID: v.RequestID[len(v.RequestID)-8:], Endpoint: v.Endpoint, Prompt: v.Prompt, State: falStates[v.State]}
		switch {
		case v.Failed:
			j.State = strings.ReplaceAll(string(v.Outcome), "_", " ")
		case v.Unit != "" && v.Billed > 0:
			j.Billed = fmt.Sprintf("$%.2f", v.USD)
		}
		out.Jobs = append(out.Jobs, j)
	}
	out.Billed = fmt.Sprintf("$%.2f", total)
	counts := sim.Counts()
	for _, op := range []simfal.Op{
		simfal.OpSubmit, simfal.OpStatus, simfal.OpStream, simfal.OpResult, simfal.OpCancel, simfal.OpHistory, simfal.OpUpload, simfal.OpMedia,
	} {
		if n := counts[op]; n > 0 {
			out.Calls = append(out.Calls, page.Count{Name: string(op), N: n})
		}
	}
	return out
}
