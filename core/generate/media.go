package generate

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"
)

// MediaConfig is how finished videos are brought to disk.
type MediaConfig struct {
	Dir      string // for temporary files; empty = the system's
	MaxBytes int64  // of a download; a larger video is delivered as a link
	// Fitter makes videos play and fit; nil when there is no tool for it.
	Fitter Fitter
	// Marker writes into videos that a model made them; nil when nothing does.
	Marker Marker
}

// A Fitter makes videos play and fit.
type Fitter interface {
	// Fit returns a video of at most limit bytes that chat clients play: in
	// itself if it is one, else a copy in dir. A *TooLargeError says that it
	// can't be done. progress is told 0 to 100 while it works.
	Fit(ctx context.Context, in File, dir string, limit int64, progress func(percent int)) (File, error)
}

// How persistent a download is.
const (
	downloadTries = 5
	downloadPause = 500 * time.Millisecond
	fetchTimeout  = 3 * time.Minute  // with errors that may pass, before a link takes the place of the file
	downloadMost  = 10 * time.Minute // for a whole file, without the waits for a connection
	// Each downloadSpan must bring downloadLeast bytes. A connection that
	// brings less gives up its place to others, and is tried again: a slow
	// line has a few times that, even for many downloads at a time.
	downloadSpan  = 30 * time.Second
	downloadLeast = 64 << 10
	largeDownload = 4 << 20 // bytes; the card says that the video is on its way
)

// media is the output of one job on its way to disk. It is kept from one try
// of the delivery to the next.
type media struct {
	e        *Engine
	job      Job
	slow     func()            // it takes a moment that a person notices
	progress func(percent int) // of making it fit
	quiet    func()            // returns when the card is not being edited

	mu   sync.Mutex
	dir  string
	file File                // the original, once downloaded
	fits map[int64]fitResult // by limit
	kept int64               // bytes on disk that Engine.kept counts
	away bool                // the last fetch failed: no fault of the conversation
}

// fitResult is what came of making the video fit: a file, or a *LinkError.
type fitResult struct {
	file File
	err  error
}

func (e *Engine) media(r *run, j Job) *media {
	return &media{
		e: e, job: j,
		slow:  r.card.refresh,
		quiet: r.card.wait,
		progress: func(percent int) {
			r.setProgress(func(p *Progress) { p.Fitting = max(p.Fitting, percent) })
			r.card.refresh()
		},
	}
}

// fetch is Video.Fetch.
func (m *media) fetch(ctx context.Context, limit int64) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	defer m.quiet()
	if done, ok := m.fits[limit]; ok && (done.err != nil || done.file.there()) {
		return done.file, done.err
	}
	if !m.file.there() {
		most := m.e.cfg.Media.MaxBytes
		if m.e.cfg.Media.Fitter == nil {
			most = min(most, limit)
		}
		if err := m.download(ctx, most); err != nil {
			err = m.orLink(ctx, err)
			_, link := errors.AsType[*LinkError](err)
			m.away = !link
			return File{}, err
		}
	}
	m.away = false
	file, err := m.fit(ctx, limit)
	if err == nil {
		file = m.marked(ctx, file, limit)
	}
	if ctx.Err() != nil {
		return File{}, ctx.Err()
	}
	if m.fits == nil {
		m.fits = map[int64]fitResult{}
	}
	m.fits[limit] = fitResult{file, err}
	return file, err
}

// fit makes the original fit into limit bytes, or asks for a link.
func (m *media) fit(ctx context.Context, limit int64) (File, error) {
	fitter, large := m.e.cfg.Media.Fitter, m.file.Size > limit
	if fitter == nil && large {
		return File{}, &LinkError{&TooLargeError{Size: m.file.Size, Limit: limit}}
	}
	if fitter == nil {
		return m.file, nil
	}
	fitted, err := fitter.Fit(ctx, m.file, m.dir, m.room(limit), m.progress)
	switch _, known := errors.AsType[*TooLargeError](err); {
	case err == nil || ctx.Err() != nil:
		return fitted, err
	case !large:
		// A tool that stumbles over the file is no reason to withhold it.
		m.e.log.WarnContext(ctx, "cannot check the video", "job", m.job.ID, "error", err)
		return m.file, nil
	case !known:
		m.e.log.WarnContext(ctx, "cannot make the video smaller; a link takes its place", "job", m.job.ID, "error", err)
		err = &TooLargeError{Size: m.file.Size, Limit: limit}
	}
	return File{}, &LinkError{err}
}

