package archive

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// signer signs requests to S3 with AWS Signature Version 4.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
type signer struct{ accessKey, secretKey, region string }

// The headers and formats of a signature.
const (
	headerDate    = "X-Amz-Date"
	headerContent = "X-Amz-Content-Sha256"
	algorithm     = "AWS4-HMAC-SHA256"
	amzTime       = "20060102T150405Z"
	amzDay        = "20060102"
)

// noBody is the hash of nothing.
var noBody = hex.EncodeToString(sha256.New().Sum(nil))

// sign adds what proves that r, whose body has a hash in hexadecimal, comes from
// the holder of the key. Host, Range and all headers that are set count. The path
// of r must be escaped as S3 does it, and r must have no query.
func (s signer) sign(r *http.Request, contentHash string, now time.Time) {
	now = now.UTC()
	r.Header.Set(headerDate, now.Format(amzTime))
	r.Header.Set(headerContent, contentHash)
	headers, signed := canonicalHeaders(r)
	canonical := strings.Join([]string{r.Method, r.URL.EscapedPath(), "", headers, signed, contentHash}, "\n")
	scope := strings.Join([]string{now.Format(amzDay), s.region, "s3", "aws4_request"}, "/")
	sum := sha256.Sum256([]byte(canonical))
	text := strings.Join([]string{algorithm, now.Format(amzTime), scope, hex.EncodeToString(sum[:])}, "\n")
	key := []byte("AWS4" + s.secretKey)
	for part := range strings.SplitSeq(scope, "/") {
		key = mac(key, part)
	}
	r.Header.Set("Authorization", fmt.Sprintf("%s Credential=%s/%s,SignedHeaders=%s,Signature=%s",
		algorithm, s.accessKey, scope, signed, hex.EncodeToString(mac(key, text))))
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// canonicalHeaders are the headers of r in the form that is signed, and their
// names.
func canonicalHeaders(r *http.Request) (headers, names string) {
	values := map[string]string{"host": r.URL.Host}
	for name, v := range r.Header {
		values[strings.ToLower(name)] = strings.Join(strings.Fields(strings.Join(v, ",")), " ")
	}
	sorted := slices.Sorted(maps.Keys(values))
	var b strings.Builder
	for _, name := range sorted {
		b.WriteString(name + ":" + values[name] + "\n")
	}
	return b.String(), strings.Join(sorted, ";")
}

// escapePath escapes a path as S3 does it: all but letters, digits, -._~ and the
// slashes.
func escapePath(path string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(path) {
		c := path[i]
		if c == '/' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
	}
	return b.String()
}
