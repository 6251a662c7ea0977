package docs_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"ltxbot/core/team"
)

func TestTheTableOfOrdersIsCurrent(t *testing.T) {
	const file, begin, end = "quotas.md", "<!-- orders: go test ./docs -update -->\n", "<!-- end of orders -->"
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(have), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no place for the table", file)
	}
	var table strings.Builder
	table.WriteString("| order | what it does | who |\n|---|---|---|\n")
	for _, v := range team.Verbs() {
		typed := "`" + v.Usage() + "`"
		if v.Who == team.Everybody {
			typed = "`/ltx quota " + v.Usage() + "`"
		}
		fmt.Fprintf(&table, "| %s | %s | %s |\n", typed, v.Help, v.Who)
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
