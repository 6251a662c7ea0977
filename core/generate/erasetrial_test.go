package generate_test

import (
	"encoding/json"
	"strings"
	"testing"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

// What a job of a trial compares tells what was asked for, like its request: it goes
// with that.
func TestWhatATrialComparesIsForgottenWithThePrompt(t *testing.T) {
	t.Parallel()
	j := generate.Job{ID: "k3f92mq7abcd", Batch: generate.Batch{
		ID: "k3f92mq7abcd", Index: 1, Size: 4, Trial: ltx.Trial{LoRA: "secret-face", Scales: []float64{0.4, 0.7, 1, 1.3}},
	}}
	for what, left := range map[string]generate.Job{"without its prompt": j.WithoutPrompt(), "erased": j.Erased()} {
		text, err := json.Marshal(left)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "secret-face") || left.Batch.Size != 4 {
			t.Errorf("%s: %s", what, text)
		}
	}
}
