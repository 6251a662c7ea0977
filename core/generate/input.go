package generate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ltxbot/core/ltx"
	"ltxbot/core/quota"
)

// InputConfig is how files that people give come to the provider.
type InputConfig struct {
	Links     Links     // nil = links are refused
	Inspector Inspector // nil = no file is taken
	// Frames takes pictures out of videos; nil when there is no tool for it.
	Frames Frames
	// MaxBytes is the size of the largest picture, sound and clip.
	MaxBytes InputSizes
	// Rules are the operator's of this moment; nil is the zero Rules.
	Rules func() ltx.Rules
}

// InputSizes are sizes of files, in bytes.
type InputSizes struct{ Picture, Sound, Clip int64 }

// Links fetches what a person's link leads to, from public addresses only.
type Links interface {
	// Open opens a file of at most most bytes; reading more is an error. An
	// *InputError is final; after any other error the link may be tried again,
	// after a *RetryError not before its time. No error tells the link.
	Open(ctx context.Context, link string, most int64) (Media, error)
}

// An Inspector tells what files are.
type Inspector interface {
	// Inspect returns Type, Bytes, size, length and sound of a file on disk, as
	// its content tells. An *InputError says what is wrong with the file.
	Inspect(ctx context.Context, path string) (ltx.Media, error)
}

// Frames takes pictures out of videos.
type Frames interface {
	// LastFrame writes the last picture of a video as a PNG.
	LastFrame(ctx context.Context, video, png string) error
}

// An InputError says why a file that a person gave can't be used.
type InputError struct {
	Kind  FailureKind // FailInputGone and its like
	Limit string      // what would be right: "30 MB"; may be empty
	Err   error       // may be nil
}

func (e *InputError) Error() string {
	if e.Err == nil {
		return "file can't be used: " + string(e.Kind)
	}
	return fmt.Sprintf("file can't be used: %s: %v", e.Kind, e.Err)
}

// Unwrap is the cause.
func (e *InputError) Unwrap() error { return e.Err }

// How files are brought to the provider.
const (
	inputsAtATime = 4                // in this process: each may take much of the disk
	inputLimit    = 10 * time.Minute // for one file
	inputTimeout  = 3 * time.Minute  // with a file that can't be brought now, since the first try
	inputPause    = 2 * time.Second  // between tries, growing
	inputMost     = 30 * time.Second
)

// The ids of the parameters that are files.
const (
	inputImage    = "image_url"
	inputEndImage = "end_image_url"
	inputSound    = "audio_url"
	inputClip     = "video_url"
)

// The types of files that a parameter takes, as people call them.
var (
	pictureTypes = []inputType{
		{"PNG", "image/png"}, {"JPEG", "image/jpeg"}, {"WebP", "image/webp"}, {"GIF", "image/gif"}, {"AVIF", "image/avif"}, {"HEIC", "image/heic"},
	}
	soundTypes = []inputType{
		{"MP3", "audio/mpeg"}, {"WAV", "audio/wav"}, {"M4A", "audio/mp4"}, {"AAC", "audio/aac"}, {"OGG", "audio/ogg"}, {"FLAC", "audio/flac"}, {"WebM", "audio/webm"},
	}
	clipTypes = []inputType{{"MP4", "video/mp4"}, {"MOV", "video/quicktime"}, {"WebM", "video/webm"}}
)

type inputType struct{ name, contentType string }

// takes are the files that a parameter takes, and the largest size.
func (c InputConfig) takes(id string) ([]inputType, int64) {
	switch id {
	case inputSound:
		return soundTypes, c.MaxBytes.Sound
	case inputClip:
		return clipTypes, c.MaxBytes.Clip
	}
	return pictureTypes, c.MaxBytes.Picture
}

// check refuses a file that a parameter does not take.
func (c InputConfig) check(id string, m ltx.Media) error {
	types, most := c.takes(id)
	switch {
	case !slices.ContainsFunc(types, func(t inputType) bool { return t.contentType == m.Type }):
		return &InputError{Kind: FailInputType, Limit: InputTypes(id)}
	case m.Bytes > most:
		return TooLargeInput(most)
	}
	return nil
}

