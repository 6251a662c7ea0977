package media_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/internal/need"
	"ltxbot/internal/testfile"
	"ltxbot/media"
)

// fakes is an ffmpeg and an ffprobe that are scripts of the shell. $dir is
// where they leave what they have seen, $last is the file that is to be written.
func fakes(t *testing.T, ffmpeg, ffprobe string) (f *media.FFmpeg, dir string) {
	t.Helper()
	need.Tool(t, "sh")
	dir = t.TempDir()
	for name, script := range map[string]string{"ffmpeg": ffmpeg, "ffprobe": ffprobe} {
		text := fmt.Sprintf("#!/bin/sh\ndir=%s\necho %s >>$dir/started\nfor last; do :; done\n%s\n", dir, name, script)
		testfile.WriteProgram(t, filepath.Join(dir, name), text)
	}
	f, err := media.Find(filepath.Join(dir, "ffmpeg"))
	if err != nil {
		t.Fatal(err)
	}
	return f, dir
}

// started are the programs that were started, in order.
func started(t *testing.T, dir string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "started"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.Fields(string(b))
}

// sampleFile is a file of testdata as the bot has downloaded it.
func sampleFile(t *testing.T, name string) generate.File {
	t.Helper()
	b := read(t, name)
	path := filepath.Join(t.TempDir(), "original")
	testfile.Write(t, path, b)
	return generate.File{Path: path, Name: "ltx-abc.mp4", Size: int64(len(b)), ContentType: "video/mp4", Fit: generate.FitOriginal}
}

const (
	broken = "exit 1"
	// probed is the answer of ffprobe for the sample.
	probed = `echo '{"streams":[{"codec_type":"video","codec_name":"h264","pix_fmt":"yuv420p","width":64,"height":36},{"codec_type":"audio","codec_name":"aac"}],"format":{"duration":"0.5"}}'`
)

