package bolt_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"ltxbot/internal/need"
	"ltxbot/store/bolt"
	"ltxbot/store/kv"
)

// killed returns a path to what a process that was killed now would leave behind.
func killed(t *testing.T, path string) string {
	t.Helper()
	left := newPath(t)
	copyStore(t, path, left)
	return left
}

func TestWhatIsInTheLogAloneOutlivesAKill(t *testing.T) {
	path := newPath(t)
	e := open(t, path, bolt.Options{})
	put(t, e, "a", "1")
	if err := e.Flush(); err != nil {
		t.Fatal(err)
	}
	put(t, e, "b", "2") // in the second log
	put(t, e, "a", "3")
	if err := e.Update(t.Context(), func(tx kv.Tx) error { tx.Delete("b"); tx.Put("c", tx.Get("a")); tx.Publish("job"); return nil }); err != nil {
		t.Fatal(err)
	}
	e = open(t, killed(t, path), bolt.Options{})
	for key, want := range map[string]string{"a": "3", "b": "", "c": "3"} {
		if got := get(t, e, key); got != want {
			t.Errorf("%s = %q, want %q", key, got, want)
		}
	}
	if c, err := e.Claim(t.Context()); err != nil || c.Job != "job" {
		t.Errorf("handed out %q, %v", c.Job, err)
	}
}

