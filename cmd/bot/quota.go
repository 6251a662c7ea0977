package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"

	"ltxbot/app/admin"
	"ltxbot/core/quota"
	"ltxbot/core/team"
)

// quotaCmd looks at quotas and changes them, in the running bot by its admin
// API. Its words are those that admins type in a chat.
type quotaCmd struct {
	botFlags
	Team string   `help:"Whose quotas: a team of the config, discord:GUILD-ID or slack:WORKSPACE-ID. Not needed when the config has one team."`
	JSON bool     `help:"Print JSON."`
	Word []string `arg:"" optional:"" complete:"verbs" help:"What to do, as in a chat after /ltx admin; without it, a list."`
}

// negative is an amount such as -1, which people write for no limit.
var negative = regexp.MustCompile(`^-[0-9.,]+$`)

// amounts gives the negative amounts of a command line their name: else they
// would be taken for flags.
func amounts(args []string) []string {
	if !slices.Contains(args, "quota") || !slices.Contains(args, "set") {
		return args
	}
	out := slices.Clone(args)
	for i, arg := range out {
		if negative.MatchString(arg) {
			out[i] = "amount=" + arg
		}
	}
	return out
}

// Help lists what there is to do.
func (quotaCmd) Help() string {
	var b strings.Builder
	fmt.Fprintln(&b, "What to do:")
	fmt.Fprintln(&b)
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, v := range team.Verbs() {
		if v.Who != team.Everybody {
			fmt.Fprintf(table, "  %s\t%s\n", v.Usage(), v.Help)
		}
	}
	_ = table.Flush() // a Builder takes everything
	fmt.Fprintln(&b)
	fmt.Fprintln(&b, "WHO is a member, discord:USER-ID or slack:WORKSPACE-ID:USER-ID, or team.")
	fmt.Fprintln(&b, "LIMIT is one of "+strings.Join(quota.LimitNames(), ", ")+",")
	fmt.Fprint(&b, "or over rolling time such as videos_per_24h. An export is CSV.")
	return b.String()
}

// Run gives an order.
func (c quotaCmd) Run(ctx context.Context, term terminal) error {
	if len(c.Word) == 0 {
		_, err := fmt.Fprintln(term.out, c.Help())
		return err
	}
	o, err := team.ParseOrder(c.Word)
	if err != nil {
		return &exitError{2, err}
	}
	o.Team = c.Team
	form := admin.Text
	switch {
	case c.JSON:
		form = admin.JSON
	case o.Verb == "export":
		form = admin.CSV
	}
	return c.ask(ctx, func(bot *admin.Client) error { return bot.Quota(ctx, o, form, term.out) }, nil)
}
