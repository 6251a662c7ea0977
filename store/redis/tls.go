package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"syscall"

	goredis "github.com/redis/go-redis/v9"
)

// tls reports whether connections to the target are encrypted.
func (t target) tls() bool {
	return t.single != nil && t.single.TLSConfig != nil ||
		t.cluster != nil && t.cluster.TLSConfig != nil ||
		t.sentinel != nil && t.sentinel.TLSConfig != nil
}

// untrusted makes an error of a first connection one that waiting does not
// mend, if the server's certificate is not trusted, there is no TLS there, or a
// password is missing.
// Later, when a certificate has expired, it is waited for as for a server that
// is away.
func untrusted(err error) error {
	if refused, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return &unfitError{"certificate of the server is not trusted: " + refused.Err.Error() + "; SSL_CERT_FILE names a file with a CA of your own"}
	}
	if other, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return &unfitError{"server does not speak TLS at this port: " + other.Msg + "; take its TLS port, or redis:// instead of rediss://"}
	}
	if goredis.HasErrorPrefix(err, "NOAUTH") {
		return &unfitError{"server wants a password: put it into the store's url, redis://:PASSWORD@HOST:6379/0"}
	}
	return err
}

// hint is what else may be wrong when a server does not answer. A port for TLS
// breaks a plain connection off, and a plain one waits for the end of a line
// that TLS never sends.
func (e *Engine) hint(err error) []any {
	switch {
	case e.encrypted && errors.Is(err, context.DeadlineExceeded):
		return []any{slog.String("hint", "a port without TLS needs redis:// instead of rediss://")}
	case !e.encrypted && (errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF)):
		return []any{slog.String("hint", "a port for TLS needs rediss:// instead of redis://")}
	}
	return nil
}
