package doctor

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strings"

	"ltxbot/app"
	"ltxbot/archive"
)

// archive writes, reads and removes a small file in the archive.
func (p patient) archive(ctx context.Context) []Finding {
	const area = "archive"
	if !p.cfg.Archive.On() {
		return nil
	}
	a, err := app.OpenArchive(p.cfg.Archive)
	if err != nil {
		return []Finding{problem(area, "check archive.url", "%v", err)}
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	if err := archive.Try(ctx, a); err != nil {
		return []Finding{problem(area, archiveAdvice(err), "%s: %v", p.cfg.Archive.URL, err)}
	}
	found := []Finding{ok(area, "%s can be written, read and deleted", p.cfg.Archive.URL)}
	if folder, is := strings.CutPrefix(p.cfg.Archive.URL, "file://"); is {
		found = append(found, room(area, folder, 0)...)
	}
	return found
}

// archiveAdvice is what to do about an archive that can't be used.
func archiveAdvice(err error) string {
	status, answered := errors.AsType[*archive.StatusError](err)
	switch {
	case answered && status.Region != "":
		return "set archive.region to " + status.Region
	case answered && status.Code == "NoSuchBucket":
		return "make the bucket, or check archive.url"
	case answered && (status.Code == "RequestTimeTooSkewed"):
		return "set this machine's clock"
	case answered && (status.Status == http.StatusForbidden || status.Status == http.StatusUnauthorized):
		return "check archive.access_key and archive.secret_key, and that the key may put, get and delete objects there"
	case answered:
		return "check archive.url, archive.endpoint and archive.region"
	case errors.Is(err, fs.ErrNotExist):
		return "make the folder, as the bot's user, or mount its disk"
	case errors.Is(err, fs.ErrPermission):
		return "give the bot's user the right to write there"
	}
	return "check archive.url and archive.endpoint; the bot goes on without, and tries again"
}
