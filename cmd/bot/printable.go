package main

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"unicode"
	"unicode/utf8"
)

// A printable is a terminal that does nothing but show text: control
// characters, and those that change the direction of what follows, are written
// as escapes. What people of a chat have typed, or named themselves, can't move
// the cursor of an operator who reads it, nor hide a part of it. The escapes
// are those of JSON, so that JSON stays what it is.
type printable struct {
	mu   sync.Mutex
	w    io.Writer
	rest []byte // of a character whose last bytes have not come yet
}

// Write implements io.Writer.
func (p *printable) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	in := slices.Concat(p.rest, b)
	out := make([]byte, 0, len(in))
	for len(in) > 0 && utf8.FullRune(in) {
		r, size := utf8.DecodeRune(in)
		switch {
		case r == utf8.RuneError && size == 1:
			out = append(out, string(utf8.RuneError)...) // a byte alone may be a control of 8 bits
		case !shows(r):
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			out = append(out, in[:size]...)
		}
		in = in[size:]
	}
	p.rest = slices.Clone(in)
	if _, err := p.w.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}

// shows reports whether a terminal shows r where it stands, and no more.
func shows(r rune) bool {
	switch {
	case r == '\n', r == '\t':
		return true
	case unicode.IsControl(r), r == '\u2028', r == '\u2029': // line and paragraph separator
		return false
	default:
		return !unicode.Is(unicode.Bidi_Control, r)
	}
}
