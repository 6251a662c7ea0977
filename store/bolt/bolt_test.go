package bolt_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"ltxbot/internal/need"
	"ltxbot/store/bolt"
	"ltxbot/store/kv"
	"ltxbot/store/kv/kvtest"
)

// file is a database for the suite. A client that is killed leaves behind what
// is on the disk at that moment: the next one opens a copy of it.
type file struct {
	path string
	now  func() time.Time
}

func (f *file) Open(t testing.TB) kv.Engine {
	t.Helper()
	return open(t, f.path, bolt.Options{Now: f.now, FlushSize: small})
}

func (f *file) Kill(t testing.TB, e kv.Engine) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ltx.db")
	copyStore(t, f.path, path)
	f.path = path
	t.Cleanup(func() { e.Close() })
}

func TestEngine(t *testing.T) {
	need.Checks()
	kvtest.Run(t, kvtest.Harness{Single: true, New: func(t testing.TB, now func() time.Time) kvtest.Database {
		return &file{path: newPath(t), now: now}
	}})
}

// small is a size of the log that a few commits reach, in bytes.
const small = 8 << 10

func newPath(t testing.TB) string { return filepath.Join(t.TempDir(), "ltx.db") }

func open(t testing.TB, path string, opts bolt.Options) *bolt.Engine {
	t.Helper()
	opts.Logger = slog.New(slog.DiscardHandler)
	e, err := bolt.Open(path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return e
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// copyStore copies the files of a store as they are at this moment.
func copyStore(t testing.TB, from, to string) {
	t.Helper()
	for _, end := range []string{"", ".wal1", ".wal2"} {
		copyFile(t, from+end, to+end)
	}
}

func put(t testing.TB, e kv.Engine, key, value string) {
	t.Helper()
	if err := e.Update(t.Context(), func(tx kv.Tx) error { tx.Put(key, []byte(value)); return nil }); err != nil {
		t.Fatal(err)
	}
}

func get(t testing.TB, e kv.Engine, key string) string {
	t.Helper()
	var value string
	if err := e.View(t.Context(), func(tx kv.Tx) error { value = string(tx.Get(key)); return nil }); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestAFileHasOneProcess(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	open(t, path, bolt.Options{})
	if _, err := bolt.Open(path, bolt.Options{}); !errors.Is(err, bolt.ErrInUse) || !strings.Contains(err.Error(), "store.url") {
		t.Errorf("second Open: %v", err)
	}
	if _, _, err := bolt.Compact(path); !errors.Is(err, bolt.ErrInUse) {
		t.Errorf("Compact of a file in use: %v", err)
	}
}

func TestOthersMayNotReadTheFile(t *testing.T) {
	path := newPath(t)
	open(t, path, bolt.Options{})
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
}

// A file that is not a store is refused with its name and what to do, and is
// left as it was.
func TestAFileThatCannotBeReadIsRefused(t *testing.T) {
	whole := newPath(t)
	e := open(t, whole, bolt.Options{})
	for i := range 200 {
		put(t, e, fmt.Sprint("key", i), strings.Repeat("x", 1000))
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	older := newPath(t)
	db, err := bbolt.Open(older, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("jobs")); return err })
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	foreign, err := os.ReadFile(older)
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string][]byte{
		"another kind of file":  bytes.Repeat([]byte("SQLite format 3"), 1000),
		"a file that was cut":   content[:64<<10],
		"another bolt file":     foreign,
		"both meta pages wrong": append(bytes.Repeat([]byte{0xaa}, 8192), content[8192:]...),
	} {
		t.Run(name, func(t *testing.T) {
			path := newPath(t)
			if err := os.WriteFile(path, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			e, err := bolt.Open(path, bolt.Options{})
			if err == nil {
				t.Fatal("it was opened", e.Close())
			}
			if !strings.Contains(err.Error(), path) {
				t.Errorf("the error does not name the file: %v", err)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, damaged) {
				t.Errorf("the file was changed: %v", err)
			}
		})
	}
}

func TestAFullFileRefusesWritesAndLosesNothing(t *testing.T) {
	path := newPath(t)
	e := open(t, path, bolt.Options{MaxBytes: 256 << 10})
	put(t, e, "first", "kept")
	var err error
	taken := 0
	for ; err == nil && taken < 1000; taken++ {
		i := taken
		err = e.Update(t.Context(), func(tx kv.Tx) error {
			tx.Put(fmt.Sprint("key", i), bytes.Repeat([]byte("x"), 4000))
			return nil
		})
	}
	if err == nil || !strings.Contains(err.Error(), "largest allowed size") {
		t.Fatalf("got %v", err)
	}
	if got := get(t, e, "first"); got != "kept" {
		t.Errorf("read %q", got)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e = open(t, path, bolt.Options{}) // there is room again
	for i := range taken - 1 {
		if got := get(t, e, fmt.Sprint("key", i)); len(got) != 4000 {
			t.Errorf("key %d, which was taken, has %d bytes", i, len(got))
		}
	}
	put(t, e, "last", "1")
}

// TestAViewIsOfOneMoment commits while a view reads. Several commits: the first one
// of them has something to go on from that nobody reads yet.
func TestAViewIsOfOneMoment(t *testing.T) {
	e := open(t, newPath(t), bolt.Options{})
	put(t, e, "a", "before")
	err := e.View(t.Context(), func(tx kv.Tx) error {
		for i := range 3 {
			put(t, e, "a", fmt.Sprint("after", i))
			put(t, e, fmt.Sprint("new", i), "1")
			if got := string(tx.Get("a")); got != "before" {
				t.Errorf("after %d commits the view reads %q", 2*(i+1), got)
			}
		}
		for key := range tx.Scan("", "") {
			if key != "a" {
				t.Errorf("the view goes over %q", key)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := get(t, e, "a") + get(t, e, "new0"); got != "after21" {
		t.Errorf("after the view there is %q", got)
	}
}

// What waits while a commit is under way shares the next one.
func TestTransactionsThatWaitShareOneCommit(t *testing.T) {
	path := newPath(t)
	e := open(t, path, bolt.Options{})
	before := e.Commits()
	entered, goOn := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		once := sync.OnceFunc(func() { close(entered); <-goOn })
		if err := e.Update(t.Context(), func(tx kv.Tx) error { once(); tx.Put("first", []byte("1")); return nil }); err != nil {
			t.Error(err)
		}
	})
	<-entered
	var waiting sync.WaitGroup
	for i := range 100 {
		waiting.Add(1)
		all.Go(func() {
			waiting.Done()
			if err := e.Update(t.Context(), func(tx kv.Tx) error { tx.Put(fmt.Sprint("key", i), []byte("1")); return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	waiting.Wait()
	close(goOn)
	all.Wait()
	if n := e.Commits() - before; n > 20 {
		t.Errorf("101 transactions took %d commits", n)
	}
}

func TestABackupIsAStoreOfItsOwn(t *testing.T) {
	e := open(t, newPath(t), bolt.Options{})
	put(t, e, "a", "before")
	copied := newPath(t)
	f, err := os.Create(copied)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(e.Backup(t.Context(), f), f.Close()); err != nil {
		t.Fatal(err)
	}
	put(t, e, "a", "after")
	if got := get(t, open(t, copied, bolt.Options{}), "a"); got != "before" {
		t.Errorf("the copy has %q", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Backup(ctx, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("a backup that is given up: %v", err)
	}
}

func TestCompact(t *testing.T) {
	path := newPath(t)
	e := open(t, path, bolt.Options{})
	for i := range 500 {
		put(t, e, fmt.Sprint("key", i), strings.Repeat("x", 2000))
	}
	err := e.Update(t.Context(), func(tx kv.Tx) error {
		for i := range 499 {
			tx.Delete(fmt.Sprint("key", i))
		}
		tx.Publish("job")
		return nil
	})
	if err := errors.Join(err, e.Close()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".compact", []byte("of a compaction that was killed"), 0o600); err != nil {
		t.Fatal(err)
	}
	before, after, err := bolt.Compact(path)
	if err != nil {
		t.Fatal(err)
	}
	if after > before/4 {
		t.Errorf("%d bytes of %d are left", after, before)
	}
	e = open(t, path, bolt.Options{})
	if got := get(t, e, "key499"); got != strings.Repeat("x", 2000) {
		t.Errorf("what was kept is %q", got)
	}
	claim, err := e.Claim(t.Context())
	if err != nil || claim.Job != "job" {
		t.Errorf("handed out %q, %v", claim.Job, err)
	}
	claim.Release()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("the folder has %v, %v", entries, err)
	}
	if _, _, err := bolt.Compact(filepath.Join(t.TempDir(), "none.db")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Compact of no file: %v", err)
	}
}
