package command

// Work is how much is done to read the settings of a line: positions where a
// setting may start, and characters of values.
func Work(line string) int {
	p := newParser(line)
	p.read()
	return p.work
}
