package bolt_test

import (
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"ltxbot/internal/need"
	"ltxbot/store/bolt"
	"ltxbot/store/kv"
)

// disk has the logs of one store. It knows what would be left of them after a
// loss of power, and can fail.
type disk struct {
	mu     sync.Mutex
	logs   map[string]*logFile
	before func() // each operation, if it is set
	ops    int    // so far
	fail   int    // the operation that fails; 0 = none
}

// A logFile is the history of a log: each write, and how safe it is.
type logFile struct {
	*disk
	writes []logWrite
}

type logWrite struct {
	at     int64
	data   []byte
	safety int
}

const (
	pending = iota // a Sync that comes makes it safe
	doubted        // a Sync failed: it is safe, or will never be
	safe
)

func (d *disk) open(path string) (bolt.LogFile, error) {
	name := path[len(path)-len(".wal1"):]
	if d.logs[name] == nil {
		d.logs[name] = &logFile{disk: d}
	}
	return d.logs[name], nil
}

// op counts an operation, and reports whether it is the one that fails.
func (d *disk) op() bool {
	if d.before != nil {
		d.before()
	}
	d.ops++
	return d.ops == d.fail
}

func (f *logFile) WriteAt(p []byte, at int64) (int, error) {
	failed := f.op()
	if failed {
		p = p[:len(p)/2]
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes = append(f.writes, logWrite{at: at, data: slices.Clone(p)})
	if failed {
		return len(p), syscall.ENOSPC
	}
	return len(p), nil
}

func (f *logFile) Sync() error {
	failed := f.op()
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.writes {
		switch w := &f.writes[i]; {
		case w.safety == pending && failed:
			w.safety = doubted
		case w.safety == pending:
			w.safety = safe
		}
	}
	if failed {
		return syscall.EIO
	}
	return nil
}

func (f *logFile) Datasync() error { return f.Sync() }

func (f *logFile) ReadAt(p []byte, at int64) (int, error) {
	return bytes.NewReader(f.content(all)).ReadAt(p, at)
}

func (f *logFile) Size() (int64, error) { return int64(len(f.content(all))), nil }

func (f *logFile) Close() error { return nil }

func (f *logFile) Remove() error { return nil }

// What is left of a write that is not safe: all is what a killed process leaves,
// the others are what a loss of power may.
var (
	all        = func(n int) (from, to int) { return 0, n }
	nothing    = func(n int) (from, to int) { return 0, 0 }
	firstHalf  = func(n int) (from, to int) { return 0, n / 2 }
	secondHalf = func(n int) (from, to int) { return n / 2, n }
)

// content is what the log has when so much is left of what is not safe.
func (f *logFile) content(left func(n int) (from, to int)) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	var content []byte
	for _, w := range f.writes {
		from, to := 0, len(w.data)
		if w.safety != safe {
			from, to = left(to)
		}
		if end := int(w.at) + to; from < to && end > len(content) {
			content = append(content, make([]byte, end-len(content))...)
		}
		copy(content[min(int(w.at)+from, len(content)):], w.data[from:to])
	}
	return content
}

// after is the disk after a crash.
func (d *disk) after(left func(n int) (from, to int)) *disk {
	after := &disk{logs: map[string]*logFile{}}
	for name, log := range d.logs {
		after.logs[name] = &logFile{disk: after, writes: []logWrite{{data: log.content(left), safety: safe}}}
	}
	return after
}

// history is a store under work, and what it must have after a crash.
type history struct {
	*disk
	path     string
	newer    []byte // the file after the last flush
	older    []byte // and before it, as while the flush is under way
	done     []int  // the updates that were acknowledged
	underWay int    // the update that may be there or not; 0 = none
}

// update is the transaction with a number. It writes a key that others write,
// too, one of its own, and publishes, retires and publishes anew.
func update(n int) func(kv.Tx) error {
	return func(tx kv.Tx) error {
		tx.Put(fmt.Sprint("shared", n%3), fmt.Append(nil, n))
		tx.Put(fmt.Sprint("own", n), bytes.Repeat([]byte{'x'}, 1+n%4*3000))
		tx.Delete(fmt.Sprint("own", n-4))
		tx.Publish(fmt.Sprint("job", n%5))
		tx.Retire(fmt.Sprint("job", (n+2)%5))
		return nil
	}
}

