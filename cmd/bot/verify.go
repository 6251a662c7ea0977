package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"ltxbot/app/admin"
	"ltxbot/core/generate"
	"ltxbot/media"
	"ltxbot/store"
)

// jobsVerifyCmd tells where a file comes from.
type jobsVerifyCmd struct {
	botFlags
	File string `arg:"" type:"existingfile" help:"The video: MP4, MOV, WebM or GIF."`
	JSON bool   `help:"Print JSON."`
}

// verified is what is known of a file.
type verified struct {
	generate.Evidence

	Posted []admin.Job `json:"posted"`          // the jobs whose video is this very file, newest first
	Named  *admin.Job  `json:"named,omitempty"` // the job that the mark in the file names
}

// Run tells where a file comes from: by its hash, then by the mark in it.
func (c jobsVerifyCmd) Run(ctx context.Context, term terminal) error {
	found, err := media.ReadEvidence(ctx, c.File)
	if err != nil {
		return err
	}
	out := verified{Evidence: found, Posted: []admin.Job{}}
	q := generate.Query{Posted: generate.PostedFile(found.SHA256), Limit: admin.MaxList}
	err = c.ask(
		ctx,
		func(bot *admin.Client) error {
			jobs, err := bot.Jobs(ctx, q)
			if err != nil {
				return err
			}
			out.Posted = append(out.Posted, jobs...)
			if found.Mark == nil || found.Mark.Job == "" {
				return nil
			}
			j, err := bot.Job(ctx, found.Mark.Job)
			return out.named(j, err)
		},
		func(s *store.Store) error {
			jobs, err := s.Jobs(ctx, q)
			if err != nil {
				return err
			}
			for _, j := range jobs {
				out.Posted = append(out.Posted, admin.Summary(j))
			}
			if found.Mark == nil || found.Mark.Job == "" {
				return nil
			}
			j, err := s.Job(ctx, found.Mark.Job)
			return out.named(admin.Summary(j), err)
		})
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(term.out, out)
	}
	out.write(term.out)
	return nil
}

// named takes in the job that the mark names, if there is one.
func (v *verified) named(j admin.Job, err error) error {
	var answer *admin.Error
	switch {
	case err == nil:
		v.Named = &j
	case errors.Is(err, generate.ErrNoJob), errors.As(err, &answer) && answer.NotFound():
	default:
		return err
	}
	return nil
}

// write says it for people.
func (v *verified) write(w io.Writer) {
	fmt.Fprintf(w, "SHA-256 %s\n", v.SHA256)
	for _, j := range v.Posted {
		fmt.Fprintf(w, "posted: exactly this file, made by AI, for job %s of %s in team %s on %s\n", j.ID, j.Member, j.Team, j.Finished.Local().Format(time.DateTime))
		if j.Link != "" {
			fmt.Fprintf(w, "  %s\n", j.Link)
		}
	}
	if len(v.Posted) == 0 {
		fmt.Fprintln(w, "posted: not this file")
	}
	if m := v.Mark; m == nil {
		fmt.Fprintln(w, "mark: none; editing and other apps remove it, so that proves nothing")
	} else {
		fmt.Fprintf(w, "mark: made by AI with %q for job %q, says the file; anybody can write that\n", m.Model, m.Job)
		if v.Named != nil && len(v.Posted) == 0 {
			fmt.Fprintf(w, "  there is such a job, of %s in team %s; its video was another file\n", v.Named.Member, v.Named.Team)
		}
	}
	if v.Signed {
		fmt.Fprintln(w, "signed: it has Content Credentials (C2PA), which are not checked here")
	}
}
