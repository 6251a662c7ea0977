package config

import (
	"net/url"
	"path"
	"regexp"
	"strings"
)

// Archive is where copies of delivered videos are kept.
type Archive struct {
	URL       string `toml:"url" doc:"\"file:///srv/videos\": a folder that is there; \"s3://BUCKET\" or \"s3://BUCKET/PREFIX\". Empty = no copies are kept."`
	Endpoint  string `toml:"endpoint" doc:"Address of an S3 server other than AWS, such as \"https://s3.example.com\"."`
	Region    string `toml:"region" doc:"Region of the bucket; servers other than AWS say what they want to read here: often \"us-east-1\" or \"auto\"."`
	AccessKey Secret `toml:"access_key" doc:"Key that may write, read and delete objects of the bucket (s3:PutObject, s3:GetObject, s3:DeleteObject). It needs no other right."`
	SecretKey Secret `toml:"secret_key"`
}

func defaultArchive() Archive {
	return Archive{Region: "us-east-1", AccessKey: secretRef("env:AWS_ACCESS_KEY_ID"), SecretKey: secretRef("env:AWS_SECRET_ACCESS_KEY")}
}

// On reports whether copies are kept.
func (a Archive) On() bool { return a.URL != "" }

var (
	// bucketPattern is what a bucket may be called.
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
	bucketPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	regionPattern = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)
)

func (a Archive) check(k *checker) {
	if !a.On() {
		return
	}
	const key = "archive.url"
	u, err := url.Parse(a.URL)
	switch {
	case err != nil || u.RawQuery != "" || u.Fragment != "" || u.User != nil || u.Opaque != "":
		k.add(key, "", `must be "file:///FOLDER" or "s3://BUCKET/PREFIX"; keys have settings of their own`)
	case u.Scheme == "file":
		if u.Host != "" || !path.IsAbs(u.Path) {
			k.add(key, quote(a.URL), `must name a folder by its whole path, with three slashes: "file:///srv/videos"`)
		}
	case u.Scheme == "s3":
		a.checkS3(k, u)
	default:
		k.add(key, quote(a.URL), "must begin with file:/// or s3://")
	}
}

func (a Archive) checkS3(k *checker, u *url.URL) {
	if !bucketPattern.MatchString(u.Host) || strings.Contains(u.Host, "..") {
		k.add("archive.url", quote(a.URL), "must name a bucket: 3 to 63 lower-case letters, digits, dots and hyphens")
	}
	if p := strings.Trim(u.Path, "/"); p != "" && path.Clean("/"+p) != "/"+p {
		k.add("archive.url", quote(a.URL), "must not hold empty parts, . or .. in its prefix")
	}
	if !regionPattern.MatchString(a.Region) {
		k.add("archive.region", quote(a.Region), `must be the name of a region, such as "eu-central-1"`)
	}
	for _, s := range []struct {
		key string
		of  Secret
		env string
	}{{"archive.access_key", a.AccessKey, "AWS_ACCESS_KEY_ID"}, {"archive.secret_key", a.SecretKey, "AWS_SECRET_ACCESS_KEY"}} {
		if s.of.Reveal() == "" {
			k.add(s.key, "", "is empty, and an archive on S3 needs it: set it, or the environment variable "+s.env)
		}
	}
	if a.Endpoint == "" {
		return
	}
	e, err := url.Parse(a.Endpoint)
	if err != nil || e.Scheme != "https" && e.Scheme != "http" || e.Host == "" || e.User != nil || e.RawQuery != "" || e.Fragment != "" {
		k.add("archive.endpoint", "", `must be an address such as "https://s3.example.com", without a key`)
	}
}
