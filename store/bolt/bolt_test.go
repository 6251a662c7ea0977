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
	"go.uber.org/goleak"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/core/quota/quotatest"
	"ltxbot/store/bolt"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon is when the tests of this package happen.
var noon = time.Date(2026, time.March, 11, 12, 0, 0, 0, time.UTC)

// file remembers where a store is, so that it can be opened again.
type file struct {
	*bolt.Store
	path string
}

func open(t testing.TB, path string, now func() time.Time) *file {
	t.Helper()
	s, err := bolt.Open(path, bolt.Options{Now: now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return &file{Store: s, path: path}
}

func reopen(t testing.TB, f *file, now func() time.Time) *file {
	t.Helper()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, f.path, now)
}

// openNew opens an empty store that is closed with the test.
func openNew(t testing.TB) *file {
	t.Helper()
	f := open(t, filepath.Join(t.TempDir(), "ltx.db"), time.Now)
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return f
}

// job is a job as the engine makes it, of a size that is common.
func job(id, team, member string) generate.Job {
	return generate.Job{
		ID: id, State: generate.Accepted, Event: "discord:" + id, Team: team, Member: member,
		Place:    generate.Place{Platform: "discord", Tenant: "1108", Channel: "1109", User: member, Locale: "en-US"},
		Endpoint: "fal-ai/ltx-2.3-22b/text-to-video/lora", Estimate: 120_000, Created: time.Now(),
		Notes: map[string]string{"interaction": strings.Repeat("x", 200)},
	}
}

// plan is a plan as a usual config makes it.
func plan(j generate.Job, jobsAtATime int) quota.Plan {
	p := quota.Policy{
		Member:  quota.Limits{JobsAtATime: jobsAtATime, Windows: []quota.WindowLimit{{Window: quota.Day, Videos: 1 << 40}}},
		Team:    quota.Limits{Windows: []quota.WindowLimit{{Window: quota.Month, USD: 1 << 50}}},
		Waiting: 1 << 40,
	}
	return p.Plan(j.ID, quota.Asker{Team: j.Team, Member: j.Member}, j.Estimate, j.Created)
}

func accept(t testing.TB, s *bolt.Store, j generate.Job) generate.Job {
	t.Helper()
	j, err := s.Accept(context.Background(), j, plan(j, 0))
	if err != nil {
		t.Fatalf("accept: %v", err)
	}
	return j
}

func TestOpenMakesAFileForItsUserOnly(t *testing.T) {
	f := openNew(t)
	info, err := os.Stat(f.path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("mode of the file: got %o, want 600", got)
	}
}

func TestOpenSaysWhatToDo(t *testing.T) {
	notAStore := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(notAStore, bytes.Repeat([]byte("[store]\n"), 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	used := openNew(t)
	for _, test := range []struct{ name, path, want string }{
		{"a file in use", used.path, "another process is using this file"},
		{"a file of another kind", notAStore, "not a store of the bot"},
		{"a folder that does not exist", filepath.Join(t.TempDir(), "none", "ltx.db"), "no such file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := bolt.Open(test.path, bolt.Options{})
			if err == nil {
				s.Close()
				t.Fatal("was opened")
			}
			if msg := err.Error(); !strings.Contains(msg, test.want) || !strings.Contains(msg, test.path) {
				t.Errorf("error %q does not say %q of %s", msg, test.want, test.path)
			}
		})
	}
}

func TestADamagedJobDoesNotKeepTheOthersFromStarting(t *testing.T) {
	f := open(t, filepath.Join(t.TempDir(), "ltx.db"), time.Now)
	for _, id := range []string{"good1", "torn", "good2"} {
		accept(t, f.Store, job(id, "acme", "discord:1"))
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	edit(t, f.path, func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("jobs")).Put([]byte("torn"), []byte(`{"id":"torn","sta`))
	})

	for range 2 { // once when it is found, once after
		f = open(t, f.path, time.Now)
		for _, want := range []string{"good1", "good2"} {
			c, err := f.Take(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if c.Job.ID != want {
				t.Errorf("took %s, want %s", c.Job.ID, want)
			}
		}
		if _, err := f.Job(t.Context(), "torn"); !errors.Is(err, generate.ErrNoJob) {
			t.Errorf("damaged job: got error %v, want ErrNoJob", err)
		}
		jobs, err := f.Jobs(t.Context(), generate.Query{})
		if err != nil || len(jobs) != 2 {
			t.Errorf("list: got %d jobs, %v; want the 2 that can be read", len(jobs), err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	edit(t, f.path, func(tx *bbolt.Tx) error {
		if got := tx.Bucket([]byte("damaged")).Get([]byte("jobs/torn")); string(got) != `{"id":"torn","sta` {
			t.Errorf("record that was set aside: %q", got)
		}
		return nil
	})
}

// edit changes a store behind its back.
func edit(t *testing.T, path string, change func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(change), db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestAFullDiskLeavesNothingHalfDone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ltx.db")
	s, err := bolt.Open(path, bolt.Options{MaxBytes: 256 << 10, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { s.Close() }()
	tryAccept := func(id string) error {
		j := job(id, "acme", "discord:1")
		_, err := s.Accept(t.Context(), j, plan(j, 1))
		return err
	}
	if err := tryAccept("job0"); err != nil {
		t.Fatal(err)
	}
	claim, err := s.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	accepted := 1
	for err = nil; err == nil && accepted < 1000; {
		if err = tryAccept(fmt.Sprintf("job%d", accepted)); err == nil {
			accepted++
		}
	}
	if err == nil || !strings.Contains(err.Error(), "largest allowed size") {
		t.Fatalf("after %d jobs: got error %v, want one that names the size", accepted, err)
	}
	select {
	case <-claim.Changed:
		t.Error("a commit without a change of the claimed job tells its holder of one")
	default:
	}
	large := claim.Job
	large.Notes = map[string]string{"large": strings.Repeat("x", 300<<10)}
	if _, err := s.Save(t.Context(), large, quota.Keep()); err == nil {
		t.Fatal("a job that is larger than the disk was saved")
	}
	select {
	case <-claim.Changed:
	default:
		t.Error("the holder of a job that was perhaps saved is not told")
	}
	lost := fmt.Sprintf("job%d", accepted)
	if _, err := s.Job(t.Context(), lost); !errors.Is(err, generate.ErrNoJob) {
		t.Errorf("job that did not fit: got error %v, want ErrNoJob", err)
	}
	if _, err := s.Hold(t.Context(), lost); !errors.Is(err, quota.ErrNoHold) {
		t.Errorf("its hold: got error %v, want ErrNoHold", err)
	}
	if totals := quotatest.CheckBooks(t, s); totals.Holds != int64(accepted) {
		t.Errorf("got %d holds, want %d", totals.Holds, accepted)
	}
	last := fmt.Sprintf("job%d", accepted-1)
	if place, err := s.Place(t.Context(), last); err != nil || place != accepted-1 {
		t.Errorf("place of the last job: got %d, %v; want %d", place, err, accepted-1)
	}

	// Each job is still handed out once, and the claimed one not again.
	for n := 1; n < accepted; n++ {
		c, err := s.Take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("job%d", n); c.Job.ID != want {
			t.Errorf("took %s, want %s", c.Job.ID, want)
		}
	}
	soon, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if c, err := s.Take(soon); err == nil {
		t.Errorf("job %s was handed out to a second worker", c.Job.ID)
	}
	claim.Done()
	if c, err := s.Take(t.Context()); err != nil || c.Job.ID != "job0" {
		t.Errorf("took %q, %v; want job0, which was given back", c.Job.ID, err)
	}

	// With room again everything goes on, as if nothing had been tried.
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = bolt.Open(path, bolt.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := tryAccept(lost); err != nil {
		t.Error(err)
	}
	if place, err := s.Place(t.Context(), lost); err != nil || place != accepted {
		t.Errorf("place of the next job: got %d, %v; want %d", place, err, accepted)
	}
}

func TestAWriteThatBreaksCostsOnlyItself(t *testing.T) {
	f := openNew(t)
	tooLong := strings.Repeat("x", bbolt.MaxKeySize)
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			id := fmt.Sprintf("job%d", i)
			if i%4 == 0 {
				id += tooLong
			}
			j := job(id, "acme", "discord:1")
			if _, err := f.Accept(context.Background(), j, plan(j, 1)); (err != nil) != (i%4 == 0) {
				t.Errorf("job %d: got error %v", i, err)
			}
		})
	}
	all.Wait()
	if totals := quotatest.CheckBooks(t, f); totals.Holds != 30 {
		t.Errorf("got %d holds, want 30", totals.Holds)
	}
	waiting := 0
	jobs, err := f.Jobs(t.Context(), generate.Query{})
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range jobs {
		if j.Waiting() {
			waiting++
		}
	}
	if len(jobs) != 30 || waiting != 29 {
		t.Errorf("%d of %d jobs wait, want 29 of 30", waiting, len(jobs))
	}
}

func TestAPlanThatPanicsDoesSoInItsCaller(t *testing.T) {
	f := openNew(t)
	func() {
		defer func() {
			if v := recover(); v != "out of cheese" {
				t.Errorf("recovered %v", v)
			}
		}()
		_, err := f.Accept(t.Context(), job("job1", "acme", "discord:1"), func(quota.Standing) (quota.Reservation, error) {
			panic("out of cheese")
		})
		t.Errorf("accept returned %v", err)
	}()
	accept(t, f.Store, job("job1", "acme", "discord:1"))
}

func TestNamesThatCannotBeKeysAreRefused(t *testing.T) {
	f := openNew(t)
	for _, j := range []generate.Job{job("", "acme", "discord:1"), job("job1", "", "discord:1"), job("job1", "acme", "a\x00b")} {
		if _, err := f.Accept(t.Context(), j, plan(j, 0)); err == nil {
			t.Errorf("job %q of %q in %q was accepted", j.ID, j.Member, j.Team)
		}
	}
}

func TestAJobKeepsItsMember(t *testing.T) {
	f := openNew(t)
	j := accept(t, f.Store, job("job1", "acme", "discord:1"))
	j.Member = "discord:2"
	if _, err := f.Save(t.Context(), j, quota.Keep()); err == nil || errors.Is(err, generate.ErrConflict) {
		t.Errorf("got error %v, want one of its own", err)
	}
}

func TestBackupOfAStoreInUseIsAStore(t *testing.T) {
	f := openNew(t)
	for i := range 20 {
		accept(t, f.Store, job(fmt.Sprintf("job%d", i), "acme", "discord:1"))
	}
	ctx, cancel := context.WithCancel(t.Context())
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 20; ctx.Err() == nil; i++ {
			j := job(fmt.Sprintf("job%d", i), "acme", "discord:1")
			if _, err := f.Accept(ctx, j, plan(j, 0)); err != nil && ctx.Err() == nil {
				t.Errorf("accept: %v", err)
			}
		}
	})
	path := filepath.Join(t.TempDir(), "backup.db")
	w, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Backup(ctx, w), w.Close()); err != nil {
		t.Fatal(err)
	}
	cancel()
	writer.Wait()

	backup := open(t, path, time.Now)
	defer backup.Close()
	totals := quotatest.CheckBooks(t, backup)
	jobs, err := backup.Jobs(t.Context(), generate.Query{Limit: 1 << 20})
	if err != nil || len(jobs) < 20 || int64(len(jobs)) != totals.Holds {
		t.Errorf("backup has %d jobs and %d holds, %v", len(jobs), totals.Holds, err)
	}

	if err := f.Backup(ctx, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("backup after its context ended: got error %v", err)
	}
}

func TestSettings(t *testing.T) {
	f := openNew(t)
	read := func() string {
		t.Helper()
		v, err := f.Setting(t.Context(), "warned/acme")
		if err != nil {
			t.Fatal(err)
		}
		return string(v)
	}
	if got := read(); got != "" {
		t.Errorf("before it is set: %q", got)
	}
	for _, want := range []string{"50", "75", ""} {
		value := []byte(want)
		if want == "" {
			value = nil // removes it
		}
		if err := f.PutSetting(t.Context(), "warned/acme", value); err != nil {
			t.Fatal(err)
		}
		if got := read(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if err := f.PutSetting(t.Context(), "", []byte("x")); err == nil {
		t.Error("a setting without a name was kept")
	}
}

func TestAfterCloseEverythingSaysClosed(t *testing.T) {
	f := openNew(t)
	j := accept(t, f.Store, job("job1", "acme", "discord:1"))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"Accept":   func() error { _, err := f.Accept(ctx, job("job2", "acme", "discord:1"), plan(j, 0)); return err },
		"Save":     func() error { _, err := f.Save(ctx, j, quota.Keep()); return err },
		"Job":      func() error { _, err := f.Job(ctx, "job1"); return err },
		"Jobs":     func() error { _, err := f.Jobs(ctx, generate.Query{}); return err },
		"Place":    func() error { _, err := f.Place(ctx, "job1"); return err },
		"Take":     func() error { _, err := f.Take(ctx); return err },
		"Bill":     func() error { _, err := f.Bill(ctx, "job1", quota.Release(), noon); return err },
		"Hold":     func() error { _, err := f.Hold(ctx, "job1"); return err },
		"Used":     func() error { _, err := f.Used(ctx, "acme", nil); return err },
		"Standing": func() error { _, err := f.Standing(ctx, "acme", "discord:1"); return err },
		"Sweep":    func() error { _, err := f.Sweep(ctx); return err },
		"Audit":    func() error { _, err := f.Audit(ctx); return err },
		"Backup":   func() error { return f.Backup(ctx, io.Discard) },
		"Setting":  func() error { _, err := f.Setting(ctx, "x"); return err },
	} {
		if err := call(); !errors.Is(err, generate.ErrClosed) {
			t.Errorf("%s: got error %v, want ErrClosed", name, err)
		}
	}
}

func TestAuditFindsWhatIsWrong(t *testing.T) {
	f := open(t, filepath.Join(t.TempDir(), "ltx.db"), time.Now)
	accept(t, f.Store, job("job1", "acme", "discord:1"))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	edit(t, f.path, func(tx *bbolt.Tx) error {
		counters := tx.Bucket([]byte("counters"))
		k, v := counters.Cursor().First()
		wrong := bytes.Clone(v)
		wrong[7]++
		return errors.Join(counters.Put(bytes.Clone(k), wrong), tx.Bucket([]byte("meta")).Put([]byte("totals"), []byte(`{"holds":1,"reserved":1}`)))
	})
	f = open(t, f.path, time.Now)
	defer f.Close()
	a, err := f.Audit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var what []string
	for _, d := range a.Wrong {
		what = append(what, d.What)
	}
	if len(what) != 3 || !strings.HasPrefix(what[0], "bot usd/day/") || what[1] != "total held" || what[2] != "total reserved" {
		t.Errorf("found %q", what)
	}
}
