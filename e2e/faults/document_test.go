package faults_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"ltxbot/internal/testfile"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/reliability.md anew")

const documentPath = "../../docs/reliability.md"

// The marks between which the document is made from the tests.
const (
	beginTable = "<!-- Made by the tests of e2e/faults: go test ./e2e/faults -run TestFaults -update -->\n"
	endTable   = "<!-- End of what is made. -->\n"
)

// document compares the table in docs/reliability.md with what the tests
// found, or writes it.
func document(t *testing.T, found map[string]finding) {
	t.Helper()
	raw := testfile.Read(t, documentPath)
	head, rest, ok := strings.Cut(string(raw), beginTable)
	old, tail, ok2 := strings.Cut(rest, endTable)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table", documentPath)
	}
	table := tableOf(t, found)
	if *update {
		if err := os.WriteFile(documentPath, []byte(head+beginTable+table+endTable+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(old, table); diff != "" {
		t.Errorf("docs/reliability.md is not current, run the test with -update and read the difference:\n%s", diff)
	}
}

// tableOf is the table of all faults.
func tableOf(t *testing.T, found map[string]finding) string {
	t.Helper()
	var b strings.Builder
	area := ""
	for _, one := range slices.Concat(falFaults, discordFaults, slackFaults, storeFaults, clockFaults) {
		f, ok := found[one.area+one.fault]
		if !ok {
			t.Fatalf("there is no finding for %s, %s", one.area, one.fault)
		}
		if one.area != area {
			area = one.area
			fmt.Fprintf(&b, "\n### %s\n\n| fault | on the way | the last word | charged | over |\n|---|---|---|---|---|\n", area)
		}
		cells := []string{one.fault, quoted(one.meanwhile, "as always"), quoted(f.reads, "nothing: there is no place left"), f.charged, one.recovers}
		for i, c := range cells {
			if c == "" {
				t.Errorf("%s, %s: cell %d is empty", one.area, one.fault, i)
			}
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
	}
	return b.String() + "\n"
}

// quoted is what somebody reads, as a cell of the table.
func quoted(text, none string) string {
	if text == "" {
		return none
	}
	return "“" + strings.ReplaceAll(text, "|", `\|`) + "”"
}
