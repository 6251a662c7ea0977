// Package docs_test keeps the generated parts of the documentation current.
package docs_test

import (
	"bytes"
	"flag"
	"io"
	"os"
	"strings"
	"testing"

	"ltxbot/core/ltx"
)

var update = flag.Bool("update", false, "write the generated parts anew")

func TestTheTablesAreCurrent(t *testing.T) {
	for name, write := range map[string]func(io.Writer) error{"table": ltx.WriteTable, "inputs": ltx.WriteInputs, "models": ltx.WriteModels} {
		t.Run(name, func(t *testing.T) { current(t, name, write) })
	}
}

// current holds a generated table of the manual against what is generated now.
func current(t *testing.T, name string, write func(io.Writer) error) {
	const file = "commands.md"
	begin, end := "<!-- "+name+": go test ./docs -update -->\n", "<!-- end of "+name+" -->"
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
	if err := write(&table); err != nil {
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
