package media_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image/png"
	"io"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/internal/need"
	"ltxbot/internal/testfile"
	"ltxbot/media"
)

// made makes a file with ffmpeg, without a name that tells what it is.
func made(t *testing.T, args ...string) []byte {
	t.Helper()
	ffmpeg := need.Tool(t, "ffmpeg")
	path := filepath.Join(t.TempDir(), "file")
	args = append([]string{"-v", "error", "-nostdin"}, args...)
	out, err := exec.CommandContext(t.Context(), ffmpeg, append(args, "-y", path)...).CombinedOutput()
	if err != nil {
		t.Fatalf("ffmpeg %q: %v: %s", args, err, out)
	}
	b := testfile.Read(t, path)
	return b
}

// The inputs of ffmpeg: 1.5 seconds of pictures and of sound.
var (
	sight = []string{"-f", "lavfi", "-i", "testsrc2=size=96x64:rate=24:duration=1.5"}
	sound = []string{"-f", "lavfi", "-i", "sine=frequency=440:duration=1.5"}
	both  = slices.Concat(sight, sound)
	still = slices.Concat(sight, []string{"-frames:v", "1"})
)

// files is how files of every type are made, and what they are.
var files = map[string]struct {
	args []string
	want media.Content
}{
	"a PNG":                 {with(still, "-f", "image2", "-c:v", "png"), media.Content{Type: "image/png", Width: 96, Height: 64}},
	"a JPEG":                {with(still, "-f", "image2", "-c:v", "mjpeg"), media.Content{Type: "image/jpeg", Width: 96, Height: 64}},
	"a WebP":                {with(still, "-f", "image2", "-c:v", "libwebp"), media.Content{Type: "image/webp", Width: 96, Height: 64}},
	"a WebP without loss":   {with(still, "-f", "image2", "-c:v", "libwebp", "-lossless", "1"), media.Content{Type: "image/webp", Width: 96, Height: 64}},
	"a WebP with alpha":     {with(still, "-f", "image2", "-c:v", "libwebp", "-pix_fmt", "yuva420p"), media.Content{Type: "image/webp", Width: 96, Height: 64}},
	"a GIF":                 {with(still, "-f", "gif"), media.Content{Type: "image/gif", Width: 96, Height: 64}},
	"a GIF that moves":      {with(sight, "-f", "gif", "-r", "10"), media.Content{Type: "image/gif", Width: 96, Height: 64, Seconds: 1.5, FPS: 10}},
	"an MP4":                {with(both, "-f", "mp4", "-c:v", "libx264"), media.Content{Type: "video/mp4", Width: 96, Height: 64, Seconds: 1.5, FPS: 24, Sound: true}},
	"an MP4 without sound":  {with(sight, "-f", "mp4", "-c:v", "libx264", "-movflags", "+faststart"), media.Content{Type: "video/mp4", Width: 96, Height: 64, Seconds: 1.5, FPS: 24}},
	"a MOV":                 {with(both, "-f", "mov", "-c:v", "mpeg4"), media.Content{Type: "video/quicktime", Width: 96, Height: 64, Seconds: 1.5, FPS: 24, Sound: true}},
	"a WebM":                {with(both, "-f", "webm", "-c:v", "libvpx", "-c:a", "libopus"), media.Content{Type: "video/webm", Width: 96, Height: 64, Seconds: 1.5, FPS: 24, Sound: true}},
	"a WebM without sound":  {with(sight, "-f", "webm", "-c:v", "libvpx-vp9"), media.Content{Type: "video/webm", Width: 96, Height: 64, Seconds: 1.5, FPS: 24}},
	"a recorded WebM":       {with(both, "-f", "webm", "-live", "1", "-c:v", "libvpx", "-c:a", "libopus"), media.Content{Type: "video/webm", Width: 96, Height: 64, Seconds: 1.5, FPS: 24, Sound: true}},
	"a WebM of sound alone": {with(sound, "-f", "webm", "-c:a", "libopus"), media.Content{Type: "audio/webm", Seconds: 1.5, Sound: true}},
	"a Matroska file":       {with(both, "-f", "matroska", "-c:v", "libx264", "-c:a", "aac"), media.Content{Type: "video/x-matroska", Width: 96, Height: 64, Seconds: 1.5, FPS: 24, Sound: true}},
	"a WAV":                 {with(sound, "-f", "wav"), media.Content{Type: "audio/wav", Seconds: 1.5, Sound: true}},
	"a WAV of 24 bits":      {with(sound, "-f", "wav", "-c:a", "pcm_s24le", "-ac", "2"), media.Content{Type: "audio/wav", Seconds: 1.5, Sound: true}},
	"an RF64":               {with(sound, "-f", "wav", "-rf64", "always"), media.Content{Type: "audio/wav", Seconds: 1.5, Sound: true}},
	"an MP3":                {with(sound, "-f", "mp3"), media.Content{Type: "audio/mpeg", Seconds: 1.5, Sound: true}},
	"an MP3 without a tag":  {with(sound, "-f", "mp3", "-id3v2_version", "0", "-write_xing", "0"), media.Content{Type: "audio/mpeg", Seconds: 1.5, Sound: true}},
	"an MP3 of many rates":  {with(sound, "-f", "mp3", "-q:a", "4", "-write_xing", "0"), media.Content{Type: "audio/mpeg", Seconds: 1.5, Sound: true}},
	"an MP3 of MPEG-2":      {with(sound, "-f", "mp3", "-ar", "22050", "-ac", "2"), media.Content{Type: "audio/mpeg", Seconds: 1.5, Sound: true}},
	"an M4A":                {with(sound, "-f", "ipod", "-c:a", "aac"), media.Content{Type: "audio/mp4", Seconds: 1.5, Sound: true}},
	"an AAC":                {with(sound, "-f", "adts", "-c:a", "aac"), media.Content{Type: "audio/aac", Seconds: 1.5, Sound: true}},
	"an Ogg Opus":           {with(sound, "-f", "ogg", "-c:a", "libopus"), media.Content{Type: "audio/ogg", Seconds: 1.5, Sound: true}},
	"an Ogg Vorbis":         {with(sound, "-f", "ogg", "-c:a", "libvorbis"), media.Content{Type: "audio/ogg", Seconds: 1.5, Sound: true}},
	"a FLAC":                {with(sound, "-f", "flac"), media.Content{Type: "audio/flac", Seconds: 1.5, Sound: true}},
}

