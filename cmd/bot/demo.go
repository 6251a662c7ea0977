package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"ltxbot/app/demo"
	simfal "ltxbot/sim/fal"
)

// demoCmd runs the bot in a simulated world.
type demoCmd struct {
	Execute []string      `short:"e" sep:"none" placeholder:"COMMAND" help:"Do this command, print what happens, save the videos, exit 0 if they were delivered. Several are done one after the other."`
	Attach  []string      `sep:"none" placeholder:"FILE" help:"A picture, sound or video that goes with the first command, as often as there are files: --attach cat.png. OPTION=FILE says for which option, such as end_image=dog.png."`
	On      string        `enum:"${platforms}" default:"discord" help:"Where to type: ${enum}."`
	JSON    bool          `help:"Print the result of each command as JSON."`
	Fal     string        `enum:"sim,live" default:"sim" help:"sim: no cost. live: real videos with the key in FAL_KEY, which cost money."`
	Timeout time.Duration `default:"25m" help:"How long a command may take."`
	Speed   float64       `default:"1" help:"How many times as quickly as at fal the simulated videos are made."`
	Listen  string        `placeholder:"ADDRESS" help:"Where the page is; 127.0.0.1:8080, or a free port if that is taken, unless you name one."`
	NoOpen  bool          `help:"Do not open the page in a browser."`
	NoPage  bool          `help:"Only the terminal, no page."`
	Verbose bool          `short:"v" help:"Show the bot's log."`
}

// Validate implements kong.Validatable.
func (c demoCmd) Validate() error {
	if !(c.Speed > 0) { // also what is no number
		return errors.New("--speed: must be more than 0")
	}
	return nil
}

// Run runs the demo.
func (c demoCmd) Run(ctx context.Context, term terminal) error {
	log := slog.New(slog.DiscardHandler)
	if c.Verbose {
		log = slog.New(slog.NewTextHandler(term.err, nil))
	}
	paged := len(c.Execute) == 0 && !c.NoPage
	d, err := demo.Start(ctx, demo.Options{Live: c.Fal == "live", Version: versionText(), Logger: log, Speed: c.Speed, Page: paged})
	if err != nil {
		return err
	}
	defer d.Close()
	if len(c.Execute) > 0 {
		return c.execute(ctx, d, term)
	}
	if !paged {
		_, err := c.converse(ctx, d, term)
		return err
	}
	p, err := d.ServePage(ctx, cmp.Or(c.Listen, pageAddress), c.Listen == "")
	if err != nil {
		return err
	}
	defer p.Close()
	console, token := d.Console()
	fmt.Fprintf(term.out, "The page: %s\nThe console: %s/ (as ada, by Discord or Slack, or as the operator, by the token %s)\n\n", p.URL(), console, token)
	if !c.NoOpen && term.person {
		openBrowser(ctx, p.URL())
	}
	typed, err := c.converse(ctx, d, term)
	if err != nil || typed {
		return err
	}
	<-ctx.Done() // nobody is at the terminal: the page is all there is
	return nil
}

// pageAddress is where the page is unless somebody names another place.
const pageAddress = "127.0.0.1:8080"

// openBrowser opens a page in the browser of a desktop, if there is one.
func openBrowser(ctx context.Context, address string) {
	opener := "xdg-open"
	switch {
	case runtime.GOOS == "darwin":
		opener = "open"
	case os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "":
		return
	}
	path, err := exec.LookPath(opener)
	if err != nil {
		return
	}
	cmd := exec.CommandContext(ctx, path, address) //nolint:gosec // our own address
	if cmd.Start() == nil {
		go func() { _ = cmd.Wait() }()
	}
}

// execute does the commands one after the other. One that makes no video does
// not keep those after it from being done.
func (c demoCmd) execute(ctx context.Context, d *demo.Demo, term terminal) error {
	files, err := c.files()
	if err != nil {
		return err
	}
	var failed []error
	for _, line := range c.Execute {
		if err := c.once(ctx, d, term, line, files); err != nil {
			failed = append(failed, err)
		}
		files = nil
	}
	return errors.Join(failed...)
}

