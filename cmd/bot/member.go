package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"ltxbot/app/admin"
	"ltxbot/config"
	"ltxbot/core/generate"
	"ltxbot/store"
)

// memberFlags say whose data is meant.
type memberFlags struct {
	botFlags
	Member memberName `required:"" help:"Whose data: discord:USER-ID or slack:WORKSPACE-ID:USER-ID. Each of several linked accounts is a member of its own; what it asked for while it was linked is in it."`
	Team   string     `help:"Only in this team; without it, in all."`
}

// memberName is a member as the command line names it. kong refuses what is
// none with exit code 2.
type memberName string

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *memberName) UnmarshalText(text []byte) error {
	member, ok := admin.ParseMember(string(text), "")
	if !ok {
		return fmt.Errorf("%q is not a member: write discord:USER-ID or slack:WORKSPACE-ID:USER-ID", text)
	}
	*m = memberName(member)
	return nil
}

// jobsExportCmd hands out what is kept of a member.
type jobsExportCmd struct{ memberFlags }

// Run prints the data as JSON.
func (c jobsExportCmd) Run(ctx context.Context, term terminal) error {
	data, err := c.data(ctx)
	if err != nil {
		return err
	}
	return printJSON(term.out, data)
}

// data is what is kept of a member.
func (c memberFlags) data(ctx context.Context) (data admin.MemberData, err error) {
	err = c.ask(
		ctx,
		func(bot *admin.Client) (err error) {
			data, err = bot.Member(ctx, c.Team, string(c.Member))
			return err
		},
		func(s *store.Store) (err error) {
			if err := c.checkTeam(ctx, s, c.Team); err != nil {
				return err
			}
			data.Member = string(c.Member)
			data.Jobs, err = generate.Export(ctx, s, c.Team, string(c.Member))
			return err
		})
	return data, err
}

// jobsEraseCmd erases what is kept of a member.
type jobsEraseCmd struct {
	memberFlags
	Yes bool `short:"y" help:"Do not ask. Only on a terminal is there a question."`
}

// Run erases the data and says what is left.
func (c jobsEraseCmd) Run(ctx context.Context, term terminal) error {
	if term.person && !c.Yes {
		if err := c.confirm(ctx, term); err != nil {
			return err
		}
	}
	var done generate.Erased
	err := c.ask(
		ctx,
		func(bot *admin.Client) (err error) {
			done, err = bot.EraseMember(ctx, c.Team, string(c.Member))
			return err
		},
		func(s *store.Store) (err error) {
			if err := c.checkTeam(ctx, s, c.Team); err != nil {
				return err
			}
			cfg, err := config.Load(c.Config, lenient)
			if err != nil {
				return err
			}
			// The next start deletes what fal keeps.
			done, err = generate.Erase(ctx, s, cfg.Fal.AdminKey.Reveal() != "", c.Team, string(c.Member))
			return err
		})
	if err != nil {
		return err
	}
	fmt.Fprintf(term.out, "erased %d jobs of %s; %d are under way, or were lost less than a day ago: erase those again later\n", done.Jobs, c.Member, done.Left)
	if done.Copies > 0 {
		fmt.Fprintf(term.out, "fal keeps its copies of %d of them, since there is no fal.admin_key: delete them at https://fal.ai/dashboard\n", done.Copies)
	}
	return nil
}

// confirm asks whether to erase, and says what.
func (c jobsEraseCmd) confirm(ctx context.Context, term terminal) error {
	data, err := c.data(ctx)
	if err != nil {
		return err
	}
	where := "all teams"
	if c.Team != "" {
		where = c.Team
	}
	fmt.Fprintf(term.out, "Erase prompts, settings and links of %d jobs of %s in %s? It can't be taken back. [y/N] ", len(data.Jobs), c.Member, where)
	answer, _ := bufio.NewReader(term.in).ReadString('\n') // no answer is a no
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return errNotErased
}

// errNotErased says that the person did not say yes.
var errNotErased = errors.New("nothing was erased")
