package mem_test

import (
	"testing"
	"time"

	"ltxbot/store/kv"
	"ltxbot/store/kv/kvtest"
	"ltxbot/store/kv/mem"
)

// database is a mem.Database for the suite.
type database struct{ *mem.Database }

func (d database) Open(testing.TB) kv.Engine { return d.Database.Open() }

// Kill closes the client: in one process there is no other way to die.
func (d database) Kill(t testing.TB, e kv.Engine) {
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

func TestEngine(t *testing.T) {
	kvtest.Run(t, kvtest.Harness{New: func(_ testing.TB, now func() time.Time) kvtest.Database {
		return database{mem.New(now)}
	}})
}