// InputTypes names the types of files that a parameter takes: "MP4, MOV, WebM".
func InputTypes(id string) string {
	types, _ := InputConfig{}.takes(id)
	names := make([]string, 0, len(types))
	for _, t := range types {
		names = append(names, t.name)
	}
	return strings.Join(names, ", ")
}

// TooLargeInput says that a file has more bytes than are taken.
func TooLargeInput(most int64) *InputError {
	return &InputError{Kind: FailInputLarge, Limit: fmt.Sprintf("%d MB", most>>20)}
}

// input brings the next file of a job to the provider and saves where it is
// there. A process that is killed at any point of it is followed by one that
// begins with this file again: what was uploaded and not saved costs nothing.
func (p *preparing) input(ctx context.Context, courier Courier, j Job) error {
	if _, err := p.e.Quote(ctx, Ask{Asker: quota.Asker{Team: j.Team, Member: j.Member, Tiers: j.Tiers}, Request: j.Request}); err != nil {
		if refusal, ok := errors.AsType[*quota.LimitError](err); ok { // before much is moved for nothing
			return p.finish(ctx, Preparing, Failed, Failure{Kind: FailQuota, Refusal: refusal}, quota.Keep())
		}
		return err
	}
	id := j.Request.Pending()[0]
	if p.setProgress(func(now *Progress) { now.Input, now.Retrying = id, p.fetches > 0 }) {
		p.card.refresh()
	}
	wanted, end := p.whileWanted(ctx)
	m, next, err := p.bring(wanted, courier, j, id)
	unwanted := context.Cause(wanted)
	end()
	wrong, final := errors.AsType[*InputError](err)
	invalid, unfit := errors.AsType[ltx.Invalid](err)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(unwanted, errLost):
		return errLost
	case errors.Is(unwanted, errMoved):
		return nil // whoever has changed the job is heard first
	case err == nil:
		p.began, p.fetches = time.Time{}, 0
		return p.outcome(p.e.hard, func(ctx context.Context) error { //nolint:contextcheck // saved even while the process stops
			return p.update(ctx, Preparing, quota.Keep(), func(j *Job) {
				j.Request, j.Endpoint, j.Estimate = next, next.Endpoint(), p.e.estimate(next)
			})
		})
	case final:
		p.log.InfoContext(ctx, "a file can't be used", "input", id, "type", m.Type, "bytes", m.Bytes, "error", err)
		return p.finish(ctx, Preparing, Failed, Failure{Kind: wrong.Kind, Field: id, Limit: wrong.Limit}, quota.Keep())
	case unfit:
		return p.finish(ctx, Preparing, Failed, Failure{Kind: FailInput, Field: id, Invalid: invalid}, quota.Keep())
	case p.fetches > 0 && time.Since(p.failing) > inputTimeout:
		p.log.WarnContext(ctx, "giving up on a file", "input", id, "error", err)
		return p.finish(ctx, Preparing, Failed, Failure{Kind: FailInputFetch, Field: id}, quota.Keep())
	}
	return p.later(ctx, id, err)
}

// later is the error that makes a file be tried again.
func (p *preparing) later(ctx context.Context, id string, err error) error {
	if p.fetches++; p.fetches == 1 {
		p.failing = time.Now()
	}
	p.setProgress(func(now *Progress) { now.Retrying = true })
	p.card.refresh() // after each try: the next one drops an edit that is still to come
	pause := backoff(p.fetches, inputPause, inputMost)
	if asked, ok := errors.AsType[*RetryError](err); ok {
		pause = asked.pause()
	}
	if refused, ok := errors.AsType[*ProviderError](err); ok {
		pause = max(pause, refused.RetryAfter)
	}
	p.log.WarnContext(ctx, "cannot bring a file to the provider now", "input", id, "tries", p.fetches, "error", err)
	return &unpreparedError{&RetryError{After: min(pause, inputTimeout), Err: err}}
}

// whileWanted returns a context that ends when somebody else changes the job,
// with errMoved, or takes it over, with errLost. end must be called.
func (r *run) whileWanted(ctx context.Context) (_ context.Context, end func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ctx.Done():
				return
			case <-r.lostTo:
				cancel(errLost)
				return
			case <-r.changed:
			}
			j, err := r.e.cfg.Store.Job(ctx, r.id)
			if err == nil && (j.Cancel != nil || j.State != Preparing) {
				r.replace(j)
				cancel(errMoved)
				return
			}
		}
	}()
	return ctx, func() {
		cancel(nil)
		<-done
		r.stale = true // a signal may have been taken
	}
}

