//go:build !linux

package bolt

import "os"

// datasync waits until what was written to f is on the disk.
func datasync(f *os.File) error { return f.Sync() }
