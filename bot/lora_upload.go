package bot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ltxbot/bot/command"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/library"
	"ltxbot/core/team"
)

// Uploads is where files of LoRAs are kept for months.
type Uploads interface {
	// UploadToStay puts size bytes where the provider can load them, and returns
	// their address. It may be called again after any error.
	UploadToStay(ctx context.Context, name, contentType string, body io.ReaderAt, size int64) (url string, err error)
}

// uploadDir names the folder of a LoRA on its way. It looks like that of a job's
// files, so that what a crash has left is removed with those.
const uploadDir = "ltx-000000upload-"

// uploadsAtATime is how many LoRAs are on their way in this process: each takes
// disk, and a place of the provider's uploads.
const uploadsAtATime = 2

// UploadWithin bounds an upload with its download. Discord takes an answer for
// 15 minutes.
const UploadWithin = 12 * time.Minute

// UploadLoRA takes a LoRA that a person gave as a file into the team's library.
// o is the order "add" without a link, and open opens the file. What is wrong
// with the order or the file is said before anything is uploaded; what is
// uploaded and not in the library in the end costs nothing.
func (svc *Service) UploadLoRA(ctx context.Context, c Caller, o team.Order, open func(context.Context) (generate.Media, error)) view.Message {
	p := svc.Printer(c.Locale)
	if !svc.takesFiles() {
		return view.Answer(p, "lora_upload.off")
	}
	m, err := svc.uploadLoRA(ctx, c, o, open)
	var large *generate.TooLargeError
	switch {
	case err == nil:
		return m
	case errors.As(err, &large):
		return view.Answer(p, "lora_upload.too_large", "limit", large.Limit>>20)
	case errors.Is(err, errUnopened):
		svc.log.WarnContext(ctx, "cannot fetch a LoRA that was given", "member", c.Member, "team", c.Team, "error", err)
		return view.Answer(p, "lora_upload.unopened")
	case errors.Is(err, context.DeadlineExceeded):
		return view.Answer(p, "lora_upload.slow")
	}
	if refusal := view.RefuseLibrary(p, err); refusal != nil {
		return *refusal
	}
	return svc.sorry(ctx, c, "error.unreadable", "upload a LoRA", err)
}

// takesFiles reports whether LoRAs are taken as files.
func (svc *Service) takesFiles() bool {
	return svc.cfg.Library != nil && svc.cfg.Uploads != nil && svc.cfg.LoRAs != nil
}

// UploadLine is UploadLoRA for an order as it is typed after "loras": "add film
// scale:0.8".
func (svc *Service) UploadLine(ctx context.Context, c Caller, line string, open func(context.Context) (generate.Media, error)) view.Message {
	words := command.SplitWords(line)
	if len(words) > 1 {
		words = slices.Insert(words, 2, library.Uploaded) // where the link stands
	}
	o, err := library.Verbs().Parse(words)
	if err != nil {
		return *view.RefuseLibrary(svc.Printer(c.Locale), err)
	}
	return svc.UploadLoRA(ctx, c, o, open)
}

// errUnopened says that a file that was given could not be had.
var errUnopened = errors.New("the file can't be opened")

func (svc *Service) uploadLoRA(ctx context.Context, c Caller, o team.Order, open func(context.Context) (generate.Media, error)) (view.Message, error) {
	if c.Outsider {
		return view.Message{}, &library.Error{Problem: library.OnlyInsiders, Verb: library.VerbAdd}
	}
	if _, err := svc.cfg.Library.Check(ctx, c.actor(), library.WithFile(o)); err != nil {
		return view.Message{}, err
	}
	select {
	case svc.uploading <- struct{}{}:
		defer func() { <-svc.uploading }()
	case <-ctx.Done():
		return view.Message{}, ctx.Err()
	}
	dir, err := os.MkdirTemp(svc.cfg.TempDir, uploadDir)
	if err != nil {
		return view.Message{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "given")
	var large *generate.TooLargeError
	if err := fetch(ctx, path, svc.cfg.MaxLoRA(), open); errors.As(err, &large) || ctx.Err() != nil {
		return view.Message{}, err
	} else if err != nil {
		return view.Message{}, fmt.Errorf("%w: %w", errUnopened, err)
	}
	url, found, err := svc.storeLoRA(ctx, path)
	if err != nil {
		return view.Message{}, err
	}
	r, err := svc.cfg.Library.AddFile(ctx, c.actor(), o, url, found)
	if err != nil {
		return view.Message{}, err
	}
	svc.log.InfoContext(ctx, "a LoRA was uploaded", "team", c.Team, "by", c.Member, "bytes", found.Bytes)
	return view.Library(svc.Printer(c.Locale), r, svc.rules(c)), nil
}

// storeLoRA looks at the file at path and puts it where the provider can load it.
// The error is a *library.UnusableError when it can't be loaded.
func (svc *Service) storeLoRA(ctx context.Context, path string) (url string, found library.Finding, err error) {
	f, err := os.Open(path) //nolint:gosec // a path of our own making
	if err != nil {
		return "", found, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return "", found, err
	}
	found, err = svc.cfg.LoRAs.Inspect(io.NewSectionReader(f, 0, info.Size()), info.Size())
	if err != nil {
		return "", found, err
	}
	if !found.Usable() {
		return "", found, &library.UnusableError{Finding: found}
	}
	// Its name is the bot's own: that of a person may say more than the file.
	url, err = svc.cfg.Uploads.UploadToStay(ctx, "lora.safetensors", "application/octet-stream", f, info.Size())
	return url, found, err
}

// IsLoRA reports whether a file that came with a message is one of weights, by
// its name.
func (f GivenFile) IsLoRA() bool {
	name := strings.ToLower(f.Media.Name)
	for _, end := range []string{".safetensors", ".ckpt", ".pt", ".pth", ".bin"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}
