package slack_test

import (
	"encoding/json"
	"errors"
	"regexp"

	"ltxbot/core/generate"
	sim "ltxbot/sim/slack"
)

var errDead = errors.New("the process is dead")

// retryOf is the *generate.RetryError that err is, or nil.
func retryOf(err error) *generate.RetryError {
	retry, _ := errors.AsType[*generate.RetryError](err)
	return retry
}

// asAction reports whether err is what a person's client says.
func asAction(err error, into **sim.ActionError) bool { return errors.As(err, into) }

// looks are blocks without what Slack makes up.
func looks(title string, blocks sim.Blocks) any {
	var list []map[string]any
	for _, b := range blocks {
		list = append(list, b)
	}
	raw, err := json.Marshal(list)
	if err != nil {
		return err.Error()
	}
	var out any
	if err := json.Unmarshal(madeUp.ReplaceAll(raw, []byte(`"block_id":"…"`)), &out); err != nil {
		return err.Error()
	}
	return map[string]any{"title": title, "blocks": out}
}

// madeUp are the ids of blocks that Slack chooses.
var madeUp = regexp.MustCompile(`"block_id":"[A-Za-z0-9+/=]{9,}"`)

// quietSim is a simulator without rate limits.
func quietSim() sim.Options { return sim.Options{NoRateLimits: true} }
