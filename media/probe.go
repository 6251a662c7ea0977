package media

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"ltxbot/core/generate"
)

// probe is what is to be known of a file.
type probe struct {
	seconds       float64
	codec         string // of the picture: "h264"
	profile       int    // of H.264, as avcC has it; 0 when ffprobe was asked
	pixels        string // "yuv420p"; empty when not known
	width, height int    // of the picture, in pixels
	turned        bool   // by 90 degrees, when it is shown
	fps           float64
	audio         bool
	faststart     bool // the index comes before the data; true for what is no MP4
}

// What every chat client decodes.
const (
	h264    = "h264"
	yuv420p = "yuv420p"
)

// codecPlays reports whether every chat client decodes the picture.
func (p probe) codecPlays() bool { return p.codec == h264 && p.pixels == yuv420p }

// plays reports whether an MP4 plays everywhere, while it loads.
func (p probe) plays() bool { return p.codecPlays() && p.faststart }

// examine tells what a file is: an ordinary MP4 from its own boxes, any other
// file by ffprobe.
func (f *FFmpeg) examine(ctx context.Context, in generate.File) (probe, error) {
	if in.ContentType == mp4 {
		p, err := describe(in.Path)
		if err == nil {
			return p, nil
		}
		if !errors.Is(err, errOdd) {
			return probe{}, fmt.Errorf("probe the video: %w", err)
		}
	}
	return f.ask(ctx, in)
}

// describe tells what an ordinary MP4 is.
func describe(path string) (probe, error) {
	r, err := os.Open(path) //nolint:gosec // a path of our own making
	if err != nil {
		return probe{}, err
	}
	defer func() { _ = r.Close() }()
	info, err := r.Stat()
	if err != nil {
		return probe{}, err
	}
	x, err := readIndex(r, info.Size())
	if err != nil {
		return probe{}, err
	}
	return x.describe()
}

const probeLimit = 20 * time.Second

// ask asks ffprobe. more are arguments before the name of the file.
func (f *FFmpeg) ask(ctx context.Context, in generate.File, more ...string) (probe, error) {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	args := append([]string{
		"-v", "error", "-protocol_whitelist", "file,pipe", "-print_format", "json",
		"-show_entries", "format=duration:stream=codec_type,codec_name,pix_fmt,width,height,avg_frame_rate:stream_side_data=rotation",
	}, more...)
	cmd := exec.CommandContext(ctx, f.ffprobe, append(args, in.Path)...) //nolint:gosec // as in run
	cmd.Env = environment()
	out, err := cmd.Output()
	if err != nil {
		return probe{}, fmt.Errorf("probe the video: %w", err)
	}
	var found struct {
		Streams []struct {
			CodecType string `json:"codec_type"`
			CodecName string `json:"codec_name"`
			PixFmt    string `json:"pix_fmt"`
			Width     int    `json:"width"`
			Height    int    `json:"height"`
			FrameRate string `json:"avg_frame_rate"`
			SideData  []struct {
				Rotation int `json:"rotation"`
			} `json:"side_data_list"`
		} `json:"streams"`
		Format struct {
			Duration string `json:"duration"`
		} `json:"format"`
	}
	if err := json.Unmarshal(out, &found); err != nil {
		return probe{}, fmt.Errorf("probe the video: %w", err)
	}
	p := probe{faststart: in.ContentType != mp4} // an MP4 that is not ordinary is made so
	p.seconds, _ = strconv.ParseFloat(found.Format.Duration, 64)
	for _, s := range found.Streams {
		switch s.CodecType {
		case "audio":
			p.audio = true
		case "video":
			p.codec, p.pixels, p.width, p.height = s.CodecName, s.PixFmt, s.Width, s.Height
			p.fps = ratio(s.FrameRate)
			for _, d := range s.SideData {
				p.turned = p.turned || d.Rotation%180 != 0
			}
		}
	}
	return p, nil
}

// ratio reads "24000/1001"; 0 when it is none.
func ratio(s string) float64 {
	above, below, _ := strings.Cut(s, "/")
	n, _ := strconv.ParseFloat(above, 64)
	if d, err := strconv.ParseFloat(below, 64); err == nil && d > 0 {
		return n / d
	}
	return 0
}
