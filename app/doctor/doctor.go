// Package doctor looks for what keeps the bot from working, before somebody
// who types a command finds it: the config, the keys, the commands, the clock,
// the store, the programs and folders it needs. It leaves nothing behind, costs
// nothing, and may be run beside a bot that works.
package doctor

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"ltxbot/config"
)

// Level is how serious a Finding is.
type Level string

// The levels of findings.
const (
	OK      Level = "ok"
	Warning Level = "warning" // the bot works, and something is worse than it should be
	Problem Level = "problem" // something does not work
)

// A Finding is one thing that was looked at.
type Finding struct {
	Level  Level  `json:"level"`
	Area   string `json:"area"`             // "fal key", "store"
	Text   string `json:"text"`             // what was found
	Advice string `json:"advice,omitempty"` // what to do about it
}

// A Report is all findings, in a fixed order of areas.
type Report struct {
	OK       bool      `json:"ok"` // there is no problem
	Findings []Finding `json:"findings"`
}

// Options are what Examine needs beside the config. The zero value works.
type Options struct {
	Version string
	HTTP    *http.Client     // for dates of servers; nil = one with a short timeout
	Now     func() time.Time // nil = time.Now
	Logger  *slog.Logger     // nil = discard
}

// How long the whole examination and one look at the network may take.
const (
	limit    = 40 * time.Second
	askLimit = 10 * time.Second
)

// patient is a config under examination.
type patient struct {
	cfg     config.Config
	invalid error // what is wrong in it, a *config.InvalidError
	opts    Options
}

// Examine reads the config at path, as bot run does, and looks at everything
// in it. env is os.LookupEnv or a stand-in.
func Examine(ctx context.Context, path string, env func(string) (string, bool), opts Options) Report {
	if opts.HTTP == nil {
		opts.HTTP = &http.Client{Timeout: askLimit}
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	cfg, err := config.LoadValid(path, env)
	if invalid, ok := errors.AsType[*config.InvalidError](err); err != nil && (!ok || invalid.Unread) {
		return report(wrong(err))
	}
	p := patient{cfg, err, opts}
	found := p.config(path)
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	areas := []func(context.Context) []Finding{p.key, p.prices, p.platforms, p.clock, p.store, p.tools, p.folder, p.archive, p.web, p.zones}
	results := make([][]Finding, len(areas))
	var all sync.WaitGroup
	for n, look := range areas {
		all.Go(func() { results[n] = look(ctx) })
	}
	all.Wait()
	for _, r := range results {
		found = append(found, r...)
	}
	return report(found)
}

func report(found []Finding) Report {
	r := Report{OK: true, Findings: found}
	for _, f := range found {
		r.OK = r.OK && f.Level != Problem
	}
	return r
}

// Write writes the report for a person at a terminal.
func (r Report) Write(w io.Writer) error {
	var b strings.Builder
	count := map[Level]int{}
	for _, f := range r.Findings {
		count[f.Level]++
		line(&b, string(f.Level), f.Area, f.Text)
		if f.Advice != "" {
			line(&b, "", "", "→ "+f.Advice)
		}
	}
	b.WriteString("\n" + number(count[Problem], "problem") + ", " + number(count[Warning], "warning") + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// file is what messages call a config.
func file(path string) string {
	if path == "" {
		return "the environment"
	}
	return path
}

// orTemp is the folder of videos under way.
func orTemp(dir string) string {
	if dir == "" {
		return os.TempDir()
	}
	return dir
}
