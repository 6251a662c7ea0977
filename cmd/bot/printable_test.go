package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestATerminalShowsControlCharacters(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain text", "a fox\tby night\n", "a fox\tby night\n"},
		{"other scripts and emoji", "狐 ثعلب שועל 👩‍🚀", "狐 ثعلب שועל 👩‍🚀"},
		{"colours", "\x1b[31mred", `\u001b[31mred`},
		{"a title of the window", "\x1b]0;owned\x07", `\u001b]0;owned\u0007`},
		{"a line that is overwritten", "bad\rgood", `bad\u000dgood`},
		{"a backspace and a delete", "a\b\x7f", `a\u0008\u007f`},
		{"a control of 8 bits in UTF-8", "\u009b31m", `\u009b31m`},
		{"a control of 8 bits as a byte", "\x9b31m", "\ufffd31m"},
		{"text that is turned round", "\u202egpj.exe\u202c", `\u202egpj.exe\u202c`},
		{"isolates", "\u2066x\u2069", `\u2066x\u2069`},
		{"marks of direction", "\u200e\u200f\u061c", `\u200e\u200f\u061c`},
		{"other line breaks", "a\u2028b\u2029c\u0085d", `a\u2028b\u2029c\u0085d`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			if n, err := (&printable{w: &out}).Write([]byte(c.in)); n != len(c.in) || err != nil {
				t.Errorf("wrote %d of %d bytes, %v", n, len(c.in), err)
			}
			if out.String() != c.want {
				t.Errorf("got %q, want %q", out.String(), c.want)
			}
			var pieces bytes.Buffer
			p := &printable{w: &pieces}
			for n := range len(c.in) {
				_, _ = p.Write([]byte(c.in[n : n+1]))
			}
			if pieces.String() != c.want {
				t.Errorf("byte by byte: %q, want %q", pieces.String(), c.want)
			}
		})
	}
}

func TestJSONStaysJSON(t *testing.T) {
	const name = "a\x1b[2J\u202e\u009b\x7f\u2028z"
	var out bytes.Buffer
	if err := printJSON(&printable{w: &out}, map[string]string{"name": name}); err != nil {
		t.Fatal(err)
	}
	var back map[string]string
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || back["name"] != name {
		t.Errorf("%v: %q from %s", err, back["name"], out.Bytes())
	}
	if strings.ContainsAny(out.String(), "\x1b\x7f\u202e\u009b\u2028") {
		t.Errorf("controls in %q", out.String())
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("gone") }

func TestATerminalThatIsGoneIsAnError(t *testing.T) {
	if _, err := (&printable{w: broken{}}).Write([]byte("x")); err == nil {
		t.Error("no error")
	}
}
