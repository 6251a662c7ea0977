package kv_test

import (
	"errors"
	"testing"

	"ltxbot/store/kv"
)

// broken is a database that can't be read.
type broken struct{}

var errBroken = errors.New("the disk is broken")

func (broken) Get(string) ([]byte, error) { return nil, errBroken }

func (broken) Fetch([]string) error { return errBroken }

func (broken) Range(string, string, bool, func(string, []byte) bool) error { return errBroken }

// What can't be read is not taken for what is not there.
func TestAReadThatFailsIsTheErrorOfTheTransaction(t *testing.T) {
	for name, read := range map[string]func(kv.Tx) bool{
		"get":   func(tx kv.Tx) bool { return tx.Get("a") != nil },
		"fetch": func(tx kv.Tx) bool { tx.Fetch([]string{"a"}); return false },
		"scan":  func(tx kv.Tx) bool { return len(keys(tx)) > 0 },
	} {
		fn := func(tx kv.Tx) error {
			if !read(tx) {
				return errors.New("no such job")
			}
			return nil
		}
		if err := kv.View(broken{}, fn); !errors.Is(err, errBroken) {
			t.Errorf("view, %s: got error %v", name, err)
		}
		c := kv.NewCommitter(func(run func(kv.Reader) *kv.Batch) error { run(broken{}); return nil })
		if err := c.Update(t.Context(), fn); !errors.Is(err, errBroken) {
			t.Errorf("update, %s: got error %v", name, err)
		}
		c.Close()
	}
}

func keys(tx kv.Tx) (keys []string) {
	for k := range tx.Scan("a", "") {
		keys = append(keys, k)
	}
	return keys
}
