package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"ltxbot/app/admin"
	"ltxbot/app/health"
	"ltxbot/config"
)

// healthCmd asks a running bot how it is. It is what a container's health
// check runs, since the image needs no shell.
type healthCmd struct {
	configFlag
	URL     string        `help:"Address of the bot's web server; without it, that of the config on this machine, or http://127.0.0.1:8080."`
	Live    bool          `help:"Only ask whether the process lives (/healthz), not whether it is ready (/readyz)."`
	Timeout time.Duration `default:"4s" help:"How long the bot may take to answer."`
}

// maxHealth bounds the answer, in bytes.
const maxHealth = 1 << 16

// Run prints each part; it ends with 1 if the bot is not well.
func (c healthCmd) Run(ctx context.Context, term terminal) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	base := c.URL
	if base == "" {
		cfg, err := config.Load(c.Config, lenient)
		if err != nil {
			return &exitError{2, err}
		}
		base = admin.BaseURL(cfg.HTTP.Ops())
	}
	path := "/readyz"
	if c.Live {
		path = "/healthz"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(base, "/")+path, http.NoBody)
	if err != nil {
		return &exitError{2, err}
	}
	client := &http.Client{}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("the bot does not answer: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	var r health.Report
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxHealth)).Decode(&r); err != nil {
		return fmt.Errorf("this is not the bot's answer: %w", err)
	}
	for _, p := range r.Parts {
		fmt.Fprintf(term.out, "%-10s %-9s %s\n", p.Name, p.State, p.Detail)
	}
	if resp.StatusCode != http.StatusOK {
		return errors.New("the bot is not ready")
	}
	return nil
}
