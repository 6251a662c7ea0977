package hub

import (
	"time"

	"ltxbot/core/library"
)

// The limits.
const (
	CheckLimit  = checkLimit
	AtATime     = atATime
	AtAHost     = atAHost
	MaxHeader   = maxHeader
	MaxTensors  = maxTensors
	MaxFindings = maxFindings
)

// How a header is read.
var (
	ErrNotTensors = errNotTensors
	ReadHeader    = readHeader
	ParseHeader   = parseHeader
)

// Rank, Method and Warnings are what a header says.
func Rank(h header) int                   { return h.rank() }
func Method(h header) string              { return h.method() }
func Warnings(h header) []library.Warning { return h.warnings("") }

// Age makes all findings older.
func (c *Checker) Age(by time.Duration) {
	c.memory.mu.Lock()
	defer c.memory.mu.Unlock()
	for key, f := range c.memory.findings {
		f.At = f.At.Add(-by)
		c.memory.findings[key] = f
	}
}

// Remember puts a finding of now into the memory.
func (c *Checker) Remember(link string, f library.Finding) {
	f.At = time.Now()
	c.memory.put(link, f)
}
