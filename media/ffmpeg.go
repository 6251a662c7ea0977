// Package media makes finished videos playable and small enough, and inspects files
// that people give (inspect.go): pictures, sounds and videos are read in Go,
// from their first bytes and headers. It reads what an MP4 is
// from its own boxes and moves its index to the front; ffmpeg re-encodes what
// clients don't play, and shrinks what a conversation has no room for. For an
// ordinary video that fits, no process is started.
package media

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"ltxbot/core/generate"
)

// FFmpeg runs ffmpeg and ffprobe, with low priority and on all cores but one.
type FFmpeg struct {
	ffmpeg  string
	ffprobe string
	cores   chan struct{} // a token for each core that encodes
	limit   time.Duration // of making one video fit
}

// Find looks for ffmpeg, by name or path, and for ffprobe beside it or on the
// path. An error says what is missing.
func Find(name string) (*FFmpeg, error) {
	ffmpeg, err := exec.LookPath(name)
	if err != nil {
		return nil, fmt.Errorf("find ffmpeg: %w", err)
	}
	ffprobe, err := exec.LookPath(filepath.Join(filepath.Dir(ffmpeg), "ffprobe"))
	if err != nil {
		if ffprobe, err = exec.LookPath("ffprobe"); err != nil {
			return nil, fmt.Errorf("find ffprobe: %w", err)
		}
	}
	return &FFmpeg{ffmpeg: ffmpeg, ffprobe: ffprobe, cores: make(chan struct{}, encodeCores(runtime.GOMAXPROCS(0))), limit: encodeLimit}, nil
}

// encodeCores is how many of so many cores may encode: one is left to the bot
// if there is another.
func encodeCores(all int) int { return max(1, all-1) }

// How a video is made to fit.
const (
	audioKbps   = 128
	headroom    = 0.95 // of the limit is aimed at: containers and rate control are not exact
	again       = 0.85 // of the bit rate, when the result came out too large
	fitTries    = 3
	leastKbps   = 100  // below it a video is not worth watching
	smallKbps   = 1200 // below it the picture is made smaller first
	smallSide   = 640  // the longest side then
	encodeLimit = 10 * time.Minute
	// encodeThreads is how many cores one video may have: with more, x264
	// gains little.
	encodeThreads = 4
)

// Fit returns a video that plays on chat clients and has at most limit bytes:
// in itself when it does already, else a copy in dir. A video in a format
// that a person chose (WebM, GIF, MOV) is changed only to make it fit.
// progress, if not nil, is told 0 to 100 while ffmpeg works. A
// *generate.TooLargeError says that it can't be made to fit.
func (f *FFmpeg) Fit(ctx context.Context, in generate.File, dir string, limit int64, progress func(percent int)) (generate.File, error) {
	fits := in.Size <= limit
	if fits && in.ContentType != mp4 {
		return in, nil
	}
	p, err := f.examine(ctx, in)
	if err != nil {
		return generate.File{}, err
	}
	if fits && p.plays() {
		return in, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, f.limit, errors.New("re-encoding took too long"))
	defer cancel()
	job := encode{f: f, in: in, probe: p, dir: dir, progress: progress}
	if fits && p.codecPlays() {
		if out, err := job.front(ctx); err == nil && out.Size <= limit {
			return out, nil
		}
	}
	return job.shrink(ctx, limit)
}

// LastFrame implements generate.Frames.
func (f *FFmpeg) LastFrame(ctx context.Context, video, png string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, f.limit, errors.New("taking a picture out of a video took too long"))
	defer cancel()
	_, give, err := f.takeCores(ctx, 1)
	if err != nil {
		return err
	}
	defer give()
	job := encode{f: f, dir: filepath.Dir(png)}
	// Each picture of the last second is written over the one before.
	last := []string{"-i", video, "-an", "-update", "1", "-f", "image2", "-c:v", "png", png}
	err = job.run(ctx, 0, 100, append([]string{"-sseof", "-1"}, last...)...)
	if _, missing := os.Stat(png); err != nil || missing != nil { // not all formats can be entered there
		err = job.run(ctx, 0, 100, last...)
	}
	return err
}

// takeCores waits for a core to encode on, and takes others that are idle, up
// to most. give gives them back.
func (f *FFmpeg) takeCores(ctx context.Context, most int) (n int, give func(), err error) {
	select {
	case f.cores <- struct{}{}:
	case <-ctx.Done():
		return 0, nil, context.Cause(ctx)
	}
	for n = 1; n < most; n++ {
		select {
		case f.cores <- struct{}{}:
			continue
		default:
		}
		break
	}
	return n, func() {
		for range n {
			<-f.cores
		}
	}, nil
}

const mp4 = "video/mp4"

// encode is one file on its way through ffmpeg.
type encode struct {
	f        *FFmpeg
	in       generate.File
	probe    probe
	dir      string
	progress func(int)
}

// front moves the index of an MP4 to its front, so that it plays while it
// loads. Picture and sound stay as they are. For a file that is built in
// another way than usual it takes ffmpeg.
func (e encode) front(ctx context.Context) (generate.File, error) {
	out := filepath.Join(e.dir, "front.mp4")
	err := moveIndex(e.in.Path, out)
	if errors.Is(err, errOdd) {
		err = e.run(ctx, 0, 100, "-i", e.in.Path, "-c", "copy", "-movflags", "+faststart", out)
	}
	if err != nil {
		return generate.File{}, err
	}
	return e.result(out, e.in.Fit)
}

