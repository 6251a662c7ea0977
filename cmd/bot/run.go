package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"ltxbot/app"
	"ltxbot/app/doctor"
	"ltxbot/config"
	"ltxbot/web"
)

// runCmd runs the bot until a signal comes.
type runCmd struct{ configFlag }

// stopLimit is how long a stop may take.
const stopLimit = 9 * time.Second

// Run runs the bot.
func (c runCmd) Run(ctx context.Context, term terminal) error {
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGHUP)
	defer signal.Stop(again)
	cfg, err := loadConfig(c.Config)
	if err != nil {
		return err
	}
	log := newLogger(cfg.Log, term.err)
	a, err := app.New(ctx, cfg, app.Options{
		Version: versionText(), Logger: log,
		Load:    func() (config.Config, error) { return loadConfig(c.Config) },
		Examine: func(ctx context.Context) []web.Finding { return examine(ctx, c.Config) },
	})
	if err == nil {
		err = a.Start(ctx)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return nil // a stop while it started
	case err != nil:
		return &exitError{3, err}
	}
	fatal := wait(ctx, a, again, log)
	stop, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), stopLimit, errors.New("stopping took too long"))
	defer cancel()
	if err := a.Stop(stop); err != nil {
		log.WarnContext(stop, "did not stop well; what was under way goes on at the next start", "error", err)
	}
	if fatal != nil {
		return &exitError{3, fatal}
	}
	return nil
}

// examine is what the doctor finds, for the console.
func examine(ctx context.Context, path string) []web.Finding {
	report := doctor.Examine(ctx, path, os.LookupEnv, doctor.Options{Version: versionText()})
	found := make([]web.Finding, 0, len(report.Findings))
	for _, f := range report.Findings {
		found = append(found, web.Finding{Level: string(f.Level), Area: f.Area, Text: f.Text, Advice: f.Advice})
	}
	return found
}

// wait returns when the bot should stop: with nil when it was asked to, or with
// why it can't go on. Each value of again makes it read its config again.
func wait(ctx context.Context, a *app.App, again <-chan os.Signal, log *slog.Logger) error {
	for {
		select {
		case <-ctx.Done():
			log.InfoContext(ctx, "stopping")
			return nil
		case err := <-a.Fatal():
			log.ErrorContext(ctx, "cannot go on", "error", err)
			return err
		case <-again:
			if _, err := a.Reread(); err != nil {
				log.ErrorContext(ctx, "config stays as it was", "error", err)
			}
		}
	}
}

// loadConfig reads and checks a config. Its error ends the program with 2.
func loadConfig(path string) (config.Config, error) {
	cfg, err := config.LoadValid(path, os.LookupEnv)
	if _, invalid := errors.AsType[*config.InvalidError](err); err == nil || invalid {
		err = errors.Join(err, app.Check(cfg))
	}
	if err != nil {
		return config.Config{}, &exitError{2, err}
	}
	return cfg, nil
}

// readConfig reads a config without its secrets. Its error ends the program with
// 2.
func readConfig(path string) (config.Config, error) {
	if path == "" {
		return config.Default(), nil
	}
	data, err := os.ReadFile(path) //nolint:gosec // the operator names it
	if err != nil {
		return config.Config{}, &exitError{2, err}
	}
	cfg, err := config.Parse(data)
	if err != nil {
		return config.Config{}, &exitError{2, err}
	}
	return cfg, nil
}

// newLogger makes the logger that the config asks for.
func newLogger(c config.Log, w io.Writer) *slog.Logger {
	opts := &slog.HandlerOptions{Level: c.SlogLevel()}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}
