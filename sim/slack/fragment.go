package slack

import (
	"bufio"
	"encoding/binary"
	"net"
	"net/http"
)

// frameSpy watches the WebSocket frames of a connection go by and remembers
// which messages came in more than one. Slack does not reassemble those, but
// the WebSocket library does without saying so.
type frameSpy struct {
	header    []byte // of the frame that is being read
	left      uint64 // bytes of its payload still to come
	open      bool   // within a fragmented message
	completed []bool // whether each message that was completed had fragments
}

// next reports whether the oldest completed message was fragmented.
func (f *frameSpy) next() bool {
	if len(f.completed) == 0 {
		return false
	}
	fragmented := f.completed[0]
	f.completed = f.completed[1:]
	return fragmented
}

// see takes bytes of the stream as they are read.
// https://datatracker.ietf.org/doc/html/rfc6455#section-5.2
func (f *frameSpy) see(b []byte) {
	for len(b) > 0 {
		if f.left > 0 {
			n := min(f.left, uint64(len(b)))
			f.left -= n
			b = b[n:]
			continue
		}
		f.header = append(f.header, b[0])
		b = b[1:]
		if length, ok := f.complete(); ok {
			f.left = length
			f.frame(f.header[0])
			f.header = f.header[:0]
		}
	}
}

// complete reports the payload's length once the header has been seen.
func (f *frameSpy) complete() (length uint64, ok bool) {
	if len(f.header) < 2 {
		return 0, false
	}
	short, extended := f.header[1]&0x7f, 0
	switch short {
	case 126:
		extended = 2
	case 127:
		extended = 8
	}
	mask := 0
	if f.header[1]&0x80 != 0 {
		mask = 4
	}
	if len(f.header) < 2+extended+mask {
		return 0, false
	}
	switch extended {
	case 2:
		return uint64(binary.BigEndian.Uint16(f.header[2:])), true
	case 8:
		return binary.BigEndian.Uint64(f.header[2:]), true
	}
	return uint64(short), true
}

// frame takes the first byte of a frame: whether it is final, and its kind.
func (f *frameSpy) frame(first byte) {
	final, opcode := first&0x80 != 0, first&0x0f
	switch {
	case opcode >= 8: // a control frame
	case !final:
		f.open = true
	default:
		f.completed = append(f.completed, f.open)
		f.open = false
	}
}

// wrap is w with a hijacked connection that f watches.
func (f *frameSpy) wrap(w http.ResponseWriter) http.ResponseWriter {
	return &spiedWriter{ResponseWriter: w, spy: f}
}

type spiedWriter struct {
	http.ResponseWriter

	spy *frameSpy
}

// Hijack implements http.Hijacker.
func (w *spiedWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	return &spiedConn{Conn: c, spy: w.spy}, rw, err
}

type spiedConn struct {
	net.Conn

	spy *frameSpy
}

// Read implements io.Reader.
func (c *spiedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.spy.see(b[:n])
	return n, err
}
