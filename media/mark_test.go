package media_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ltxbot/core/generate"
	"ltxbot/internal/need"
	"ltxbot/internal/testfile"
	"ltxbot/media"
)

var mark = generate.Mark{Model: "fal-ai/ltx-2.3-22b/text-to-video/lora", Job: "k3f92mq7abcd"}

// fileOf writes bytes to a file.
func fileOf(t testing.TB, name string, b []byte) generate.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	testfile.Write(t, path, b)
	return generate.File{Path: path, Name: name, Size: int64(len(b))}
}

func bytesOf(t testing.TB, f generate.File) []byte {
	t.Helper()
	r, err := f.Open()
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	if int64(len(b)) != f.Size {
		t.Errorf("the file has %d bytes, and is said to have %d", len(b), f.Size)
	}
	return b
}

// marked marks a file, and checks what holds for every marked file.
func marked(t testing.TB, in generate.File) generate.File {
	t.Helper()
	before := bytesOf(t, in)
	out, err := media.Marker{}.Mark(in, mark)
	if err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(in.Path); err != nil || !bytes.Equal(before, after) {
		t.Error("the file itself was changed")
	}
	if more := out.Size - in.Size; more <= 0 || more > generate.MarkRoom {
		t.Errorf("the mark takes %d bytes, want at most %d", more, generate.MarkRoom)
	}
	copied := fileOf(t, filepath.Base(in.Path), bytesOf(t, out)) // as people get it
	e, err := media.ReadEvidence(t.Context(), copied.Path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&mark, e.Mark); diff != "" {
		t.Errorf("the mark (-want +got):\n%s", diff)
	}
	for _, again := range []generate.File{out, copied} {
		if _, err := (media.Marker{}).Mark(again, mark); !errors.Is(err, generate.ErrMarked) {
			t.Errorf("marked twice: %v", err)
		}
	}
	return copied
}

func TestAMarkIsAddedAfterAllThatAnMP4Has(t *testing.T) {
	for _, name := range []string{"sample.mp4", "end.mp4"} {
		in := fileOf(t, name, read(t, name))
		out := bytesOf(t, marked(t, in))
		if !bytes.HasPrefix(out, read(t, name)) {
			t.Errorf("%s: what was there has changed", name)
		}
		want, _, err := media.DescribeBytes(read(t, name))
		if err != nil {
			t.Fatal(err)
		}
		if got, _, err := media.DescribeBytes(out); err != nil || got != want {
			t.Errorf("%s: it is now %+v (%v), want %+v", name, got, err, want)
		}
	}
}

// A box may say that it reaches to the end of the file. It must not reach over
// the mark.
func TestABoxWithoutALengthGetsOne(t *testing.T) {
	b := read(t, "sample.mp4")
	at := bytes.Index(b, []byte("mdat")) - 4
	length := binary.BigEndian.Uint32(b[at:])
	if at+int(length) != len(b) {
		t.Fatalf("mdat has %d bytes at %d of %d; this test wants it to be the last box", length, at, len(b))
	}
	open := bytes.Clone(b)
	binary.BigEndian.PutUint32(open[at:], 0)
	if out := bytesOf(t, marked(t, fileOf(t, "open.mp4", open))); !bytes.HasPrefix(out, b) {
		t.Error("the last box did not get its length")
	}
}

func TestWhatIsSignedIsNotChanged(t *testing.T) {
	c2pa := "\xd8\xfe\xc3\xd6\x1b\x0e\x48\x3c\x92\x97\x58\x28\x87\x7e\xc4\x81"
	b := append(read(t, "sample.mp4"), "\x00\x00\x00\x1cuuid"+c2pa+"jumb"...)
	in := fileOf(t, "signed.mp4", b)
	if _, err := (media.Marker{}).Mark(in, mark); !errors.Is(err, generate.ErrMarked) {
		t.Errorf("signed file: %v, want ErrMarked", err)
	}
	if e, err := media.ReadEvidence(t.Context(), in.Path); err != nil || !e.Signed || e.Mark != nil {
		t.Errorf("evidence is %+v (%v)", e, err)
	}
}

