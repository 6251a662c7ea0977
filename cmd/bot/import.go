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
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"ltxbot/app/admin"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/core/library"
	"ltxbot/core/team"

	"github.com/pelletier/go-toml/v2"
)

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
		in := &libraryImport{lorasCmd: c, bot: bot, term: term, printer: printer(cfg), until: time.Now().Add(c.Look)}
		return in.run(ctx, file)
	}, nil)
}

// How many LoRAs are given to the bot at a time: it looks at the file of each.
const (
	importAtATime = 8
	importAtAHost = 2 // as many as the bot looks at
)

// A libraryImport gives what a file has to the bot, and tells what came of it.
type libraryImport struct {
	lorasCmd
	bot     *admin.Client
	term    terminal
	printer text.Printer
	until   time.Time // then no more files are looked at

	mu      sync.Mutex
	refused int
	unseen  int
}

// run gives the LoRAs, several at a time, and then the styles, which may name them.
func (in *libraryImport) run(ctx context.Context, file admin.LibraryFile) error {
	working, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var group sync.WaitGroup
	places := make(chan struct{}, importAtATime)
	for _, queue := range queues(file.LoRAs) {
		group.Go(func() {
			for _, e := range queue {
				places <- struct{}{}
				args := e.Args()
				args["trigger"] = cmp.Or(args["trigger"], library.None) // not those of the file
				if err := in.put(working, library.VerbAdd, library.VerbEdit, args); err != nil {
					stop(err)
				}
				<-places
			}
		})
	}
	group.Wait()
	if working.Err() != nil {
		return context.Cause(working)
	}
	for _, s := range file.Styles {
		if err := in.put(ctx, library.VerbStyleAdd, library.VerbStyleEdit, s.Args()); err != nil {
			return err
		}
	}
	fmt.Fprintf(in.term.out, "%d LoRAs and %d styles were read; %d were refused", len(file.LoRAs), len(file.Styles), in.refused)
	if in.unseen > 0 {
		fmt.Fprintf(in.term.out, "; the files of %d were not looked at", in.unseen)
	}
	fmt.Fprintln(in.term.out)
	if in.refused > 0 {
		return &exitError{1, errors.New("not all of it was taken")}
	}
	return nil
}

// queues share LoRAs out so that a few are at one host at a time. Those of one name
// stay in order: the last one counts.
func queues(loras []library.Entry) [][]library.Entry {
	var all [][]library.Entry
	atHost, ofName := map[string][]int{}, map[string]int{}
	for _, e := range loras {
		host := "huggingface.co"
		if u, err := url.Parse(e.Path); err == nil && u.Host != "" {
			host = strings.ToLower(u.Host)
		}
		queue, again := ofName[library.Fold(e.Name)]
		if !again {
			if len(atHost[host]) < importAtAHost {
				atHost[host], all = append(atHost[host], len(all)), append(all, nil)
			}
			queue = slices.MinFunc(atHost[host], func(a, b int) int { return len(all[a]) - len(all[b]) })
			ofName[library.Fold(e.Name)] = queue
		}
		all[queue] = append(all[queue], e)
	}
	return all
}

// put gives one thing. That it is refused does not keep the rest out.
func (in *libraryImport) put(ctx context.Context, add, edit string, args map[string]string) error {
	lookFor := max(time.Until(in.until), 1)
	report, did, err := in.lorasCmd.put(ctx, in.bot, add, edit, args, lookFor)
	answer, refused := errors.AsType[*admin.Error](err)
	if err != nil && !refused {
		return err
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if report.Unseen {
		in.unseen++
		if report.Unseen = !time.Now().After(in.until); !report.Unseen {
			fmt.Fprintf(in.term.err, "%s: there was no time to look at its file; in the chat, loras check %[1]s does that later\n", args["name"])
		}
	}
	if told := view.Brought(in.printer, report); told.Plain != "" {
		fmt.Fprintf(in.term.err, "%s: %s\n", args["name"], told.Plain)
	}
	if refused {
		in.refused++
		fmt.Fprintf(in.term.err, "%s: %s\n", args["name"], answer.Text)
		return nil
	}
	_, err = fmt.Fprintf(in.term.out, "%s: %s\n", args["name"], did)
	return err
}

// put adds something. What has its name already is changed to be like it. did says
// which of both it was.
func (c lorasCmd) put(ctx context.Context, bot *admin.Client, add, edit string, args map[string]string, lookFor time.Duration) (_ library.Report, did string, _ error) {
	give := func(o team.Order) (r library.Report, err error) {
		o.Team, o.LookFor = c.Team, lookFor
		var answer bytes.Buffer
		if err = bot.Library(ctx, o, admin.JSON, &answer); err == nil {
			err = json.Unmarshal(answer.Bytes(), &r)
		}
		return r, err
	}
	r, refused := give(team.Order{Verb: add, Args: args})
	if !answered(refused, http.StatusConflict) {
		return r, "added", refused
	}
	switch r, err := give(library.Filled(team.Order{Verb: edit, Args: args})); {
	case answered(err, http.StatusConflict):
		return r, "it is so already", nil
	case answered(err, http.StatusNotFound): // there is no room for another one
		return r, "", refused
	default:
		return r, "changed", err
	}
}

func answered(err error, status int) bool {
	answer, ok := errors.AsType[*admin.Error](err)
	return ok && answer.Status == status
}