func TestNoProcessIsStartedForAVideoThatFits(t *testing.T) {
	for name, in := range map[string]generate.File{
		"an ordinary MP4":             sampleFile(t, "sample.mp4"),
		"an MP4 with a late index":    sampleFile(t, "end.mp4"),
		"a WebM that somebody chose":  {Path: "/nowhere", Size: 10, ContentType: "video/webm"},
		"a GIF that somebody chose":   {Path: "/nowhere", Size: 10, ContentType: "image/gif"},
		"a MOV file somebody chose":   {Path: "/nowhere", Size: 10, ContentType: "video/quicktime"},
		"a file as large as is taken": {Path: "/nowhere", Size: 10 << 20, ContentType: "video/webm"},
	} {
		f, dir := fakes(t, broken, broken)
		got, err := f.Fit(t.Context(), in, t.TempDir(), 10<<20, nil)
		if err != nil || got.Fit != in.Fit || got.Size != in.Size {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if s := started(t, dir); len(s) > 0 {
			t.Errorf("%s: %v was started", name, s)
		}
	}
}

// TestFFmpegSeesNoSecrets lets both programs write down their environment.
func TestFFmpegSeesNoSecrets(t *testing.T) {
	t.Setenv("FAL_KEY", "secret-1")
	t.Setenv("DISCORD_TOKEN", "secret-2")
	t.Setenv("LTXBOT_ADMIN_TOKEN", "secret-3")
	t.Setenv("HOME", "/home/of-the-bot")
	f, dir := fakes(t, "env >>$dir/seen\necho x >$last", "env >>$dir/seen\n"+probed)
	in := sampleFile(t, "sample.mp4")
	in.ContentType, in.Size = "video/webm", 1<<20 // ffprobe is asked, and ffmpeg is needed
	if _, err := f.Fit(t.Context(), in, t.TempDir(), 100<<10, nil); err != nil {
		t.Fatal(err)
	}
	if got, want := started(t, dir), []string{"ffprobe", "ffmpeg", "ffmpeg"}; !slices.Equal(got, want) {
		t.Fatalf("started %v, want %v", got, want)
	}
	seen := testfile.Read(t, filepath.Join(dir, "seen"))
	if strings.Contains(string(seen), "secret") || !strings.Contains(string(seen), "HOME=/home/of-the-bot") {
		t.Errorf("they see:\n%s", seen)
	}
	allowed := []string{"PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "LC_ALL", "PWD", "SHLVL", "_", "OLDPWD"} // the last ones are the shell's
	for line := range strings.Lines(string(seen)) {
		if name, _, _ := strings.Cut(line, "="); !slices.Contains(allowed, name) {
			t.Errorf("they see %s", name)
		}
	}
}

func TestFFmpegHasTheLowestPriority(t *testing.T) {
	need.Tool(t, "nice")
	// The priority is set right after the start.
	f, _ := fakes(t, "n=0; until [ $(nice) = 19 ]; do n=$((n+1)); [ $n -lt 2000 ] || exit 1; done\necho x >$last", probed)
	in := sampleFile(t, "sample.mp4")
	in.Size = 1 << 20
	if _, err := f.Fit(t.Context(), in, t.TempDir(), 100<<10, nil); err != nil {
		t.Error(err)
	}
}

func TestOneCoreIsLeftToTheBot(t *testing.T) {
	for all, want := range map[int]int{1: 1, 2: 1, 3: 2, 4: 3, 16: 15} {
		if got := media.EncodeCores(all); got != want {
			t.Errorf("of %d cores %d encode, want %d", all, got, want)
		}
	}
	// An encode takes the cores that are idle, at most four, and one at least.
	for _, tt := range []struct {
		cores int
		want  string
	}{{1, "1"}, {3, "3"}, {15, "4"}} {
		f, dir := fakes(t, "echo $* >>$dir/args\necho x >$last", probed)
		f.UseCores(tt.cores)
		in := sampleFile(t, "sample.mp4")
		in.Size = 1 << 20
		for range 2 { // what was taken is given back
			if _, err := f.Fit(t.Context(), in, t.TempDir(), 100<<10, nil); err != nil {
				t.Fatal(err)
			}
		}
		args := testfile.Read(t, filepath.Join(dir, "args"))
		if got := strings.Count(string(args), "-threads "+tt.want+" "); got != 8 {
			t.Errorf("with %d cores ffmpeg is run with\n%swant %s threads for reading and writing", tt.cores, args, tt.want)
		}
	}
}

// TestOneEncodeAtATime runs two on one core: the second begins when the first
// has ended.
func TestOneEncodeAtATime(t *testing.T) {
	f, dir := fakes(t, "mkdir $dir/busy || exit 1\nsleep 0.1\nrmdir $dir/busy\necho x >$last", probed)
	f.UseCores(1)
	errs := make(chan error)
	for range 2 {
		in := sampleFile(t, "sample.mp4")
		in.Size = 1 << 20
		go func() {
			_, err := f.Fit(t.Context(), in, t.TempDir(), 100<<10, nil)
			errs <- err
		}()
	}
	for range 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if got := len(started(t, dir)); got != 4 {
		t.Errorf("ffmpeg was started %d times, want 4", got)
	}
}

func TestAnEncodeThatNeverEndsIsStopped(t *testing.T) {
	f, _ := fakes(t, "exec sleep 600", probed)
	f.LimitEncoding(200 * time.Millisecond)
	in := sampleFile(t, "sample.mp4")
	in.Size = 1 << 20
	_, err := f.Fit(t.Context(), in, t.TempDir(), 100<<10, nil)
	if err == nil || !strings.Contains(err.Error(), "re-encoding took too long") {
		t.Errorf("it ended with %v", err)
	}
}

func TestTrialFindsOutWhetherFFmpegCanEncode(t *testing.T) {
	ffmpeg := need.Tool(t, "ffmpeg")
	need.Tool(t, "ffprobe")
	real, err := media.Find(ffmpeg)
	if err != nil {
		t.Fatal(err)
	}
	if err := real.Trial(t.Context()); err != nil {
		t.Errorf("the ffmpeg of this machine: %v", err)
	}
	for name, tt := range map[string]struct{ ffmpeg, ffprobe, want string }{
		"without libx264":       {"echo \"Unknown encoder 'libx264'\" >&2; exit 1", probed, "Unknown encoder 'libx264'"},
		"killed":                {"kill -9 $$", probed, "signal: killed"},
		"writes nothing":        {":", probed, "no such file"},
		"writes an empty file":  {": >$last", probed, "empty file"},
		"ffprobe does not run":  {"echo x >$last", "exit 127", "exit status 127"},
		"ffprobe knows no AAC":  {"echo x >$last", strings.Replace(probed, `"audio"`, `"data"`, 1), "does not know H.264 and AAC"},
		"ffprobe knows nothing": {"echo x >$last", "echo '{}'", "does not know H.264 and AAC"},
	} {
		f, _ := fakes(t, tt.ffmpeg, tt.ffprobe)
		if err := f.Trial(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}