// orLink turns an error of the download that stays into the one that asks for a
// link: what was paid for is not kept back because this machine can't fetch it.
func (m *media) orLink(ctx context.Context, err error) error {
	if errors.Is(err, ErrGone) || ctx.Err() != nil {
		return err
	}
	if _, large := errors.AsType[*TooLargeError](err); large {
		return &LinkError{err}
	}
	refused, answered := errors.AsType[*ProviderError](err)
	final := errors.Is(err, ErrForeign) || answered && !refused.Temporary
	if !final && time.Since(m.job.deliveringSince()) < fetchTimeout {
		return err
	}
	m.e.log.WarnContext(ctx, "cannot fetch the video; a link takes its place", "job", m.job.ID, "error", err)
	return &LinkError{err}
}

// keptDownloads bounds what the files of all jobs together may take while they
// wait for another try: so many of the largest downloads.
const keptDownloads = 4

// unfetched reports whether there is no file because it can't be fetched now.
func (m *media) unfetched() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.away
}

// keep leaves the files on disk for another try, if there is room for them.
func (m *media) keep() {
	m.mu.Lock()
	defer m.mu.Unlock()
	size := m.file.Size
	for _, f := range m.fits {
		if f.file.Path != m.file.Path && f.file.there() {
			size += f.file.Size
		}
	}
	more := size - m.kept
	m.kept = size
	if m.e.kept.Add(more) > keptDownloads*m.e.cfg.Media.MaxBytes {
		m.clear()
	}
}

// give moves the file with a hash to path, for whoever needs it after the
// delivery. It reports whether that was done.
func (m *media) give(sum, path string) (File, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range m.fits {
		if f.file.SHA256 == sum && os.Rename(f.file.Path, path) == nil {
			f.file.Path = path
			return f.file, true
		}
	}
	return File{}, false
}

// remove deletes what was written to disk.
func (m *media) remove() {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clear()
}

// clear deletes what was written to disk. What was found out stays known. The
// caller holds mu.
func (m *media) clear() {
	m.e.kept.Add(-m.kept)
	m.kept = 0
	if m.dir == "" {
		return
	}
	if err := os.RemoveAll(m.dir); err != nil {
		m.e.log.Warn("cannot remove temporary files", "job", m.job.ID, "error", err)
	}
	m.dir, m.file = "", File{}
}

// leftover is the name of a directory of a job's files.
var leftover = regexp.MustCompile(`^ltx-[0-9a-z]{12}-[0-9]+$`)

// leftoverAge is how old the files of a process that was killed are when they
// are deleted: no delivery takes so long.
const leftoverAge = giveUpAfter + time.Hour

// SweepFiles deletes the folders of videos that processes that were killed have
// left behind. Start does so, too.
func (e *Engine) SweepFiles(ctx context.Context) {
	root := cmp.Or(e.cfg.Media.Dir, os.TempDir())
	entries, err := os.ReadDir(root)
	if err != nil {
		e.log.WarnContext(ctx, "cannot look for files that a crash has left", "error", err)
		return
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !entry.IsDir() || !leftover.MatchString(entry.Name()) || time.Since(info.ModTime()) < leftoverAge {
			continue
		}
		if err := os.RemoveAll(filepath.Join(root, entry.Name())); err != nil {
			e.log.WarnContext(ctx, "cannot remove files that a crash has left", "folder", entry.Name(), "error", err)
			continue
		}
		e.log.InfoContext(ctx, "removed files that a crash has left", "folder", entry.Name())
	}
}

