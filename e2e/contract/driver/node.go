package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// A client is a script in Node that talks to a simulator. It ends well when its
// standard input ends and it has seen all that it was to see.
type client struct {
	input  io.Closer
	exited chan struct{}
	err    error // valid once exited is closed
}

// start runs a script of the project. The context that it returns ends with
// the script, so that nothing waits for a client that is gone.
func (b *bench) start(ctx context.Context, script string, env ...string) (context.Context, *client, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	cmd := exec.CommandContext(ctx, "node", script) //nolint:gosec // one of our scripts
	cmd.Dir = b.dir
	cmd.Env = append(withoutSecrets(os.Environ()), env...)
	cmd.WaitDelay = time.Second
	reader, writer := io.Pipe()
	cmd.Stdout, cmd.Stderr = writer, writer
	input, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		err = fmt.Errorf("run %s: %w", script, err)
		cancel(err)
		return nil, nil, err
	}
	c := &client{input: input, exited: make(chan struct{})}
	told := make(chan struct{})
	go func() {
		defer close(told)
		for lines := bufio.NewScanner(reader); lines.Scan(); {
			fmt.Fprintf(b.out, "   %s\n", lines.Text())
		}
		_, _ = io.Copy(io.Discard, reader)
	}()
	go func() {
		defer close(c.exited)
		err := cmd.Wait()
		_ = writer.Close()
		<-told
		if err != nil {
			c.err = fmt.Errorf("%s: %w", script, err)
			cancel(c.err)
			return
		}
		cancel(fmt.Errorf("%s has ended", script))
	}()
	return ctx, c, nil
}

// scriptTimeout is how long a script may take to end after its input has.
const scriptTimeout = time.Minute

// finish tells the script that all has been done, and returns what it makes of
// it.
func (c *client) finish() error {
	_ = c.input.Close()
	timer := time.NewTimer(scriptTimeout)
	defer timer.Stop()
	select {
	case <-c.exited:
		return c.err
	case <-timer.C:
		return fmt.Errorf("the script did not end within %s", scriptTimeout)
	}
}

// wait waits for a script that ends by itself.
func (c *client) wait(ctx context.Context) error {
	select {
	case <-c.exited:
		return c.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// validate validates a record, by the name of what is to be validated in it.
func (b *bench) validate(ctx context.Context, kind, record string) error {
	cmd := exec.CommandContext(ctx, "node", "validate/run.mjs", kind, record) //nolint:gosec // our script, on our file
	cmd.Dir = b.dir
	cmd.Env = withoutSecrets(os.Environ())
	cmd.Stdout, cmd.Stderr = b.out, b.out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s is not valid: %w", kind, err)
	}
	return nil
}

// secrets begin the names of variables that no script needs. With proxies a
// client would leave loopback.
var secrets = []string{"FAL_", "DISCORD_", "SLACK_", "HTTP_PROXY=", "HTTPS_PROXY=", "ALL_PROXY=", "http_proxy=", "https_proxy=", "all_proxy="}

func withoutSecrets(env []string) []string {
	var kept []string
	for _, v := range env {
		secret := false
		for _, prefix := range secrets {
			secret = secret || strings.HasPrefix(v, prefix)
		}
		if !secret {
			kept = append(kept, v)
		}
	}
	return kept
}
