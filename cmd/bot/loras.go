package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"ltxbot/app"
	"ltxbot/app/admin"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/config"
	"ltxbot/core/library"

	"github.com/pelletier/go-toml/v2"
)

// lorasCmd looks at a team's library and changes it, in the running bot by its
// admin API. Its words are those that people type in a chat; besides, all of a
// library can be written to a file and read from one.
type lorasCmd struct {
	botFlags
	Team string        `help:"Whose library: a team of the config, discord:GUILD-ID or slack:WORKSPACE-ID. Not needed when the config has one team."`
	JSON bool          `help:"Print JSON."`
	Look time.Duration `default:"5m" help:"How long an import may look at the files of LoRAs, in all. What is left is added as it is."`
	Word []string      `arg:"" optional:"" complete:"library" help:"What to do, as in a chat after /ltx loras; without it, a list."`
}

// The words that are no order.
const (
	exportWord = "export"
	importWord = "import"
	uploadWord = "upload"
)

// Help lists what there is to do.
func (lorasCmd) Help() string {
	var b strings.Builder
	fmt.Fprintln(&b, "What to do:")
	fmt.Fprintln(&b)
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, v := range library.Verbs() {
		if !v.InChat {
			fmt.Fprintf(table, "  %s\t%s\n", v.Usage(), v.Help)
		}
	}
	fmt.Fprintf(table, "  %s\t%s\n", exportWord, "Print all of a team as TOML")
	fmt.Fprintf(table, "  %s\t%s\n", importWord+" FILE", "Add what a file has, and replace what has the same name; - reads standard input")
	fmt.Fprintf(table, "  %s\t%s\n", uploadWord+" NAME FILE", "Upload a .safetensors file of up to 3 GB to fal's storage, and give it a name")
	_ = table.Flush() // a Builder takes everything
	fmt.Fprintln(&b)
	fmt.Fprint(&b, "A value with spaces is one word of the shell: trigger:'35mm film'.")
	return b.String()
}

// Run gives an order.
func (c lorasCmd) Run(ctx context.Context, term terminal) error {
	switch {
	case len(c.Word) == 0:
		_, err := fmt.Fprintln(term.out, c.Help())
		return err
	case c.Word[0] == library.VerbCheck && len(c.Word) == 2:
		return c.check(ctx, c.Word[1], term)
	case c.Word[0] == exportWord && len(c.Word) == 1:
		return c.ask(ctx, func(bot *admin.Client) error { return c.export(ctx, bot, term.out) }, nil)
	case c.Word[0] == importWord && len(c.Word) == 2:
		return c.read(ctx, c.Word[1], term)
	}
	words := c.Word
	if words[0] == uploadWord && len(words) > 2 {
		link, err := c.upload(ctx, words[2], term)
		if err != nil {
			return err
		}
		words = slices.Concat([]string{library.VerbAdd, words[1], link}, words[3:])
	}
	o, err := library.Verbs().Parse(words)
	if err != nil {
		return &exitError{2, err}
	}
	o.Team = c.Team
	form := admin.Text
	if c.JSON {
		form = admin.JSON
	}
	return c.ask(ctx, func(bot *admin.Client) error { return bot.Library(ctx, o, form, term.out) }, nil)
}

// printer writes what a bot of this config says, in English.
func printer(cfg config.Config) text.Printer {
	return text.BuiltInCatalog().Printer(text.DefaultLanguage, cfg.Slack.Command)
}

// errUnusable is what check ends with when the LoRA can't be used.
var errUnusable = errors.New("the LoRA can't be used")

// check says what a LoRA is. It needs no key and no running bot.
func (c lorasCmd) check(ctx context.Context, link string, term terminal) error {
	cfg, err := readConfig(c.Config)
	if err != nil {
		return err
	}
	check, err := app.LookAtLoRA(ctx, cfg, app.Options{Version: versionText()}, link)
	switch {
	case err != nil:
		return err
	case c.JSON:
		err = printJSON(term.out, check.Finding)
	default:
		err = view.WriteText(term.out, view.LoRAChecked(printer(cfg), check))
	}
	if check.Finding != nil && !check.Finding.Usable() && err == nil {
		err = errUnusable
	}
	return err
}

// upload puts a file on fal's storage and says where it is: what follows may be
// refused, and is given again with the link.
func (c lorasCmd) upload(ctx context.Context, file string, term terminal) (link string, err error) {
	cfg, err := loadConfig(c.Config)
	if err != nil {
		return "", err
	}
	link, found, err := app.UploadLoRA(ctx, cfg, app.Options{Version: versionText()}, file)
	if err == nil && found.Usable() {
		fmt.Fprintf(term.err, "uploaded: %s\n", link)
		return link, nil
	}
	if err == nil {
		_ = view.WriteText(term.err, view.LoRAChecked(printer(cfg), library.Look{Finding: &found}))
		err = errUnusable
	}
	return "", err
}

func (c lorasCmd) export(ctx context.Context, bot *admin.Client, w io.Writer) error {
	file, err := bot.ExportLibrary(ctx, c.Team)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(w, file)
	}
	return toml.NewEncoder(w).Encode(file)
}
