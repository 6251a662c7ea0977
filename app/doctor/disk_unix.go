//go:build linux || darwin

package doctor

import "syscall"

// freeBytes is how much a user may still write on the disk of dir.
func freeBytes(dir string) (free uint64, known bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return s.Bavail * uint64(s.Bsize), true //nolint:gosec // a block has a positive size
}
