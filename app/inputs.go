package app

import (
	"context"
	"errors"

	"ltxbot/config"
	"ltxbot/core/generate"
	"ltxbot/internal/publichttp"
	"ltxbot/media"
)

// newInputs says how files that people give come to fal. Without ffmpeg the bot
// reads what it can by itself.
func newInputs(c config.Inputs, now *current, files generate.MediaConfig, opts Options) (generate.InputConfig, error) {
	in := generate.InputConfig{
		MaxBytes: generate.InputSizes{Picture: c.MaxPicture, Sound: c.MaxSound, Clip: c.MaxClip},
		Rules:    now.rules, Links: opts.Links, Inspector: media.Inspector{},
	}
	if tool, ok := files.Fitter.(*media.FFmpeg); ok {
		in.Inspector, in.Frames = media.Inspector{FFmpeg: tool}, tool
	}
	if in.Links == nil {
		client, err := publichttp.New(publichttp.Options{Hosts: c.Hosts, UserAgent: "ltxbot/" + opts.Version})
		if err != nil {
			return in, err
		}
		in.Links = Links{client}
	}
	return in, nil
}

// Links implements generate.Links.
type Links struct{ *publichttp.Client }

// The reasons of a link that can't be fetched, and what they mean for the job.
var linkFailures = []struct {
	err  error
	kind generate.FailureKind
}{
	{publichttp.ErrLink, generate.FailInputLink},
	{publichttp.ErrHost, generate.FailInputLink},
	{publichttp.ErrNoHost, generate.FailInputHost},
	{publichttp.ErrInside, generate.FailInputLink},
	{publichttp.ErrMissing, generate.FailInputGone},
	{publichttp.ErrForbidden, generate.FailInputGone},
	{publichttp.ErrRedirects, generate.FailInputFetch},
}

// Open implements generate.Links.
func (l Links) Open(ctx context.Context, link string, most int64) (generate.Media, error) {
	f, err := l.Client.Open(ctx, link, most)
	if err == nil {
		return generate.Media{Body: f.Body, Size: f.Size, ContentType: f.Type}, nil
	}
	for _, known := range linkFailures {
		if errors.Is(err, known.err) {
			return generate.Media{}, &generate.InputError{Kind: known.kind, Err: err}
		}
	}
	if errors.Is(err, publichttp.ErrTooLarge) {
		return generate.Media{}, generate.TooLargeInput(most)
	}
	answer, answered := errors.AsType[*publichttp.StatusError](err)
	switch {
	case answered && !answer.Temporary():
		return generate.Media{}, &generate.InputError{Kind: generate.FailInputFetch, Err: err}
	case answered && answer.After > 0:
		return generate.Media{}, &generate.RetryError{After: answer.After, Err: err}
	}
	return generate.Media{}, err
}
