package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"ltxbot/internal/retry"
	"ltxbot/store/kv"
)

// versionMark stands between a key and its version in the index. A range of
// keys is a range of the index: no key has a character below the end mark.
const (
	versionMark = "\x00"
	versionEnd  = "\x01"
)

// entry is a key's value with its version; the zero entry is a key that does
// not exist.
type entry struct {
	version string
	value   []byte
}

// parseEntry reads what the hash of values holds; nothing = no such key.
func parseEntry(stored string) entry {
	if stored == "" {
		return entry{}
	}
	version, value, _ := strings.Cut(stored, " ")
	return entry{version, []byte(value)}
}

// check is a range of the index and what was in it when it was read.
type check struct {
	min, max string // as ZRANGEBYLEX takes them
	members  string // separated by new lines
	key      string // the only one that it is about; empty if it is about a range
	keys     []string
}

func checkOfKey(key string, e entry) check {
	c := check{min: "[" + key + versionMark, max: "(" + key + versionEnd, key: key}
	if e.version != "" {
		c.members = key + versionMark + e.version
	}
	return c
}

// reader is a kv.Reader that remembers what it has read.
type reader struct {
	engine *Engine
	ctx    context.Context  //nolint:containedctx // that of the transaction
	cache  map[string]entry // what is believed of keys
	checks []check
	torn   bool  // values have changed between two reads
	err    error // Redis could not be read
}

// try is Engine.try, and keeps its error.
func (r *reader) try(op func(context.Context) error) error {
	err := r.engine.try(r.ctx, op)
	if err != nil && !errors.Is(err, goredis.Nil) {
		r.err = err
	}
	return err
}

func (r *reader) Get(key string) ([]byte, error) {
	e, known := r.cache[key]
	if !known {
		var stored string
		err := r.try(func(ctx context.Context) error {
			var err error
			stored, err = r.engine.client.HGet(ctx, r.engine.keyName("values"), key).Result()
			return err
		})
		switch {
		case errors.Is(err, goredis.Nil):
		case err != nil:
			return nil, err
		default:
			e = parseEntry(stored)
		}
		r.cache[key] = e
	}
	r.checks = append(r.checks, checkOfKey(key, e))
	return e.value, nil
}

func (r *reader) Fetch(keys []string) error {
	unknown := slices.DeleteFunc(slices.Clone(keys), func(key string) bool {
		_, known := r.cache[key]
		return known
	})
	if len(unknown) == 0 {
		return nil
	}
	stored, err := r.values(unknown)
	if err != nil {
		return err
	}
	for i, key := range unknown {
		r.cache[key] = stored[i]
	}
	return nil
}

// values reads the entries of keys.
func (r *reader) values(keys []string) ([]entry, error) {
	var stored []any
	err := r.try(func(ctx context.Context) error {
		var err error
		stored, err = r.engine.client.HMGet(ctx, r.engine.keyName("values"), keys...).Result()
		return err
	})
	entries := make([]entry, len(stored))
	for i, value := range stored {
		text, _ := value.(string)
		entries[i] = parseEntry(text)
	}
	return entries, err
}

// How many keys of a range are read at a time, at first and at most: most
// ranges are left after a few.
const (
	firstChunk = 8
	maxChunk   = 512
)

func (r *reader) Range(from, end string, reverse bool, yield func(string, []byte) bool) error {
	low, high := "-", "+"
	if from != "" {
		low = "[" + from
	}
	if end != "" {
		high = "(" + end
	}
	for size := firstChunk; ; size = min(4*size, maxChunk) {
		members, entries, err := r.chunk(low, high, size, reverse)
		if err != nil {
			return err
		}
		read, more := 0, true
		for more && read < len(members) {
			key, _, _ := strings.Cut(members[read], versionMark)
			more = yield(key, entries[read].value)
			read++
		}
		c := check{min: low, max: high}
		last := ""
		if read < len(members) || len(members) == size { // not to the end of the range
			last = "[" + members[read-1]
			if reverse {
				c.min = last
			} else {
				c.max = last
			}
		}
		r.checks = append(r.checks, c.of(members[:read], reverse))
		switch {
		case !more || last == "":
			return nil
		case reverse:
			high = "(" + last[1:]
		default:
			low = "(" + last[1:]
		}
	}
}

