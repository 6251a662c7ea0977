package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// errDamaged says that the pages of a file are not what bbolt wrote.
var errDamaged = errors.New("the file is damaged")

// guarded runs something that reads pages which may be damaged: bbolt panics
// over what it does not expect in them, and beyond the end of a file that was
// cut off the machine itself reports a fault.
func guarded(read func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errDamaged, p)
		}
	}()
	return read()
}

// checkWhole refuses a file that is shorter than it says it is. Its pages are
// read through a memory map, where a missing one would end the process at
// any later time.
func checkWhole(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return nil // a new store
	}
	if err != nil {
		return err
	}
	db, err := bbolt.Open(path, fileMode, &bbolt.Options{Timeout: lockWait, ReadOnly: true})
	if err != nil {
		return err
	}
	err = db.View(func(tx *bbolt.Tx) error {
		// Again: another process may have written it until Open got the lock.
		if info, err = os.Stat(path); err != nil {
			return err
		}
		if info.Size() < tx.Size() {
			return fmt.Errorf("%w: it has %d bytes of %d", errDamaged, info.Size(), tx.Size())
		}
		return nil
	})
	return errors.Join(err, db.Close())
}

// isDamage reports whether err says that a file is not one that bbolt wrote
// for this version.
func isDamage(err error) bool {
	return errors.Is(err, errDamaged) || errors.Is(err, berrors.ErrInvalid) ||
		errors.Is(err, berrors.ErrVersionMismatch) || errors.Is(err, berrors.ErrChecksum)
}
