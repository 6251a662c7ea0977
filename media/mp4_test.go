package media_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ltxbot/core/generate"
	"ltxbot/internal/need"
	"ltxbot/internal/testfile"
	"ltxbot/media"
)

// read reads a file of testdata.
func read(t testing.TB, name string) []byte {
	t.Helper()
	b := testfile.Read(t, filepath.Join("testdata", name))
	return b
}

func TestTheBoxesOfAnMP4SayWhatItIs(t *testing.T) {
	want := media.Facts{Seconds: 0.5, Codec: "h264", Pixels: "yuv420p", Width: 64, Height: 36, Audio: true}
	for name, inFront := range map[string]bool{"sample.mp4": true, "end.mp4": false} {
		got, faststart, err := media.DescribeBytes(read(t, name))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want.Playing = inFront
		if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 0.1)); diff != "" || faststart != inFront {
			t.Errorf("%s: index in front is %v, want %v; (-want +got):\n%s", name, faststart, inFront, diff)
		}
	}
}

// TestTheBoxesSayWhatFFprobeSays compares both for files as many programs make
// them.
func TestTheBoxesSayWhatFFprobeSays(t *testing.T) {
	t.Parallel()
	ffmpeg := need.Tool(t, "ffmpeg")
	need.Tool(t, "ffprobe")
	f, err := media.Find(ffmpeg)
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string][]string{
		"baseline":           {"-c:v", "libx264", "-profile:v", "baseline", "-pix_fmt", "yuv420p", "-movflags", "+faststart"},
		"main":               {"-c:v", "libx264", "-profile:v", "main", "-pix_fmt", "yuv420p", "-movflags", "+faststart"},
		"high":               {"-c:v", "libx264", "-profile:v", "high", "-pix_fmt", "yuv420p", "-movflags", "+faststart"},
		"without sound":      {"-c:v", "libx264", "-pix_fmt", "yuv420p", "-an", "-movflags", "+faststart"},
		"index at the end":   {"-c:v", "libx264", "-pix_fmt", "yuv420p"},
		"4:2:2":              {"-c:v", "libx264", "-pix_fmt", "yuv422p", "-movflags", "+faststart"},
		"4:4:4":              {"-c:v", "libx264", "-pix_fmt", "yuv444p", "-movflags", "+faststart"},
		"10 bits":            {"-c:v", "libx264", "-pix_fmt", "yuv420p10le", "-movflags", "+faststart"},
		"without loss":       {"-c:v", "libx264", "-qp", "0", "-pix_fmt", "yuv444p", "-movflags", "+faststart"},
		"MPEG-4 part 2":      {"-c:v", "mpeg4", "-movflags", "+faststart"},
		"sound before sight": {"-c:v", "libx264", "-pix_fmt", "yuv420p", "-map", "1:a", "-map", "0:v", "-movflags", "+faststart"},
	}
	for _, name := range need.Some(t, slices.Sorted(maps.Keys(cases)), 3) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := small(t, ffmpeg, cases[name]...)
			got, err := media.Describe(in.Path)
			if err != nil {
				t.Fatal(err)
			}
			want, err := f.Ask(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			// The boxes tell other codecs by another name, and pixels only
			// where they are those that play.
			plays := want.Codec == "h264" && want.Pixels == "yuv420p"
			if plays != (got.Codec == "h264" && got.Pixels == "yuv420p") {
				t.Errorf("the boxes say %s %q, ffprobe %s %q", got.Codec, got.Pixels, want.Codec, want.Pixels)
			}
			if got.Playing != (plays && name != "index at the end") {
				t.Errorf("it plays while it loads is %v", got.Playing)
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 0.1), cmpopts.IgnoreFields(media.Facts{}, "Codec", "Pixels", "Playing")); diff != "" {
				t.Errorf("(-ffprobe +boxes):\n%s", diff)
			}
		})
	}
}

// small makes a small video.
func small(t *testing.T, ffmpeg string, args ...string) generate.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "small.mp4")
	all := append([]string{
		"-v", "error", "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=8:duration=1", "-f", "lavfi", "-i", "sine=frequency=440:duration=1",
	}, args...)
	if out, err := exec.CommandContext(t.Context(), ffmpeg, append(all, path)...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return generate.File{Path: path, Name: "small.mp4", Size: info.Size(), ContentType: "video/mp4", Fit: generate.FitOriginal}
}

// box makes a box.
func box(kind string, content ...[]byte) []byte {
	all := slices.Concat(content...)
	return slices.Concat(binary.BigEndian.AppendUint32(nil, uint32(8+len(all))), []byte(kind), all)
}

// replaced is b with every old in it replaced; there must be one.
func replaced(t *testing.T, b []byte, old, new string) []byte {
	t.Helper()
	if !bytes.Contains(b, []byte(old)) {
		t.Fatalf("the file has no %q", old)
	}
	return bytes.ReplaceAll(b, []byte(old), []byte(new))
}

