package app_test

import (
	"runtime/metrics"
	"testing"
)

// More would need more memory than the docs say, less costs CPU.
func TestABusyBotRarelyCollectsGarbage(t *testing.T) {
	start(t, "text")
	percent := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(percent)
	if got := percent[0].Value.Uint64(); got != 300 {
		t.Errorf("a collection begins at %d %% of garbage, want 300", got)
	}
}