// of is a check of the members of a range in the order they were read.
func (c check) of(members []string, reverse bool) check {
	ordered := slices.Clone(members)
	if reverse {
		slices.Reverse(ordered)
	}
	c.members = strings.Join(ordered, "\n")
	for _, m := range ordered {
		key, _, _ := strings.Cut(m, versionMark)
		c.keys = append(c.keys, key)
	}
	return c
}

// errTorn ends a transaction that has to run again.
var errTorn = errors.New("values changed while they were read")

// chunk reads members of the index with their entries.
func (r *reader) chunk(low, high string, size int, reverse bool) ([]string, []entry, error) {
	var members []string
	by := &goredis.ZRangeBy{Min: low, Max: high, Count: int64(size)}
	err := r.try(func(ctx context.Context) error {
		var err error
		if reverse {
			members, err = r.engine.client.ZRevRangeByLex(ctx, r.engine.keyName("index"), by).Result()
		} else {
			members, err = r.engine.client.ZRangeByLex(ctx, r.engine.keyName("index"), by).Result()
		}
		return err
	})
	if err != nil || len(members) == 0 {
		return nil, nil, err
	}
	entries := make([]entry, len(members))
	var unknown []string
	var places []int
	for i, m := range members {
		key, version, _ := strings.Cut(m, versionMark)
		if e := r.cache[key]; e.version == version {
			entries[i] = e
			continue
		}
		unknown, places = append(unknown, key), append(places, i)
	}
	if len(unknown) == 0 {
		return members, entries, nil
	}
	stored, err := r.values(unknown)
	if err != nil {
		return nil, nil, err
	}
	for n, i := range places {
		entries[i] = stored[n]
		if members[i] != unknown[n]+versionMark+entries[i].version {
			r.torn = true
			return nil, nil, errTorn
		}
		r.cache[unknown[n]] = entries[i]
	}
	return members, entries, nil
}

// batch is what a script checks and applies.
type batch struct {
	token  string
	checks []check
	writes []write
	news   []kv.News
}

type write struct {
	key string
	entry
}

// failed is a check that did not hold, with the value of its key by now if it
// is about one.
type failed struct {
	check int // from 1; 0 = another one has the write lease
	value string
}

// apply runs the commit script and returns which checks have failed.
func (e *Engine) apply(ctx context.Context, b batch) ([]failed, error) {
	args := make([]any, 0, 6+4*len(b.checks)+3*len(b.writes)+2*len(b.news))
	args = append(args, b.token, e.id, e.channel(), len(b.checks), len(b.writes), len(b.news))
	for _, c := range b.checks {
		args = append(args, c.min, c.max, c.members, c.key)
	}
	for _, w := range b.writes {
		args = append(args, w.key, w.version, w.value)
	}
	for _, n := range b.news {
		kind := "publish"
		if n.Retired {
			kind = "retire"
		}
		args = append(args, n.Job, kind)
	}
	reply, err := e.eval(ctx, commitScript, e.handoutKeys("index", "values", "commit:"+e.id, "write-lease"), args...)
	if err != nil {
		return nil, err
	}
	list, err := reply.Slice()
	if err != nil {
		return nil, err
	}
	stale := make([]failed, 0, len(list)/2)
	for pair := range slices.Chunk(list, 2) {
		n, isNumber := pair[0].(int64)
		value, isText := pair[len(pair)-1].(string)
		if !isNumber || !isText || n > int64(len(b.checks)) {
			return nil, fmt.Errorf("redis: the commit script returned %v", list)
		}
		stale = append(stale, failed{int(n), value})
	}
	return stale, nil
}