func TestAnMP4ThatIsNotOrdinaryIsLeftToFFprobe(t *testing.T) {
	good := read(t, "sample.mp4")
	if _, _, err := media.DescribeBytes(good); err != nil {
		t.Fatal(err)
	}
	huge := make([]byte, 17<<20)
	for name, b := range map[string][]byte{
		"empty":                      {},
		"cut off in a header":        good[:5],
		"cut off in a box":           good[:len(good)-3],
		"without an index":           replaced(t, good, "moov", "free"),
		"without data":               replaced(t, good, "mdat", "free"),
		"with a second index":        slices.Concat(good, box("moov")),
		"fragmented":                 replaced(t, good, "udta", "mvex"),
		"without a picture":          replaced(t, good, "vide", "meta"),
		"with two pictures":          replaced(t, good, "soun", "vide"),
		"with a track of nothing":    replaced(t, good, "stsd", "free"),
		"with 65 boxes":              slices.Concat(good, bytes.Repeat(box("free"), 61)),
		"with an index of 17 MB":     slices.Concat(good[:32], box("moov", huge), good[32:]),
		"a size below its header":    slices.Concat(good, []byte{0, 0, 0, 7, 'f', 'r', 'e', 'e'}),
		"a size of 64 bits and more": slices.Concat(good, []byte{0, 0, 0, 1, 'f', 'r', 'e', 'e'}, binary.BigEndian.AppendUint64(nil, math.MaxUint64)),
	} {
		if _, _, err := media.DescribeBytes(b); !errors.Is(err, media.ErrOdd) {
			t.Errorf("%s: %v, want %v", name, err, media.ErrOdd)
		}
	}
	if _, _, err := media.DescribeBytes(slices.Concat(good, bytes.Repeat(box("free"), 60))); err != nil {
		t.Errorf("with 64 boxes: %v", err)
	}
}

// TestTheProfilesThatPlay changes the profile that a file names.
func TestTheProfilesThatPlay(t *testing.T) {
	good := read(t, "sample.mp4")
	at := bytes.Index(good, []byte("avcC")) + 5
	for profile := range 256 {
		b := slices.Clone(good)
		b[at] = byte(profile)
		got, _, err := media.DescribeBytes(b)
		if want := slices.Contains(media.Profiles, profile); err != nil || got.Playing != want {
			t.Errorf("profile %d plays: %v, %v; want %v", profile, got.Playing, err, want)
		}
	}
	if !slices.Equal(media.Profiles, []int{66, 77, 100}) { // ITU-T H.264, Annex A.2
		t.Errorf("profiles that play are %v", media.Profiles)
	}
}

func TestTheIndexIsMovedToTheFront(t *testing.T) {
	in := read(t, "end.mp4")
	toEnd := slices.Clone(in) // its last box says "to the end of the file"
	binary.BigEndian.PutUint32(toEnd[bytes.Index(toEnd, []byte("moov"))-4:], 0)
	long := slices.Clone(in)
	for name, b := range map[string][]byte{
		"as ffmpeg writes it":       in,
		"an index without a size":   toEnd,
		"boxes before and after it": slices.Concat(box("free", []byte("before")), moved(t, in, 14), box("free", []byte("after"))),
	} {
		var out bytes.Buffer
		if err := media.MoveIndex(&out, slices.Clone(b)); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, faststart, err := media.DescribeBytes(out.Bytes())
		if err != nil || !faststart || !got.Playing || out.Len() != len(b) {
			t.Errorf("%s: %+v, in front: %v, %d of %d bytes, %v", name, got, faststart, out.Len(), len(b), err)
		}
		if diff := cmp.Diff(packets(t, b), packets(t, out.Bytes())); diff != "" {
			t.Errorf("%s: other pictures or sound (-before +after):\n%s", name, diff)
		}
	}
	if err := media.MoveIndex(new(bytes.Buffer), read(t, "sample.mp4")); !errors.Is(err, media.ErrOdd) {
		t.Errorf("an index in front: %v, want %v", err, media.ErrOdd)
	}
	at := bytes.Index(long, []byte("stco"))
	binary.BigEndian.PutUint32(long[at+8:], math.MaxUint32)
	if err := media.MoveIndex(new(bytes.Buffer), long); !errors.Is(err, media.ErrOdd) {
		t.Errorf("a list of chunks that is cut off: %v, want %v", err, media.ErrOdd)
	}
}

// moved corrects the offsets of an MP4 that so many bytes come before.
func moved(t *testing.T, b []byte, by uint32) []byte {
	t.Helper()
	b = slices.Clone(b)
	for at := 0; ; {
		i := bytes.Index(b[at:], []byte("stco"))
		if i < 0 {
			break
		}
		at += i + 4
		for n := range int(binary.BigEndian.Uint32(b[at+4:])) {
			entry := b[at+8+4*n:]
			binary.BigEndian.PutUint32(entry, binary.BigEndian.Uint32(entry)+by)
		}
	}
	return b
}

// packets is a sum of all coded pictures and sounds, as ffmpeg reads them.
func packets(t *testing.T, b []byte) string {
	t.Helper()
	ffmpeg := need.Tool(t, "ffmpeg")
	path := filepath.Join(t.TempDir(), "x.mp4")
	testfile.Write(t, path, b)
	out, err := exec.CommandContext(t.Context(), ffmpeg, "-v", "error", "-i", path, "-c", "copy", "-f", "streamhash", "-").CombinedOutput()
	if err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	return string(out)
}

// FuzzMP4 gives boxes of all kinds: they are read without a panic, and what can
// be moved to the front is a file of the same size with its index there.
func FuzzMP4(f *testing.F) {
	for _, name := range []string{"sample.mp4", "end.mp4"} {
		f.Add(read(f, name))
	}
	f.Add(slices.Concat(box("ftyp"), box("mdat", []byte("x")), box("moov", box("mvhd"), box("trak", box("mdia")))))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _, described := media.DescribeBytes(b)
		var out bytes.Buffer
		if err := media.MoveIndex(&out, slices.Clone(b)); err != nil {
			return
		}
		_, inFront, err := media.DescribeBytes(out.Bytes())
		if out.Len() != len(b) || described == nil && (err != nil || !inFront) {
			t.Errorf("%d bytes became %d, in front: %v, %v", len(b), out.Len(), inFront, err)
		}
	})
}
