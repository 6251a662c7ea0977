package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"ltxbot/app"
	"ltxbot/app/admin"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/config"
	"ltxbot/core/library"
	"ltxbot/core/team"

	"github.com/pelletier/go-toml/v2"
)

// lorasCmd looks at a team's library and changes it, in the running bot by its
// admin API. Its words are those that people type in a chat; besides, all of a
// library can be written to a file and read from one.
type lorasCmd struct {
	botFlags
	Team string   `help:"Whose library: a team of the config, discord:GUILD-ID or slack:WORKSPACE-ID. Not needed when the config has one team."`
	JSON bool     `help:"Print JSON."`
	Word []string `arg:"" optional:"" complete:"library" help:"What to do, as in a chat after /ltx loras; without it, a list."`
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

// maxImport bounds a file that is imported, in bytes.
const maxImport = 32 << 20

// read adds what a file has. What it can't add does not keep the rest out.
func (c lorasCmd) read(ctx context.Context, name string, term terminal) error {
	in := term.in
	if name != "-" {
		f, err := os.Open(name) //nolint:gosec // the operator names it
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }() // it was read only
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxImport+1))
	switch {
	case err != nil:
		return fmt.Errorf("read %s: %w", name, err)
	case len(data) > maxImport:
		return fmt.Errorf("%s has more than %d MB", name, maxImport>>20)
	}
	var file admin.LibraryFile
	if err := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields().Decode(&file); err != nil {
		if strict, ok := errors.AsType[*toml.StrictMissingError](err); ok {
			return fmt.Errorf("%s has keys that are not known:\n%s", name, strict.String())
		}
		return fmt.Errorf("read %s: %w", name, err)
	}
	cfg, err := readConfig(c.Config)
	if err != nil {
		return err
	}
	return c.ask(ctx, func(bot *admin.Client) error {
		refused := 0
		put := func(add, edit string, args map[string]string) error {
			report, err := c.put(ctx, bot, add, edit, args)
			if told := view.Brought(printer(cfg), report); told.Plain != "" {
				fmt.Fprintf(term.err, "%s: %s\n", args["name"], told.Plain)
			}
			if answer, ok := errors.AsType[*admin.Error](err); ok {
				refused++
				fmt.Fprintf(term.err, "%s: %s\n", args["name"], answer.Text)
				return nil
			}
			return err
		}
		for _, e := range file.LoRAs {
			args := e.Args()
			args["trigger"] = cmp.Or(args["trigger"], library.None) // not those of the file
			if err := put(library.VerbAdd, library.VerbEdit, args); err != nil {
				return err
			}
		}
		for _, s := range file.Styles {
			if err := put(library.VerbStyleAdd, library.VerbStyleEdit, s.Args()); err != nil {
				return err
			}
		}
		fmt.Fprintf(term.out, "%d LoRAs and %d styles were read; %d were refused\n", len(file.LoRAs), len(file.Styles), refused)
		if refused > 0 {
			return &exitError{1, errors.New("not all of it was taken")}
		}
		return nil
	}, nil)
}

// put adds something. What has its name already is changed to be like it.
func (c lorasCmd) put(ctx context.Context, bot *admin.Client, add, edit string, args map[string]string) (library.Report, error) {
	give := func(o team.Order) (r library.Report, err error) {
		o.Team = c.Team
		var answer bytes.Buffer
		if err = bot.Library(ctx, o, admin.JSON, &answer); err == nil {
			err = json.Unmarshal(answer.Bytes(), &r)
		}
		return r, err
	}
	r, refused := give(team.Order{Verb: add, Args: args})
	if !answered(refused, http.StatusConflict) {
		return r, refused
	}
	switch r, err := give(library.Filled(team.Order{Verb: edit, Args: args})); {
	case answered(err, http.StatusConflict): // it is so already
		return r, nil
	case answered(err, http.StatusNotFound): // there is no room for another one
		return r, refused
	default:
		return r, err
	}
}

func answered(err error, status int) bool {
	answer, ok := errors.AsType[*admin.Error](err)
	return ok && answer.Status == status
}
