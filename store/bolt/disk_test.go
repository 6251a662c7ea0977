package bolt_test

import (
	"bytes"
	"slices"
	"sync"
	"syscall"

	"ltxbot/store/bolt"
)

// disk has the logs of one store. It knows what would be left of them after a
// loss of power, and can fail.
type disk struct {
	mu     sync.Mutex
	logs   map[string]*logFile
	before func() // each operation, if it is set
	ops    int    // so far
	fail   int    // the operation that fails; 0 = none
}

// A logFile is the history of a log: each write, and how safe it is.
type logFile struct {
	*disk
	writes []logWrite
}

type logWrite struct {
	at     int64
	data   []byte
	safety int
}

const (
	pending = iota // a Sync that comes makes it safe
	doubted        // a Sync failed: it is safe, or will never be
	safe
)

func (d *disk) open(path string) (bolt.LogFile, error) {
	name := path[len(path)-len(".wal1"):]
	if d.logs[name] == nil {
		d.logs[name] = &logFile{disk: d}
	}
	return d.logs[name], nil
}

// op counts an operation, and reports whether it is the one that fails.
func (d *disk) op() bool {
	if d.before != nil {
		d.before()
	}
	d.ops++
	return d.ops == d.fail
}

func (f *logFile) WriteAt(p []byte, at int64) (int, error) {
	failed := f.op()
	if failed {
		p = p[:len(p)/2]
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes = append(f.writes, logWrite{at: at, data: slices.Clone(p)})
	if failed {
		return len(p), syscall.ENOSPC
	}
	return len(p), nil
}

func (f *logFile) Sync() error {
	failed := f.op()
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.writes {
		switch w := &f.writes[i]; {
		case w.safety == pending && failed:
			w.safety = doubted
		case w.safety == pending:
			w.safety = safe
		}
	}
	if failed {
		return syscall.EIO
	}
	return nil
}

func (f *logFile) Datasync() error { return f.Sync() }

func (f *logFile) ReadAt(p []byte, at int64) (int, error) {
	return bytes.NewReader(f.content(all)).ReadAt(p, at)
}

func (f *logFile) Size() (int64, error) { return int64(len(f.content(all))), nil }

func (f *logFile) Close() error { return nil }

func (f *logFile) Remove() error { return nil }

// What is left of a write that is not safe: all is what a killed process leaves,
// the others are what a loss of power may.
type loss func(size int) (from, to int)

func all(size int) (from, to int)        { return 0, size }
func nothing(int) (from, to int)         { return 0, 0 }
func firstHalf(size int) (from, to int)  { return 0, size / 2 }
func secondHalf(size int) (from, to int) { return size / 2, size }

// content is what the log has when so much is left of what is not safe.
func (f *logFile) content(left loss) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	var content []byte
	for _, w := range f.writes {
		from, to := 0, len(w.data)
		if w.safety != safe {
			from, to = left(to)
		}
		if end := int(w.at) + to; from < to && end > len(content) {
			content = append(content, make([]byte, end-len(content))...)
		}
		copy(content[min(int(w.at)+from, len(content)):], w.data[from:to])
	}
	return content
}

// after is the disk after a crash.
func (d *disk) after(left loss) *disk {
	after := &disk{logs: map[string]*logFile{}}
	for name, log := range d.logs {
		after.logs[name] = &logFile{disk: after, writes: []logWrite{{data: log.content(left), safety: safe}}}
	}
	return after
}
