package faults_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"ltxbot/internal/parallel"
)

// program is the bot as it is shipped, built once.
var program struct {
	once sync.Once
	dir  string
	err  error
}

func TestMain(m *testing.M) {
	parallel.AtLeast(8)
	code := m.Run()
	if program.dir != "" {
		_ = os.RemoveAll(program.dir)
	}
	os.Exit(code)
}

// build builds the program, and returns its path.
func build(t testing.TB) string {
	t.Helper()
	program.once.Do(func() {
		program.dir, program.err = os.MkdirTemp("", "ltx-ordeal-") //nolint:usetesting // it outlives the test that builds it first
		if program.err != nil {
			return
		}
		out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", filepath.Join(program.dir, "bot"), "ltxbot/cmd/bot").CombinedOutput()
		if err != nil {
			program.err = fmt.Errorf("build the bot: %w: %s", err, out)
		}
	})
	if program.err != nil {
		t.Fatal(program.err)
	}
	return filepath.Join(program.dir, "bot")
}

// A process is one run of the program.
type process struct {
	w    *world
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// spawn starts the program and waits until it takes commands, or until it has
// ended.
func (w *world) spawn() *process {
	w.t.Helper()
	p := w.launch()
	connected := make(chan error, 1)
	go func() { connected <- w.on.connected(w.ctx) }()
	select {
	case err := <-connected:
		if err != nil {
			w.t.Fatalf("the bot did not connect: %v\nlog:\n%s", err, w.logged())
		}
	case <-p.done:
	}
	return p
}

// launch starts the program.
func (w *world) launch() *process {
	w.t.Helper()
	p := &process{w: w, cmd: exec.Command(build(w.t), "run", "--config", w.configPath()), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = w, w
	if err := p.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // the code is in ProcessState
		close(p.done)
	}()
	w.t.Cleanup(p.kill)
	return p
}

// kill ends the process as the kernel does when memory is short: at once.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.done
}

// strike is kill without waiting, for a goroutine that holds up a request.
func (p *process) strike() { _ = p.cmd.Process.Kill() }

// stopWithin is how long the program may take to stop: nine seconds by its own
// limit, and what a busy machine adds.
const stopWithin = 25 * time.Second

// terminate asks the process to stop and says how long that took and with
// which code it ended. That it took longer than it may is an error.
func (p *process) terminate() (took time.Duration, code int, err error) {
	began := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, 0, err
	}
	limit := time.NewTimer(stopWithin)
	defer limit.Stop()
	select {
	case <-p.done:
		return time.Since(began), p.cmd.ProcessState.ExitCode(), nil
	case <-limit.C:
		p.kill()
		return time.Since(began), -1, errors.New("the process did not stop")
	}
}
