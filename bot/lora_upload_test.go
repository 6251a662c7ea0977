package bot_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"ltxbot/bot"
	"ltxbot/bot/adapter/adaptertest"
	"ltxbot/bot/command"
	"ltxbot/core/generate"
	"ltxbot/core/library"
	"ltxbot/core/library/librarytest"
	"ltxbot/core/ltx"
	"ltxbot/core/team"
)

// fakeUploads keeps files in memory.
type fakeUploads struct {
	files []string
	err   error
}

func (f *fakeUploads) UploadToStay(_ context.Context, name, _ string, body io.ReaderAt, size int64) (string, error) {
	if f.err != nil {
		return "", f.err
	}
	b, err := io.ReadAll(io.NewSectionReader(body, 0, size))
	f.files = append(f.files, string(b))
	return "https://v3.fal.media/files/" + name, err
}

func TestALoRAIsUploadedIntoTheLibrary(t *testing.T) {
	good := library.Finding{BaseModel: "LTX-2.3", Trigger: "clay style"}
	wan := library.Finding{BaseModel: "Wan", Warnings: []library.Warning{{Kind: library.OtherModel, Value: "Wan"}}}
	pickle := library.Finding{Warnings: []library.Warning{{Kind: library.Pickle}}}
	given := func(content string, size int64) func(context.Context) (generate.Media, error) {
		return func(context.Context) (generate.Media, error) {
			return generate.Media{Body: io.NopCloser(strings.NewReader(content)), Size: size}, nil
		}
	}
	gone := func(context.Context) (generate.Media, error) { return generate.Media{}, generate.ErrGone }
	member, admin := bot.Caller{Team: acme, Member: ann, Platform: "discord"}, bot.Caller{Team: acme, Member: bob, Admin: true, Platform: "discord"}
	outsider := admin
	outsider.Outsider = true
	blocked := admin
	blocked.Member = eve
	for _, tt := range []struct {
		name    string
		caller  bot.Caller
		args    map[string]string
		open    func(context.Context) (generate.Media, error)
		finding library.Finding
		upload  error
		want    string
		kept    bool
	}{
		{"a good one", admin, map[string]string{"name": "clay", "scale": "0.7"}, given("weights", 7), good, nil, "lora:clay", true},
		{"one of another model", admin, map[string]string{"name": "clay"}, given("weights", -1), wan, nil, "It was made for Wan", true},
		{"a pickle", admin, map[string]string{"name": "clay"}, given("weights", 7), pickle, nil, "run code", false},
		{"one that is too large, as is told", admin, map[string]string{"name": "clay"}, given("weights", 11), good, nil, "bot loras upload", false},
		{"one that is too large, as is not told", admin, map[string]string{"name": "clay"}, given("0123456789x", -1), good, nil, "bot loras upload", false},
		{"one that comes in part", admin, map[string]string{"name": "clay"}, given("weig", 7), good, nil, "could not be opened", false},
		{"one that is gone", admin, map[string]string{"name": "clay"}, gone, good, nil, "could not be opened", false},
		{"a name that is taken", admin, map[string]string{"name": "film"}, nil, good, nil, "film", false},
		{"a name that is none", admin, map[string]string{"name": "a/b"}, nil, good, nil, "a/b", false},
		{"no name", admin, nil, nil, good, nil, "name", false},
		{"a scale that is none", admin, map[string]string{"name": "clay", "scale": "9"}, nil, good, nil, "between 0 and 4", false},
		{"a member, where only admins may", member, map[string]string{"name": "clay"}, nil, good, nil, "Only an admin", false},
		{"somebody who is blocked", blocked, map[string]string{"name": "clay"}, nil, good, nil, "stopped you from making videos", false},
		{"somebody of another team", outsider, map[string]string{"name": "clay"}, nil, good, nil, "members", false},
		{"fal that is down", admin, map[string]string{"name": "clay"}, given("weights", 7), good, errors.New("down"), "Reference:", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			store, files := librarytest.NewMemory(), &fakeUploads{err: tt.upload}
			office := library.NewOffice(library.OfficeConfig{
				Store: store, Shelf: library.NewShelf(store, slog.New(slog.DiscardHandler)), Everyone: func() bool { return false },
				Rules: func() ltx.Rules { return ltx.Rules{LoRAHosts: []string{"example.com"}} }, Options: command.ParseOptions, Blocked: blocksEve,
			})
			if _, err := office.Do(t.Context(), team.Actor{Member: bob, Team: acme, Admin: true}, team.Order{
				Verb: "add", Args: map[string]string{"name": "film", "link": "https://example.com/x.safetensors"},
			}); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			service := bot.New(bot.Config{
				Library: office, Uploads: files, LoRAs: &fakeChecker{findings: map[string]library.Finding{"file": tt.finding}},
				MaxLoRA: func() int64 { return 10 }, TempDir: dir,
				Rules: func(team string) ltx.Rules { return office.Of(team).Apply(ltx.Rules{}) },
			})
			m := service.UploadLoRA(t.Context(), tt.caller, team.Order{Verb: "add", Args: tt.args}, tt.open)
			if !strings.Contains(m.Plain, tt.want) {
				t.Error(m)
			}
			e, ok := office.Of(acme).LoRA("clay")
			if ok != tt.kept || tt.kept && (e.Path != "https://v3.fal.media/files/lora.safetensors" || e.Trigger != tt.finding.Trigger || e.By != bob) {
				t.Errorf("in the library: %v, %+v", ok, e)
			}
			if len(files.files) > 0 != tt.kept {
				t.Errorf("%d files were uploaded", len(files.files))
			}
			if left, _ := os.ReadDir(dir); len(left) > 0 {
				t.Errorf("%v is left on the disk", left)
			}
		})
	}
	if m := bot.New(bot.Config{}).UploadLoRA(t.Context(), admin, team.Order{}, nil); !strings.Contains(m.Plain, "takes no LoRAs as files") {
		t.Error(m)
	}
	if bot.UploadWithin >= 15*60*1e9 {
		t.Error("Discord takes no answer any more")
	}
}

