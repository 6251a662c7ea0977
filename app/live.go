package app

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"ltxbot/config"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
)

// live is what a reload changes while the bot runs.
type live struct {
	cfg    config.Config
	policy quota.Policy
	rules  ltx.Rules
	teams  teams
}

func newLive(cfg config.Config) (*live, error) {
	policy, err := policyOf(cfg)
	if err != nil {
		return nil, fmt.Errorf("quota: %w", err)
	}
	rules, err := rulesOf(cfg)
	if err != nil {
		return nil, err
	}
	return &live{cfg: cfg, policy: policy, rules: rules, teams: teamsOf(cfg)}, nil
}

// liveKeys are the tables of the config that a reload changes.
var liveKeys = []string{"quota", "team", "defaults", "quality", "lora", "limits"}

// startKeys are the keys in them that are read at the start only.
var startKeys = []string{"quota.bill_failures"}

// Reload makes the bot follow another config from now on: limits, tiers,
// teams, defaults and rules. What is held stays held, and jobs under way go on
// by the limits they were accepted with. It returns the keys that have
// changed too, and need a restart. A config that is not valid changes nothing.
func (a *App) Reload(cfg config.Config) (restart []string, err error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	next, err := newLive(cfg)
	if err != nil {
		return nil, err
	}
	for _, key := range config.Changed(a.cfg, cfg) {
		if !changesLive(key) {
			restart = append(restart, key)
		}
	}
	// The groups that Slack is asked about are those of the start.
	if asked := slackGroups(a.cfg); slices.ContainsFunc(slackGroups(cfg), func(g string) bool { return !slices.Contains(asked, g) }) {
		restart = append(restart, "quota.tier.slack_groups")
	}
	a.live.Store(next)
	select {
	case a.limitsChanged <- struct{}{}:
	default:
	}
	a.log.Info("config was read again", "keys_that_need_a_restart", strings.Join(restart, " "))
	return restart, nil
}

func changesLive(key string) bool {
	if slices.Contains(startKeys, key) {
		return false
	}
	table, _, _ := strings.Cut(key, ".")
	table, _, _ = strings.Cut(table, "[")
	return slices.Contains(liveKeys, table)
}

// slackGroups are the user groups of all tiers.
func slackGroups(cfg config.Config) []string {
	var groups []string
	for _, t := range cfg.Quota.Tiers {
		groups = append(groups, t.SlackGroups...)
	}
	return groups
}

// errNoFile says that there is nothing to read again.
var errNoFile = errors.New("the bot was started without a way to read its config again")

// Reread reads the config from where the bot was started with and reloads it.
func (a *App) Reread() (restart []string, err error) {
	if a.opts.Load == nil {
		return nil, errNoFile
	}
	cfg, err := a.opts.Load()
	if err != nil {
		return nil, err
	}
	return a.Reload(cfg)
}
