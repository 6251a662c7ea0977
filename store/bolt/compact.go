package bolt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"go.etcd.io/bbolt"
)

// compactBatch is how many bytes one transaction of a compaction copies.
const compactBatch = 16 << 20

// Compact makes the file at path as small as what it holds and returns its
// size before and after, in bytes. No process may use the file meanwhile: else
// the error is ErrInUse. The file is replaced only when the copy is complete
// and on the disk.
func Compact(path string) (before, after int64, err error) {
	file, err := filepath.EvalSymlinks(path)
	if err == nil {
		before, err = size(file)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("compact store: %w", err)
	}
	e, err := Open(file, Options{})
	if err != nil {
		return before, 0, err
	}
	smaller := file + ".compact"
	err = e.stop() // the logs are gone before another process can have the new file
	if err == nil {
		err = guarded(func() error { return copyInto(smaller, e.db) })
	}
	if err == nil {
		err = replace(smaller, file) // the lock on the old file is held until then
	}
	if err = errors.Join(err, e.Close()); err != nil {
		return before, 0, fmt.Errorf("compact store %s: %w", path, errors.Join(err, removed(smaller)))
	}
	after, err = size(file)
	return before, after, err
}

// copyInto makes a new file with what db holds.
func copyInto(path string, db *bbolt.DB) error {
	if err := removed(path); err != nil { // of a compaction that was killed
		return err
	}
	to, err := bbolt.Open(path, fileMode, &bbolt.Options{Timeout: lockWait, NoSync: true})
	if err != nil {
		return err
	}
	err = bbolt.Compact(to, db, compactBatch)
	if err == nil {
		err = to.Sync()
	}
	return errors.Join(err, to.Close())
}

// replace puts one file in the place of another, durably.
func replace(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return syncDir(to)
}

// syncDir makes the folder of a file durable, where a system can do that: Windows
// can't, nor can some file systems of a network.
func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	err = dir.Sync()
	if errors.Is(err, syscall.EINVAL) {
		err = nil
	}
	return errors.Join(err, dir.Close())
}

// removed removes a file, which need not exist.
func removed(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func size(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