// The last commit may be cut off anywhere: it was not acknowledged then.
func TestACommitThatWasCutOffIsLeftOut(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	e := open(t, path, bolt.Options{})
	put(t, e, "a", "acknowledged")
	at := e.LogEnd()
	put(t, e, "b", "cut off")
	end := e.LogEnd()
	whole := killed(t, path) // which nobody flushes meanwhile
	var cuts []int64
	for cut := at; cut < end; cut++ {
		cuts = append(cuts, cut)
	}
	for _, cut := range append(need.Some(t, cuts, 8), end) {
		left := killed(t, whole)
		log, err := os.ReadFile(left + ".wal1")
		if err != nil {
			t.Fatal(err)
		}
		for i := cut; i < end; i++ {
			log[i] = 0
		}
		if err := os.WriteFile(left+".wal1", log, 0o600); err != nil {
			t.Fatal(err)
		}
		e, err := bolt.Open(left, bolt.Options{NoSync: true})
		if err != nil {
			t.Fatalf("cut off after %d bytes: %v", cut-at, err)
		}
		if got := get(t, e, "a"); got != "acknowledged" {
			t.Errorf("cut off after %d bytes: a = %q", cut-at, got)
		}
		if got := get(t, e, "b"); got != "" != (cut == end) {
			t.Errorf("cut off after %d bytes of %d: b = %q", cut-at, end-at, got)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A commit in the middle was acknowledged: to go on without it would lose it.
func TestALogThatIsDamagedInTheMiddleIsRefused(t *testing.T) {
	path := newPath(t)
	e := open(t, path, bolt.Options{})
	put(t, e, "a", "first")
	at := e.LogEnd()
	put(t, e, "b", "second")
	put(t, e, "c", "third")
	whole := killed(t, path) // which nobody flushes meanwhile
	for what, damage := range map[string]func(log []byte){
		"a bit of what it writes": func(log []byte) { log[at+20] ^= 1 },
		"a bit of its length":     func(log []byte) { log[at] ^= 1 },
		"its first bytes":         func(log []byte) { clear(log[at:][:20]) },
	} {
		t.Run(what, func(t *testing.T) {
			left := killed(t, whole)
			log, err := os.ReadFile(left + ".wal1")
			if err != nil {
				t.Fatal(err)
			}
			damage(log)
			if err := os.WriteFile(left+".wal1", log, 0o600); err != nil {
				t.Fatal(err)
			}
			if e, err := bolt.Open(left, bolt.Options{}); err == nil {
				t.Fatal("it was opened", e.Close())
			} else if !strings.Contains(err.Error(), left) || !strings.Contains(err.Error(), "damaged") {
				t.Errorf("got %v", err)
			}
			if after, err := os.ReadFile(left + ".wal1"); err != nil || !bytes.Equal(after, log) {
				t.Errorf("the log was changed: %v", err)
			}
		})
	}
}

// Somebody restores a backup after a crash: the logs of the other file are still
// there, and do not belong to it.
func TestLogsOfAnotherFileAreNotRead(t *testing.T) {
	path := newPath(t)
	e := open(t, path, bolt.Options{})
	put(t, e, "a", "backed up")
	backup := newPath(t)
	f, err := os.Create(backup)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Backup(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"later", "still later"} {
		put(t, e, "a", value)
		if err := e.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	put(t, e, "b", "in the log")
	left := killed(t, path)
	copyFile(t, backup, left)
	e = open(t, left, bolt.Options{})
	if a, b := get(t, e, "a"), get(t, e, "b"); a != "backed up" || b != "" {
		t.Errorf("a = %q, b = %q", a, b)
	}
}

// Between any two steps of a flush the process may be killed: what is in the file
// already is in a log, too, and older than what follows it there.
func TestAFlushThatWasKilledIsDoneAgain(t *testing.T) {
	path := newPath(t)
	e := open(t, path, bolt.Options{})
	put(t, e, "a", "1")
	put(t, e, "a", "2")
	before := killed(t, path)
	if err := e.Flush(); err != nil {
		t.Fatal(err)
	}
	put(t, e, "a", "3")
	after := killed(t, path)
	t.Run("the file was written and the log still has it", func(t *testing.T) {
		copyFile(t, before+".wal1", after+".wal1")
		if got := get(t, open(t, after, bolt.Options{}), "a"); got != "3" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("the file was not written and there are two logs", func(t *testing.T) {
		copyFile(t, path+".wal2", before+".wal2")
		if got := get(t, open(t, before, bolt.Options{}), "a"); got != "3" {
			t.Errorf("got %q", got)
		}
	})
}

// A log that is written again still has old commits behind its end.
func TestWhatIsLeftInALogFromBeforeIsNotRead(t *testing.T) {
	path := newPath(t)
	e := open(t, path, bolt.Options{})
	for i := range 20 {
		put(t, e, fmt.Sprint("key", i), "old")
	}
	for range 2 { // both logs are used, and the first one again
		if err := e.Flush(); err != nil {
			t.Fatal(err)
		}
		for i := range 20 {
			put(t, e, fmt.Sprint("key", i), "new")
		}
	}
	if err := e.Flush(); err != nil {
		t.Fatal(err)
	}
	put(t, e, "key0", "newest")
	e = open(t, killed(t, path), bolt.Options{})
	for i := range 20 {
		want := "new"
		if i == 0 {
			want = "newest"
		}
		if got := get(t, e, fmt.Sprint("key", i)); got != want {
			t.Errorf("key%d = %q, want %q", i, got, want)
		}
	}
}

func TestTheClockThatWasPutRightOutlivesAKill(t *testing.T) {
	path := newPath(t)
	now := time.Now()
	ahead := func() time.Time { return now }
	e := open(t, path, bolt.Options{Now: func() time.Time { return ahead() }})
	now = now.Add(time.Hour)
	put(t, e, "a", "1")
	now = now.Add(-time.Hour)
	if err := e.ResetClock(t.Context()); err != nil {
		t.Fatal(err)
	}
	e = open(t, killed(t, path), bolt.Options{Now: func() time.Time { return now }})
	if got, err := e.Now(t.Context()); err != nil || !got.Equal(now) {
		t.Errorf("Now is %v ahead, %v", got.Sub(now), err)
	}
}

func FuzzDecodeCommit(f *testing.F) {
	b := kv.NewBatch()
	b.Set("key", []byte("value"))
	b.Set("gone", nil)
	b.Announce(kv.News{Job: "job"})
	b.Announce(kv.News{Job: "job", Retired: true})
	f.Add(bolt.EncodeCommit(time.Unix(1, 2), b))
	f.Fuzz(func(t *testing.T, data []byte) {
		b := kv.NewBatch()
		at, err := bolt.DecodeCommit(data, b)
		if err != nil {
			return
		}
		same := kv.NewBatch()
		again, err := bolt.DecodeCommit(bolt.EncodeCommit(at, b), same)
		if err != nil || !again.Equal(at) {
			t.Fatalf("read again: %v, %v", again, err)
		}
		got, want := fmt.Sprint(contents(same)), fmt.Sprint(contents(b))
		if got != want {
			t.Errorf("read again: %s, want %s", got, want)
		}
	})
}

func contents(b *kv.Batch) (all []string) {
	for key, value := range b.Writes() {
		all = append(all, fmt.Sprintf("%q=%q/%t", key, value, value == nil))
	}
	for _, n := range b.News() {
		all = append(all, fmt.Sprint(n))
	}
	return all
}

func TestTheClockThatWasPutRightOutlivesTwoKills(t *testing.T) {
	path := newPath(t)
	now := time.Now()
	clock := func() time.Time { return now }
	e := open(t, path, bolt.Options{Now: clock})
	now = now.Add(time.Hour)
	put(t, e, "a", "1")
	if err := e.Flush(); err != nil {
		t.Fatal(err)
	}
	now = now.Add(-time.Hour)
	if err := e.ResetClock(t.Context()); err != nil {
		t.Fatal(err)
	}
	once := killed(t, path)
	open(t, once, bolt.Options{Now: clock})
	e = open(t, killed(t, once), bolt.Options{Now: clock})
	if got, err := e.Now(t.Context()); err != nil || !got.Equal(now) {
		t.Errorf("Now is %v ahead, %v", got.Sub(now), err)
	}
}

// The logs stand beside the file itself: it may be opened by its own name the next time.
func TestAStoreHasTwoNames(t *testing.T) {
	path := newPath(t)
	link := newPath(t)
	if err := os.Symlink(path, link); err != nil {
		t.Skip(err)
	}
	e := open(t, link, bolt.Options{})
	put(t, e, "a", "1")
	if got := get(t, open(t, killed(t, path), bolt.Options{}), "a"); got != "1" {
		t.Errorf("got %q", got)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := bolt.Compact(link); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info.Mode(), err)
	}
	if got := get(t, open(t, path, bolt.Options{}), "a"); got != "1" {
		t.Errorf("got %q", got)
	}
}

// Another process may have the new file as soon as it has its name, and logs of its own.
func TestACompactedFileHasNoLogs(t *testing.T) {
	path := newPath(t)
	e := open(t, path, bolt.Options{})
	put(t, e, "a", "1")
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	old, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	left := make(chan bool)
	go func() {
		for {
			now, err := os.Stat(path)
			_, logErr := os.Stat(path + ".wal2")
			if err != nil || !os.SameFile(old, now) {
				left <- logErr == nil
				return
			}
		}
	}()
	if _, _, err := bolt.Compact(path); err != nil {
		t.Fatal(err)
	}
	if <-left {
		t.Error("a log was there when the file had been replaced")
	}
}

// A process that starts while another one still closes the file waits for it, and
// for what comes into the file then.
func TestAFileGrowsWhileSomebodyWaitsForIt(t *testing.T) {
	for range 20 { // it waits a second, in which a busy machine may not close the file
		path := newPath(t)
		e := open(t, path, bolt.Options{})
		put(t, e, "a", strings.Repeat("x", 20<<20))
		opened := make(chan error)
		go func() {
			next, err := bolt.Open(path, bolt.Options{})
			if err == nil {
				err = next.Close()
			}
			opened <- err
		}()
		waitForNames(t, path, 2)
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		err := <-opened
		if errors.Is(err, bolt.ErrInUse) {
			continue
		}
		if err != nil {
			t.Error(err)
		}
		return
	}
	t.Error("the file is never closed in time")
}

// A version that knows no logs would go on without what they have, and this one
// would read them when it comes back.
func TestAnOlderVersionDoesNotOpenAFileWithLogs(t *testing.T) {
	const known = "1" // to that version
	format := func(path string) string {
		db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		var format string
		err = db.View(func(tx *bbolt.Tx) error { format = string(tx.Bucket([]byte("meta")).Get([]byte("format"))); return nil })
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		return format
	}
	path := newPath(t)
	e := open(t, path, bolt.Options{})
	put(t, e, "a", "1")
	if got := format(killed(t, path)); got == known {
		t.Errorf("the format of a killed process is %s", got)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if got := format(path); got != known {
		t.Errorf("the format of a closed file is %s", got)
	}
}

// A compaction puts another file in the place of this one while somebody waits for
// the lock: what is written to the old one would be gone.
func TestAFileThatWasReplacedIsNotWritten(t *testing.T) {
	path := newPath(t)
	e := open(t, path, bolt.Options{})
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	smaller := path + ".compact"
	copyFile(t, path, smaller)
	old, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true}) // whoever looks only does not wait
	if err != nil {
		t.Fatal(err)
	}
	opened := make(chan error)
	go func() {
		e, err := bolt.Open(path, bolt.Options{})
		if err == nil {
			err = errors.Join(e.Update(t.Context(), func(tx kv.Tx) error { tx.Put("a", []byte("1")); return nil }), e.Close())
		}
		opened <- err
	}()
	waitForNames(t, path, 2)
	if err := errors.Join(os.Rename(smaller, path), old.Close()); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; errors.Is(err, bolt.ErrInUse) {
		return
	} else if err != nil {
		t.Fatal(err)
	}
	if got := get(t, open(t, path, bolt.Options{}), "a"); got != "1" {
		t.Errorf("what was acknowledged is %q", got)
	}
}

// waitForNames returns when this process has a file open so many times.
func waitForNames(t *testing.T, path string, n int) {
	t.Helper()
	for names := 0; names < n; {
		fds, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip(err)
		}
		names = 0
		for _, fd := range fds {
			if to, _ := os.Readlink("/proc/self/fd/" + fd.Name()); to == path {
				names++
			}
		}
	}
}
