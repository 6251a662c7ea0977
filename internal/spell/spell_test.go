package spell_test

import (
	"testing"

	"ltxbot/internal/spell"
)

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "abc", 3},
		{"camera", "camera", 0},
		{"camera", "camra", 1},
		{"camra", "camera", 1},
		{"cameta", "camera", 1},
		{"caemra", "camera", 1},
		{"größe", "grösse", 2},
		{"seed", "speed", 1},
		{"quota", "help", 5},
	} {
		if got := spell.Distance(tt.a, tt.b); got != tt.want {
			t.Errorf("%q and %q: %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if there, back := spell.Distance(tt.a, tt.b), spell.Distance(tt.b, tt.a); there != back {
			t.Errorf("%q and %q: %d there, %d back", tt.a, tt.b, there, back)
		}
	}
}
