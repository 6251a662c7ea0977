package archive

import (
	"net/http"
	"net/url"
	"time"
)

// Sign signs a request.
func Sign(r *http.Request, accessKey, secretKey, region, contentHash string, now time.Time) {
	signer{accessKey, secretKey, region}.sign(r, contentHash, now)
}

// EscapePath escapes a path as S3 does it.
func EscapePath(path string) string { return escapePath(path) }

// Address is where a file is.
func Address(c Config, name string) (string, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return "", err
	}
	s, err := newS3(c, u)
	if err != nil {
		return "", err
	}
	return s.address(name).String(), nil
}