func TestWhatCannotBeMarkedStaysAsItIs(t *testing.T) {
	sample := read(t, "sample.mp4")
	for name, b := range map[string][]byte{
		"nothing":                    nil,
		"text":                       []byte("this is not a video at all"),
		"cut off":                    sample[:len(sample)-10],
		"bytes after the last box":   append(bytes.Clone(sample), 1, 2, 3),
		"an index of fragments":      append(bytes.Clone(sample), "\x00\x00\x00\x08mfra"...),
		"a GIF without an end":       []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00"),
		"a GIF of before extensions": []byte("GIF87a\x01\x00\x01\x00\x00\x00\x00;"),
		"a WebM without a segment":   []byte("\x1a\x45\xdf\xa3\x80"),
	} {
		t.Run(name, func(t *testing.T) {
			if out, err := (media.Marker{}).Mark(fileOf(t, "in", b), mark); err == nil || errors.Is(err, generate.ErrMarked) {
				t.Errorf("it became %+v (%v), want an error", out, err)
			}
		})
	}
}

// However long and odd what a mark says is, it has room and is valid XML.
func TestAMarkHasItsRoom(t *testing.T) {
	long := generate.Mark{Model: strings.Repeat("<&\"'\x00>", 1000), Job: strings.Repeat("🎬&", 1000)}
	out, err := media.Marker{}.Mark(fileOf(t, "a.mp4", read(t, "sample.mp4")), long)
	if err != nil {
		t.Fatal(err)
	}
	if more := out.Size - int64(len(read(t, "sample.mp4"))); more > generate.MarkRoom {
		t.Errorf("the mark takes %d bytes, want at most %d", more, generate.MarkRoom)
	}
	e, err := media.ReadEvidence(t.Context(), fileOf(t, "marked.mp4", bytesOf(t, out)).Path)
	if err != nil || e.Mark == nil || !strings.HasPrefix(e.Mark.Model, "<&\"'><&") || !strings.HasPrefix(e.Mark.Job, "🎬&🎬") {
		t.Errorf("evidence is %+v (%v)", e, err)
	}
}

// kinds are files as programs make them.
var kinds = map[string][]string{
	"faststart.mp4":  {"-c:v", "libx264", "-pix_fmt", "yuv420p", "-movflags", "+faststart"},
	"end.mp4":        {"-c:v", "libx264", "-pix_fmt", "yuv420p"},
	"fragments.mp4":  {"-c:v", "libx264", "-pix_fmt", "yuv420p", "-movflags", "+frag_keyframe+empty_moov+skip_trailer"},
	"sample.mov":     {"-c:v", "libx264", "-pix_fmt", "yuv420p"},
	"prores.mov":     {"-c:v", "prores_ks", "-profile:v", "4"},
	"vp8.webm":       {"-c:v", "libvpx", "-c:a", "libvorbis"},
	"vp9.webm":       {"-c:v", "libvpx-vp9", "-c:a", "libopus"},
	"live.webm":      {"-c:v", "libvpx-vp9", "-c:a", "libopus", "-live", "1"},
	"in front.webm":  {"-c:v", "libvpx-vp9", "-c:a", "libopus", "-cues_to_front", "1", "-reserve_index_space", "2000"},
	"animation.gif":  {"-an"},
	"one colour.gif": {"-an", "-vf", "format=gray"},
}

// TestAMarkChangesNoPictureAndNoSound decodes files before and after.
func TestAMarkChangesNoPictureAndNoSound(t *testing.T) {
	t.Parallel()
	ffmpeg := need.Tool(t, "ffmpeg")
	for _, name := range need.Some(t, slices.Sorted(maps.Keys(kinds)), 4) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := madeFile(t, ffmpeg, name, kinds[name]...)
			out := marked(t, in)
			if before, after := frames(t, ffmpeg, in.Path), frames(t, ffmpeg, out.Path); before != after {
				t.Errorf("decoded before:\n%s\nafter:\n%s", before, after)
			}
		})
	}
}

// madeFile makes a file with ffmpeg, with sight and sound.
func madeFile(t testing.TB, ffmpeg, name string, args ...string) generate.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	args = append([]string{
		"-y", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x36:rate=8:duration=1", "-f", "lavfi", "-i", "sine=frequency=220:sample_rate=48000:duration=1",
	}, append(args, path)...)
	if out, err := exec.CommandContext(t.Context(), ffmpeg, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return generate.File{Path: path, Name: name, Size: info.Size()}
}

