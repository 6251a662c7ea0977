package ltx_test

import (
	"testing"

	"ltxbot/core/ltx"
	"ltxbot/internal/golden"
)

func TestTheTablesOfTheManualAreCurrent(t *testing.T) {
	for name, table := range map[string]string{"table": ltx.ManualTable(), "inputs": ltx.ManualInputs(), "models": ltx.ManualModels()} {
		golden.Part(t, "../../docs/commands.md", name, table)
	}
}