// download brings the original, of at most so many bytes, to disk, taking up
// again where a broken connection left off.
func (m *media) download(ctx context.Context, most int64) error {
	m.clear()
	if m.dir == "" {
		dir, err := os.MkdirTemp(m.e.cfg.Media.Dir, mediaDir(m.job.ID))
		if err != nil {
			return fmt.Errorf("make room for the video: %w", err)
		}
		m.dir = dir
	}
	path := filepath.Join(m.dir, "original")
	out, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // a path of our own making
	if err != nil {
		return fmt.Errorf("write the video: %w", err)
	}
	defer func() { _ = out.Close() }()
	var size int64
	left := downloadMost
	for try := 1; ; try++ {
		n, took, err := m.more(ctx, out, size, most, left)
		size += n
		left -= took
		if err == nil {
			break
		}
		var large *TooLargeError
		if errors.As(err, &large) || errors.Is(err, ErrGone) || ctx.Err() != nil || try == downloadTries || left <= 0 {
			return fmt.Errorf("download the video: %w", err)
		}
		if !wait(ctx, backoff(try, downloadPause, 10*time.Second)) {
			return ctx.Err()
		}
	}
	kind, err := sniff(out)
	if err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("write the video: %w", err)
	}
	m.file = File{
		Path: path, Size: size, Fit: FitOriginal,
		Name: FileStem(m.job.ID) + kind.ext, ContentType: kind.contentType,
	}
	return nil
}

// more appends what comes from offset on to out within so much time, and says
// how many bytes that was and how long it took.
func (m *media) more(ctx context.Context, out *os.File, offset, most int64, within time.Duration) (n int64, took time.Duration, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	body, err := m.e.cfg.Provider.Open(ctx, m.job.Output.URL, offset)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = body.Body.Close() }()
	began := time.Now()
	over := time.AfterFunc(within, cancel)
	defer over.Stop()
	n, err = m.read(body, out, offset, most, cancel)
	return n, time.Since(began), err
}

// read is more, of a body. cancel ends it.
func (m *media) read(body Media, out *os.File, offset, most int64, cancel func()) (int64, error) {
	if body.Size > most {
		return 0, &TooLargeError{Size: body.Size, Limit: most}
	}
	if body.Size > largeDownload {
		m.slow()
	}
	if body.Offset > offset {
		return 0, fmt.Errorf("media starts at byte %d, want %d", body.Offset, offset)
	}
	if _, err := out.Seek(body.Offset, io.SeekStart); err != nil {
		return 0, err
	}
	span := time.AfterFunc(downloadSpan, cancel)
	defer span.Stop()
	n, err := copyMedia(out, io.LimitReader(&paced{r: body.Body, span: span}, most-body.Offset+1))
	end := body.Offset + n
	switch {
	case err != nil:
		return max(0, end-offset), err
	case end > most:
		return 0, &TooLargeError{Size: body.Size, Limit: most}
	case body.Size >= 0 && end < body.Size:
		return max(0, end-offset), io.ErrUnexpectedEOF
	}
	return end - offset, nil
}

// paced puts off the end of the span each time that enough bytes have come.
type paced struct {
	r    io.Reader
	span *time.Timer
	came int // bytes in this span
}

func (p *paced) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	if p.came += n; p.came >= downloadLeast {
		p.came = 0
		p.span.Reset(downloadSpan)
	}
	return n, err
}

// mediaKind is what a file is, by its first bytes.
type mediaKind struct {
	offset      int
	magic       string
	ext         string
	contentType string
}

// mediaKinds are the outputs of the model.
var mediaKinds = []mediaKind{
	{4, "ftypqt", ".mov", "video/quicktime"},
	{4, "ftyp", ".mp4", "video/mp4"},
	{0, "\x1a\x45\xdf\xa3", ".webm", "video/webm"},
	{0, "GIF8", ".gif", "image/gif"},
}

// errNotVideo says that what was downloaded is no video.
var errNotVideo = errors.New("downloaded file is not a video")

// sniff tells what a file is by its first bytes, whatever its name says.
func sniff(f *os.File) (mediaKind, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return mediaKind{}, err
	}
	head, _ := bufio.NewReader(f).Peek(16)
	for _, k := range mediaKinds {
		if len(head) > k.offset && bytes.HasPrefix(head[k.offset:], []byte(k.magic)) {
			return k, nil
		}
	}
	return mediaKind{}, errNotVideo
}
