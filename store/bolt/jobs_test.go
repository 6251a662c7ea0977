package bolt_test

import (
	"path/filepath"
	"testing"
	"time"

	"ltxbot/core/generate/generatetest"
)

func TestStore(t *testing.T) {
	generatetest.Run(t, generatetest.Harness{
		Open: func(t testing.TB, now func() time.Time) generatetest.Store {
			return open(t, filepath.Join(t.TempDir(), "ltx.db"), now)
		},
		Reopen: func(t testing.TB, s generatetest.Store, now func() time.Time) generatetest.Store {
			return reopen(t, s.(*file), now)
		},
	})
}