// frames are the hashes of all that ffmpeg decodes of a file, without a word of
// complaint.
func frames(t testing.TB, ffmpeg, path string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), ffmpeg, "-v", "warning", "-xerror", "-i", path, "-map", "0", "-f", "framemd5", "-")
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &complaint)
	}
	return string(out) + complaint.String()
}

// Other programs write the same in other ways.
func TestMarksOfOtherProgramsAreRead(t *testing.T) {
	const open, end = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">`, `</rdf:RDF></x:xmpmeta>`
	const made = "http://cv.iptc.org/newscodes/digitalsourcetype/"
	for name, c := range map[string]struct {
		packet string
		want   bool
	}{
		"an attribute":           {`<rdf:Description e:DigitalSourceType="` + made + `trainedAlgorithmicMedia" e:AISystemUsed="m"/>`, true},
		"a resource":             {`<rdf:Description><e:DigitalSourceType rdf:resource="` + made + `trainedAlgorithmicMedia"/><e:AISystemUsed>m</e:AISystemUsed></rdf:Description>`, true},
		"a part made by a model": {`<rdf:Description e:DigitalSourceType="` + made + `compositeWithTrainedAlgorithmicMedia" e:AISystemUsed="m"/>`, true},
		"a camera":               {`<rdf:Description e:DigitalSourceType="` + made + `digitalCapture" e:AISystemUsed="m"/>`, false},
		"another vocabulary":     {`<rdf:Description xmlns:f="http://example.com/" f:DigitalSourceType="` + made + `trainedAlgorithmicMedia" e:AISystemUsed="m"/>`, false},
		"a comment":              {`<!-- e:DigitalSourceType="` + made + `trainedAlgorithmicMedia" --><rdf:Description e:AISystemUsed="m"/>`, false},
	} {
		if m, ok := media.ReadPacket([]byte(open + c.packet + end)); ok != c.want || m.Model != "m" {
			t.Errorf("%s: it says that a model made it: %t, model %q; want %t", name, ok, m.Model, c.want)
		}
	}
	if _, ok := media.ReadPacket([]byte(open + strings.Repeat(" ", 64<<10) + `<rdf:Description e:DigitalSourceType="` + made + `trainedAlgorithmicMedia"/>` + end)); ok {
		t.Error("more than 64 KiB of a packet are read")
	}
}

// element makes an element of a WebM file with a size of one byte.
func element(id string, content ...string) string {
	all := strings.Join(content, "")
	return id + string([]byte{0x80 | byte(len(all))}) + all
}

// webm is a WebM file with an index that has room for another entry.
func webm() []byte {
	seek := element("\x11\x4d\x9b\x74", element("\x4d\xbb", element("\x53\xab", "\x15\x49\xa9\x66"), element("\x53\xac", "\x30")))
	return []byte(element("\x1a\x45\xdf\xa3") + "\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" + seek + element("\xec", strings.Repeat("\x00", 40)) +
		"\x1f\x43\xb6\x75\xff" + element("\xe7", "\x00") + element("\xa3", "data"))
}

const pixel = "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"

func FuzzMark(f *testing.F) {
	f.Add(read(f, "sample.mp4"))
	f.Add([]byte(pixel))
	f.Add(webm())
	for _, b := range [][]byte{read(f, "end.mp4"), []byte(pixel), webm()} {
		if b, err := media.MarkBytes(b, mark); err != nil {
			f.Fatal(err)
		} else if _, ok := media.MarkOf(b); !ok {
			f.Fatal("a seed has no mark")
		} else {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_, had := media.MarkOf(b)
		out, err := media.MarkBytes(b, mark)
		if err != nil {
			return
		}
		if more := len(out) - len(b); had || more > generate.MarkRoom {
			t.Errorf("the mark takes %d bytes; there was one: %t", more, had)
		}
		if got, ok := media.MarkOf(out); !ok || got != mark {
			t.Errorf("the mark reads %+v (%t)", got, ok)
		}
	})
}
