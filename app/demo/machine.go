package demo

import (
	"context"
	"sync"
	"time"

	"ltxbot/app"
	"ltxbot/config"
	"ltxbot/core/generate"
)

// machine is where the bot runs: it can be killed, and started again with the
// same store.
type machine struct {
	cfg  config.Config
	opts app.Options

	busy sync.Mutex // one start or stop at a time

	mu      sync.Mutex
	running *app.App // nil while it is down
	state   machineState
	tell    func() // that the state is another one
}

// machineState is what a machine does.
type machineState int

const (
	down machineState = iota
	starting
	up
)

func newMachine(cfg config.Config, o app.Options) *machine {
	return &machine{cfg: cfg, opts: o, tell: func() {}}
}

// start returns when the bot serves. Where it runs already it does nothing.
func (m *machine) start(ctx context.Context) error {
	m.busy.Lock()
	defer m.busy.Unlock()
	if m.app() != nil {
		return nil
	}
	m.set(nil, starting)
	bot, err := app.New(ctx, m.cfg, m.opts)
	if err == nil {
		err = bot.Start(ctx)
	}
	if err != nil {
		m.set(nil, down)
		return err
	}
	m.set(bot, up)
	return nil
}

// kill stops the bot and lets nothing that is under way come to its end.
func (m *machine) kill() {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	m.stop(now)
}

// closeLimit is how long the bot of a demo may take to stop.
const closeLimit = 5 * time.Second

// close stops the bot.
func (m *machine) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
	defer cancel()
	m.stop(ctx)
}

func (m *machine) stop(ctx context.Context) {
	m.busy.Lock()
	defer m.busy.Unlock()
	bot := m.app()
	if bot == nil {
		return
	}
	m.set(nil, down)
	if err := bot.Stop(ctx); err != nil {
		m.opts.Logger.WarnContext(ctx, "the bot of the demo did not stop well", "error", err)
	}
}

func (m *machine) set(bot *app.App, s machineState) {
	m.mu.Lock()
	m.running, m.state = bot, s
	tell := m.tell
	m.mu.Unlock()
	tell()
}

// app is the bot that runs, or nil.
func (m *machine) app() *app.App {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.running
}

// doing is what the machine does.
func (m *machine) doing() machineState {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state
}

// watch calls tell when the machine does something else.
func (m *machine) watch(tell func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tell = tell
}

// job reads a job, or returns generate.ErrNoJob, or generate.ErrClosed while
// the bot is down.
func (m *machine) job(ctx context.Context, id string) (generate.Job, error) {
	bot := m.app()
	if bot == nil {
		return generate.Job{}, generate.ErrClosed
	}
	return bot.Job(ctx, id)
}
