// Package golden compares the output of a test with a golden file: the output that
// somebody last reviewed.
package golden

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ltxbot/internal/testfile"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Equal compares got with a file of the folder testdata. With the flag -update
// it writes the file first: then read the difference before you commit it.
func Equal(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		testfile.Write(t, path, got)
	}
	want := testfile.Read(t, path)
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// Part compares a part of a page of the manual, between two comments that have its
// name, with what is generated now. With the flag -update it writes the part.
func Part(t *testing.T, page, name, want string) {
	t.Helper()
	have := testfile.Read(t, page)
	begin, end := regexp.MustCompile("<!-- "+name+": .* -->\n").FindIndex(have), bytes.Index(have, []byte("<!-- end of "+name+" -->"))
	if begin == nil || end < begin[1] {
		t.Fatalf("%s has no place for the part %q", page, name)
	}
	whole := string(have[:begin[1]]) + want + string(have[end:])
	if *update {
		testfile.Write(t, page, whole)
	} else if diff := cmp.Diff(string(have), whole); diff != "" {
		t.Errorf("%s is not current, run the test with -update (-page +generated):\n%s", page, diff)
	}
}

// JSON is Equal for a value as JSON that people can read.
func JSON(t *testing.T, name string, v any) {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	// json.Marshal writes it so that HTML is safe.
	Equal(t, name, strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(b.String())+"\n")
}
