package bolt_test

import (
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ltxbot/core/quota/quotatest"
	"ltxbot/store/bolt"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// file remembers where a store is, so that it can be opened again.
type file struct {
	*bolt.Store
	path string
}

func open(t testing.TB, path string, now func() time.Time) *file {
	t.Helper()
	s, err := bolt.Open(path, bolt.Options{Now: now})
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

func TestLedger(t *testing.T) {
	quotatest.Run(t, quotatest.Harness{
		Open: func(t testing.TB, now func() time.Time) quotatest.Ledger {
			return open(t, filepath.Join(t.TempDir(), "ltx.db"), now)
		},
		Reopen: func(t testing.TB, l quotatest.Ledger, now func() time.Time) quotatest.Ledger {
			return reopen(t, l.(*file), now)
		},
	})
}