// TestTwoLoRAsAreOnTheirWayAtATime: each takes disk, and a place of fal's uploads.
func TestTwoLoRAsAreOnTheirWayAtATime(t *testing.T) {
	const given, most = 7, 2
	synctest.Test(t, func(t *testing.T) {
		shelves, rules := adaptertest.Library(ltx.Rules{}, command.ParseOptions, nil)
		service := bot.New(bot.Config{Library: shelves, Rules: rules, Uploads: &fakeUploads{}, LoRAs: &fakeChecker{}, TempDir: t.TempDir()})
		var under, opened atomic.Int32
		goOn := make(chan struct{})
		open := func(context.Context) (generate.Media, error) {
			under.Add(1)
			opened.Add(1)
			<-goOn
			under.Add(-1)
			return generate.Media{}, generate.ErrGone
		}
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for n := range given {
			order := team.Order{Verb: "add", Args: map[string]string{"name": fmt.Sprintf("clay-%d", n)}}
			all.Go(func() {
				if m := service.UploadLoRA(ctx, bot.Caller{Team: acme, Member: ann, Admin: true}, order, open); m.Plain == "" {
					t.Error("nothing is said")
				}
			})
		}
		synctest.Wait()
		if n := under.Load(); n != most {
			t.Errorf("%d are on their way, want %d", n, most)
		}
		goOn <- struct{}{}
		synctest.Wait()
		if n := under.Load(); n != most {
			t.Errorf("after one has ended, %d are on their way, want %d", n, most)
		}
		cancel() // who waits for a place waits no longer
		synctest.Wait()
		close(goOn)
		all.Wait()
		if n := opened.Load(); n != most+1 {
			t.Errorf("%d were opened, want %d", n, most+1)
		}
	})
}

func TestTheFormOfAFile(t *testing.T) {
	shelves, rules := adaptertest.Library(ltx.Rules{}, command.ParseOptions, nil)
	cfg := bot.Config{Library: shelves, Rules: rules, Uploads: &fakeUploads{}, LoRAs: &fakeChecker{}}
	c, f := bot.Caller{Team: acme, Member: ann}, bot.GivenFile{Media: ltx.Media{Ref: "slack:F1", Name: "Clay look (v2).safetensors"}}
	form := bot.New(cfg).FileForm(c, f)
	if form == nil || form.Fields[0].Value != "Clay-look-v2" || form.Order.Args["link"] != library.Uploaded ||
		form.Inputs[0].File.Ref != "slack:F1" || !strings.Contains(form.Note, f.Media.Name) {
		t.Fatalf("the form: %+v", form)
	}
	for _, field := range form.Fields {
		if field.Key == "link" || field.Key == "weight" {
			t.Errorf("it asks for the %s", field.Key)
		}
	}
	outsider := c
	outsider.Outsider = true
	if bot.New(cfg).FileForm(outsider, f) != nil {
		t.Error("an outsider gets it")
	}
	cfg.Uploads = nil
	if bot.New(cfg).FileForm(c, f) != nil {
		t.Error("it is there where no file is taken")
	}
}
