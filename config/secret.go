package config

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"reflect"
	"strings"
)

// redacted is what a secret prints as, wherever it is printed.
const redacted = "<secret>"

// maxSecretFile bounds a file that a "file:" reference names, in bytes.
const maxSecretFile = 64 << 10

// A Secret is a key or a token. In the file it is a literal, "env:NAME" or
// "file:/path"; Config.Resolve looks the last two up, once. However it is
// printed, logged or encoded, it shows as "<secret>", or as nothing if it is
// empty; only Reveal tells it. The zero value is an empty secret.
type Secret struct {
	// ref is "env:NAME" or "file:/path"; empty for a literal.
	ref string
	// value is behind a pointer because fmt cannot call the methods of a
	// Secret in somebody's unexported field, and would print a string there.
	value *string
}

// NewSecret returns the secret whose value is literally s.
func NewSecret(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{value: &s}
}

// secretRef returns an unresolved secret as it is written in the file.
func secretRef(text string) Secret {
	if strings.HasPrefix(text, "env:") || strings.HasPrefix(text, "file:") {
		return Secret{ref: text}
	}
	return NewSecret(text)
}

// Reveal returns the value. It is empty before Config.Resolve for a secret
// that is a reference.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// Source says where the secret comes from without telling it: "env:NAME",
// "file:/path", "literal", or "" if there is none.
func (s Secret) Source() string {
	if s.ref == "" && s.value != nil {
		return "literal"
	}
	return s.ref
}

// LiteralSecrets names the keys whose secrets stand in the config itself.
func (c Config) LiteralSecrets() (keys []string) {
	walk("", reflect.ValueOf(&c).Elem(), func(f field) {
		if s, ok := reflect.TypeAssert[Secret](f.value); ok && s.Source() == "literal" && s.mayBeSecret() {
			keys = append(keys, f.key)
		}
	})
	return keys
}

// mayBeSecret reports whether the value is not the address of a store without a
// password.
func (s Secret) mayBeSecret() bool {
	v := s.Reveal()
	_, rest, isAddress := strings.Cut(v, "://")
	return !strings.HasPrefix(v, "bolt:") && (!isAddress || strings.Contains(rest, "@"))
}

// String returns "<secret>", or "" if the secret is empty.
func (s Secret) String() string {
	if s.Reveal() == "" {
		return ""
	}
	return redacted
}

// GoString is what %#v prints.
func (s Secret) GoString() string { return s.String() }

// Format prints String whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue is what slog prints.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText is what encoders of text print.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalJSON is what encoding/json prints.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + s.String() + `"`), nil }

// UnmarshalText reads a secret as it is written in the file. References stay
// unresolved.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = secretRef(string(text))
	return nil
}

// resolve looks a reference up. An environment variable that is not set is an
// error unless it may be absent.
func (s *Secret) resolve(env func(string) (string, bool), mayBeAbsent bool) error {
	if name, ok := strings.CutPrefix(s.ref, "env:"); ok {
		v, set := env(name)
		if !set && !mayBeAbsent {
			return fmt.Errorf("the environment variable %s is not set", name)
		}
		s.value = &v
		return nil
	}
	if path, ok := strings.CutPrefix(s.ref, "file:"); ok {
		v, err := readBounded(path, maxSecretFile)
		if err != nil {
			return err
		}
		text := strings.TrimRight(string(v), "\r\n")
		s.value = &text
	}
	return nil
}

// readBounded reads a file of at most limit bytes.
func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("read %s: larger than %d bytes", path, limit)
	}
	return data, nil
}
