package cluster_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ltxbot/app"
	"ltxbot/app/health"
	"ltxbot/config"
	"ltxbot/internal/parallel"
	"ltxbot/internal/testfile"
)

// configVariable names the config with which this program is a bot and not a
// test.
const configVariable = "LTXBOT_CROWD_CONFIG"

func TestMain(m *testing.M) {
	path := os.Getenv(configVariable)
	if path == "" {
		parallel.AtLeast(3) // they wait most of the time
		os.Exit(m.Run())
	}
	if err := serve(path); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve is a bot, until a signal ends it.
func serve(path string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	cfg, err := config.Load(path, func(string) (string, bool) { return "", false })
	if err == nil {
		err = cfg.Validate()
	}
	if err != nil {
		return err
	}
	a, err := app.New(ctx, cfg, app.Options{Version: "crowd", Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		return err
	}
	if err := a.Start(ctx); err != nil {
		return err
	}
	var fatal error
	select {
	case <-ctx.Done():
	case fatal = <-a.Fatal():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 9*time.Second)
	defer cancel()
	return errors.Join(fatal, a.Stop(end))
}

// process is one bot of the crowd.
type process struct {
	t    *testing.T
	name string
	path string // of its config
	port int
	log  *os.File
	cmd  *exec.Cmd
}

// newProcess prepares a bot with a config of its own.
func newProcess(t *testing.T, name, text string, port int) *process {
	t.Helper()
	dir := t.TempDir()
	p := &process{t: t, name: name, path: filepath.Join(dir, "ltx.toml"), port: port}
	testfile.Write(t, p.path, text)
	var err error
	if p.log, err = os.Create(filepath.Join(dir, "log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("log of %s:\n%s", p.name, p.tail())
		}
		_ = p.log.Close()
	})
	return p
}

// start starts the bot, again after a kill.
func (p *process) start() {
	p.t.Helper()
	p.cmd = exec.CommandContext(context.WithoutCancel(p.t.Context()), os.Args[0])
	p.cmd.Env = append(os.Environ(), configVariable+"="+p.path)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
}

// ready waits until the bot says that it serves.
func (p *process) ready(ctx context.Context) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/readyz", p.port), http.NoBody)
		if err != nil {
			return err
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w, %w", p.name, ctx.Err(), err)
		}
	}
}

// part is the state of a part of the bot, as it says: "ok", "standby".
func (p *process) part(ctx context.Context, name string) string {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/readyz", p.port), http.NoBody)
	if err != nil {
		return err.Error()
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	var r health.Report
	if err := json.NewDecoder(resp.Body).Decode(&r); err != nil {
		return err.Error()
	}
	for _, part := range r.Parts {
		if part.Name == name {
			return string(part.State)
		}
	}
	return "none"
}

// signal sends one to the bot.
func (p *process) signal(s os.Signal) {
	if p.cmd != nil {
		_ = p.cmd.Process.Signal(s)
	}
}

// end waits for a bot that was asked to stop, or kills one that was not.
func (p *process) end() {
	if p.cmd != nil {
		_ = p.cmd.Wait()
		p.cmd = nil
	}
}

// kill ends the bot as the kernel would.
func (p *process) kill() {
	if p.cmd == nil {
		return
	}
	p.signal(syscall.SIGKILL)
	_ = p.cmd.Wait()
	p.cmd = nil
}

// tail is the end of what the bot has logged.
func (p *process) tail() string {
	text, err := os.ReadFile(p.log.Name())
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}
