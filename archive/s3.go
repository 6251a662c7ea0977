package archive

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
)

// maxObject is the largest file that S3 takes in one request, in bytes.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html
const maxObject = 5 << 30

// Timeouts of the client. A whole request has its caller's time.
const (
	headerLimit = time.Minute // until an answer begins, after the last byte of the request
	idleLimit   = time.Minute // a connection without a request is kept for so long
)

// s3 is an archive in a bucket.
type s3 struct {
	signer

	base   *url.URL // of the bucket
	prefix string
	http   *http.Client
	now    func() time.Time
}

// newS3 makes the client of the bucket that u names. At AWS the bucket is a part of
// the host, unless it has a dot, which no certificate covers; elsewhere it is a part
// of the path, which every server understands.
func newS3(c Config, u *url.URL) (*s3, error) {
	endpoint := cmp.Or(c.Endpoint, "https://s3."+c.Region+".amazonaws.com")
	base, err := url.Parse(endpoint)
	if err != nil {
		return nil, err
	}
	if c.Endpoint == "" && !strings.Contains(u.Host, ".") {
		base.Host = u.Host + "." + base.Host
	} else {
		base = base.JoinPath(u.Host)
	}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: headerLimit}).DialContext, ResponseHeaderTimeout: headerLimit, IdleConnTimeout: idleLimit,
		TLSHandshakeTimeout: headerLimit, ForceAttemptHTTP2: true,
		DisableCompression: true, // offsets are those of the file
	}
	return &s3{
		signer: signer{c.AccessKey, c.SecretKey, c.Region}, base: base, prefix: strings.Trim(u.Path, "/"), now: time.Now,
		http: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}, nil
}

// Put implements Archive. The body is read twice: its hash is signed.
func (s *s3) Put(ctx context.Context, name, contentType string, body io.ReadSeeker, size int64) error {
	if size > maxObject {
		return fmt.Errorf("a file of %d bytes is more than S3 takes at once", size)
	}
	hash := sha256.New()
	if _, err := body.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if n, err := io.Copy(hash, io.LimitReader(whileAlive{ctx, body}, size)); err != nil || n < size {
		return errors.Join(fmt.Errorf("%d of %d bytes could be read", n, size), err)
	}
	if _, err := body.Seek(0, io.SeekStart); err != nil {
		return err
	}
	answer, err := s.do(ctx, http.MethodPut, name, hex.EncodeToString(hash.Sum(nil)), func(r *http.Request) {
		r.Header.Set("Content-Type", contentType)
		r.Body, r.ContentLength = io.NopCloser(io.LimitReader(body, size)), size
	})
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// Open implements Archive.
func (s *s3) Open(ctx context.Context, name string, offset int64) (io.ReadCloser, error) {
	answer, err := s.do(ctx, http.MethodGet, name, noBody, func(r *http.Request) {
		if offset > 0 {
			r.Header.Set("Range", "bytes="+strconv.FormatInt(offset, 10)+"-")
		}
	})
	if err != nil {
		return nil, err
	}
	if offset > 0 && answer.StatusCode != http.StatusPartialContent {
		_ = answer.Body.Close()
		return nil, errors.New("s3: the server does not read from the middle of a file")
	}
	return answer.Body, nil
}

// Delete implements Archive.
func (s *s3) Delete(ctx context.Context, name string) error {
	answer, err := s.do(ctx, http.MethodDelete, name, noBody, func(*http.Request) {})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// do sends a request about a file. An answer that is not a success is an error.
func (s *s3) do(ctx context.Context, method, name, contentHash string, prepare func(*http.Request)) (*http.Response, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, method, s.address(name).String(), nil)
	if err != nil {
		return nil, err
	}
	prepare(r)
	s.sign(r, contentHash, s.now())
	answer, err := s.http.Do(r)
	if err != nil {
		return nil, fmt.Errorf("s3: %w", err)
	}
	if answer.StatusCode/100 != 2 {
		defer func() { _ = answer.Body.Close() }()
		return nil, failure(answer, s.region)
	}
	return answer, nil
}

// address is where a file is, escaped as it is signed.
func (s *s3) address(name string) *url.URL {
	at := *s.base
	at.Path = path.Join("/", at.Path, s.prefix, name)
	at.RawPath = escapePath(at.Path)
	return &at
}

// maxFailure bounds what is read of an answer that tells of an error, in bytes.
const maxFailure = 64 << 10

// A StatusError is an answer of the server that is not a success.
type StatusError struct {
	Status int
	Code   string // "AccessDenied"; empty when it names none
	Region string // the bucket's, when the server says that it is another one than was asked
}

func (e *StatusError) Error() string {
	text := "s3: the server answered " + strconv.Itoa(e.Status)
	if e.Code != "" {
		text += " " + e.Code
	}
	if e.Region != "" {
		text += "; the bucket is in the region " + e.Region
	}
	return text
}

// Is makes a file that is not there fs.ErrNotExist. A bucket that is not there is
// another thing.
func (e *StatusError) Is(target error) bool {
	return target == fs.ErrNotExist && e.Status == http.StatusNotFound && (e.Code == "" || e.Code == "NoSuchKey")
}

// failure reads what an answer says of an error: its code alone, since the rest
// may hold what was signed.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
func failure(answer *http.Response, asked string) error {
	e := &StatusError{Status: answer.StatusCode, Region: plain(answer.Header.Get("X-Amz-Bucket-Region"))}
	var told struct {
		Code   string
		Region string
	}
	if err := xml.NewDecoder(io.LimitReader(answer.Body, maxFailure)).Decode(&told); err == nil {
		e.Code, e.Region = plain(told.Code), cmp.Or(e.Region, plain(told.Region))
	}
	if e.Region == asked {
		e.Region = ""
	}
	return e
}

// plain is a word that may be logged, "" for anything else.
func plain(word string) string {
	odd := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
	}
	if len(word) > 64 || strings.ContainsFunc(word, odd) {
		return ""
	}
	return word
}