func with(in []string, args ...string) []string { return slices.Concat(in, args) }

// near reports whether two contents are the same but for what encoders add.
func near(a, b media.Content) bool {
	ok := math.Abs(a.Seconds-b.Seconds) < 0.12 && math.Abs(a.FPS-b.FPS) < 1
	a.Seconds, a.FPS = b.Seconds, b.FPS
	return ok && a == b
}

// content is what an Inspector tells of a file.
func content(m ltx.Media) media.Content {
	return media.Content{Type: m.Type, Width: m.Width, Height: m.Height, Seconds: m.Seconds, FPS: m.FPS, Sound: m.Sound}
}

// failsAs reports whether an error says what is wrong with a file.
func failsAs(err error, kind generate.FailureKind) bool {
	wrong, ok := errors.AsType[*generate.InputError](err)
	return ok && wrong.Kind == kind
}

func inspect(b []byte) (media.Content, error) {
	return media.Inspect(bytes.NewReader(b), int64(len(b)))
}

func TestAFileIsWhatItsBytesSay(t *testing.T) {
	t.Parallel()
	for _, name := range need.Some(t, slices.Sorted(maps.Keys(files)), 3) {
		tt := files[name]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := made(t, tt.args...)
			got, err := inspect(b)
			if err != nil || !near(got, tt.want) {
				t.Fatalf("%+v, %v; want %+v", got, err, tt.want)
			}
			// No piece of it makes the reader fail in another way than with an
			// error, or tell another type.
			for n := 0; n < len(b); n += 1 + len(b)/200 {
				part, err := inspect(b[:n])
				if part.Type != "" && part.Type != tt.want.Type && !sameBox(part.Type, tt.want.Type) {
					t.Errorf("the first %d bytes are %s", n, part.Type)
				}
				if err == nil && (part.Width != tt.want.Width || part.Height != tt.want.Height) {
					t.Errorf("the first %d bytes are %+v", n, part)
				}
			}
		})
	}
}

// sameBox reports whether the start of a file does not tell the two types from
// each other.
func sameBox(part, whole string) bool {
	return strings.HasSuffix(part, "/mp4") && strings.HasSuffix(whole, "/mp4") ||
		part == "video/x-matroska" && strings.HasSuffix(whole, "/webm") || part == "video/webm" && whole == "audio/webm"
}

