package bolt

// Commits is how many commits the log has.
func (e *Engine) Commits() int {
	n := 0
	_ = e.wal.commits(e.wal.id, func([]byte) error { n++; return nil })
	return n
}

// LogEnd is where the next commit is written.
func (e *Engine) LogEnd() int64 { return e.wal.end }

// Flush brings everything into the file.
func (e *Engine) Flush() error { return e.flush() }

// DecodeCommit and EncodeCommit are how a commit stands in the log.
var (
	DecodeCommit = decodeCommit
	EncodeCommit = encodeCommit
)

// LogFile is what a log needs of its file.
type LogFile = logFile

// WithLogs are options with other files for the logs than those of the disk.
func (o Options) WithLogs(open func(path string) (LogFile, error)) Options {
	o.openLog = open
	return o
}
