package docs_test

import (
	"fmt"
	"strings"
	"testing"

	"ltxbot/core/team"
	"ltxbot/internal/golden"
)

func TestTheTableOfOrdersIsCurrent(t *testing.T) {
	var table strings.Builder
	table.WriteString("| order | what it does | who |\n|---|---|---|\n")
	for _, v := range team.Verbs() {
		typed := "`" + v.Usage() + "`"
		if v.Who == team.Everybody {
			typed = "`/ltx quota " + v.Usage() + "`"
		}
		fmt.Fprintf(&table, "| %s | %s | %s |\n", typed, v.Help, v.Who)
	}
	golden.Part(t, "quotas.md", "orders", table.String())
}
