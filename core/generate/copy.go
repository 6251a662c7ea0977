package generate

import (
	"context"
	"fmt"
	"io"
	"path"
	"strings"
	"time"
	"unicode"
)

// A Copy is what a job's record says of the copy of its video in the archive.
type Copy struct {
	State CopyState `json:"state,omitempty"`
	// Path is where it is in the archive, without its extension:
	// "acme/2026/11/k3f92mq7abcd".
	Path string `json:"path,omitempty"`
	// Ext is the extension of the video, once it is there: ".mp4".
	Ext    string    `json:"ext,omitempty"`
	Size   int64     `json:"size,omitempty"`   // bytes
	SHA256 string    `json:"sha256,omitempty"` // of the video, in hexadecimal
	At     time.Time `json:"at,omitzero"`      // when it was written
	Until  time.Time `json:"until,omitzero"`   // when one that is CopyGoing goes
}

// CopyState is how far a copy is.
type CopyState string

// The states of a copy. A job without one has none, and wants none.
const (
	CopyDue   CopyState = "due"   // to be written
	CopyKept  CopyState = "kept"  // in the archive
	CopyStale CopyState = "stale" // in the archive; the parameters beside it are to be written again
	CopyGoing CopyState = "going" // the video was deleted: it is removed soon
	CopyLost  CopyState = "lost"  // given up
)

// Video is the name of the video in the archive, "" if it is not there or about to
// go.
func (c Copy) Video() string {
	if c.Ext == "" || c.State == CopyGoing {
		return ""
	}
	return c.Path + c.Ext
}

// ContentType is the type of the video: "video/mp4".
func (c Copy) ContentType() string {
	for _, k := range mediaKinds {
		if k.ext == c.Ext {
			return k.contentType
		}
	}
	return ""
}

// stale is c after the job's parameters have changed.
func (c Copy) stale() Copy {
	if c.State == CopyKept {
		c.State = CopyStale
	}
	return c
}

// going is c once its video was deleted. Until at that can be taken back.
func (c Copy) going(at time.Time) Copy {
	if c.State != "" && c.State != CopyGoing {
		c.State, c.Until = CopyGoing, at
	}
	return c
}

// back is c, which was about to go, when that is taken back: what is still there
// stays, and the rest is written anew.
func (c Copy) back(now time.Time) Copy {
	switch {
	case c.State != CopyGoing:
		return c
	case c.Ext == "" || !now.Before(c.Until):
		return Copy{State: CopyDue, Path: c.Path}
	}
	c.State, c.Until = CopyStale, time.Time{}
	return c
}

// sheetExt is the extension of the parameters beside a video.
const sheetExt = ".json"

// copyNames are the names of all that a copy at path may be made of.
func copyNames(path string) []string {
	names := append(make([]string, 0, 1+len(mediaKinds)), path+sheetExt)
	for _, k := range mediaKinds {
		names = append(names, path+k.ext)
	}
	return names
}

// copyPath is where the copy of j belongs: by team and month, in UTC.
func (j Job) copyPath() string {
	at := j.Created.UTC()
	return path.Join(folderName(j.Team), fmt.Sprintf("%04d", at.Year()), fmt.Sprintf("%02d", at.Month()), j.ID)
}

// folderName is a team's name as every file system and every S3 takes it:
// letters, digits, - and _. Two teams may have the same one, since a job's id is
// in the path.
func folderName(team string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' {
			return r
		}
		return '-'
	}, team)
}

// CopyFiles is where copies are kept: a folder, or S3. Names are relative paths.
// Its methods may be called from many goroutines, and again after any error; their
// errors are safe to log.
type CopyFiles interface {
	// Put writes size bytes of body as name, in place of what is there: all of
	// them or nothing.
	Put(ctx context.Context, name, contentType string, body io.ReadSeeker, size int64) error
	// Open reads name from offset on. The error is fs.ErrNotExist when it is not
	// there.
	Open(ctx context.Context, name string, offset int64) (io.ReadCloser, error)
	// Delete removes name. What is not there is removed.
	Delete(ctx context.Context, name string) error
}

// A CopyQueue names the jobs of which the archive is not as the record says. A
// job is put in line by the save that changes the State of its Copy, and by its
// removal: in the same transaction, so that nothing is forgotten.
type CopyQueue interface {
	// ClaimCopy takes the copy that has been due longest. Nobody else gets it
	// before lease is over, or Delay is called. It returns ErrNoCopy while none
	// is due.
	ClaimCopy(ctx context.Context, lease time.Duration) (CopyTask, error)
	// DelayCopy ends a claim: the copy is due again after d. One whose record has
	// changed since is due at once; one that somebody else has claimed is left alone.
	DelayCopy(ctx context.Context, t CopyTask, d time.Duration) error
	// DropCopy ends a claim, too: the copy is out of the line, with the same
	// exceptions.
	DropCopy(ctx context.Context, t CopyTask) error
}

// A CopyTask is a copy that is to be brought in line with the record of its job.
type CopyTask struct {
	Job   string    `json:"job"`
	Path  string    `json:"path"`  // of the copy
	Since time.Time `json:"since"` // when it was put in line
	Tries int       `json:"tries"` // claims, this one included
	Claim string    `json:"claim"` // names this claim
}

// CopyOutcome is what came of a try to bring a copy in line.
type CopyOutcome string

// The outcomes.
const (
	CopyWritten CopyOutcome = "written"
	CopyRemoved CopyOutcome = "removed"
	CopyFailed  CopyOutcome = "failed"   // it is tried again
	CopyGivenUp CopyOutcome = "given_up" // there will be no copy
)

// CopyOutcomes is every outcome.
var CopyOutcomes = []CopyOutcome{CopyWritten, CopyRemoved, CopyFailed, CopyGivenUp}

// CopyConfig is the archive of an engine. Without Files there is none.
type CopyConfig struct {
	Files   CopyFiles
	Queue   CopyQueue
	Observe func(CopyOutcome) // nil = nobody counts; it must not block
}