// bring brings a file to the provider and returns it with the request that has
// it.
func (p *preparing) bring(ctx context.Context, courier Courier, j Job, id string) (ltx.Media, ltx.Request, error) {
	select {
	case p.e.inputs <- struct{}{}:
		defer func() { <-p.e.inputs }()
		if p.fetches == 0 {
			p.began = time.Now() // what others took is not this file's
		}
	case <-ctx.Done():
		return ltx.Media{}, j.Request, context.Cause(ctx)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, inputLimit, &InputError{Kind: FailInputFetch, Err: errors.New("it took too long")})
	defer cancel()
	m, _ := j.Request.Media(id)
	f := inputFile{e: p.e, job: j, id: id, media: m}
	err := f.bring(ctx, courier)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return f.media, j.Request, err
	}
	next, err := f.fits()
	return f.media, next, err
}

// inputFile is one file on its way.
type inputFile struct {
	e     *Engine
	job   Job
	id    string // of its parameter
	media ltx.Media
	dir   string
}

// fits is the request with the file as it is known now.
func (f *inputFile) fits() (ltx.Request, error) {
	var rules ltx.Rules
	if f.e.cfg.Inputs.Rules != nil {
		rules = f.e.cfg.Inputs.Rules()
	}
	return f.job.Request.WithMedia(rules, map[string]ltx.Media{f.id: f.media})
}

func (f *inputFile) bring(ctx context.Context, courier Courier) (err error) {
	if f.e.cfg.Inputs.Inspector == nil {
		return &InputError{Kind: FailInputType, Err: errors.New("no file is taken")}
	}
	if f.dir, err = os.MkdirTemp(f.e.cfg.Media.Dir, "ltx-"+f.job.ID+"-"); err != nil {
		return fmt.Errorf("make room for a file: %w", err)
	}
	defer func() {
		if err := os.RemoveAll(f.dir); err != nil {
			f.e.log.WarnContext(ctx, "cannot remove temporary files", "job", f.job.ID, "error", err)
		}
	}()
	if parent, ok := f.media.Job(); ok {
		return f.ofJob(ctx, parent)
	}
	open := func() (Media, error) { return courier.OpenInput(ctx, f.job, f.media) }
	_, most := f.e.cfg.Inputs.takes(f.id)
	if f.media.IsLink() {
		if f.e.cfg.Inputs.Links == nil {
			return &InputError{Kind: FailInputLink}
		}
		open = func() (Media, error) { return f.e.cfg.Inputs.Links.Open(ctx, f.media.Ref, most) }
	}
	path, err := f.save(open, most)
	if err != nil {
		return err
	}
	return f.send(ctx, path)
}

// save writes a file to disk.
func (f *inputFile) save(open func() (Media, error), most int64) (path string, err error) {
	from, err := open()
	if errors.Is(err, ErrGone) {
		return "", &InputError{Kind: FailInputGone, Err: err}
	}
	if err != nil {
		return "", fmt.Errorf("open a file: %w", err)
	}
	defer func() { _ = from.Body.Close() }()
	if from.Size > most {
		return "", TooLargeInput(most)
	}
	path = filepath.Join(f.dir, "input")
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // a path of our own making
	if err != nil {
		return "", fmt.Errorf("write a file: %w", err)
	}
	n, err := io.Copy(to, io.LimitReader(from.Body, most+1))
	err = errors.Join(err, to.Close())
	switch {
	case n > most:
		return "", TooLargeInput(most)
	case err != nil:
		return "", fmt.Errorf("read a file: %w", err)
	case from.Size >= 0 && n < from.Size:
		return "", fmt.Errorf("read a file: %w", io.ErrUnexpectedEOF)
	}
	return path, nil
}