// once does one command.
func (c demoCmd) once(ctx context.Context, d *demo.Demo, term terminal, line string, files []demo.File) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	tell := func(e demo.Event) { _ = e.Write(term.out) }
	if c.JSON {
		tell = nil
	}
	r, err := d.Do(ctx, c.On, line, files, tell)
	if c.JSON {
		enc := json.NewEncoder(term.out)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		if err := enc.Encode(r); err != nil {
			return err
		}
	} else if len(r.Videos) > 0 {
		fmt.Fprintf(term.out, "\nsaved %s\n", strings.Join(r.Videos, "\nsaved "))
	}
	if err != nil {
		return err
	}
	if !r.OK() {
		return errors.New("no video: " + r.Outcome)
	}
	return nil
}

// files are the files that go with the command.
func (c demoCmd) files() ([]demo.File, error) {
	files := make([]demo.File, 0, len(c.Attach))
	for _, path := range c.Attach {
		f, err := demo.ReadFile(path)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// converse reads commands from the terminal, and reports whether there were
// any.
func (c demoCmd) converse(ctx context.Context, d *demo.Demo, term terminal) (typed bool, err error) {
	fmt.Fprint(term.out, c.welcome())
	s, err := d.Session(ctx, c.On, func(e demo.Event) {
		if !term.person || e.Who != "ada" { // what ada types is there already
			_ = e.Write(term.out)
		}
	})
	if err != nil {
		return false, err
	}
	defer s.Close()
	files, err := c.files()
	if err != nil {
		return false, err
	}
	for _, f := range files {
		s.Attach(f)
	}
	lines := make(chan string)
	go func() {
		defer close(lines)
		in := bufio.NewScanner(term.in)
		for in.Scan() {
			select {
			case lines <- in.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return typed, nil
		case line, ok := <-lines:
			if !ok {
				return typed, s.Wait(ctx)
			}
			typed = true
			if done := c.line(ctx, s, strings.TrimSpace(line), term); done {
				return true, nil
			}
		}
	}
}

// line does what one line of the conversation says, and reports whether it
// was the last.
func (c demoCmd) line(ctx context.Context, s *demo.Session, line string, term terminal) (done bool) {
	word, rest, _ := strings.Cut(line, " ")
	var err error
	switch {
	case line == "":
	case strings.HasPrefix(line, "/"), strings.HasPrefix(line, "@"):
		err = s.Say(ctx, line)
	case word == "attach":
		var f demo.File
		if f, err = demo.ReadFile(strings.TrimSpace(rest)); err == nil {
			s.Attach(f)
		}
	case word == "press":
		err = s.Press(ctx, strings.Trim(rest, " []"))
	case word == "fill":
		err = s.Fill(ctx, rest)
	case word == "on":
		err = s.On(strings.TrimSpace(rest))
	case word == "wait":
		err = s.Wait(ctx)
	case word == "tricks":
		for _, t := range simfal.Triggers() {
			fmt.Fprintf(term.out, "  %-14s %s\n", t.Word, t.About)
		}
	case word == "quit", word == "exit":
		return true
	default:
		fmt.Fprint(term.out, help)
	}
	if err != nil {
		fmt.Fprintln(term.out, "  "+err.Error())
	}
	return false
}

// welcome is what a person reads first.
func (c demoCmd) welcome() string {
	cost := "Nothing here costs money."
	if c.Fal == "live" {
		cost = "Every video costs real money on the key in FAL_KEY: about $0.13 for 5 seconds."
	}
	return "You are ada in a channel with the bot. " + cost + `
Try:  /ltx prompt:a cowboy walks through a dusty town camera:dolly_in

` + help
}

// isTerminal reports whether a person types there. /dev/null is a character
// device, too.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}

const help = `  /ltx …            a command, as you would type it there; on Slack a mention, too: @ltx …
  attach cat.png    a picture, sound or video that goes with the next command
  press Cancel      press the newest button with that label, or choose that entry of a menu
  fill Prompt: …    write into a field of the form that is open; a field for files takes their names
  on slack          go to the Slack channel (on discord: back)
  wait              until everything has come to its end
  tricks            words in a prompt that make the simulated fal misbehave
  quit
You are an admin. Try also  /ltx-help  /ltx-jobs list  /ltx-quota show  /ltx-admin grant who:@ada videos:5
(on Slack: /ltx help, /ltx jobs, /ltx quota, /ltx admin grant @ada videos:5; /ltx alone opens the form).
`
