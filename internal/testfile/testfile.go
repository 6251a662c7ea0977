// Package testfile reads and writes files of tests, which end where that fails.
package testfile

import (
	"os"
	"syscall"
	"testing"
)

// Write writes a file that only its owner may read.
func Write[T ~string | ~[]byte](t testing.TB, path string, content T) {
	t.Helper()
	write(t, path, []byte(content), 0o600)
}

// WriteProgram writes a script that can be run. No test starts a process meanwhile: one
// that was begun with the file open for writing would keep it from being run.
func WriteProgram(t testing.TB, path, script string) {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	write(t, path, []byte(script), 0o700)
}

func write(t testing.TB, path string, content []byte, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, content, mode); err != nil {
		t.Fatal(err)
	}
}

// Read is what a file holds.
func Read(t testing.TB, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path) //nolint:gosec // a test names it
	if err != nil {
		t.Fatal(err)
	}
	return content
}
