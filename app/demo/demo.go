// Package demo runs the real bot against simulators of fal, Discord and Slack
// on loopback, so that a person can try it without a key or an account, and a
// command can be followed from the keyboard to the video.
package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"ltxbot/app"
	"ltxbot/bot"
	"ltxbot/bot/command"
	"ltxbot/bot/slack"
	"ltxbot/config"
	"ltxbot/core/generate"
	simdiscord "ltxbot/sim/discord"
	simfal "ltxbot/sim/fal"
	simslack "ltxbot/sim/slack"
)

// Options are what a demo can be told.
type Options struct {
	// Dir is where the store and the saved videos go; empty is a temporary
	// folder that is removed at the end, videos excepted.
	Dir string
	// Live makes real videos: the key is read from FAL_KEY, and each video
	// costs money.
	Live    bool
	Version string
	Logger  *slog.Logger
	// Speed divides the time that a simulated video takes, and that between two
	// edits of a card; 0 = 1.
	Speed float64
	// Page makes a world for the page: both platforms are one team, its limits
	// are soon reached, and the bot's console can be signed in to.
	Page bool
}

// Demo is a running bot with its world.
type Demo struct {
	opts    Options
	dir     string
	own     bool // dir is ours to remove
	fal     *simfal.Server
	bot     *machine
	stages  map[string]stage // of ada
	people  []*person
	discord spot[*simdiscord.Server, *simdiscord.Channel]
	slack   spot[*simslack.Server, *simslack.Channel]
	closers []func() // of the simulated platforms
}

// spot is a channel of a simulated platform.
type spot[Server, Channel any] struct {
	server  Server
	channel Channel
	team    string // id of the guild or the workspace
}

// simulated are the platforms of a demo.
var simulated = []func(*Demo, *config.Config) error{(*Demo).addDiscord, (*Demo).addSlack}

// theBot is how people mention the bot.
const theBot = "@ltx"

// mentions writes "@ben" as a client sends it, which is id(ben).
func (d *Demo) mentions(id func(*person) string, bot string) func(line string) string {
	return func(line string) string {
		words := append(make([]string, 0, 2+2*len(d.people)), theBot, "<@"+bot+">")
		for _, p := range d.people {
			words = append(words, "@"+p.name, "<@"+id(p)+">")
		}
		return strings.NewReplacer(words...).Replace(line)
	}
}

// stage is a simulated platform with somebody in a channel.
type stage interface {
	// say types a line that the bot reads, with files: a command, or where the bot
	// reads them, a message that mentions it. It returns when the platform took it.
	say(ctx context.Context, line string, files []File) (*act, error)
	// press presses a button of the form that is open, else the newest one
	// with that label, or returns errNoButton. found is called just before.
	press(ctx context.Context, label string, found func()) (*act, error)
	// fill writes into a field of the form that is open: "Prompt: a fox". Into
	// a field for files go the paths of files: "Picture: cat.png".
	fill(line string) error
	// watch tells everything that appears, until ctx is done.
	watch(ctx context.Context, tell func(Event))
}

// act is something a person did, and how to know what came of it.
type act struct {
	job      string      // id of the job that it makes, if it makes one
	answered func() bool // the bot has said something that is not a wait
	failed   func() bool // the platform gave up on the bot
}

