package bot

import (
	"path"
	"slices"
	"strings"

	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

// A GivenFile is a file that came with what somebody did, as its platform
// describes it.
type GivenFile struct {
	Media ltx.Media // its Ref and Name
	Type  string    // "image/png", if the platform says so; it may be wrong
}

// inputsOf are the options for each kind of file, in the order in which files
// take them.
var inputsOf = map[string][]string{
	"image": {"image", "end_image"},
	"audio": {"soundtrack"},
	"video": {"clip"},
}

// extensions tell the kind of a file whose type nobody tells.
var extensions = map[string]string{
	".png": "image", ".jpg": "image", ".jpeg": "image", ".webp": "image", ".gif": "image", ".avif": "image", ".heic": "image",
	".mp3": "audio", ".wav": "audio", ".m4a": "audio", ".aac": "audio", ".ogg": "audio", ".flac": "audio",
	".mp4": "video", ".mov": "video", ".webm": "video",
}

// Kind is "image", "audio" or "video", or "" for a file that can't go into a
// video. What the file is in truth is told by its content, later.
func (f GivenFile) Kind() string {
	kind, _, _ := strings.Cut(f.Type, "/")
	if inputsOf[kind] != nil {
		return kind
	}
	return extensions[strings.ToLower(path.Ext(f.Media.Name))]
}

// Inputs are settings for files: the first picture is what the video begins
// with, a second one what it ends with, a sound is its soundtrack, and a video
// is its clip. left are the names of files for which there is no place.
func Inputs(files []GivenFile) (settings []ltx.Setting, left []string) {
	taken := map[string]int{}
	for _, f := range files {
		kind := f.Kind()
		if taken[kind] == len(inputsOf[kind]) {
			left = append(left, f.Media.Shown())
			continue
		}
		settings = append(settings, ltx.FileSetting(inputsOf[kind][taken[kind]], f.Media))
		taken[kind]++
	}
	return settings, left
}

// KindFor is the kind of the files that an option takes, as GivenFile.Kind says
// it; "" for another option.
func KindFor(option string) string {
	p, _ := ltx.Lookup(option)
	for kind, options := range inputsOf {
		if slices.Contains(options, p.Key()) {
			return kind
		}
	}
	return ""
}

// NoPlace says of which files a video can't be made.
func (svc *Service) NoPlace(locale string, left []string) view.Message {
	types := func(option string) string {
		p, _ := ltx.Lookup(option)
		return generate.InputTypes(p.Name)
	}
	return view.Answer(svc.Printer(locale), "inputs.no_place", "files", strings.Join(left, ", "),
		"pictures", types("image"), "sounds", types("soundtrack"), "clips", types("clip"))
}

// Beside adds files to the lines that the refusal of a line offers, which came
// with it.
func Beside(err error, files []ltx.Setting) error {
	offers(err, files, slices.Clone[[]ltx.Setting])
	return err
}

// WithInputs are settings with files in the place of those that they name
// already.
func WithInputs(settings, files []ltx.Setting) []ltx.Setting {
	out := make([]ltx.Setting, 0, len(settings)+len(files))
	for _, s := range settings {
		replaced := false
		for _, f := range files {
			p, known := ltx.Lookup(s.Key)
			q, _ := ltx.Lookup(f.Key)
			replaced = replaced || known && p.Kind == ltx.KindMedia && p.Key() == q.Key()
		}
		if !replaced {
			out = append(out, s)
		}
	}
	return append(out, files...)
}
