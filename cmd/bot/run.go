package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"time"

	"ltxbot/app"
	"ltxbot/config"
)

// runCmd runs the bot until a signal comes.
type runCmd struct {
	Config string `help:"Config file; without it, secrets come from the environment and all else has its default." short:"c" type:"path"`
}

// stopLimit is how long a stop may take.
const stopLimit = 9 * time.Second

// Run runs the bot.
func (c runCmd) Run(ctx context.Context, term terminal) error {
	cfg, err := loadConfig(c.Config)
	if err != nil {
		return err
	}
	log := newLogger(cfg.Log, term.err)
	a, err := app.New(cfg, app.Options{Version: versionText(), Logger: log})
	if err != nil {
		return err
	}
	if err := a.Start(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return &exitError{3, err}
	}
	var fatal error
	select {
	case <-ctx.Done():
		log.Info("stopping")
	case fatal = <-a.Fatal():
		log.Error("cannot go on", "error", fatal)
	}
	stop, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), stopLimit, errors.New("stopping took too long"))
	defer cancel()
	if err := a.Stop(stop); err != nil {
		log.Warn("did not stop well; what was under way goes on at the next start", "error", err)
	}
	if fatal != nil {
		return &exitError{3, fatal}
	}
	return nil
}

// loadConfig reads and checks a config. Its error ends the program with 2.
func loadConfig(path string) (config.Config, error) {
	cfg, err := config.Load(path, os.LookupEnv)
	if err == nil {
		err = cfg.Validate()
	}
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
