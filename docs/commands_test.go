// Package docs_test keeps the generated parts of the documentation current.
package docs_test

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"ltxbot/core/ltx"
)

var update = flag.Bool("update", false, "write the generated parts anew")

func TestTheTableOfOptionsIsCurrent(t *testing.T) {
	const file, begin, end = "commands.md", "<!-- table: go test ./docs -update -->\n", "<!-- end of table -->"
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(have), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no place for the table", file)
	}
	var table bytes.Buffer
	if err := ltx.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	want := head + begin + table.String() + end + tail
	if string(have) == want {
		return
	}
	if !*update {
		t.Fatalf("%s is not current: go test ./docs -update", file)
	}
	if err := os.WriteFile(file, []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
}
