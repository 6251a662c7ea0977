package generate_test

import (
	"errors"
	"io"
	"path/filepath"
	"testing"
	"testing/iotest"

	"ltxbot/core/generate"
	"ltxbot/internal/testfile"
)

func TestAFileIsReadThroughItsPatches(t *testing.T) {
	path := filepath.Join(t.TempDir(), "video")
	testfile.Write(t, path, "0123456789")
	type patch = generate.Patch
	for _, c := range []struct {
		patches []patch
		want    string
	}{
		{nil, "0123456789"},
		{[]patch{{10, []byte("tail")}}, "0123456789tail"},
		{[]patch{{8, []byte("tail")}}, "01234567tail"},
		{[]patch{{9, []byte("t")}}, "012345678t"},
		{[]patch{{10, []byte("tail")}, {0, []byte("ab")}, {4, []byte("cd")}}, "ab23cd6789tail"},
	} {
		t.Run(c.want, func(t *testing.T) {
			r, err := generate.File{Path: path, Patches: c.patches, Size: int64(len(c.want))}.Open()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = r.Close() }()
			if err := iotest.TestReader(r, []byte(c.want)); err != nil {
				t.Error(err)
			}
			for from := range len(c.want) {
				for to := from + 1; to <= len(c.want); to++ {
					b := make([]byte, to-from)
					if _, err := r.ReadAt(b, int64(from)); err != nil && !errors.Is(err, io.EOF) || string(b) != c.want[from:to] {
						t.Errorf("from %d to %d: %q, %v", from, to, b, err)
					}
				}
			}
		})
	}
	if _, err := (generate.File{Path: path + "1"}).Open(); err == nil {
		t.Error("a file that is not there was opened")
	}
}
