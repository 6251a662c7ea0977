package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"text/tabwriter"
	"time"

	"ltxbot/app"
	"ltxbot/app/admin"
	"ltxbot/config"
	"ltxbot/core/generate"
	"ltxbot/store"
	"ltxbot/store/bolt"
)

// jobsCmd is about jobs: of the running bot, by its admin API, or of the store
// while no bot runs.
type jobsCmd struct {
	List    jobsListCmd    `cmd:"" help:"List jobs, newest first."`
	Show    jobsShowCmd    `cmd:"" help:"Show one job, with its prompt."`
	Verify  jobsVerifyCmd  `cmd:"" help:"Tell whether a file is a video that the bot has posted, and what the mark in it says."`
	Cancel  jobsCancelCmd  `cmd:"" help:"Ask the running bot to stop a job."`
	GiveUp  jobsGiveUpCmd  `cmd:"" name:"give-up" help:"Have the running bot end a job at once, whatever it waits for."`
	Deliver jobsDeliverCmd `cmd:"" help:"Have the running bot post a video that was made and could not be posted."`
	Backup  jobsBackupCmd  `cmd:"" help:"Write a copy of the store (bolt:) to a new file, while the bot runs or not."`
	Export  jobsExportCmd  `cmd:"" help:"Print all that is kept of a member's jobs, as JSON."`
	Erase   jobsEraseCmd   `cmd:"" help:"Erase prompts, settings and links of a member's finished jobs."`
}

// botFlags say which bot is meant.
type botFlags struct {
	configFlag
	URL string `help:"Address of the running bot's web server; without it, that of the config on this machine."`
}

type jobsListCmd struct {
	botFlags
	Team       string     `help:"Only of this team."`
	Member     memberName `help:"Only of this member, such as discord:80351110224678912."`
	Unfinished bool       `short:"u" help:"Only those under way."`
	Limit      int        `default:"20" help:"At most so many, up to 1000."`
	JSON       bool       `help:"Print JSON."`
}

// Run lists jobs.
func (c jobsListCmd) Run(ctx context.Context, term terminal) error {
	if c.Limit < 1 || c.Limit > admin.MaxList {
		return &exitError{2, fmt.Errorf("--limit must be from 1 to %d", admin.MaxList)}
	}
	q := generate.Query{Team: c.Team, Member: string(c.Member), Unfinished: c.Unfinished, Limit: c.Limit}
	var jobs []admin.Job
	err := c.ask(
		ctx,
		func(bot *admin.Client) (err error) {
			jobs, err = bot.Jobs(ctx, q)
			return err
		},
		func(s *store.Store) error {
			found, err := s.Jobs(ctx, q)
			for _, j := range found {
				jobs = append(jobs, admin.Summary(j))
			}
			if err == nil && len(found) == 0 {
				err = c.checkTeam(ctx, s, c.Team)
			}
			return err
		})
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(term.out, admin.JobList{Jobs: append([]admin.Job{}, jobs...)})
	}
	table := tabwriter.NewWriter(term.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "JOB\tSTATE\tCREATED\tTEAM\tMEMBER\tCOST\tTAKE")
	for _, j := range jobs {
		state := j.State
		if j.Failure != "" {
			state += ": " + j.Failure
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s%s\n", j.ID, state, j.Created.Local().Format(time.DateTime), j.Team, j.Member, costs(j), takeOf(j))
	}
	return table.Flush()
}

// takeOf is the last cell of a job of a command for several videos: "take 2 of
// 3, with job k3f92mq7abcd". Other jobs have none.
func takeOf(j admin.Job) string {
	switch b := j.Batch; {
	case b == nil:
		return ""
	case b.Take == 1:
		return fmt.Sprintf("\ttake 1 of %d", b.Size)
	default:
		return fmt.Sprintf("\ttake %d of %d, with job %s", b.Take, b.Size, b.Lead)
	}
}

// costs is what a job was charged, or before that is known what it is expected
// to cost: "≈ $0.13".
func costs(j admin.Job) string {
	if j.Finished.IsZero() && j.Charged == 0 {
		return fmt.Sprintf("≈ $%.2f", j.Estimate)
	}
	return fmt.Sprintf("$%.2f", j.Charged)
}