// leaseWrites makes the transactions of others wait, for so long at most, unless
// another one has the lease. With zero it gives the lease back.
func (e *Engine) leaseWrites(ctx context.Context, who string, d time.Duration) error {
	_, err := e.eval(ctx, leaseScript, []string{e.keyName("write-lease")}, who, d.Milliseconds())
	return err
}

// writer commits the batches of this process, one after the other.
type writer struct {
	engine *Engine
	// cache is what this process has last read and written. It may be
	// outdated: each commit checks what it used.
	cache  map[string]entry
	serial uint64
}

const (
	// maxCached bounds the cache, in keys.
	maxCached = 2000
	// leaseAfter is how often a transaction conflicts with those of others before
	// it leases the writes: then it can't conflict again.
	leaseAfter = 2
	// leaseFor is how long others wait at most, and mostLease for a View that has
	// much to read: less than what a command may take until it is recorded.
	leaseFor  = 300 * time.Millisecond
	mostLease = 1500 * time.Millisecond
)

// errContention says that a transaction did not get the write lease in time.
var errContention = errors.New("redis: too many processes change the same keys")

// commit runs a batch until nothing that it reads has changed meanwhile.
func (w *writer) commit(run func(kv.Reader) *kv.Batch) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*w.engine.opts.Timeout)
	defer cancel()
	for n := 0; ; n++ {
		if n >= leaseAfter {
			if err := w.engine.leaseWrites(ctx, w.engine.id, leaseFor); err != nil {
				w.forget()
				return err
			}
		}
		r := &reader{engine: w.engine, ctx: ctx, cache: w.cache}
		out := run(r)
		switch {
		case r.torn:
			continue
		case r.err != nil:
			w.forget()
			return r.err
		}
		b := w.batch(r.checks, out)
		stale, err := w.engine.apply(ctx, b)
		if err != nil {
			w.forget() // what was written is not known
			return err
		}
		if len(stale) == 0 {
			w.remember(b.writes)
			return nil
		}
		learn(w.cache, b.checks, stale)
		if stale[0].check == 0 && !retry.Wait(ctx, backoff.After(1)) || ctx.Err() != nil {
			w.forget()
			return fmt.Errorf("%w: %w", ErrUnavailable, errContention)
		}
	}
}

// learn puts into a cache what has failed checks.
func learn(cache map[string]entry, checks []check, stale []failed) {
	for _, f := range stale {
		switch {
		case f.check == 0:
		case checks[f.check-1].key != "":
			cache[checks[f.check-1].key] = parseEntry(f.value)
		default:
			for _, key := range checks[f.check-1].keys {
				delete(cache, key)
			}
		}
	}
}

// batch gives each write a version of its own.
func (w *writer) batch(checks []check, out *kv.Batch) batch {
	w.serial++
	version := strconv.FormatUint(w.serial, 36) + "." + w.engine.id
	b := batch{token: version, checks: distinct(checks), news: out.News()}
	for key, value := range out.Writes() {
		if value == nil {
			b.writes = append(b.writes, write{key: key})
		} else {
			b.writes = append(b.writes, write{key, entry{version, value}})
		}
	}
	return b
}

// distinct drops what is checked already.
func distinct(checks []check) []check {
	seen := make(map[[3]string]bool, len(checks))
	return slices.DeleteFunc(slices.Clone(checks), func(c check) bool {
		id := [3]string{c.min, c.max, c.members}
		known := seen[id]
		seen[id] = true
		return known
	})
}

// remember keeps what was written.
func (w *writer) remember(writes []write) {
	if len(w.cache) > maxCached {
		w.forget()
	}
	for _, wr := range writes {
		w.cache[wr.key] = wr.entry
	}
}

func (w *writer) forget() { w.cache = map[string]entry{} }