// TestAFileIsNeverShorterThanWhatIsInIt: a wrong length in a file does not make
// a video cheaper than the provider bills it.
func TestAFileIsNeverShorterThanWhatIsInIt(t *testing.T) {
	t.Parallel()
	// A lie is a 1 that is written behind the nth text of a file.
	type lie struct {
		text        string
		nth, behind int
	}
	told := lie{"\x44\x89\x88", 1, 0} // a Duration of 8 bytes
	type shortened struct {
		file string
		lies []lie
	}
	cases := map[string]shortened{
		"an MP4, in the header of the whole":        {"an MP4", []lie{{"mvhd", 1, 16}}},
		"an MP4, in all its headers":                {"an MP4", []lie{{"mvhd", 1, 16}, {"mdhd", 1, 16}, {"mdhd", 2, 16}}},
		"an MP4, in the list of the pictures too":   {"an MP4", []lie{{"mvhd", 1, 16}, {"mdhd", 1, 16}, {"stts", 1, 12}}},
		"an M4A, in its headers":                    {"an M4A", []lie{{"mvhd", 1, 16}, {"mdhd", 1, 16}}},
		"a WebM":                                    {"a WebM", []lie{told}},
		"a WebM of sound alone":                     {"a WebM of sound alone", []lie{told}},
		"an MP3, in what its encoder has announced": {"an MP3", []lie{{"Info", 1, 4}}},
	}
	for _, name := range need.Some(t, slices.Sorted(maps.Keys(cases)), 3) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt := cases[name]
			f := files[tt.file]
			b := made(t, f.args...)
			for _, lie := range tt.lies {
				at := 0
				for range lie.nth {
					i := bytes.Index(b[at:], []byte(lie.text))
					if i < 0 {
						t.Fatalf("there is no %q", lie.text)
					}
					at += i + len(lie.text)
				}
				if lie == told {
					binary.BigEndian.PutUint64(b[at:], math.Float64bits(1))
					continue
				}
				binary.BigEndian.PutUint32(b[at+lie.behind:], 1)
			}
			if got, err := inspect(b); err != nil || math.Abs(got.Seconds-f.want.Seconds) > 0.15 {
				t.Errorf("it lasts %v seconds, %v; want %v", got.Seconds, err, f.want.Seconds)
			}
		})
	}
}

// TestAFLACIsNotShorterThanItsFramesAllow: the length in its first block counts
// only if the frames can hold no more.
func TestAFLACIsNotShorterThanItsFramesAllow(t *testing.T) {
	t.Parallel()
	b := made(t, "-f", "lavfi", "-i", "anoisesrc=d=4:r=44100", "-f", "flac")
	if got, err := inspect(b); err != nil || math.Abs(got.Seconds-4) > 0.1 {
		t.Fatalf("%+v, %v; want 4 seconds", got, err)
	}
	binary.BigEndian.PutUint32(b[22:], 44100/2) // samples: half a second
	if got, err := inspect(b); err == nil {
		t.Errorf("4 seconds of noise are said to last half a second: %+v", got)
	}
}

func TestAPictureIsAsWideAsPeopleSeeIt(t *testing.T) {
	t.Parallel()
	t.Run("a JPEG of a camera that was held upright", func(t *testing.T) {
		t.Parallel()
		b := made(t, with(still, "-f", "image2", "-c:v", "mjpeg")...)
		for orientation, turned := range map[uint16]bool{0: false, 1: false, 3: false, 4: false, 5: true, 6: true, 8: true, 9: false} {
			for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
				got, err := inspect(slices.Concat(b[:2], exif(order, orientation), b[2:]))
				if err != nil || (got.Width == 64 && got.Height == 96) != turned {
					t.Errorf("orientation %d in %v: %+v, %v", orientation, order, got, err)
				}
			}
		}
	})
	t.Run("a video of a phone that was held upright", func(t *testing.T) {
		t.Parallel()
		b := made(t, with(both, "-f", "mp4", "-c:v", "libx264")...)
		matrix := bytes.Index(b, []byte("tkhd")) + 4 + 40
		for name, tt := range map[string]struct {
			a, b, c, d int32
			turned     bool
		}{
			"not turned":  {1, 0, 0, 1, false},
			"a quarter":   {0, 1, -1, 0, true},
			"a half":      {-1, 0, 0, -1, false},
			"three":       {0, -1, 1, 0, true},
			"mirrored":    {-1, 0, 0, 1, false},
			"all of zero": {0, 0, 0, 0, false},
		} {
			for cell, value := range map[int]int32{0: tt.a, 1: tt.b, 3: tt.c, 4: tt.d} {
				binary.BigEndian.PutUint32(b[matrix+4*cell:], uint32(value)<<16)
			}
			got, err := inspect(b)
			if err != nil || (got.Width == 64 && got.Height == 96) != tt.turned {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
		}
	})
}

