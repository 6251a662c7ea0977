package app

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"

	"ltxbot/config"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
)

// current is the config, as it was at the start and as it is now.
type current struct {
	start   config.Config
	load    func() (config.Config, error)
	log     *slog.Logger
	at      atomic.Pointer[live]
	changed chan struct{} // has a value after a reload
}

func newCurrent(cfg config.Config, load func() (config.Config, error), log *slog.Logger) (*current, error) {
	now, err := newLive(cfg)
	if err != nil {
		return nil, err
	}
	c := &current{start: cfg, load: load, log: log, changed: make(chan struct{}, 1)}
	c.at.Store(now)
	return c, nil
}

// The config, the quota policy and the rules of requests of this moment.
func (c *current) config() config.Config { return c.at.Load().cfg }
func (c *current) policy() quota.Policy  { return c.at.Load().policy }
func (c *current) rules() ltx.Rules      { return c.at.Load().rules }
func (c *current) teams() teams          { return c.at.Load().teams }

// models are those that members of tiers may choose beside those for everybody.
func (c *current) models(tiers []string) []string {
	rules := c.rules()
	rules.Tiers = tiers
	return rules.Extra()
}

// live is what a reload changes while the bot runs.
type live struct {
	cfg    config.Config
	policy quota.Policy
	rules  ltx.Rules
	teams  teams
}

func newLive(cfg config.Config) (*live, error) {
	rules, err := rulesOf(cfg)
	if err != nil {
		return nil, err
	}
	return &live{cfg: cfg, policy: policyOf(cfg), rules: rules, teams: teamsOf(cfg)}, nil
}

// liveKeys are the tables of the config that a reload changes.
var liveKeys = []string{"quota", "team", "defaults", "quality", "lora", "library", "limits"}

// startKeys are the keys in them that are read at the start only.
var startKeys = []string{"quota.bill_failures"}

// Reload makes the bot follow another config from now on: limits, tiers,
// teams, defaults and rules. What is held stays held, and jobs under way go on
// by the limits they were accepted with. It returns the keys that have
// changed too, and need a restart. A config that is not valid changes nothing.
func (c *current) Reload(cfg config.Config) (restart []string, err error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	next, err := newLive(cfg)
	if err != nil {
		return nil, err
	}
	for _, key := range config.Changed(c.start, cfg) {
		if !changesLive(key) {
			restart = append(restart, key)
		}
	}
	// The groups that Slack is asked about are those of the start.
	if asked := groupsOf(c.start, "slack"); slices.ContainsFunc(groupsOf(cfg, "slack"), func(g string) bool { return !slices.Contains(asked, g) }) {
		restart = append(restart, "quota.tier.slack_groups")
	}
	c.at.Store(next)
	select {
	case c.changed <- struct{}{}:
	default:
	}
	c.log.Info("config was read again", "keys_that_need_a_restart", strings.Join(restart, " "))
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

// groupsOf are the roles or user groups of all tiers on a platform.
func groupsOf(cfg config.Config, platform string) []string {
	groups := make([]string, 0, len(cfg.Quota.Tiers))
	for _, t := range cfg.Quota.Tiers {
		groups = append(groups, t.On(platform)...)
	}
	return groups
}

// errNoFile says that there is nothing to read again.
var errNoFile = errors.New("the bot was started without a way to read its config again")

// Reread reads the config from where the bot was started with and reloads it.
func (c *current) Reread() (restart []string, err error) {
	cfg, err := c.load()
	if err != nil {
		return nil, err
	}
	return c.Reload(cfg)
}
