package redis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"ltxbot/core/archive"
	"ltxbot/core/quota"
)

var _ archive.Store = (*Store)(nil)

// scanCount is how many fields one step of a scan looks at.
const scanCount = 500

// Export lists everything, partition by partition. What changes meanwhile may
// be listed as it was or as it is.
func (s *Store) Export(ctx context.Context, emit func(archive.Item) error) error {
	x := exporter{s: s, emit: emit}
	err := x.all(ctx)
	if x.refused != nil {
		return x.refused
	}
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return nil
}

type exporter struct {
	s       *Store
	emit    func(archive.Item) error
	refused error // by emit
}

func (x *exporter) tell(i archive.Item) error {
	x.refused = x.emit(i)
	return x.refused
}

func (x *exporter) all(ctx context.Context) error {
	for _, p := range x.s.parts {
		for _, list := range []func(context.Context, partition) error{x.jobs, x.holds, x.standings, x.records} {
			if err := list(ctx, p); err != nil {
				return err
			}
		}
	}
	if err := x.settings(ctx); err != nil {
		return err
	}
	return x.marks(ctx)
}

func (x *exporter) jobs(ctx context.Context, p partition) error {
	return x.fields(ctx, p.keys[jobsKey], func(ids, values []string) error {
		holds, err := x.lookUp(ctx, p.keys[holdsKey], ids)
		if err != nil {
			return err
		}
		for i, id := range ids {
			k, err := decodeJob(values[i])
			if err != nil {
				return fmt.Errorf("job %s: %w", id, err)
			}
			item := archive.Item{Job: &k.job}
			if text, ok := holds[i].(string); ok {
				h, err := decodeHold(id, text)
				if err != nil {
					return fmt.Errorf("hold of %s: %w", id, err)
				}
				item.Hold = &h
			}
			if err := x.tell(item); err != nil {
				return err
			}
		}
		return nil
	})
}

