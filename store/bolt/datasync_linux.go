package bolt

import (
	"fmt"
	"os"
	"syscall"
)

// datasync waits until what was written to f is on the disk, but for its times.
func datasync(f *os.File) error {
	for {
		err := syscall.Fdatasync(int(f.Fd()))
		if err != syscall.EINTR {
			if err != nil {
				return fmt.Errorf("fdatasync %s: %w", f.Name(), err)
			}
			return nil
		}
	}
}
