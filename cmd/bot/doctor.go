package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"

	"ltxbot/app/doctor"
)

// configFlag is the flag of every command that reads a config.
type configFlag struct {
	Config string `help:"Config file; without it, secrets come from the environment and all else has its default." short:"c" type:"path"`
}

// doctorCmd looks for what would keep the bot from working.
type doctorCmd struct {
	configFlag
	JSON bool `help:"Print the findings as JSON."`
}

// Run prints the findings; it ends with 1 if one is a problem.
func (c doctorCmd) Run(ctx context.Context, term terminal) error {
	r := doctor.Examine(ctx, c.Config, os.LookupEnv, doctor.Options{Version: versionText()})
	var err error
	if c.JSON {
		enc := json.NewEncoder(term.out)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		err = enc.Encode(r)
	} else {
		err = r.Write(term.out)
	}
	if err == nil && !r.OK {
		err = errProblems
	}
	return err
}

// errProblems is what doctor ends with when it found some.
var errProblems = errors.New("the bot would not work as it should")
