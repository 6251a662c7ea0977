package bot

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ltxbot/bot/command"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
)

// sameFile is how many jobs that posted one file are looked at.
const sameFile = 20

// Verify tells what is known of a video that was posted, by the id of its job or
// the link of its message.
func (svc *Service) Verify(ctx context.Context, c Caller, what string) view.Message {
	p := svc.Printer(c.Locale)
	what = strings.TrimSpace(what)
	if what == "" {
		return view.Answer(p, "verify.what")
	}
	c = svc.known(ctx, c)
	if link, ok := messageLink(what); ok {
		jobs, err := svc.posted(ctx, generate.PostedLink(link))
		if err != nil {
			return svc.sorry(ctx, c, "error.unreadable", "verify a message", err)
		}
		jobs = slices.DeleteFunc(jobs, func(j generate.Job) bool { return !c.sees(j) })
		slices.SortFunc(jobs, func(a, b generate.Job) int { return cmp.Compare(a.Batch.Index, b.Batch.Index) })
		if len(jobs) > 0 {
			return view.Verified(p, view.Verdict{Job: &jobs[0], Takes: jobs[1:]})
		}
		return view.Answer(p, "verify.no_message")
	}
	j, err := svc.job(ctx, c, what)
	if err == nil && !c.sees(j) {
		err = generate.ErrNoJob // of a private one not even that it exists
	}
	if err != nil {
		return svc.jobRefusal(ctx, err, c, what)
	}
	return view.Verified(p, view.Verdict{Job: &j})
}

// VerifyFile tells what is known of the file at path: first by its hash, which
// nobody can forge, then by the mark in it, which anybody can write. Who asked
// for it is told to their own team only, and of private videos nothing that the
// file does not say by itself.
func (svc *Service) VerifyFile(ctx context.Context, c Caller, path string) view.Message {
	if svc.cfg.Evidence == nil {
		return svc.sorry(ctx, c, "error.unreadable", "verify a file", errors.New("this service reads no files"))
	}
	found, err := svc.cfg.Evidence(ctx, path)
	if err != nil {
		return svc.sorry(ctx, c, "error.unreadable", "verify a file", err)
	}
	c = svc.known(ctx, c)
	v := view.Verdict{File: &found}
	jobs, err := svc.posted(ctx, generate.PostedFile(found.SHA256))
	if err != nil {
		return svc.sorry(ctx, c, "error.unreadable", "verify a file", err)
	}
	for i, j := range jobs {
		if c.sees(j) {
			v.Exact, v.Job = true, &jobs[i]
			break
		}
		v.Exact = v.Exact || !isPrivate(j)
	}
	if !v.Exact && found.Mark != nil {
		if j, err := svc.job(ctx, c, found.Mark.Job); err == nil && c.sees(j) {
			v.Job = &j
		}
	}
	return view.Verified(svc.Printer(c.Locale), v)
}

// maxVerified is the largest file that is verified for a person, in bytes: more
// than the bot posts.
const maxVerified = 200 << 20

// verifyDir names the folder of a file that is verified. It looks like that of a
// job's files, so that what a crash has left is removed with those.
const verifyDir = "ltx-000000verify-"

// VerifyGiven is VerifyFile for a file that a person gave, which open opens.
func (svc *Service) VerifyGiven(ctx context.Context, c Caller, open func(context.Context) (generate.Media, error)) view.Message {
	p := svc.Printer(c.Locale)
	dir, err := os.MkdirTemp(svc.cfg.TempDir, verifyDir)
	if err != nil {
		return svc.sorry(ctx, c, "error.unreadable", "verify a file", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "given")
	var large *generate.TooLargeError
	switch err := fetch(ctx, path, maxVerified, open); {
	case errors.As(err, &large):
		return view.Answer(p, "verify.too_large", "limit", maxVerified>>20)
	case err != nil:
		svc.log.WarnContext(ctx, "cannot fetch a file to verify", "member", c.Member, "team", c.Team, "error", err)
		return view.Answer(p, "verify.unopened")
	}
	return svc.VerifyFile(ctx, c, path)
}

// fetch writes what open opens, at most most bytes, to a new file.
func fetch(ctx context.Context, path string, most int64, open func(context.Context) (generate.Media, error)) (err error) {
	in, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = in.Body.Close() }()
	if in.Size > most {
		return &generate.TooLargeError{Size: in.Size, Limit: most}
	}
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // a path of our own making
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	n, err := io.Copy(out, io.LimitReader(in.Body, most+1))
	switch {
	case err == nil && n > most:
		err = &generate.TooLargeError{Size: n, Limit: most}
	case err == nil && in.Size >= 0 && n < in.Size:
		err = io.ErrUnexpectedEOF
	}
	return err
}

// posted are the jobs with a video of this name.
func (svc *Service) posted(ctx context.Context, name string) ([]generate.Job, error) {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	return svc.cfg.Generator.Jobs(ctx, generate.Query{Posted: name, Limit: sameFile})
}

// sees reports whether the caller may see a job: an own one, or one of the team
// that is not private, for an outsider in the same channel.
func (c Caller) sees(j generate.Job) bool { return c.owns(j) || c.reaches(j) && !isPrivate(j) }

// reaches reports whether a job of somebody else exists for the caller.
func (c Caller) reaches(j generate.Job) bool {
	return j.Team == c.Team && (!c.Outsider || j.Place.Channel == c.Channel)
}

func isPrivate(j generate.Job) bool { return j.Request.Private || j.Place.Private }

// discordHosts are the names of one site.
var discordHosts = []string{"ptb.discord.com", "canary.discord.com", "discordapp.com", "www.discord.com"}

// messageLink reads the link of a message, as people paste it and as platforms
// write it.
func messageLink(typed string) (string, bool) {
	typed, _, _ = strings.Cut(strings.Trim(typed, "<>`\"“”"), "|")
	u, err := url.Parse(typed)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return "", false
	}
	u.Host = strings.ToLower(u.Host)
	if slices.Contains(discordHosts, u.Host) {
		u.Host = "discord.com"
	}
	return u.String(), true
}

// verifyOrder is what follows "verify" in an order about jobs.
func verifyOrder(args []string) (what string, ok bool) {
	if len(args) == 2 && strings.EqualFold(args[0], command.VerbVerify) {
		return args[1], true
	}
	return "", false
}