// exif is an APP1 segment with an orientation.
func exif(order binary.AppendByteOrder, orientation uint16) []byte {
	tiff := []byte("II*\x00")
	if order == binary.BigEndian {
		tiff = []byte("MM\x00*")
	}
	tiff = order.AppendUint32(tiff, 8)
	tiff = order.AppendUint16(tiff, 2)
	for _, entry := range [][2]uint16{{0x010f, 0}, {0x0112, orientation}} {
		tiff = order.AppendUint16(tiff, entry[0])
		tiff = order.AppendUint16(tiff, 3)
		tiff = order.AppendUint32(tiff, 1)
		tiff = order.AppendUint16(tiff, entry[1])
		tiff = append(tiff, 0, 0)
	}
	tiff = append([]byte("Exif\x00\x00"), tiff...)
	return append(binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(tiff)+2)), tiff...)
}

func TestAPictureInBoxesHasItsLargestSize(t *testing.T) {
	ispe := func(w, h uint32) []byte {
		return box("ispe", make([]byte, 4), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h))
	}
	picture := func(brand string, properties ...[]byte) []byte {
		return slices.Concat(
			box("ftyp", []byte(brand), make([]byte, 4), []byte("mif1")),
			box("meta", make([]byte, 4), box("iprp", box("ipco", properties...))), box("mdat", []byte("x")))
	}
	tile, whole := ispe(512, 512), ispe(4032, 3024)
	for name, tt := range map[string]struct {
		file []byte
		want media.Content
	}{
		"AVIF":         {picture("avif", whole), media.Content{Type: "image/avif", Width: 4032, Height: 3024}},
		"HEIC":         {picture("heic", tile, whole), media.Content{Type: "image/heic", Width: 4032, Height: 3024}},
		"HEIC, turned": {picture("heic", tile, whole, box("irot", []byte{3})), media.Content{Type: "image/heic", Width: 3024, Height: 4032}},
		"HEIC, over":   {picture("heic", tile, whole, box("irot", []byte{2})), media.Content{Type: "image/heic", Width: 4032, Height: 3024}},
	} {
		if got, err := inspect(tt.file); err != nil || got != tt.want {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, tt.want)
		}
	}
	if got, err := inspect(picture("heic")); err == nil || got.Type != "image/heic" {
		t.Errorf("without a size: %+v, %v", got, err)
	}
}

