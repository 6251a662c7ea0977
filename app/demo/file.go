package demo

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A File is something that a person attaches to a command.
type File struct {
	Name   string
	Data   []byte
	Option string // of a command that takes files by option; empty = what its kind is for
}

// maxAttached bounds a file that is read, in bytes: more than a platform takes.
const maxAttached = 1 << 30

// ReadFile reads a file from disk, by "PATH" or "OPTION=PATH".
func ReadFile(named string) (File, error) {
	option, path, ok := strings.Cut(named, "=")
	if !ok || strings.ContainsAny(option, `/\.`) {
		option, path = "", named
	}
	info, err := os.Stat(path)
	if err != nil {
		return File{}, fmt.Errorf("attach a file: %w", err)
	}
	if info.Size() > maxAttached || info.IsDir() {
		return File{}, fmt.Errorf("attach %s: it is no file, or larger than %d bytes", path, maxAttached)
	}
	data, err := os.ReadFile(path) //nolint:gosec // the person at the terminal names it
	if err != nil {
		return File{}, fmt.Errorf("attach a file: %w", err)
	}
	return File{Name: filepath.Base(path), Data: data, Option: option}, nil
}

// readFiles reads the files that a person names in a field of a form.
func readFiles(names string) ([]File, error) {
	var files []File
	for name := range strings.SplitSeq(names, ",") {
		f, err := ReadFile(strings.TrimSpace(name))
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// optionsFor gives each file the option that its kind is for: of two pictures
// the second is the last of the video.
func optionsFor(files []File) []File {
	free := map[string][]string{"image": {"image", "end_image"}, "audio": {"soundtrack"}, "video": {"clip"}}
	files = slices.Clone(files)
	for i, f := range files {
		kind := kindOf(f)
		if f.Option == "" && len(free[kind]) > 0 {
			files[i].Option, free[kind] = free[kind][0], free[kind][1:]
		}
		if files[i].Option == "" {
			files[i].Option = "image" // the platform, or the bot, says what is wrong with it
		}
	}
	return files
}

// kindOf is what a person takes a file for: "image", "audio" or "video".
func kindOf(f File) string {
	switch strings.ToLower(filepath.Ext(f.Name)) {
	case ".mp3", ".wav", ".m4a", ".ogg", ".flac":
		return "audio"
	case ".mp4", ".mov", ".webm":
		return "video"
	}
	kind, _, _ := strings.Cut(http.DetectContentType(f.Data), "/")
	return kind
}
