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
	"syscall"
	"testing"

	"ltxbot/internal/need"
	"ltxbot/store/bolt"
	"ltxbot/store/kv"
)

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

// check compares what a start has after a crash now: with this file, or that as it
// was before the last flush, and with what is left of the logs.
func (h *history) check(t *testing.T, files [][]byte, losses ...loss) {
	t.Helper()
	want := []string{model(t, h.done)}
	if h.underWay != 0 {
		want = append(want, model(t, append(slices.Clone(h.done), h.underWay)))
	}
	tried, seed := map[uint64]bool{}, maphash.MakeSeed()
	for _, file := range files {
		for how, left := range losses {
			after, id := h.after(left), maphash.Bytes(seed, file)
			for _, name := range slices.Sorted(maps.Keys(after.logs)) {
				id = id*31 + maphash.Bytes(seed, after.logs[name].writes[0].data)
			}
			if tried[id] {
				continue
			}
			tried[id] = true
			path := newPath(t)
			// Without the room at its end, which takes long to write.
			if err := errors.Join(os.WriteFile(path, bytes.TrimRight(file, "\x00"), 0o600), os.Truncate(path, int64(len(file)))); err != nil {
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

func (h *history) file(t *testing.T) []byte {
	t.Helper()
	file, err := os.ReadFile(h.path)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// work runs updates and flushes, and crashes before each step-th operation on the
// logs from one to another.
func work(t *testing.T, fail, from, to, step int) (ops int) {
	t.Helper()
	h := &history{disk: &disk{logs: map[string]*logFile{}, fail: fail}, path: newPath(t)}
	e := open(t, h.path, bolt.Options{}.WithLogs(h.open))
	h.before = func() {
		if h.ops < from || h.ops >= to || (h.ops-from)%step != 0 {
			return
		}
		files := [][]byte{h.file(t)}
		if h.older != nil && bytes.Equal(files[0], h.newer) { // else there was another flush
			files = append(files, h.older)
		}
		h.check(t, files, all, nothing, firstHalf, secondHalf)
	}
	for n := 1; n <= 16 && h.ops < to && !t.Failed(); n++ {
		h.underWay = n
		file := h.file(t)
		err := e.Update(t.Context(), update(n))
		h.underWay = 0
		switch {
		case err == nil:
			h.done = append(h.done, n)
		case errors.Is(err, syscall.EIO), errors.Is(err, syscall.ENOSPC):
			h.check(t, [][]byte{file}, all) // as if the flush that follows had failed, too
		default:
			t.Fatal(err)
		}
		h.before()
		if n%5 == 0 {
			h.older = h.file(t)
			if err := e.Flush(); err != nil {
				t.Fatal(err)
			}
			h.newer = h.file(t)
			h.before()
		}
	}
	h.before = nil
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	h.check(t, [][]byte{h.file(t)}, all) // the logs were not removed
	return h.ops
}

// Whatever happens between two operations, and whatever of them is on the disk,
// the next start has what was acknowledged, in its order, and nothing else.
func TestACrashBetweenAnyTwoOperations(t *testing.T) {
	step := 1
	if need.Quick() {
		step = 5
	}
	work(t, 0, int(need.Seed(t)%uint64(step)), 1000, step)
}

// A write or a sync that fails costs one update. It does not come back: somebody
// was told that it failed.
func TestAnyOperationMayFail(t *testing.T) {
	ops := work(t, 0, 1000, 1000, 1)
	var each []int
	for op := 1; op <= ops; op++ {
		if !need.Race || op%7 == 0 { // what runs at the same time is not the subject
			each = append(each, op)
		}
	}
	for _, fail := range need.Some(t, each, 10) {
		t.Run(fmt.Sprint("operation ", fail), func(t *testing.T) { work(t, fail, fail, fail+4, 1) })
	}
}

// A header that is damaged costs nothing while its copy is whole. Without both, a
// log with commits is refused: to go on without it would lose them.
func TestALogWithADamagedHeader(t *testing.T) {
	const header, copied = 8 + 16 + 16 + 4, 2048 // bytes, and where the copy is
	path := newPath(t)
	e := open(t, path, bolt.Options{})
	put(t, e, "a", "1")
	if err := e.Flush(); err != nil {
		t.Fatal(err)
	}
	empty := killed(t, path) // its second log was never begun
	put(t, e, "a", "2")      // in the second log
	for _, first := range []int{-1, 3, 12, 30, header - 1, header} {
		for _, second := range []int{-1, 3, 12, 30, header - 1, header} {
			left := killed(t, path)
			log, err := os.ReadFile(left + ".wal2")
			if err != nil {
				t.Fatal(err)
			}
			for at, bit := range map[int]int{0: first, copied: second} {
				switch {
				case bit == header:
					clear(log[at:][:header])
				case bit >= 0:
					log[at+bit] ^= 1
				}
			}
			if err := os.WriteFile(left+".wal2", log, 0o600); err != nil {
				t.Fatal(err)
			}
			e, err := bolt.Open(left, bolt.Options{NoSync: true})
			if first >= 0 && second >= 0 {
				if err == nil {
					t.Fatalf("byte %d and %d of the copy: it was opened, %v", first, second, e.Close())
				}
				if !strings.Contains(err.Error(), left+".wal2") || !strings.Contains(err.Error(), "damaged") {
					t.Errorf("byte %d and %d of the copy: %v", first, second, err)
				}
				if after, err := os.ReadFile(left + ".wal2"); err != nil || !bytes.Equal(after, log) {
					t.Errorf("the log was changed: %v", err)
				}
				continue
			}
			if err != nil {
				t.Fatalf("byte %d or %d of the copy: %v", first, second, err)
			}
			if got := get(t, e, "a"); got != "2" {
				t.Errorf("byte %d or %d of the copy: a = %q", first, second, got)
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, junk := range []string{"", "half a hea", strings.Repeat("\x00", 1<<20), strings.Repeat("\xff", 1<<20)} {
		if err := os.WriteFile(empty+".wal2", []byte(junk), 0o600); err != nil {
			t.Fatal(err)
		}
		e, err := bolt.Open(empty, bolt.Options{NoSync: true})
		if err != nil {
			t.Fatalf("a log without commits, %d bytes: %v", len(junk), err)
		}
		if got := get(t, e, "a"); got != "1" {
			t.Errorf("a log without commits, %d bytes: a = %q", len(junk), got)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
