package redis

import (
	"context"
	"embed"
	"fmt"
	"strings"

	goredis "github.com/redis/go-redis/v9"
)

//go:embed lua/*.lua
var sources embed.FS

// A script is one atomic change or look: a file in lua/, after the files that
// it stands on.
type script struct {
	name string
	run  *goredis.Script
	// all says that it gets all keys of a partition, not only the ledger's.
	all bool
}

// onLedger, onJobs and onLine make scripts that stand on so much.
func onLedger(name string) script { return newScript(name, false, "ledger") }
func onJobs(name string) script   { return newScript(name, true, "ledger", "record", "era") }
func onLine(name string) script   { return newScript(name, true, "ledger", "record", "era", "line") }

func newScript(name string, all bool, below ...string) script {
	var text strings.Builder
	for _, file := range append(below, name) {
		source, err := sources.ReadFile("lua/" + file + ".lua")
		if err != nil {
			panic(err) // the files are part of the program
		}
		text.Write(source)
	}
	return script{name: name, run: goredis.NewScript(text.String()), all: all}
}

// The scripts. What they get and return is at the head of their files.
var (
	reserveScript = onLedger("reserve")
	billScript    = onLedger("bill")
	forgetScript  = onLedger("forget")
	trimScript    = onLedger("trim")
	amendScript   = onLedger("amend")

	openScript  = onJobs("open")
	doneScript  = onJobs("done")
	leaveScript = onJobs("leave")
	sweepScript = onJobs("sweep")

	acceptScript = onLine("accept")
	saveScript   = onLine("save")
	nextScript   = onLine("next")
	admitScript  = onLine("admit")
	placeScript  = onLine("place")
	beatScript   = onLine("beat")

	adoptScript   = newScript("adopt", false)
	restoreScript = onLine("restore")

	acquireScript = newScript("acquire", false)
	releaseScript = newScript("release", false)

	markScript = newScript("mark", false)
	takeScript = newScript("take", false)

	budgetScript = newScript("budget", false)
)

// call runs a script on a partition. The reply is nil for a false of Lua.
func (s *Store) call(ctx context.Context, p partition, sc script, args ...any) (any, error) {
	keys := p.keys
	if !sc.all {
		keys = keys[:ledgerKeys]
	}
	return s.eval(ctx, sc, keys, args...)
}

// eval runs a script. One that the server does not know yet is sent to it.
func (s *Store) eval(ctx context.Context, sc script, keys []string, args ...any) (any, error) {
	var reply any
	err := s.try(ctx, func(ctx context.Context) error {
		var err error
		reply, err = sc.run.Run(ctx, s.client, keys, args...).Result()
		return err
	})
	if err == goredis.Nil { //nolint:errorlint // never wrapped here
		return nil, nil //nolint:nilnil // false of Lua
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sc.name, err)
	}
	return reply, nil
}

// callList is call for scripts that return a list.
func (s *Store) callList(ctx context.Context, p partition, sc script, args ...any) (list, error) {
	reply, err := s.call(ctx, p, sc, args...)
	if err != nil {
		return nil, err
	}
	items, ok := reply.([]any)
	if !ok {
		return nil, fmt.Errorf("%s: unexpected reply of type %T", sc.name, reply)
	}
	return items, nil
}

// list is a script's reply. An item that is not there reads as zero.
type list []any

func (l list) text(i int) string {
	if i >= len(l) {
		return ""
	}
	text, _ := l[i].(string)
	return text
}

func (l list) number(i int) int64 {
	if i < len(l) {
		if n, ok := l[i].(int64); ok {
			return n
		}
	}
	return parseInt(l.text(i))
}

func (l list) list(i int) list {
	if i >= len(l) {
		return nil
	}
	inner, _ := l[i].([]any)
	return inner
}