// state is everything that a store holds: its keys, and its jobs in the order in
// which they are handed out.
func state(t *testing.T, e *bolt.Engine) string {
	t.Helper()
	var out strings.Builder
	err := e.View(t.Context(), func(tx kv.Tx) error {
		for key, value := range tx.Scan("", "") {
			fmt.Fprintf(&out, "%s=%.8s/%d ", key, value, len(value))
		}
		return nil
	})
	if err == nil {
		err = e.Update(t.Context(), func(tx kv.Tx) error { tx.Publish("last"); return nil })
	}
	for job := ""; err == nil && job != "last"; {
		var c kv.Claim
		c, err = e.Claim(t.Context())
		job = c.Job
		out.WriteString(job + " ")
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// models are the states after updates, by their numbers.
var models = map[string]string{}

func model(t *testing.T, updates []int) string {
	t.Helper()
	name := fmt.Sprint(updates)
	if models[name] == "" {
		path := newPath(t)
		e := open(t, path, bolt.Options{NoSync: true})
		for _, n := range updates {
			if err := e.Update(t.Context(), update(n)); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		models[name] = state(t, open(t, path, bolt.Options{NoSync: true}))
	}
	return models[name]
}

// crash checks what is there after a crash at this moment.
func (h *history) crash(t *testing.T) {
	t.Helper()
	file, err := os.ReadFile(h.path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file, h.newer) { // there was another flush
		h.older = nil
	}
	want := []string{model(t, h.done)}
	if h.underWay != 0 {
		want = append(want, model(t, append(slices.Clone(h.done), h.underWay)))
	}
	tried := map[uint64]bool{}
	seed := maphash.MakeSeed()
	for how, left := range []func(int) (int, int){all, nothing, firstHalf, secondHalf} {
		for _, file := range [][]byte{file, h.older} {
			after, id := h.after(left), maphash.Bytes(seed, file)
			for _, name := range slices.Sorted(maps.Keys(after.logs)) {
				id = id*31 + maphash.Bytes(seed, after.logs[name].writes[0].data)
			}
			if file == nil || tried[id] {
				continue
			}
			tried[id] = true
			path := newPath(t)
			// Without the room at its end, which takes long to write.
			err := os.WriteFile(path, bytes.TrimRight(file, "\x00"), 0o600)
			if err := errors.Join(err, os.Truncate(path, int64(len(file)))); err != nil {
				t.Fatal(err)
			}
			e := open(t, path, bolt.Options{NoSync: true}.WithLogs(after.open))
			if got := state(t, e); !slices.Contains(want, got) {
				t.Errorf("after updates %v (under way: %d), before operation %d, loss %d:\n%s\nwant\n%s",
					h.done, h.underWay, h.ops+1, how, got, strings.Join(want, "\nor\n"))
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// work runs updates and flushes; from operation on it crashes before each one.
func work(t *testing.T, fail, from, to int) (ops int) {
	h := &history{disk: &disk{logs: map[string]*logFile{}, fail: fail}, path: newPath(t)}
	e := open(t, h.path, bolt.Options{}.WithLogs(h.open))
	h.before = func() {
		if h.ops >= from && h.ops < to {
			h.crash(t)
		}
	}
	for n := 1; n <= 16 && h.ops < to && !t.Failed(); n++ {
		h.underWay = n
		err := e.Update(t.Context(), update(n))
		if err == nil {
			h.done = append(h.done, n)
		} else if !errors.Is(err, syscall.EIO) && !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		h.underWay = 0
		h.before()
		if n%5 == 0 {
			older, err := os.ReadFile(h.path)
			flushErr := e.Flush()
			newer, err2 := os.ReadFile(h.path)
			if err := errors.Join(err, flushErr, err2); err != nil {
				t.Fatal(err)
			}
			h.older, h.newer = older, newer
			h.before()
		}
	}
	h.before = nil
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e = open(t, h.path, bolt.Options{NoSync: true})
	if got, want := state(t, e), model(t, h.done); got != want {
		t.Errorf("after updates %v:\n%s\nwant\n%s", h.done, got, want)
	}
	return h.ops
}

// Whatever happens between two operations, and whatever of them is on the disk,
// the next start has what was acknowledged, in its order, and nothing else.
func TestACrashBetweenAnyTwoOperations(t *testing.T) {
	work(t, 0, 0, 1000)
}

// A write or a sync that fails costs one update. It does not come back: somebody
// was told that it failed.
func TestAnyOperationMayFail(t *testing.T) {
	ops := work(t, 0, 1000, 1000)
	all := make([]int, ops)
	for i := range all {
		all[i] = i + 1
	}
	for _, fail := range need.Some(t, all, 5) {
		t.Run(fmt.Sprint("operation ", fail), func(t *testing.T) { work(t, fail, fail, fail+4) })
	}
}