// holds lists those that don't come with a job.
func (x *exporter) holds(ctx context.Context, p partition) error {
	return x.fields(ctx, p.keys[holdsKey], func(ids, values []string) error {
		jobs, err := x.lookUp(ctx, p.keys[jobsKey], ids)
		if err != nil {
			return err
		}
		for i, id := range ids {
			if jobs[i] != nil {
				continue
			}
			h, err := decodeHold(id, values[i])
			if err != nil {
				return fmt.Errorf("hold of %s: %w", id, err)
			}
			if err := x.tell(archive.Item{Hold: &h}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (x *exporter) standings(ctx context.Context, p partition) error {
	return x.fields(ctx, p.keys[standingsKey], func(names, values []string) error {
		for i, name := range names {
			team, member, ofMember := strings.Cut(name, sep)
			m, t := archive.Member{Team: team, Member: member}, archive.Team{Team: team}
			item, into := archive.Item{Team: &t}, any(&t.Standing)
			if ofMember {
				item, into = archive.Item{Member: &m}, &m.Standing
			}
			if err := json.Unmarshal([]byte(values[i]), into); err != nil {
				return fmt.Errorf("standing of %s in %s: %w", member, team, err)
			}
			if err := x.tell(item); err != nil {
				return err
			}
		}
		return nil
	})
}

func (x *exporter) records(ctx context.Context, p partition) error {
	var names []string
	err := x.s.try(ctx, func(ctx context.Context) error {
		var err error
		names, err = x.s.client.ZRange(ctx, p.keys[recordsKey], 0, -1).Result()
		return err
	})
	if err != nil {
		return err
	}
	for _, name := range names {
		r, err := decodeAmendment(name)
		if err != nil {
			return err
		}
		if err := x.tell(archive.Item{Record: &r}); err != nil {
			return err
		}
	}
	return nil
}

func (x *exporter) settings(ctx context.Context) error {
	return x.fields(ctx, x.s.botKey("settings"), func(names, values []string) error {
		for i, name := range names {
			if err := x.tell(archive.Item{Setting: &archive.Setting{Name: name, Value: []byte(values[i])}}); err != nil {
				return err
			}
		}
		return nil
	})
}

// marks scans the keys of the server for those of marks, on each server of a
// cluster.
func (x *exporter) marks(ctx context.Context) error {
	if cluster, ok := x.s.client.(*goredis.ClusterClient); ok {
		var keys []string
		err := cluster.ForEachMaster(ctx, func(ctx context.Context, c *goredis.Client) error {
			found, err := x.markKeys(ctx, c)
			if len(found) > 0 { // all are on one server
				keys = found
			}
			return err
		})
		if err != nil {
			return err
		}
		return x.readMarks(ctx, keys)
	}
	keys, err := x.markKeys(ctx, x.s.client)
	if err != nil {
		return err
	}
	return x.readMarks(ctx, keys)
}

func (x *exporter) markKeys(ctx context.Context, c goredis.Cmdable) ([]string, error) {
	var keys []string
	for cursor := uint64(0); ; {
		var page []string
		err := x.s.try(ctx, func(ctx context.Context) error {
			var err error
			var next uint64
			if page, next, err = c.Scan(ctx, cursor, glob(x.s.markKey(""))+"*", scanCount).Result(); err == nil {
				cursor = next
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		keys = append(keys, page...)
		if cursor == 0 {
			slices.Sort(keys)
			return slices.Compact(keys), nil
		}
	}
}

// glob writes a text as a pattern that only it matches.
// https://redis.io/docs/latest/commands/keys/
var globEscaper = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`)

func glob(text string) string { return globEscaper.Replace(text) }

func (x *exporter) readMarks(ctx context.Context, keys []string) error {
	for _, key := range keys {
		var fields []any
		err := x.s.try(ctx, func(ctx context.Context) error {
			var err error
			fields, err = x.s.client.HMGet(ctx, key, "value", "expires", "taken").Result()
			return err
		})
		if err != nil {
			return err
		}
		m := list(fields)
		if m[2] != nil || m[1] == nil {
			continue // taken, or expired meanwhile
		}
		mark := archive.Mark{Key: strings.TrimPrefix(key, x.s.markKey("")), Value: m.text(0), Expires: time.UnixMicro(m.number(1))}
		if err := x.tell(archive.Item{Mark: &mark}); err != nil {
			return err
		}
	}
	return nil
}

// fields scans a hash. A field that a scan returns twice is told once.
func (x *exporter) fields(ctx context.Context, key string, do func(names, values []string) error) error {
	seen := map[string]bool{}
	for cursor := uint64(0); ; {
		var page []string
		err := x.s.try(ctx, func(ctx context.Context) error {
			var err error
			var next uint64
			if page, next, err = x.s.client.HScan(ctx, key, cursor, "", scanCount).Result(); err == nil {
				cursor = next
			}
			return err
		})
		if err != nil {
			return err
		}
		var names, values []string
		for i := 0; i+1 < len(page); i += 2 {
			if !seen[page[i]] {
				seen[page[i]] = true
				names, values = append(names, page[i]), append(values, page[i+1])
			}
		}
		if len(names) > 0 {
			if err := do(names, values); err != nil {
				return err
			}
		}
		if cursor == 0 {
			return nil
		}
	}
}

// lookUp reads fields of a hash; nil stands for one that is not there.
func (x *exporter) lookUp(ctx context.Context, key string, names []string) (values []any, err error) {
	err = x.s.try(ctx, func(ctx context.Context) error {
		var err error
		values, err = x.s.client.HMGet(ctx, key, names...).Result()
		return err
	})
	if err == nil && len(values) != len(names) {
		err = errors.New("fields are missing in a reply")
	}
	return values, err
}

// decodeAmendment reads a record with its place.
func decodeAmendment(name string) (quota.Record, error) {
	var r quota.Record
	_, rest, _ := strings.Cut(name, sep)
	_, text, _ := strings.Cut(rest, sep)
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return r, fmt.Errorf("%w: %w", errDamaged, err)
	}
	return r, nil
}
