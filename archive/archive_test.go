package archive_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ltxbot/archive"
	"ltxbot/internal/testfile"
)

const (
	video  = "acme/2026/11/k3f92mq7abcd.mp4"
	moving = "some moving pictures"
)

func put(ctx context.Context, a archive.Archive, name, text string) error {
	return a.Put(ctx, name, "video/mp4", strings.NewReader(text), int64(len(text)))
}

// get reads a file from offset on.
func get(t *testing.T, a archive.Archive, name string, offset int64) (string, error) {
	t.Helper()
	body, err := a.Open(t.Context(), name, offset)
	if err != nil {
		return "", err
	}
	defer body.Close()
	b, err := io.ReadAll(body)
	return string(b), err
}

// suite is what every archive does.
func suite(t *testing.T, a archive.Archive) {
	t.Helper()
	ctx := t.Context()
	for _, name := range []string{video, "acme/2026/11/k3f92mq7abcd.json", "映画-ä/2026/11/a b+c%20'&=.mp4"} {
		if _, err := get(t, a, name, 0); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s before it is written: %v", name, err)
		}
		if err := a.Delete(ctx, name); err != nil {
			t.Errorf("delete %s before it is written: %v", name, err)
		}
		if err := put(ctx, a, name, "an older one, which is longer than the other"); err != nil {
			t.Fatalf("put %s: %v", name, err)
		}
		if err := put(ctx, a, name, moving); err != nil {
			t.Fatalf("put %s again: %v", name, err)
		}
		for _, offset := range []int{0, 1, len(moving) - 1} {
			if got, err := get(t, a, name, int64(offset)); err != nil || got != moving[offset:] {
				t.Errorf("%s from byte %d on: %q, %v", name, offset, got, err)
			}
		}
		if err := a.Put(ctx, name, "video/mp4", strings.NewReader("short"), 100); err == nil {
			t.Error("half a file was written")
		}
		if got, err := get(t, a, name, 0); err != nil || got != moving {
			t.Errorf("%s after half a write: %q, %v", name, got, err)
		}
	}
	if err := put(ctx, a, "empty.txt", ""); err != nil {
		t.Errorf("put an empty file: %v", err)
	}
	for range 2 {
		if err := a.Delete(ctx, video); err != nil {
			t.Errorf("delete: %v", err)
		}
	}
	if _, err := get(t, a, video, 0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after it was deleted: %v", err)
	}
	if got, err := get(t, a, "acme/2026/11/k3f92mq7abcd.json", 0); err != nil || got != moving {
		t.Errorf("the file beside a deleted one: %q, %v", got, err)
	}
	for _, name := range []string{"", ".", "/etc/passwd", "../x", "a/../../x", "a//b", "a/./b", "a/"} {
		if err := put(ctx, a, name, moving); err == nil {
			t.Errorf("%q was written", name)
		}
		if _, err := a.Open(ctx, name, 0); err == nil {
			t.Errorf("%q was read", name)
		}
		if err := a.Delete(ctx, name); err == nil {
			t.Errorf("%q was deleted", name)
		}
	}
	if err := archive.Try(ctx, a); err != nil {
		t.Errorf("try: %v", err)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if err := put(gone, a, video, moving); err == nil {
		t.Error("a write that was given up succeeded")
	}
	if _, err := get(t, a, video, 0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after a write that was given up: %v", err)
	}
}

func openFolder(t *testing.T, dir string) archive.Archive {
	t.Helper()
	a, err := archive.New(archive.Config{URL: "file://" + filepath.ToSlash(dir)})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	suite(t, openFolder(t, dir))
	if left := files(t, dir); slices.ContainsFunc(left, func(name string) bool { return strings.HasSuffix(name, ".part") || strings.Contains(name, "doctor") }) {
		t.Errorf("left behind: %v", left)
	}
}

// files are all files below a folder.
func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// A disk that is not mounted has no folder: the video must not land beside it.
func TestAFolderThatIsNotThereIsNotMade(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "videos")
	a := openFolder(t, dir)
	if err := put(t.Context(), a, video, moving); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("put: %v", err)
	}
	if err := a.Delete(t.Context(), video); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("delete: %v: a video that is not seen now is still there", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder: %v", err)
	}
}

func TestNothingOutsideOfTheFolderIsTouched(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	secret := filepath.Join(outside, "2026.mp4")
	testfile.Write(t, secret, "private")
	if err := os.Symlink(outside, filepath.Join(dir, "acme")); err != nil {
		t.Fatal(err)
	}
	a := openFolder(t, dir)
	if err := put(t.Context(), a, "acme/new.mp4", moving); err == nil {
		t.Error("a file was written through a link")
	}
	if got, err := get(t, a, "acme/2026.mp4", 0); err == nil {
		t.Errorf("%q was read through a link", got)
	}
	if err := a.Delete(t.Context(), "acme/2026.mp4"); err == nil {
		t.Error("a file was deleted through a link")
	}
	if got := files(t, outside); !slices.Equal(got, []string{"2026.mp4"}) {
		t.Errorf("outside are %v", got)
	}
}

// What a crash has left of a file goes with the next write, and with the delete.
func TestWhatACrashHasLeftIsRemoved(t *testing.T) {
	for name, then := range map[string]func(a archive.Archive) error{
		"written again": func(a archive.Archive) error { return put(t.Context(), a, video, moving) },
		"deleted":       func(a archive.Archive) error { return a.Delete(t.Context(), video) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			month := filepath.Join(dir, "acme", "2026", "11")
			other := filepath.Join(month, ".other.mp4.ABC.part")
			if err := os.MkdirAll(month, 0o700); err != nil {
				t.Fatal(err)
			}
			for _, path := range []string{filepath.Join(month, ".k3f92mq7abcd.mp4.ABC.part"), other} {
				testfile.Write(t, path, "half")
			}
			if err := then(openFolder(t, dir)); err != nil {
				t.Fatal(err)
			}
			left := slices.DeleteFunc(files(t, dir), func(name string) bool { return name == video })
			if want := []string{"acme/2026/11/.other.mp4.ABC.part"}; !slices.Equal(left, want) {
				t.Errorf("left are %v, want %v", left, want)
			}
		})
	}
}

// failing reads a while.
type failing struct{ bytes.Reader }

func (*failing) Read([]byte) (int, error) { return 0, errors.New("the disk is broken") }

func TestAFileThatCannotBeReadIsNotWritten(t *testing.T) {
	dir := t.TempDir()
	if err := openFolder(t, dir).Put(t.Context(), video, "video/mp4", &failing{}, 10); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("put: %v", err)
	}
	if got := files(t, dir); len(got) > 0 {
		t.Errorf("left: %v", got)
	}
}