// jobFlags say which job is meant.
type jobFlags struct {
	botFlags
	ID string `arg:"" help:"The job's id, as on its card."`
}

type jobsShowCmd struct{ jobFlags }

// Run shows a job.
func (c jobsShowCmd) Run(ctx context.Context, term terminal) error {
	var j admin.Job
	err := c.ask(
		ctx,
		func(bot *admin.Client) (err error) {
			j, err = bot.Job(ctx, c.ID)
			return err
		},
		func(s *store.Store) error {
			found, err := s.Job(ctx, c.ID)
			j = admin.Details(found)
			return err
		})
	if err != nil {
		return err
	}
	return printJSON(term.out, j)
}

type jobsCancelCmd struct{ jobFlags }

// Run asks to stop a job.
func (c jobsCancelCmd) Run(ctx context.Context, term terminal) error {
	return c.change(ctx, (*admin.Client).Cancel, func(j admin.Job) {
		fmt.Fprintf(term.out, "%s is %s and will be stopped\n", j.ID, j.State)
	})
}

type jobsGiveUpCmd struct{ jobFlags }

// Run gives a job up.
func (c jobsGiveUpCmd) Run(ctx context.Context, term terminal) error {
	return c.change(ctx, (*admin.Client).GiveUp, func(j admin.Job) {
		fmt.Fprintf(term.out, "%s is %s, charged %s\n", j.ID, j.State, costs(j))
	})
}

type jobsDeliverCmd struct{ jobFlags }

// Run has a job delivered again.
func (c jobsDeliverCmd) Run(ctx context.Context, term terminal) error {
	return c.change(ctx, (*admin.Client).Deliver, func(j admin.Job) { fmt.Fprintf(term.out, "%s is %s\n", j.ID, j.State) })
}

// change has the running bot change a job, and says what became of it.
func (f jobFlags) change(ctx context.Context, do func(*admin.Client, context.Context, string) (admin.Job, error), say func(admin.Job)) error {
	return f.ask(ctx, func(bot *admin.Client) error {
		j, err := do(bot, ctx, f.ID)
		if err == nil {
			say(j)
		}
		return err
	}, nil)
}

// ask asks the running bot or, where none runs, looks into its store; without
// a way to look, a bot must run.
func (f botFlags) ask(ctx context.Context, bot func(*admin.Client) error, look func(*store.Store) error) error {
	cfg, err := config.Load(f.Config, lenient)
	if err != nil {
		return &exitError{2, err}
	}
	token := cfg.HTTP.AdminToken.Reveal()
	if token != "" {
		url := f.URL
		if url == "" {
			url = admin.BaseURL(cfg.HTTP.Ops())
		}
		err := bot(admin.NewClient(url, token))
		if look == nil || f.URL != "" || !errors.Is(err, admin.ErrNotRunning) {
			return err
		}
	}
	if look == nil || f.URL != "" {
		return &exitError{2, errNoToken}
	}
	s, err := app.OpenRecords(ctx, cfg, slog.New(slog.DiscardHandler))
	if errors.Is(err, bolt.ErrInUse) {
		return fmt.Errorf("another process is using this file: %w", errNoToken)
	}
	if err != nil {
		return err
	}
	return errors.Join(look(s), s.Close())
}

// checkTeam returns an error for a team that nobody knows; "" is all teams.
func (f botFlags) checkTeam(ctx context.Context, s *store.Store, team string) error {
	if team == "" {
		return nil
	}
	cfg, err := config.Load(f.Config, lenient)
	if err != nil {
		return err
	}
	known, err := app.Teams(ctx, cfg, s)
	if err != nil {
		return err
	}
	return admin.CheckTeam(team, known)
}

// lenient is the environment, with every variable that is not set taken as
// empty: of all secrets, only the admin token is used.
func lenient(name string) (string, bool) { return os.Getenv(name), true }

// errNoToken says why a running bot can't be asked.
var errNoToken = errors.New("a running bot is asked by its admin API: set http.admin_token in its config, and start it again")

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
