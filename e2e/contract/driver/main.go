// Command driver checks with real clients that the simulators speak as the
// platforms do, and with the platforms' published schemas that the bot does. It
// runs on loopback alone.
//
//	npm ci --prefix e2e/contract && go run ./e2e/contract/driver [check ...]
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// A check is one agreement with something that we did not write.
type check struct {
	name string
	run  func(context.Context, *bench) error
	skip string // why it is not run unless it is named; empty = it is
}

// checks is every check, in the order in which they run.
var checks = []check{
	{name: "discord.js", run: discordJS},
	{name: "bolt", run: bolt},
	{name: "fal-client", run: falClient},
	{name: "bot-on-discord", run: botOnDiscord},
	{name: "bot-on-slack", run: botOnSlack},
	{name: "bot-on-local-slack", run: botOnLocalSlack, skip: unlessOn("linux/amd64")},
}

// unlessOn is why a check is not run that needs a program for one platform.
func unlessOn(platform string) string {
	if runtime.GOOS+"/"+runtime.GOARCH == platform {
		return ""
	}
	return "there is a program for " + platform + " only"
}

// answerWithin is how long a bot may take to answer the simulators: services want
// that within three seconds, and a busy machine may need more.
const answerWithin = 30 * time.Second

// limit bounds one check. The longest takes 45 seconds.
const limit = 10 * time.Minute

// A bench is what checks work with.
type bench struct {
	dir string // of the Node project
	tmp string // for what a check leaves behind; removed at the end
	out io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, names []string) (err error) {
	chosen, err := choose(names)
	if err != nil {
		return err
	}
	dir, err := project()
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "ltx-contract-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	var failed []string
	for _, c := range chosen {
		if c.skip != "" && len(names) == 0 {
			fmt.Fprintf(out, "-- %s: skipped: %s\n", c.name, c.skip)
			continue
		}
		begin := time.Now()
		fmt.Fprintf(out, "== %s\n", c.name)
		if err := c.within(ctx, &bench{dir: dir, tmp: tmp, out: out}); err != nil {
			failed = append(failed, c.name)
			fmt.Fprintf(out, "-- %s: FAILED: %v\n", c.name, err)
			continue
		}
		fmt.Fprintf(out, "-- %s: ok, %.1f s\n", c.name, time.Since(begin).Seconds())
	}
	if len(failed) > 0 {
		return fmt.Errorf("failed: %s", strings.Join(failed, ", "))
	}
	return nil
}

func (c check) within(ctx context.Context, b *bench) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return c.run(ctx, b)
}

// choose finds checks by name; without names, it is all of them.
func choose(names []string) ([]check, error) {
	if len(names) == 0 {
		return checks, nil
	}
	var chosen []check
	for _, name := range names {
		i := slices.IndexFunc(checks, func(c check) bool { return c.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no check %q", name)
		}
		chosen = append(chosen, checks[i])
	}
	return chosen, nil
}

// project finds the Node project from the root of the repository or from
// inside the project.
func project() (string, error) {
	for _, dir := range []string{"e2e/contract", ".", ".."} {
		if _, err := os.Stat(filepath.Join(dir, "node_modules", "discord.js")); err == nil {
			return filepath.Abs(dir)
		}
	}
	return "", errors.New("the Node packages are not installed: run npm ci --prefix e2e/contract in the root of the repository")
}