// shrink re-encodes to H.264 in two passes at the bit rate that fits, looks
// at the real size, and tries again with less when it came out too large.
func (e encode) shrink(ctx context.Context, limit int64) (generate.File, error) {
	seconds := e.probe.seconds
	if seconds <= 0 {
		return generate.File{}, &generate.TooLargeError{Size: e.in.Size, Limit: limit}
	}
	kbps := float64(limit) * 8 * headroom / seconds / 1000
	if e.probe.audio {
		kbps -= audioKbps
	}
	// More bits than the original has would only make it larger.
	kbps = min(kbps, float64(e.in.Size)*8/seconds/1000)
	if kbps < leastKbps {
		return generate.File{}, &generate.TooLargeError{Size: e.in.Size, Limit: limit}
	}
	cores, give, err := e.f.takeCores(ctx, encodeThreads)
	if err != nil {
		return generate.File{}, err
	}
	defer give()
	path := filepath.Join(e.dir, fmt.Sprintf("fitted-%d.mp4", limit))
	for range fitTries {
		if kbps < leastKbps {
			break
		}
		out, err := e.twoPass(ctx, path, int(kbps), cores)
		if err != nil {
			return generate.File{}, err
		}
		if out.Size <= limit {
			return out, nil
		}
		kbps *= again * min(1, float64(limit)/float64(out.Size))
	}
	return generate.File{}, &generate.TooLargeError{Size: e.in.Size, Limit: limit}
}

func (e encode) twoPass(ctx context.Context, out string, kbps, cores int) (generate.File, error) {
	threads := strconv.Itoa(cores)
	video := []string{"-threads", threads, "-i", e.in.Path, "-threads", threads, "-filter_threads", threads, "-c:v", "libx264", "-preset", "medium", "-pix_fmt", "yuv420p", "-b:v", strconv.Itoa(kbps) + "k"}
	if kbps < smallKbps {
		video = append(video, "-vf", fmt.Sprintf("scale='if(gte(iw,ih),min(%d,iw),-2)':'if(gte(iw,ih),-2,min(%d,ih))'", smallSide, smallSide))
	} else {
		video = append(video, "-vf", "scale=trunc(iw/2)*2:trunc(ih/2)*2")
	}
	video = append(video, "-passlogfile", filepath.Join(e.dir, "pass"))
	first := append(append([]string{}, video...), "-pass", "1", "-an", "-f", "null", os.DevNull)
	second := append(append([]string{}, video...), "-pass", "2", "-c:a", "aac", "-b:a", strconv.Itoa(audioKbps)+"k", "-movflags", "+faststart", out)
	if err := e.run(ctx, 0, 40, first...); err != nil {
		return generate.File{}, err
	}
	if err := e.run(ctx, 40, 100, second...); err != nil {
		return generate.File{}, err
	}
	return e.result(out, generate.FitReencoded)
}

// result describes a file that ffmpeg wrote.
func (e encode) result(path string, fit generate.Fit) (generate.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return generate.File{}, fmt.Errorf("look at the re-encoded video: %w", err)
	}
	name := strings.TrimSuffix(e.in.Name, filepath.Ext(e.in.Name)) + ".mp4"
	return generate.File{Path: path, Name: name, Size: info.Size(), ContentType: mp4, Fit: fit}, nil
}

// run runs ffmpeg and tells its progress as a share between from and to. Only
// local files are opened, whatever the input names.
func (e encode) run(ctx context.Context, from, to int, args ...string) error {
	args = append([]string{"-y", "-nostdin", "-v", "error", "-progress", "pipe:1", "-protocol_whitelist", "file,pipe"}, args...)
	cmd := exec.CommandContext(ctx, e.f.ffmpeg, args...) //nolint:gosec // the operator names the program, the paths are our own
	cmd.Env = environment()
	cmd.WaitDelay = 5 * time.Second
	var problem tail
	cmd.Stderr = &problem
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("run ffmpeg: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("run ffmpeg: %w", err)
	}
	// The bot answers people meanwhile. ffmpeg runs all the same if the system
	// refuses.
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, cmd.Process.Pid, niceness)
	e.follow(out, from, to)
	if err := cmd.Wait(); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("run ffmpeg: %w: %s", err, strings.ReplaceAll(problem.String(), e.dir, "…"))
	}
	return nil
}

// niceness is the priority of ffmpeg: the lowest.
const niceness = 19

// inherited are the environment variables that ffmpeg may need to start. The
// others are none of its business: the bot's secrets are among them.
var inherited = []string{"PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH"}

// environment is what ffmpeg and ffprobe see.
func environment() []string {
	env := []string{"LC_ALL=C"}
	for _, name := range inherited {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// follow reads ffmpeg's progress until it ends.
func (e encode) follow(out io.Reader, from, to int) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		value, ok := strings.CutPrefix(lines.Text(), "out_time_us=")
		if !ok || e.progress == nil || e.probe.seconds <= 0 {
			continue
		}
		if us, err := strconv.ParseFloat(value, 64); err == nil {
			share := min(1, us/1e6/e.probe.seconds)
			e.progress(from + int(share*float64(to-from)))
		}
	}
	_, _ = io.Copy(io.Discard, out)
}

// tail keeps the last bytes written to it.
type tail struct{ b []byte }

// tailSize is enough for the sentence in which ffmpeg says what is wrong.
const tailSize = 500

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if len(t.b) > tailSize {
		t.b = t.b[len(t.b)-tailSize:]
	}
	return len(p), nil
}

func (t *tail) String() string { return strings.TrimSpace(string(t.b)) }
