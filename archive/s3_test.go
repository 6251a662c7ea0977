package archive_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ltxbot/archive"
)

const (
	accessKey = "AKIAIOSFODNN7EXAMPLE"
	secretKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

// The examples that AWS publishes of the signature.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
func TestTheSignatureIsThatOfAWS(t *testing.T) {
	at := time.Date(2013, time.May, 24, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		method, path string
		headers      map[string]string
		body         string
		signature    string
	}{
		"get": {"GET", "/test.txt", map[string]string{"Range": "bytes=0-9"}, "", "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
		"put": {"PUT", "/test$file.text", map[string]string{"Date": "Fri, 24 May 2013 00:00:00 GMT", "X-Amz-Storage-Class": "REDUCED_REDUNDANCY"}, "Welcome to Amazon S3.", "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
	} {
		t.Run(name, func(t *testing.T) {
			r := &http.Request{Method: c.method, Header: http.Header{}, URL: &url.URL{Scheme: "https", Host: "examplebucket.s3.amazonaws.com", Path: c.path, RawPath: archive.EscapePath(c.path)}}
			for k, v := range c.headers {
				r.Header.Set(k, v)
			}
			sum := sha256.Sum256([]byte(c.body))
			archive.Sign(r, accessKey, secretKey, "us-east-1", hex.EncodeToString(sum[:]), at)
			if got := r.Header.Get("Authorization"); !strings.HasSuffix(got, "Signature="+c.signature) {
				t.Errorf("signed: %s\nwant %s", got, c.signature)
			}
		})
	}
}

// bucket is a server that speaks S3 and refuses what S3 refuses: it checks the
// signature of each request and the hash of each body.
type bucket struct {
	*httptest.Server

	mu     sync.Mutex
	files  map[string][]byte // by path
	types  map[string]string
	region string
	skew   time.Duration
	fault  string // the code that all is refused with
}

func newBucket(t *testing.T) *bucket {
	b := &bucket{files: map[string][]byte{}, types: map[string]string{}, region: "eu-central-1"}
	b.Server = httptest.NewServer(b)
	t.Cleanup(b.Close)
	return b
}

func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch code := b.refuse(r, body); {
	case code == "NoSuchBucket":
		refuse(w, http.StatusNotFound, code)
	case code != "":
		w.Header().Set("X-Amz-Bucket-Region", b.region)
		refuse(w, http.StatusForbidden, code)
	case r.Method == http.MethodPut:
		b.files[r.URL.Path], b.types[r.URL.Path] = body, r.Header.Get("Content-Type")
	case r.Method == http.MethodDelete:
		delete(b.files, r.URL.Path)
		w.WriteHeader(http.StatusNoContent)
	case r.Method != http.MethodGet:
		refuse(w, http.StatusMethodNotAllowed, "MethodNotAllowed")
	case b.files[r.URL.Path] == nil:
		refuse(w, http.StatusNotFound, "NoSuchKey")
	default:
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(b.files[r.URL.Path])))
	}
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code><Message>hunter2</Message><StringToSign>hunter2</StringToSign></Error>`, code)
}

// refuse is the code of why a request is refused.
func (b *bucket) refuse(r *http.Request, body []byte) string {
	sum := sha256.Sum256(body)
	date := r.Header.Get("X-Amz-Date")
	at, err := time.Parse("20060102T150405Z", date)
	fields := strings.FieldsFunc(r.Header.Get("Authorization"), func(c rune) bool { return c == ' ' || c == ',' || c == '=' })
	switch {
	case b.fault != "":
		return b.fault
	case r.Header.Get("X-Amz-Content-Sha256") != hex.EncodeToString(sum[:]):
		return "XAmzContentSHA256Mismatch"
	case err != nil || time.Since(at).Abs()+b.skew > 15*time.Minute:
		return "RequestTimeTooSkewed"
	case len(fields) != 7 || fields[0] != "AWS4-HMAC-SHA256":
		return "AuthorizationHeaderMalformed"
	case !strings.HasSuffix(fields[2], "/"+date[:8]+"/"+b.region+"/s3/aws4_request"):
		return "AuthorizationHeaderMalformed"
	case !strings.HasPrefix(fields[2], accessKey+"/"):
		return "InvalidAccessKeyId"
	}
	names := strings.Split(fields[4], ";")
	canonical := []string{r.Method, strings.SplitN(r.RequestURI, "?", 2)[0], ""}
	for _, name := range names {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.Host
		}
		canonical = append(canonical, name+":"+value)
	}
	canonical = append(canonical, "", fields[4], hex.EncodeToString(sum[:]))
	for _, must := range []string{"host", "x-amz-content-sha256", "x-amz-date"} {
		if !slices.Contains(names, must) {
			return "AccessDenied"
		}
	}
	key := []byte("AWS4" + secretKey)
	hashed := sha256.Sum256([]byte(strings.Join(canonical, "\n")))
	for _, part := range []string{date[:8], b.region, "s3", "aws4_request", "AWS4-HMAC-SHA256\n" + date + "\n" + strings.SplitN(fields[2], "/", 2)[1] + "\n" + hex.EncodeToString(hashed[:])} {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(part))
		key = h.Sum(nil)
	}
	if fields[6] != hex.EncodeToString(key) {
		return "SignatureDoesNotMatch"
	}
	return ""
}

func (b *bucket) open(t *testing.T, change func(*archive.Config)) archive.Archive {
	t.Helper()
	c := archive.Config{URL: "s3://videos/of the team/", Endpoint: b.URL, Region: b.region, AccessKey: accessKey, SecretKey: secretKey}
	if change != nil {
		change(&c)
	}
	a, err := archive.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestS3(t *testing.T) {
	b := newBucket(t)
	suite(t, b.open(t, nil))
	if got := b.types["/videos/of the team/acme/2026/11/k3f92mq7abcd.json"]; got != "video/mp4" {
		t.Errorf("files: %v, types %v", b.files, b.types)
	}
}

// What is refused says why, and nothing of what was signed.
func TestWhyS3Refuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*archive.Config)
		server func(*bucket)
		want   string
	}{
		"a wrong secret":    {change: func(c *archive.Config) { c.SecretKey = "hunter2" }, want: "s3: the server answered 403 SignatureDoesNotMatch"},
		"an unknown key":    {change: func(c *archive.Config) { c.AccessKey = "hunter2" }, want: "s3: the server answered 403 InvalidAccessKeyId"},
		"another region":    {change: func(c *archive.Config) { c.Region = "us-east-1" }, want: "s3: the server answered 403 AuthorizationHeaderMalformed; the bucket is in the region eu-central-1"},
		"a wrong clock":     {server: func(b *bucket) { b.skew = time.Hour }, want: "s3: the server answered 403 RequestTimeTooSkewed"},
		"no such bucket":    {server: func(b *bucket) { b.fault = "NoSuchBucket" }, want: "s3: the server answered 404 NoSuchBucket"},
		"an odd answer":     {server: func(b *bucket) { b.fault = "hunter2 <b>" }, want: "s3: the server answered 403"},
		"no right to do it": {server: func(b *bucket) { b.fault = "AccessDenied" }, want: "s3: the server answered 403 AccessDenied"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBucket(t)
			if c.server != nil {
				c.server(b)
			}
			a := b.open(t, c.change)
			err := put(t.Context(), a, video, moving)
			if err == nil || err.Error() != c.want {
				t.Errorf("put: %v, want %s", err, c.want)
			}
			if _, err := a.Open(t.Context(), video, 0); err == nil || err.Error() != c.want {
				t.Errorf("open: %v, want %s", err, c.want)
			}
			if err := a.Delete(t.Context(), video); err == nil || err.Error() != c.want {
				t.Errorf("delete: %v, want %s: what can't be deleted is not gone", err, c.want)
			}
		})
	}
}

// A redirect is not followed: the signature is for one host.
func TestS3FollowsNoRedirect(t *testing.T) {
	b := newBucket(t)
	elsewhere := httptest.NewServer(http.RedirectHandler(b.URL, http.StatusTemporaryRedirect))
	defer elsewhere.Close()
	err := put(t.Context(), b.open(t, func(c *archive.Config) { c.Endpoint = elsewhere.URL }), video, moving)
	if err == nil || err.Error() != "s3: the server answered 307" {
		t.Errorf("put: %v", err)
	}
}

func TestWhereTheBucketIs(t *testing.T) {
	for of, want := range map[archive.Config]string{
		{URL: "s3://videos", Region: "eu-central-1"}:                                         "https://videos.s3.eu-central-1.amazonaws.com/a/b.mp4",
		{URL: "s3://videos/ltx", Region: "eu-central-1"}:                                     "https://videos.s3.eu-central-1.amazonaws.com/ltx/a/b.mp4",
		{URL: "s3://my.videos/ltx/", Region: "eu-central-1"}:                                 "https://s3.eu-central-1.amazonaws.com/my.videos/ltx/a/b.mp4",
		{URL: "s3://videos/ltx", Region: "auto", Endpoint: "https://s3.example.com"}:         "https://s3.example.com/videos/ltx/a/b.mp4",
		{URL: "s3://videos/ltx", Region: "auto", Endpoint: "http://127.0.0.1:9000/storage/"}: "http://127.0.0.1:9000/storage/videos/ltx/a/b.mp4",
	} {
		if got, err := archive.Address(of, "a/b.mp4"); err != nil || got != want {
			t.Errorf("%+v: %s, %v; want %s", of, got, err, want)
		}
	}
}
