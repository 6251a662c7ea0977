package redis

import (
	"context"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"unicode/utf8"

	goredis "github.com/redis/go-redis/v9"
)

// partitions is how many parts the store has. It can't change while there are
// jobs: a team's partition is found by its name.
const partitions = 16

// partition is the keys of one part of the store.
type partition struct {
	number int
	keys   []string // in the order of keyNames
}

// The places of keys in partition.keys.
const (
	holdsKey = iota
	heldKey
	expiringKey
	useKey
	useUntilKey
	standingsKey
	holdsByTeam
	recordsKey
	jobsKey
	streamKey
	waitingKey
	readyKey
	placesKey
	lineKey
	allJobs
	openJobs
	eraKey
	processesKey
	absentKey
)

// keyNames are the names of a partition's keys, in the order in which scripts
// get them. What each holds is said in lua/ledger.lua, lua/record.lua
// and lua/era.lua.
var keyNames = [...]string{
	holdsKey: "holds", heldKey: "held", expiringKey: "expiring", useKey: "use", useUntilKey: "use_until",
	standingsKey: "standings", holdsByTeam: "holds_by_team", recordsKey: "records",
	jobsKey: "jobs", streamKey: "stream", waitingKey: "waiting", readyKey: "ready", placesKey: "places", lineKey: "line",
	allJobs: "all_jobs", openJobs: "open_jobs",
	eraKey: "era", processesKey: "processes", absentKey: "absent",
}

// ledgerKeys is how many of the keys belong to the ledger; they come first.
const ledgerKeys = jobsKey

func newPartition(prefix string, n int) partition {
	p := partition{number: n}
	for _, name := range keyNames {
		p.keys = append(p.keys, fmt.Sprintf("{%s:%d}:%s", prefix, n, name))
	}
	return p
}

func (p partition) stream() string { return p.keys[streamKey] }

// botKey is a key that belongs to no team.
func (s *Store) botKey(name string) string { return "{" + s.prefix + ":bot}:" + name }

// of is the partition in which a team lives.
func (s *Store) of(team string) partition {
	h := fnv.New32a()
	_, _ = h.Write([]byte(team))
	return s.parts[h.Sum32()%partitions]
}

// find looks a job up in a hash of all partitions: nothing about a job's id
// tells its team. It returns goredis.Nil when no partition has it. A job that
// this process works on is looked for where it is known to be.
func (s *Store) find(ctx context.Context, key int, id string) (partition, string, error) {
	if n, ok := s.work.where(id); ok {
		var value string
		err := s.try(ctx, func(ctx context.Context) error {
			var err error
			value, err = s.client.HGet(ctx, s.parts[n].keys[key], id).Result()
			return err
		})
		return s.parts[n], value, err
	}
	values := [partitions]*goredis.StringCmd{}
	err := s.pipelined(ctx, func(ctx context.Context, pipe goredis.Pipeliner) {
		for i, p := range s.parts {
			values[i] = pipe.HGet(ctx, p.keys[key], id)
		}
	})
	if err != nil {
		return partition{}, "", err
	}
	for i, v := range values {
		if value, err := v.Result(); err == nil {
			return s.parts[i], value, nil
		}
	}
	return partition{}, "", goredis.Nil
}

// pipelined sends reads in one go. That something is not there is no error.
func (s *Store) pipelined(ctx context.Context, add func(context.Context, goredis.Pipeliner)) error {
	return s.try(ctx, func(ctx context.Context) error {
		cmds, err := s.client.Pipelined(ctx, func(p goredis.Pipeliner) error {
			add(ctx, p)
			return nil
		})
		for _, c := range cmds {
			if e := c.Err(); e != nil && e != goredis.Nil { //nolint:errorlint // never wrapped here
				return e
			}
		}
		if len(cmds) == 0 {
			return err
		}
		return nil
	})
}

// sep stands between the parts of a name.
const sep = "\x1f"

// seat names a member in a team.
func seat(team, member string) string { return team + sep + member }

// checkNames refuses what can't be part of a name.
func checkNames(names ...string) error {
	for _, n := range names {
		if n == "" || strings.ContainsAny(n, sep+"\x00\n") || !utf8.ValidString(n) {
			return fmt.Errorf("name %q can't be part of a key", n)
		}
	}
	return nil
}

// parseInt reads a number that a script wrote; what is none is zero.
func parseInt(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}
