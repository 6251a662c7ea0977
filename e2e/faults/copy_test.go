package faults_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"ltxbot/core/generate"
	"ltxbot/store"
)

// judgeCopies looks whether the archive has what the records say. A copy that a
// process was writing when it was killed is due still.
func (l *life) judgeCopies(s *store.Store) error {
	jobs, err := s.Jobs(context.Background(), generate.Query{})
	if err != nil {
		return err
	}
	delivered := map[string]bool{}
	for _, j := range jobs {
		delivered[j.ID] = j.State == generate.Delivered
		switch c := j.Copy; {
		case j.State != generate.Delivered && c.State == "":
		case j.State == generate.Delivered && c.State == generate.CopyDue:
		case j.State == generate.Delivered && c.State == generate.CopyKept:
			video, err := os.ReadFile(filepath.Join(l.videos, filepath.FromSlash(c.Video())))
			if sum := sha256.Sum256(video); err != nil || hex.EncodeToString(sum[:]) != c.SHA256 {
				return fmt.Errorf("the copy of %s has %d bytes, %w; the record says %+v", j.ID, len(video), err, c)
			}
			if _, err := os.Stat(filepath.Join(l.videos, filepath.FromSlash(c.Path)+".json")); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s is %s, its copy %s", j.ID, j.State, c.State)
		}
	}
	return fs.WalkDir(os.DirFS(l.videos), ".", func(name string, d fs.DirEntry, err error) error {
		base := path.Base(name)
		job, _, _ := strings.Cut(base, ".")
		if err == nil && !d.IsDir() && !strings.HasPrefix(base, ".") && !delivered[job] {
			err = fmt.Errorf("the archive has %s, which was not delivered", name)
		}
		return err
	})
}
