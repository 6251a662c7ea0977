package fal

import (
	"bytes"
	"encoding/binary"
	"net/url"
	"strings"
)

// fileSeconds is how long a sound or a video is whose length is not read here.
const fileSeconds = 5

// seconds is how long a video is that is billed by the second. The caller holds
// mu.
func (s *Server) seconds(in map[string]any) float64 {
	if d, ok := in["duration"]; ok {
		return numberOr(d, fileSeconds)
	}
	for _, field := range []string{"video_url", "audio_url"} {
		if link, ok := in[field].(string); ok {
			return s.lengthOf(link)
		}
	}
	return fileSeconds
}

// lengthOf is how long the file behind a link is, in seconds. The caller holds
// mu.
func (s *Server) lengthOf(link string) float64 {
	at, err := url.Parse(link)
	if err != nil {
		return fileSeconds
	}
	parts := strings.Split(at.Path, "/")
	if len(parts) < 2 {
		return fileSeconds
	}
	f := s.files[strings.Join(parts[len(parts)-2:], "/")]
	if f == nil {
		return fileSeconds
	}
	head := make([]byte, min(f.size, 1<<20)) // an MP4 that begins with its index, or a WAV
	if _, err := f.content.ReadAt(head, 0); err != nil {
		return fileSeconds
	}
	if at := bytes.Index(head, []byte("mvhd")); at > 0 && len(head) >= at+24 && head[at+4] == 0 {
		scale, length := binary.BigEndian.Uint32(head[at+16:]), binary.BigEndian.Uint32(head[at+20:])
		if scale > 0 {
			return float64(length) / float64(scale)
		}
	}
	if bytes.HasPrefix(head, []byte("RIFF")) && len(head) >= 44 {
		if rate := binary.LittleEndian.Uint32(head[28:]); rate > 0 {
			return float64(f.size-44) / float64(rate)
		}
	}
	return fileSeconds
}
