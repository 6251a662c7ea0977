package media

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"

	"ltxbot/core/generate"
)

// probe is what is to be known of a file.
type probe struct {
	seconds   float64
	codec     string // of the picture: "h264"
	pixels    string // "yuv420p"
	audio     bool
	faststart bool // the index comes before the data; true for what is no MP4
}

// codecPlays reports whether every chat client decodes the picture.
func (p probe) codecPlays() bool { return p.codec == "h264" && p.pixels == "yuv420p" }

// plays reports whether an MP4 plays everywhere, while it loads.
func (p probe) plays() bool { return p.codecPlays() && p.faststart }

const probeLimit = 20 * time.Second

func (f *FFmpeg) probe(ctx context.Context, in generate.File) (probe, error) {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, f.ffprobe, "-v", "error", "-protocol_whitelist", "file,pipe", //nolint:gosec // as in run
		"-print_format", "json", "-show_entries", "format=duration:stream=codec_type,codec_name,pix_fmt", in.Path)
	out, err := cmd.Output()
	if err != nil {
		return probe{}, fmt.Errorf("probe the video: %w", err)
	}
	var found struct {
		Streams []struct {
			CodecType string `json:"codec_type"`
			CodecName string `json:"codec_name"`
			PixFmt    string `json:"pix_fmt"`
		} `json:"streams"`
		Format struct {
			Duration string `json:"duration"`
		} `json:"format"`
	}
	if err := json.Unmarshal(out, &found); err != nil {
		return probe{}, fmt.Errorf("probe the video: %w", err)
	}
	var p probe
	p.seconds, _ = strconv.ParseFloat(found.Format.Duration, 64)
	for _, s := range found.Streams {
		switch s.CodecType {
		case "audio":
			p.audio = true
		case "video":
			p.codec, p.pixels = s.CodecName, s.PixFmt
		}
	}
	p.faststart = true
	if in.ContentType == mp4 {
		if p.faststart, err = faststart(in.Path); err != nil {
			return probe{}, fmt.Errorf("probe the video: %w", err)
		}
	}
	return p, nil
}

// faststart reports whether the moov box of an MP4 comes before its mdat.
func faststart(path string) (bool, error) {
	f, err := os.Open(path) //nolint:gosec // a path of our own making
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }()
	for {
		var head [16]byte
		if _, err := io.ReadFull(f, head[:8]); err != nil {
			return false, nil // without either box it is not playable as it is
		}
		size, skip := int64(binary.BigEndian.Uint32(head[:4])), int64(8)
		switch string(head[4:8]) {
		case "moov":
			return true, nil
		case "mdat":
			return false, nil
		}
		if size == 1 {
			if _, err := io.ReadFull(f, head[8:]); err != nil {
				return false, nil
			}
			size, skip = int64(binary.BigEndian.Uint64(head[8:])), 16 //nolint:gosec // a size that overflows is refused below
		}
		if size < skip {
			return false, nil
		}
		if _, err := f.Seek(size-skip, io.SeekCurrent); err != nil {
			return false, err
		}
	}
}
