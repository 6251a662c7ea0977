package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"ltxbot/internal/parallel"
	"ltxbot/internal/redistest"
)

func TestMain(m *testing.M) {
	testscript.Main(scripts{m}, map[string]func(){
		"bot": func() { os.Exit(run(os.Args[1:], terminal{in: os.Stdin, out: os.Stdout, err: os.Stderr})) },
	})
}

// scripts are the tests, where this program does not stand for the bot.
type scripts struct{ *testing.M }

// Run implements testscript.TestingM.
func (s scripts) Run() int {
	parallel.AtLeast(24) // they wait for the demo
	return s.M.Run()
}

// TestScripts runs the program as a person does: each file in testdata is a
// session at a terminal.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   exits,
			"ffprobe": ffprobe,
			"picture": picture,
			"fill":    fill,
			"json":    jsonField,
			"alone":   alone,
		},
	})
}

// TestScriptsWithRedis are those that need a Redis, at REDIS_URL and, with a
// password, at REDIS_PASSWORD_URL.
func TestScriptsWithRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	locked := redistest.Start(t, "--requirepass", "hunter2")
	testscript.Run(t, testscript.Params{
		Dir: "testdata/redis",
		Setup: func(e *testscript.Env) error {
			e.Setenv("REDIS_URL", server.URL())
			e.Setenv("REDIS_PASSWORD_URL", "redis://:hunter2@"+locked.Addr()+"/0")
			e.Setenv("REDIS_WRONG_URL", "redis://:swordfish@"+locked.Addr()+"/0")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"json":  jsonField,
			"exits": exits,
			"fill":  fill,
		},
	})
}
