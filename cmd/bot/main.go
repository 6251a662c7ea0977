// Command bot is the LTX-2.3 video bot for Discord and Slack.
//
//	bot demo                     try it without a key or an account
//	bot demo -e '/ltx prompt:…'  one command, then exit
//	bot run --config ltx.toml    run it
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	_ "time/tzdata" // time zones of quotas on machines that have none

	"ltxbot/config"

	"github.com/alecthomas/kong"
)

// version is set by the linker in a release build.
var version = ""

// cli is every command with its flags.
type cli struct {
	Run      runCmd      `cmd:"" help:"Run the bot."`
	Demo     demoCmd     `cmd:"" help:"Try the bot with simulated fal, Discord and Slack: no key, no account."`
	Doctor   doctorCmd   `cmd:"" help:"Look for what would keep the bot from working; changes nothing, costs nothing."`
	Commands commandsCmd `cmd:"" help:"Compare or register the commands on Discord."`
	Manifest manifestCmd `cmd:"" help:"Print the manifest of the Slack app."`
	Jobs     jobsCmd     `cmd:"" help:"List, show and cancel jobs; back up the store."`
	Quota    quotaCmd    `cmd:"" help:"Look at quotas and change them, in the running bot."`
	LoRAs    lorasCmd    `cmd:"" name:"loras" help:"Look at the LoRAs and styles of a team and change them, in the running bot."`
	Store    storeCmd    `cmd:"" help:"Copy the store from bolt to Redis, or back; make its file small; put its time right."`
	Health   healthCmd   `cmd:"" help:"Ask a running bot how it is; exit 0 if it is ready."`
	Version  versionCmd  `cmd:"" help:"Print the version."`

	Completion completionCmd `cmd:"" help:"Print a script that makes a shell complete these commands."`
	Complete   completeCmd   `cmd:"" hidden:""`
}

// terminal is where a command reads and writes.
type terminal struct {
	in       io.Reader
	out, err io.Writer
	person   bool // in is a terminal: somebody can be asked
}

// exitError ends the program with a code of its own.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func main() {
	os.Exit(run(os.Args[1:], terminal{in: os.Stdin, out: os.Stdout, err: os.Stderr, person: isTerminal(os.Stdin)}))
}

// run is the program; it returns the exit code: 0 when the command did what
// it was for, 1 when it did not, 2 for a wrong command line or config, 3 when
// the bot could not start or cannot go on. A crash of a Go program ends with 2
// as well, and a trace.
func run(args []string, term terminal) int {
	term.out, term.err = &printable{w: term.out}, &printable{w: term.err}
	var c cli
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("bot"),
		kong.Description("A self-hosted Discord and Slack bot for LTX-2.3 video."),
		kong.Vars{"platforms": strings.Join(config.PlatformNames(), ",")},
		kong.Writers(term.out, term.err),
		kong.Exit(func(code int) { exited = code; panic(exited) }),
		kong.UsageOnError(),
	)
	if err != nil {
		fmt.Fprintln(term.err, "bot:", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	code, err := execute(ctx, parser, args, term)
	if err != nil {
		fmt.Fprintln(term.err, "bot:", err)
	}
	return code
}

// execute parses the command line and runs the command.
func execute(ctx context.Context, parser *kong.Kong, args []string, term terminal) (code int, err error) {
	defer func() {
		// kong ends --help by its Exit hook, which must not return.
		switch p := recover().(type) {
		case nil:
		case int:
			code = p
		default:
			panic(p)
		}
	}()
	command, err := parser.Parse(ordered(parser.Model.Node, amounts(customary(args))))
	if err != nil {
		return 2, err
	}
	command.BindTo(ctx, (*context.Context)(nil))
	err = command.Run(term)
	var exit *exitError
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &exit):
		return exit.code, exit.err
	default:
		return 1, err
	}
}

// customary takes the words by which many programs are asked for their help and
// their version: "help jobs" is "jobs --help", "--version" is "version".
func customary(args []string) []string {
	switch {
	case len(args) > 0 && args[0] == "help":
		return append(slices.Clone(args[1:]), "--help")
	case len(args) == 1 && args[0] == "--version":
		return []string{"version"}
	}
	return args
}

// versionCmd prints the version.
type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(term terminal) error {
	_, err := fmt.Fprintln(term.out, "ltxbot", versionText())
	return err
}

// versionText is the release, or what is known of the build.
func versionText() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return "devel-" + s.Value[:min(12, len(s.Value))]
		}
	}
	return "devel"
}
