//go:build race

package need

// Race reports whether the race detector is built in. It makes the same code
// about ten times slower.
const Race = true
