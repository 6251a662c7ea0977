package media_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"ltxbot/core/generate"
	"ltxbot/internal/need"
	"ltxbot/internal/testfile"
	"ltxbot/media"
)

// clip makes a video of noise, which hardly compresses, with ffmpeg.
func clip(t *testing.T, ffmpeg, name, contentType string, args ...string) generate.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	all := append([]string{
		"-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x176:rate=24:duration=1,noise=alls=60:allf=t",
		"-f", "lavfi", "-i", "sine=frequency=440:duration=1",
	}, args...)
	if out, err := exec.CommandContext(t.Context(), ffmpeg, append(all, path)...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return generate.File{Path: path, Name: "ltx-abc" + filepath.Ext(name), Size: info.Size(), ContentType: contentType, Fit: generate.FitOriginal}
}

func TestFit(t *testing.T) {
	ffmpeg := need.Tool(t, "ffmpeg")
	need.Tool(t, "ffprobe")
	f, err := media.Find(ffmpeg)
	if err != nil {
		t.Fatal(err)
	}
	h264 := []string{"-c:v", "libx264", "-preset", "ultrafast", "-crf", "20", "-pix_fmt", "yuv420p", "-c:a", "aac"}
	for _, tt := range []struct {
		name    string
		in      generate.File
		limit   int64
		same    bool
		wantFit generate.Fit
	}{
		{
			"a video that plays and fits stays as it is",
			clip(t, ffmpeg, "a.mp4", "video/mp4", append(h264, "-movflags", "+faststart")...), 100 << 20, true, generate.FitOriginal,
		},
		{
			"an index at the end is moved to the front",
			clip(t, ffmpeg, "b.mp4", "video/mp4", h264...), 100 << 20, false, generate.FitOriginal,
		},
		{
			"a video that is too large is made smaller",
			clip(t, ffmpeg, "c.mp4", "video/mp4", h264...), 150_000, false, generate.FitReencoded,
		},
		{
			"pixels that clients don't decode are changed",
			clip(t, ffmpeg, "d.mp4", "video/mp4", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv444p", "-movflags", "+faststart"), 100 << 20, false, generate.FitReencoded,
		},
		{
			"a GIF that fits stays a GIF",
			clip(t, ffmpeg, "e.gif", "image/gif", "-t", "0.3", "-map", "0:v"), 100 << 20, true, generate.FitOriginal,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			last := -1
			got, err := f.Fit(t.Context(), tt.in, t.TempDir(), tt.limit, func(p int) { last = p })
			if err != nil {
				t.Fatal(err)
			}
			if (got.Path == tt.in.Path) != tt.same {
				t.Errorf("same file = %v, want %v", got.Path == tt.in.Path, tt.same)
			}
			if got.Size > tt.limit || got.Fit != tt.wantFit {
				t.Errorf("got %d bytes, %s; want at most %d, %s", got.Size, got.Fit, tt.limit, tt.wantFit)
			}
			if tt.wantFit == generate.FitReencoded && last < 0 {
				t.Error("no progress was told")
			}
			again, err := f.Fit(t.Context(), got, t.TempDir(), tt.limit, nil)
			if err != nil || again.Path != got.Path {
				t.Errorf("what was made to fit is changed once more: %v", err)
			}
		})
	}
}

func TestFitSaysWhenItCannotBeDone(t *testing.T) {
	ffmpeg := need.Tool(t, "ffmpeg")
	need.Tool(t, "ffprobe")
	f, err := media.Find(ffmpeg)
	if err != nil {
		t.Fatal(err)
	}
	in := clip(t, ffmpeg, "a.mp4", "video/mp4", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
	var large *generate.TooLargeError
	if _, err := f.Fit(t.Context(), in, t.TempDir(), 10_000, nil); !errors.As(err, &large) {
		t.Errorf("fit into 20 kB: %v, want a TooLargeError", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Fit(ctx, in, t.TempDir(), 500_000, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled fit: %v, want context.Canceled", err)
	}
	bad := generate.File{Path: filepath.Join(t.TempDir(), "x.mp4"), Size: 3, ContentType: "video/mp4"}
	testfile.Write(t, bad.Path, "no!")
	if _, err := f.Fit(t.Context(), bad, t.TempDir(), 1000, nil); err == nil || errors.As(err, &large) {
		t.Errorf("fit of a file that is no video: %v, want another error", err)
	}
}