// inspect tells what a file on disk is, and refuses what can't be used before
// it is sent.
func (f *inputFile) inspect(ctx context.Context, path string) error {
	seen, err := f.e.cfg.Inputs.Inspector.Inspect(ctx, path)
	if wrong, ok := errors.AsType[*InputError](err); ok && wrong.Kind == FailInputType {
		return &InputError{Kind: FailInputType, Limit: InputTypes(f.id), Err: wrong.Err}
	}
	if err != nil {
		return err
	}
	seen.Ref, seen.Name, seen.URL = f.media.Ref, f.media.Name, f.media.URL
	f.media = seen
	if err := f.e.cfg.Inputs.check(f.id, f.media); err != nil {
		return err
	}
	_, err = f.fits()
	return err
}

// send inspects a file on disk and uploads it.
func (f *inputFile) send(ctx context.Context, path string) error {
	if err := f.inspect(ctx, path); err != nil {
		return err
	}
	r, err := os.Open(path) //nolint:gosec // a path of our own making
	if err != nil {
		return fmt.Errorf("read a file: %w", err)
	}
	defer func() { _ = r.Close() }()
	_, kind, _ := strings.Cut(f.media.Type, "/")
	// Its name is the bot's own: that of a person may say more than the picture.
	f.media.URL, err = f.e.cfg.Provider.Upload(ctx, "input."+extensions[kind], f.media.Type, r, f.media.Bytes)
	return err
}

// extensions are those of files, by the second part of their type.
var extensions = map[string]string{
	"png": "png", "jpeg": "jpg", "webp": "webp", "gif": "gif", "avif": "avif", "heic": "heic",
	"mpeg": "mp3", "wav": "wav", "mp4": "mp4", "aac": "aac", "ogg": "ogg", "flac": "flac", "webm": "webm", "quicktime": "mov",
}

// ofJob takes the video of an earlier job. It is at the provider already, unless it
// has to come from the archive; for a picture its last frame is taken.
func (f *inputFile) ofJob(ctx context.Context, id string) error {
	parent, err := f.e.cfg.Store.Job(ctx, id)
	switch {
	case errors.Is(err, ErrNoJob):
		return &InputError{Kind: FailInputGone, Err: err}
	case err != nil:
		return err
	case !parent.usableBy(f.job):
		return &InputError{Kind: FailInputGone, Err: errors.New("the video of that job is not to be seen here")}
	}
	open := func() (Media, error) { return f.e.cfg.Provider.Open(ctx, parent.Output.URL, 0) }
	path, err := f.save(open, f.e.cfg.Inputs.MaxBytes.Clip)
	err = ofProvider(err)
	wrong, final := errors.AsType[*InputError](err)
	lapsed := final && wrong.Kind == FailInputGone
	if lapsed {
		open = func() (Media, error) { return f.e.archiver.open(ctx, parent.Copy) }
		path, err = f.save(open, f.e.cfg.Inputs.MaxBytes.Clip)
	}
	if err != nil {
		return err
	}
	f.media.Name = cmp.Or(f.media.Name, FileStem(id))
	switch picture := f.id == inputImage || f.id == inputEndImage; {
	case !picture && lapsed:
		return f.send(ctx, path)
	case !picture:
		f.media.URL = parent.Output.URL
		return f.inspect(ctx, path)
	}
	if f.e.cfg.Inputs.Frames == nil {
		return f.e.cfg.Inputs.check(f.id, ltx.Media{})
	}
	png := filepath.Join(f.dir, "frame.png")
	if err := f.e.cfg.Inputs.Frames.LastFrame(ctx, path, png); err != nil {
		return &InputError{Kind: FailInputBroken, Err: err}
	}
	return f.send(ctx, png)
}

// ofProvider is an error of the provider's media host, for a file that it
// should have.
func ofProvider(err error) error {
	refused, answered := errors.AsType[*ProviderError](err)
	if errors.Is(err, ErrForeign) || answered && !refused.Temporary {
		return &InputError{Kind: FailInputGone, Err: err}
	}
	return err
}

// usableBy reports whether the video of j may go into a video of other: it is
// the same team's, and what is private is its member's only.
func (j Job) usableBy(other Job) bool {
	own := j.Member == other.Member || j.AskedBy() == other.AskedBy()
	return j.Output.URL != "" && j.Team == other.Team && (own || !j.Place.Private)
}