// Start begins a demo. The caller closes it.
func Start(ctx context.Context, o Options) (_ *Demo, err error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	d := &Demo{opts: o, dir: o.Dir, stages: map[string]stage{}, people: everybody()}
	if d.dir == "" {
		if d.dir, err = os.MkdirTemp("", "ltx-demo-"); err != nil {
			return nil, err
		}
		d.own = true
	}
	defer func() {
		if err != nil {
			d.Close()
		}
	}()
	cfg := config.Default()
	cfg.HTTP.Listen = "127.0.0.1:0"
	cfg.Store.URL = config.NewSecret("bolt:" + filepath.Join(d.dir, "ltx.db"))
	if err := d.addFal(&cfg); err != nil {
		return nil, err
	}
	for _, add := range simulated {
		if err := add(d, &cfg); err != nil {
			return nil, err
		}
	}
	if d.opts.Page {
		d.limit(&cfg)
		d.addConsole(&cfg)
	}
	if err := cfg.Resolve(os.LookupEnv); err != nil {
		return nil, err
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	d.bot = newMachine(cfg, app.Options{
		Version: o.Version, Logger: o.Logger, CardPace: time.Duration(float64(generate.CardPace) / cmp.Or(o.Speed, 1)),
	})
	if err := d.bot.start(ctx); err != nil {
		return nil, err
	}
	if d.opts.Page {
		d.openConsole()
	}
	return d, nil
}

func (d *Demo) addFal(cfg *config.Config) error {
	if d.opts.Live {
		return nil
	}
	sim, err := simfal.Start(simfal.Options{Speed: d.opts.Speed, Logger: d.opts.Logger})
	if err != nil {
		return fmt.Errorf("start simulator of fal: %w", err)
	}
	d.fal = sim
	cfg.Fal.Key = config.NewSecret(sim.Key())
	cfg.Fal.QueueURL, cfg.Fal.RestURL, cfg.Fal.APIURL = sim.QueueURL(), sim.RESTURL(), sim.APIURL()
	cfg.Fal.MediaHosts = []string{sim.MediaHost()}
	return nil
}

func (d *Demo) addDiscord(cfg *config.Config) error {
	// Who pulls the plug and starts the bot again does not wait as long as Discord wants.
	sim, err := simdiscord.Start(simdiscord.Options{BotName: "ltx", IdentifyEvery: -1})
	if err != nil {
		return fmt.Errorf("start simulator of Discord: %w", err)
	}
	d.closers = append(d.closers, func() { _ = sim.Close() })
	guild := sim.NewGuild("Acme")
	channel := guild.NewChannel("videos")
	admins := guild.NewRole("admin", simdiscord.ManageGuild)
	for _, p := range d.people {
		user := sim.NewUser(p.name)
		var roles []*simdiscord.Role
		if p.admin {
			roles = append(roles, admins)
		}
		guild.Join(user, roles...)
		p.discord = &discordStage{server: sim, channel: channel, user: user, mentions: d.mentions(func(p *person) string { return p.discord.user.ID }, sim.Bot().ID)}
		if p.name == atTheTerminal {
			d.stages["discord"] = p.discord
		}
	}
	d.discord = spot[*simdiscord.Server, *simdiscord.Channel]{sim, channel, guild.ID}
	cfg.Discord.Token = config.NewSecret(sim.Token())
	cfg.Discord.ApplicationID = sim.ApplicationID()
	cfg.Discord.PublicKey = sim.PublicKey()
	cfg.Discord.APIURL = sim.APIURL()
	return nil
}

func (d *Demo) addSlack(cfg *config.Config) error {
	sim, err := simslack.Start(simslack.Options{App: simslack.App{
		Shortcuts: []simslack.Shortcut{{CallbackID: slack.ShortcutMessage, Message: true}, {CallbackID: slack.ShortcutGlobal}},
	}})
	if err != nil {
		return fmt.Errorf("start simulator of Slack: %w", err)
	}
	d.closers = append(d.closers, sim.Close)
	acme := sim.AddWorkspace(simslack.WorkspaceSpec{Domain: "acme"})
	channel := acme.AddChannel(simslack.ChannelSpec{Name: "videos", Members: []*simslack.User{acme.Bot()}})
	for _, p := range d.people {
		user := acme.AddUser(simslack.UserSpec{Name: p.name, Admin: p.admin})
		channel.Add(user)
		p.slack = &slackStage{
			server: sim, channel: channel, user: user, dir: d.dir, mentions: d.mentions(func(p *person) string { return p.slack.user.ID() }, acme.Bot().ID()),
		}
		if p.name == atTheTerminal {
			d.stages["slack"] = p.slack
		}
	}
	d.slack = spot[*simslack.Server, *simslack.Channel]{sim, channel, acme.ID()}
	cfg.Slack.BotToken = config.NewSecret(acme.BotToken())
	cfg.Slack.AppToken = config.NewSecret(sim.AppToken())
	cfg.Slack.SigningSecret = config.NewSecret(sim.SigningSecret())
	cfg.Slack.APIURL = sim.APIURL()
	return nil
}

// Close stops the bot and its world.
func (d *Demo) Close() {
	if d.bot != nil {
		d.bot.close()
	}
	for _, closeIt := range d.closers {
		closeIt()
	}
	if d.fal != nil {
		d.fal.Close()
	}
	if d.own {
		_ = os.RemoveAll(d.dir)
	}
}

// Result is what came of one command.
type Result struct {
	Outcome    string           `json:"outcome"` // "delivered", "answered", "refused", or the state in which the job ended
	Job        string           `json:"job,omitempty"`
	Videos     []string         `json:"videos,omitempty"` // where they were saved
	Transcript []Event          `json:"transcript"`
	Submits    []map[string]any `json:"submits"` // what fal was asked for; empty with a live fal
}

// OK reports whether the command did what it was for.
func (r Result) OK() bool { return r.Outcome == "delivered" || r.Outcome == "answered" }

// errNoButton says that there is nothing to press by a name.
var errNoButton = errors.New("there is no such button")

// errCovered says that a form lies over the channel.
var errCovered = errors.New("a form is open: fill it in and send it, or close it")

// errNoForm says that there is nothing to fill in.
var errNoForm = errors.New("no form is open")

// errNoStage says that a platform is not simulated.
var errNoStage = errors.New("no such platform; there are " + strings.Join(config.PlatformNames(), " and "))

// Do types one command on a platform, with files, and follows it to its end.
// tell, if not nil, is called with each event as it happens.
func (d *Demo) Do(ctx context.Context, platform, line string, files []File, tell func(Event)) (Result, error) {
	s, ok := d.stages[platform]
	if !ok {
		return Result{}, fmt.Errorf("%s: %w", platform, errNoStage)
	}
	rec := newRecorder(tell)
	makesVideo := isGenerate(line) && (platform != "discord" || len(files) > 0 || !isAnswered(line))
	watching, stop := context.WithCancel(ctx)
	defer stop()
	s.watch(watching, func(e Event) {
		if watching.Err() == nil { // what comes later belongs to the next command
			rec.add(e)
		}
	})
	rec.add(typed(platform, line, files))
	a, err := s.say(ctx, line, files)
	if err != nil {
		return Result{Outcome: "refused", Transcript: rec.events()}, err
	}
	outcome, err := d.follow(ctx, a)
	if err != nil {
		return Result{Transcript: rec.events()}, err
	}
	rec.settle(watching)
	if outcome == "answered" && makesVideo && !rec.opened() {
		outcome = "refused"
	}
	r := Result{Outcome: outcome, Submits: d.submits()}
	if j, err := d.bot.job(ctx, a.job); err == nil {
		r.Job = j.ID
	}
	r.Transcript = rec.events()
	videos := rec.videos()
	for i, v := range videos {
		name := "ltx-" + r.Job
		if len(videos) > 1 {
			name += "-" + strconv.Itoa(i+1)
		}
		saved, err := save(v.path, name+v.ext)
		if err != nil {
			return r, err
		}
		r.Videos = append(r.Videos, saved)
	}
	return r, nil
}

// followPause is how often the end of a command is looked for.
const followPause = 20 * time.Millisecond

// follow waits until a command has come to its end, and says which.
func (d *Demo) follow(ctx context.Context, a *act) (string, error) {
	tick := time.NewTicker(followPause)
	defer tick.Stop()
	for {
		j, err := d.bot.job(ctx, a.job)
		switch {
		case err == nil && !j.Unfinished():
			return string(j.State), nil
		case err == nil:
		case errors.Is(err, generate.ErrNoJob) && a.failed():
			return "failed", errors.New("the bot did not answer in time")
		case errors.Is(err, generate.ErrNoJob) && a.answered():
			return "answered", nil
		case !errors.Is(err, generate.ErrNoJob):
			return "", err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// submits is what the simulated fal was asked for.
func (d *Demo) submits() []map[string]any {
	out := []map[string]any{}
	if d.fal == nil {
		return out
	}
	for _, s := range d.fal.Submits() {
		out = append(out, s.Input())
	}
	return out
}

// save copies a video to the working folder.
func save(from, name string) (string, error) {
	in, err := os.Open(from) //nolint:gosec // the simulator's own file
	if err != nil {
		return "", fmt.Errorf("save the video: %w", err)
	}
	defer func() { _ = in.Close() }()
	path, err := filepath.Abs(name)
	if err != nil {
		return "", fmt.Errorf("save the video: %w", err)
	}
	out, err := os.Create(path) //nolint:gosec // named after the job
	if err != nil {
		return "", fmt.Errorf("save the video: %w", err)
	}
	if _, err := io.Copy(out, in); err != nil {
		return "", errors.Join(fmt.Errorf("save the video: %w", err), out.Close())
	}
	return path, out.Close()
}

// isGenerate reports whether a line asks for a video, and not for an answer.
func isGenerate(line string) bool {
	name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	if name != "/ltx" && name != theBot {
		return false
	}
	parsed, err := command.Parse(rest)
	return err != nil || parsed.Verb == ""
}

// isAnswered reports whether what stands in the prompt option of a line is about a
// verb, such as "help".
func isAnswered(line string) bool {
	parsed, err := command.Parse(line)
	_, ok := bot.PromptVerb(parsed.Settings)
	return err == nil && ok
}
