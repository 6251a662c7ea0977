package bolt_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"ltxbot/store/bolt"
	"ltxbot/store/kv"
)

// The size of what the store writes for one job.
const (
	benchKeys   = 10
	benchRecord = 2500 // bytes
)

// BenchmarkUpdate commits what is written for one job, without the disk.
func BenchmarkUpdate(b *testing.B) {
	e := benchEngine(b)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		n++
		putJob(b, e, n)
	}
}

// BenchmarkView reads a key while the log has the commits of a few seconds.
func BenchmarkView(b *testing.B) {
	e := benchEngine(b)
	for n := range 500 {
		putJob(b, e, n)
	}
	b.ReportAllocs()
	for b.Loop() {
		err := e.View(b.Context(), func(tx kv.Tx) error {
			if tx.Get("job/7") == nil {
				return errors.New("not there")
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func benchEngine(b *testing.B) *bolt.Engine {
	b.Helper()
	e, err := bolt.Open(filepath.Join(b.TempDir(), "ltx.db"), bolt.Options{NoSync: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = e.Close() })
	return e
}

func putJob(b *testing.B, e *bolt.Engine, n int) {
	b.Helper()
	record, mark := bytes.Repeat([]byte("a"), benchRecord), []byte(`{"v":1}`)
	err := e.Update(context.Background(), func(tx kv.Tx) error {
		tx.Get(fmt.Sprint("job/", n))
		tx.Put(fmt.Sprint("job/", n), record)
		for k := range benchKeys {
			tx.Put(fmt.Sprintf("jobs/%d/%012d", k, n), mark)
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}