func TestWhatIsNoMediaIsOfNoKnownType(t *testing.T) {
	for name, b := range map[string][]byte{
		"nothing":      {},
		"a byte":       {0xff},
		"text":         []byte("<!DOCTYPE html><title>Sign in</title>"),
		"UTF-16":       []byte("\xff\xfeh\x00e\x00l\x00l\x00o\x00"),
		"zeros":        make([]byte, 4096),
		"an SVG":       []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`),
		"a playlist":   []byte("#EXTM3U\n#EXT-X-VERSION:3\nfile:///etc/passwd\n"),
		"a concat":     []byte("ffconcat version 1.0\nfile '/etc/passwd'\n"),
		"an AVI":       []byte("RIFF\x00\x00\x00\x00AVI LIST"),
		"a safetensor": []byte("\x40\x00\x00\x00\x00\x00\x00\x00{\"a\":{}}"),
	} {
		if got, err := inspect(b); !errors.Is(err, media.ErrUnknownType) || got != (media.Content{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// counted counts what is read.
type counted struct {
	io.ReaderAt
	bytes, calls int
}

func (c *counted) ReadAt(p []byte, off int64) (int, error) {
	c.calls++
	c.bytes += len(p)
	return c.ReaderAt.ReadAt(p, off)
}

// TestAHostileFileIsReadInBoundedTime gives files that claim to be huge, or
// never to end.
func TestAHostileFileIsReadInBoundedTime(t *testing.T) {
	const size = 8 << 20
	big := func(head string, fill []byte) []byte {
		return append([]byte(head), bytes.Repeat(fill, size/len(fill))...)
	}
	for name, b := range map[string][]byte{
		"a PNG of empty chunks":        big("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00????", []byte("\x00\x00\x00\x00tEXt????")),
		"a JPEG of fill bytes":         big("\xff\xd8", []byte{0xff}),
		"a JPEG of empty segments":     big("\xff\xd8", []byte{0xff, 0xe0, 0, 2}),
		"a JPEG of markers":            big("\xff\xd8\xff", []byte{0xd0, 0xff}),
		"a WAV of empty chunks":        big("RIFF\x00\x00\x00\x00WAVE", []byte("abcd\x00\x00\x00\x00")),
		"an MP4 of empty boxes":        big("", []byte("\x00\x00\x00\x08ftyp")),
		"a WebM of empty elements":     big("\x1a\x45\xdf\xa3\x80", []byte{0xec, 0x80}),
		"a WebM of clusters":           big("\x1a\x45\xdf\xa3\x80", []byte{0x1f, 0x43, 0xb6, 0x75, 0xff}),
		"an MP3 of the smallest":       big("", append([]byte{0xff, 0xf3, 0x10, 0x00}, make([]byte, 20)...)),
		"a tag with nothing behind it": big("ID3\x04\x00\x00\x00\x00\x00\x00", []byte{0}),
		"an AAC of the smallest":       big("", []byte{0xff, 0xf1, 0x50, 0x80, 0x00, 0xe0, 0xfc}),
	} {
		r := &counted{ReaderAt: bytes.NewReader(b)}
		got, err := media.Inspect(r, int64(len(b)))
		if r.calls > 1<<20 || r.bytes > 8<<20 {
			t.Errorf("%s: %d bytes in %d calls were read, %+v, %v", name, r.bytes, r.calls, got, err)
		}
	}
}

func TestFFprobeIsAskedOnlyWhereTheHeadersDoNotTell(t *testing.T) {
	answer := strings.Replace(probed, `"width":64`, `"avg_frame_rate":"24000/1001","side_data_list":[{"rotation":-90}],"width":64`, 1)
	write := func(b []byte) string {
		path := filepath.Join(t.TempDir(), "file")
		testfile.Write(t, path, b)
		return path
	}
	whole, fragmented := read(t, "sample.mp4"), replaced(t, read(t, "sample.mp4"), "udta", "mvex")
	f, dir := fakes(t, broken, "echo $* >>$dir/args\n"+answer)
	with, without := media.Inspector{FFmpeg: f}, media.Inspector{}

	for name, b := range map[string][]byte{"an MP4": whole, "a text": []byte("ffconcat version 1.0"), "half a PNG": []byte("\x89PNG\r\n\x1a\n")} {
		got, err := with.Inspect(t.Context(), write(b))
		bare, bareErr := without.Inspect(t.Context(), write(b))
		if len(started(t, dir)) > 0 || got != bare || got.Bytes != int64(len(b)) || (err == nil) != (bareErr == nil) {
			t.Errorf("%s: %v was started, %+v, %v", name, started(t, dir), got, err)
		}
	}
	got, err := with.Inspect(t.Context(), write(fragmented))
	want := media.Content{Type: "video/mp4", Width: 36, Height: 64, Seconds: 0.5, FPS: 24, Sound: true}
	if err != nil || !near(content(got), want) {
		t.Errorf("a fragmented MP4: %+v, %v; want %+v", got, err, want)
	}
	if args, err := os.ReadFile(filepath.Join(dir, "args")); err != nil || !strings.Contains(string(args), " -f mov ") {
		t.Errorf("ffprobe may choose how to read it: %s, %v", args, err)
	}
	if got, err := without.Inspect(t.Context(), write(fragmented)); !failsAs(err, generate.FailInputBroken) || content(got) != (media.Content{Type: "video/mp4"}) {
		t.Errorf("a fragmented MP4 without ffprobe: %+v, %v", got, err)
	}
	if _, err := without.Inspect(t.Context(), write([]byte("text"))); !failsAs(err, generate.FailInputType) {
		t.Errorf("a text: %v", err)
	}
	if _, err := without.Inspect(t.Context(), filepath.Join(t.TempDir(), "nothing")); err == nil || failsAs(err, generate.FailInputBroken) {
		t.Errorf("no file: %v", err)
	}
	f, _ = fakes(t, broken, broken)
	if got, err := (media.Inspector{FFmpeg: f}).Inspect(t.Context(), write(fragmented)); !failsAs(err, generate.FailInputBroken) || got.Type != "video/mp4" {
		t.Errorf("a fragmented MP4 that ffprobe can't read: %+v, %v", got, err)
	}
}

// TestARealFragmentedMP4IsRead is the same with the programs of this machine.
func TestARealFragmentedMP4IsRead(t *testing.T) {
	t.Parallel()
	need.Tool(t, "ffprobe")
	f, err := media.Find(need.Tool(t, "ffmpeg"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "file")
	b := made(t, with(both, "-f", "mp4", "-c:v", "libx264", "-movflags", "frag_keyframe+empty_moov")...)
	testfile.Write(t, path, b)
	got, err := media.Inspector{FFmpeg: f}.Inspect(t.Context(), path)
	want := media.Content{Type: "video/mp4", Width: 96, Height: 64, Seconds: 1.5, FPS: 24, Sound: true}
	if err != nil || !near(content(got), want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

// TestTheLastFrameOfAVideo: the picture of a video that fades to red is red at
// its end.
func TestTheLastFrameOfAVideo(t *testing.T) {
	t.Parallel()
	need.Tool(t, "ffprobe")
	f, err := media.Find(need.Tool(t, "ffmpeg"))
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string][]string{
		"an MP4": {"-f", "mp4", "-c:v", "libx264", "-pix_fmt", "yuv420p"}, "a WebM": {"-f", "webm", "-c:v", "libvpx"}, "a GIF": {"-f", "gif"},
	}
	for _, name := range need.Some(t, slices.Sorted(maps.Keys(cases)), 3) {
		video, picture := filepath.Join(t.TempDir(), "video"), filepath.Join(t.TempDir(), "frame.png")
		b := made(t, with([]string{"-f", "lavfi", "-i", "color=blue:size=64x48:rate=8:duration=2", "-f", "lavfi", "-i", "color=red:size=64x48:rate=8:duration=0.25", "-filter_complex", "[0][1]concat"}, cases[name]...)...)
		testfile.Write(t, video, b)
		if err := f.LastFrame(t.Context(), video, picture); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		r, err := os.Open(picture)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		decoded, err := png.Decode(r)
		if err != nil || decoded.Bounds().Dx() != 64 || decoded.Bounds().Dy() != 48 {
			t.Fatalf("%s: %v", name, err)
		}
		if red, _, blue, _ := decoded.At(32, 24).RGBA(); red < blue {
			t.Errorf("%s: the last picture has the color %v", name, decoded.At(32, 24))
		}
	}
	nothing := filepath.Join(t.TempDir(), "nothing")
	if err := f.LastFrame(t.Context(), nothing, nothing+".png"); err == nil {
		t.Error("a video that is not there has a last picture")
	}
}

// FuzzInspect gives files of all kinds: they are read without a panic, and
// what is told of them is plausible.
func FuzzInspect(f *testing.F) {
	for _, name := range []string{"sample.mp4", "end.mp4"} {
		f.Add(read(f, name))
	}
	for _, seed := range []string{
		"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00????\x00\x00\x00\x00IEND????",
		"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x10\x00\x10\x01\x01\x11\x00\xff\xd9",
		"RIFF\x16\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x01\x00\x00",
		"GIF89a\x01\x00\x01\x00\x00\x00\x00!\xf9\x04\x00\x05\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x01\x00\x00;",
		"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x44\xac\x00\x00\x88\x58\x01\x00\x02\x00\x10\x00data\x02\x00\x00\x00\x00\x00",
		"\x1a\x45\xdf\xa3\x87\x42\x82\x84webm\x18\x53\x80\x67\xff\x15\x49\xa9\x66\x86\x44\x89\x84\x41\x20\x00\x00\x16\x54\xae\x6b\x83\xae\x81\x83",
		"OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x13OpusHead\x01\x01\x38\x01\x80\xbb\x00\x00\x00\x00\x00",
		"fLaC\x00\x00\x00\x22\x10\x00\x10\x00\x00\x00\x00\x00\x00\x00\x0a\xc4\x40\xf0\x00\x00\xff\xff",
		"ID3\x04\x00\x00\x00\x00\x00\x00\xff\xfb\x90\x00",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := inspect(b)
		if err == nil && (c.Type == "" || c.Seconds < 0 || math.IsNaN(c.Seconds) || c.Width < 0 || c.Height < 0 || (c.Width == 0) != (c.Height == 0) || c.Width == 0 && !c.Sound) {
			t.Errorf("%+v", c)
		}
		if err != nil && c != (media.Content{Type: c.Type}) {
			t.Errorf("%+v, %v", c, err)
		}
	})
}
