package media_test

import (
	"encoding/json"
	"os/exec"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ltxbot/internal/need"
)

// ofMark is what other programs read of a mark.
type ofMark struct {
	Source string
	Model  string
	Job    string
}

var wantMark = ofMark{"http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia", mark.Model, mark.Job}

// TestExifToolReadsTheMark holds the mark to the program that most people look
// at metadata with.
func TestExifToolReadsTheMark(t *testing.T) {
	t.Parallel()
	ffmpeg, exiftool := need.Tool(t, "ffmpeg"), need.Tool(t, "exiftool")
	for _, name := range need.Some(t, []string{"faststart.mp4", "end.mp4", "sample.mov", "animation.gif"}, 2) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := marked(t, madeFile(t, ffmpeg, name, kinds[name]...))
			b, err := exec.CommandContext(t.Context(), exiftool, "-j", "-G1", "-n", "-validate", "-warning", "-XMP:all", out.Path).Output()
			if err != nil {
				t.Fatalf("exiftool: %v: %s", err, b)
			}
			var got []struct {
				Source  string `json:"XMP-iptcExt:DigitalSourceType"`
				Model   string `json:"XMP-iptcExt:AISystemUsed"`
				Job     string `json:"XMP-dc:Identifier"`
				Warning string `json:"ExifTool:Warning"`
			}
			if err := json.Unmarshal(b, &got); err != nil || len(got) != 1 {
				t.Fatalf("exiftool: %v: %s", err, b)
			}
			if diff := cmp.Diff(wantMark, ofMark{got[0].Source, got[0].Model, got[0].Job}); diff != "" || got[0].Warning != "" {
				t.Errorf("the mark (-want +got):\n%swarning: %q\n%s", diff, got[0].Warning, b)
			}
		})
	}
}

// TestFFprobeReadsTheMarkOfAWebM also shows that the index at the start of the
// file leads to the mark at its end.
func TestFFprobeReadsTheMarkOfAWebM(t *testing.T) {
	t.Parallel()
	ffmpeg, ffprobe := need.Tool(t, "ffmpeg"), need.Tool(t, "ffprobe")
	for _, name := range need.Some(t, []string{"vp8.webm", "vp9.webm", "in front.webm"}, 3) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := marked(t, madeFile(t, ffmpeg, name, kinds[name]...))
			b, err := exec.CommandContext(t.Context(), ffprobe, "-v", "warning", "-print_format", "json", "-show_entries", "format_tags", out.Path).Output()
			if err != nil {
				t.Fatalf("ffprobe: %v: %s", err, b)
			}
			var got struct {
				Format struct {
					Tags struct {
						Source string `json:"DIGITAL_SOURCE_TYPE"`
						Model  string `json:"AI_SYSTEM_USED"`
						Job    string `json:"IDENTIFIER"`
					} `json:"tags"`
				} `json:"format"`
			}
			if err := json.Unmarshal(b, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(wantMark, ofMark(got.Format.Tags)); diff != "" {
				t.Errorf("the mark (-want +got):\n%s%s", diff, b)
			}
		})
	}
}
