package archive

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// folder is an archive in a folder, which must be there: one that is not may be
// a disk that is not mounted. Nothing outside of it is touched, whatever links
// are in it.
type folder struct{ path string }

// partSuffix ends the name of a file that is being written.
const partSuffix = ".part"

// Put implements Archive. The file is there, whole and on the disk, or not at all.
func (f folder) Put(ctx context.Context, name, _ string, body io.ReadSeeker, size int64) error {
	return f.in(name, func(root *os.Root) error {
		dir, base := path.Split(name)
		dir = path.Clean(dir)
		if err := root.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		if err := removeParts(root, dir, base); err != nil {
			return err
		}
		part := path.Join(dir, "."+base+"."+rand.Text()+partSuffix)
		if err := write(ctx, root, part, body, size); err != nil {
			return errors.Join(err, root.Remove(part))
		}
		if err := root.Rename(part, name); err != nil {
			return errors.Join(err, root.Remove(part))
		}
		return syncFolders(root, dir)
	})
}

// Open implements Archive.
func (f folder) Open(_ context.Context, name string, offset int64) (io.ReadCloser, error) {
	var file *os.File
	err := f.in(name, func(root *os.Root) (err error) {
		if file, err = root.Open(name); err != nil {
			return err
		}
		if _, err = file.Seek(offset, io.SeekStart); err != nil {
			_ = file.Close()
		}
		return err
	})
	return file, err
}

// Delete implements Archive.
func (f folder) Delete(_ context.Context, name string) error {
	return f.in(name, func(root *os.Root) error {
		dir, base := path.Split(name)
		dir = path.Clean(dir)
		err := root.Remove(name)
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		if err == nil {
			err = removeParts(root, dir, base)
		}
		return err
	})
}

// in calls do with the folder open.
func (f folder) in(name string, do func(*os.Root) error) error {
	if err := checkName(name); err != nil {
		return err
	}
	root, err := os.OpenRoot(f.path)
	if err != nil {
		return err
	}
	return errors.Join(do(root), root.Close())
}

// write makes a file of size bytes of body.
func write(ctx context.Context, root *os.Root, name string, body io.ReadSeeker, size int64) error {
	out, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()
	if _, err := body.Seek(0, io.SeekStart); err != nil {
		return err
	}
	n, err := io.Copy(out, io.LimitReader(whileAlive{ctx, body}, size))
	switch {
	case err != nil:
		return err
	case n < size:
		return fmt.Errorf("the file has %d bytes, not %d", n, size)
	}
	if err := out.Sync(); err != nil {
		return err
	}
	return out.Close()
}

// whileAlive reads until the context is done.
type whileAlive struct {
	ctx context.Context //nolint:containedctx // an io.Reader has no room for it
	r   io.Reader
}

func (w whileAlive) Read(b []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.r.Read(b)
}

// removeParts removes what a crash has left of a file that was being written.
func removeParts(root *os.Root, dir, base string) error {
	entries, err := fs.ReadDir(root.FS(), dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "."+base+".") && strings.HasSuffix(e.Name(), partSuffix) {
			if err := root.Remove(path.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// syncFolders makes the entries of a folder and of those above it survive a power
// cut.
func syncFolders(root *os.Root, dir string) error {
	for {
		d, err := root.Open(dir)
		if err != nil {
			return err
		}
		if err := errors.Join(d.Sync(), d.Close()); err != nil {
			return err
		}
		if dir == "." {
			return nil
		}
		dir = path.Dir(dir)
	}
}
