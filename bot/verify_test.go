package bot_test

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"ltxbot/bot"
	"ltxbot/bot/command"
	"ltxbot/core/generate"
)

// posted is a service whose jobs have all been posted; the file at a path has
// the hash and the mark of the job with that id, as far as the path names one.
func posted(t *testing.T) (*bot.Service, *fakeGenerator) {
	t.Helper()
	_, g := world(t)
	for id, j := range g.jobs {
		j.State, j.Endpoint = generate.Delivered, "fal-ai/ltx-2.3"
		j.Receipt = generate.Receipt{
			Link: "https://discord.com/channels/1/2/" + id, SHA256: "sum-of-" + id, Mark: generate.MarkWritten, Fit: generate.FitOriginal, At: time.Now(),
		}
		g.jobs[id] = j
	}
	return bot.New(bot.Config{Generator: g, Rules: rules, Evidence: evidence}), g
}

// evidence reads what a path says: "sum:ID" has the hash of a job's video,
// "mark:ID" a mark with its id, and "sum,mark:ID" both.
func evidence(_ context.Context, path string) (generate.Evidence, error) {
	what, id, ok := strings.Cut(path, ":")
	if !ok {
		return generate.Evidence{}, errors.New("no such file")
	}
	e := generate.Evidence{SHA256: "another"}
	if strings.Contains(what, "sum") {
		e.SHA256 = "sum-of-" + id
	}
	if strings.Contains(what, "mark") {
		e.Mark = &generate.Mark{Model: "fal-ai/claimed", Job: id}
	}
	e.Signed = strings.Contains(what, "signed")
	return e, nil
}

// What the answers are known by.
const (
	saysExact   = "Yes. This bot posted exactly this file"
	saysClaimed = "anyone can write such a note"
	saysNothing = "nothing in it says that AI made it"
	saysHidden  = "shown only to the team"
	saysNames   = "The note in it names this job"
)

func TestAFileIsVerifiedByItsHashThenByItsMark(t *testing.T) {
	stranger := caller(bob)
	stranger.Team = "others"
	outsider, elsewhere := caller(bob), caller(bob)
	outsider.Outsider, outsider.Channel = true, "2"
	elsewhere.Outsider, elsewhere.Channel = true, "3"
	admin := caller(bob)
	admin.Admin = true
	for _, c := range []struct {
		name string
		who  bot.Caller
		file string
		says []string
		not  []string
	}{
		{"the owner", caller(ann), "sum,mark:" + jobA, []string{saysExact, jobA, "fal-ai/ltx-2.3", "sum-of-" + jobA}, []string{saysHidden, saysClaimed}},
		{"the team", caller(bob), "sum:" + jobA, []string{saysExact, jobA, "fal-ai/ltx-2.3"}, []string{saysHidden}},
		{"the team, of a copy", caller(bob), "mark:" + jobA, []string{saysClaimed, "fal-ai/claimed", saysNames, "fal-ai/ltx-2.3"}, []string{saysExact}},
		{"another team", stranger, "sum,mark:" + jobA, []string{saysExact, saysHidden}, []string{"fal-ai/", "Asked by"}},
		{"another team, of a copy", stranger, "mark:" + jobA, []string{saysClaimed, "fal-ai/claimed", jobA}, []string{saysExact, saysNames, "fal-ai/ltx-2.3", "Asked by"}},
		{"an outsider in the channel", outsider, "sum:" + jobA, []string{saysExact, jobA, "Asked by"}, []string{saysHidden}},
		{"an outsider from elsewhere", elsewhere, "sum:" + jobA, []string{saysExact, saysHidden}, []string{"Asked by"}},
		{"the owner of a private video", caller(ann), "sum,mark:" + jobB, []string{saysExact, jobB, "fal-ai/ltx-2.3"}, nil},
		{"a private video is not known to the team", caller(bob), "sum:" + jobB, []string{saysNothing}, []string{saysExact, "Asked by"}},
		{"nor to an admin", admin, "sum:" + jobB, []string{saysNothing}, []string{saysExact}},
		{"nor to another team", stranger, "sum:" + jobB, []string{saysNothing}, []string{saysExact}},
		{"a private video says what its file says", caller(bob), "sum,mark:" + jobB, []string{saysClaimed, "fal-ai/claimed"}, []string{saysExact, saysNames, "fal-ai/ltx-2.3", "Asked by"}},
		{"a mark with a job that never was", caller(ann), "mark:aaaaaaaaaaaa", []string{saysClaimed, "aaaaaaaaaaaa"}, []string{saysNames}},
		{"a mark without a job", caller(ann), "mark:", []string{saysClaimed, "fal-ai/claimed"}, []string{saysNames}},
		{"a file of somebody else", caller(ann), "none:x", []string{saysNothing}, []string{"Content Credentials"}},
		{"a signed file", caller(ann), "signed:x", []string{saysNothing, "Content Credentials"}, nil},
		{"a file that can't be read", caller(ann), "x", []string{"Reference"}, []string{saysNothing}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, _ := posted(t)
			m := d.VerifyFile(t.Context(), c.who, c.file)
			got := m.String() + m.Plain
			for _, want := range c.says {
				if !strings.Contains(got, want) {
					t.Errorf("it does not say %q:\n%s", want, got)
				}
			}
			for _, not := range c.not {
				if strings.Contains(got, not) {
					t.Errorf("it says %q:\n%s", not, got)
				}
			}
		})
	}
}

func TestAVideoIsVerifiedByItsJobOrItsMessage(t *testing.T) {
	stranger := caller(bob)
	stranger.Team = "others"
	const made = "AI made this video, with this bot"
	for _, c := range []struct {
		name string
		who  bot.Caller
		what string
		want string
	}{
		{"a job", caller(bob), jobA, made},
		{"a job as people type it", caller(bob), "`K3F92MQ7ABCD`", made},
		{"a message", caller(bob), "https://discord.com/channels/1/2/" + jobA, made},
		{"a message as Slack writes it", caller(bob), "<https://discord.com/channels/1/2/" + jobA + "|a video>", made},
		{"a message from a test client", caller(bob), "https://ptb.discord.com/channels/1/2/" + jobA + "/", made},
		{"a private job of one's own", caller(ann), jobB, made},
		{"a private job of another does not exist", caller(bob), jobB, "There is no job"},
		{"nor does its message", caller(bob), "https://discord.com/channels/1/2/" + jobB, "no video of this bot that you may see"},
		{"a job of another team does not exist", stranger, jobA, "There is no job"},
		{"nor does its message", stranger, "https://discord.com/channels/1/2/" + jobA, "no video of this bot that you may see"},
		{"a message of somebody else", caller(ann), "https://discord.com/channels/1/2/3", "no video of this bot that you may see"},
		{"nothing", caller(ann), " ", "Say which video: /ltx verify ID"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, _ := posted(t)
			if got := d.Verify(t.Context(), c.who, c.what).Plain; !strings.Contains(got, c.want) {
				t.Errorf("it says %q, want %q", got, c.want)
			}
		})
	}
	d, g := posted(t)
	j := g.jobs[jobA]
	j.State, j.Receipt = generate.Running, generate.Receipt{}
	g.jobs[jobA] = j
	if got := d.Verify(t.Context(), caller(bob), jobA).Plain; !strings.Contains(got, "No video was posted for job "+jobA) {
		t.Errorf("of a job under way it says %q", got)
	}
}

func TestTheMessageOfABatchIsVerifiedWithAllTakes(t *testing.T) {
	d, g := posted(t)
	lead := g.jobs[jobA]
	lead.Batch = generate.Batch{ID: jobA, Index: 1, Size: 2}
	second := lead
	second.ID, second.Batch.Index, second.Receipt.SHA256 = "b00000000002", 2, "sum-of-the-second"
	g.jobs[jobA], g.jobs[second.ID] = lead, second
	got := d.Verify(t.Context(), caller(bob), lead.Receipt.Link).Plain
	for _, want := range []string{jobA, "sum-of-" + jobA, "1 of 2", second.ID, "sum-of-the-second", "2 of 2"} {
		if !strings.Contains(got, want) {
			t.Errorf("it does not say %q: %s", want, got)
		}
	}
	if strings.Index(got, "1 of 2") > strings.Index(got, "2 of 2") {
		t.Errorf("the takes are not in their order: %s", got)
	}
}

func TestVerifyIsTypedInALine(t *testing.T) {
	for _, typed := range []string{
		"verify " + jobA, "/ltx verify " + jobA, "jobs verify " + jobA, "Verify https://discord.com/channels/1/2/" + jobA, "jobs verify <https://discord.com/channels/1/2/" + jobA + ">",
	} {
		line, err := command.Parse(typed)
		if err != nil || line.Verb == "" {
			t.Errorf("%q is the verb %q, %v", typed, line.Verb, err)
			continue
		}
		d, _ := posted(t)
		if got := d.Answer(t.Context(), caller(bob), line).Plain; !strings.Contains(got, "AI made this video") {
			t.Errorf("%q: %q", typed, got)
		}
	}
	for _, prompt := range []string{"verify the seal of an old letter, close-up", "jobs verify their worth as a crane lifts a car"} {
		if line, err := command.Parse(prompt); err != nil || line.Verb != "" {
			t.Errorf("the prompt %q is the verb %q, %v", prompt, line.Verb, err)
		}
	}
}

func TestAFileThatWasGivenIsFetchedWithinLimits(t *testing.T) {
	dir := t.TempDir()
	var read string
	s := bot.New(bot.Config{
		Generator: &fakeGenerator{}, TempDir: dir,
		Evidence: func(_ context.Context, path string) (generate.Evidence, error) {
			b, err := os.ReadFile(path)
			read = string(b)
			return generate.Evidence{SHA256: "a hash"}, err
		},
	})
	for _, c := range []struct {
		name  string
		media generate.Media
		err   error
		want  string
	}{
		{"a file", generate.Media{Size: 5, Body: io.NopCloser(strings.NewReader("bytes"))}, nil, "a hash"},
		{"a file of the largest size that ends too soon", generate.Media{Size: 200 << 20, Body: io.NopCloser(strings.NewReader("bytes"))}, nil, "could not be opened"},
		{"a file that says it is too large", generate.Media{Size: 200<<20 + 1, Body: io.NopCloser(strings.NewReader("bytes"))}, nil, "at most 200 MB"},
		{"a file that is gone", generate.Media{}, generate.ErrGone, "could not be opened"},
		{"a file that breaks off", generate.Media{Size: -1, Body: io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF))}, nil, "could not be opened"},
	} {
		read = ""
		got := s.VerifyGiven(t.Context(), caller(ann), func(context.Context) (generate.Media, error) { return c.media, c.err }).Plain
		if !strings.Contains(got, c.want) || (read == "bytes") != (c.want == "a hash") {
			t.Errorf("%s: %q was read, and it says %q; want %q", c.name, read, got, c.want)
		}
		if left, _ := os.ReadDir(dir); len(left) != 0 {
			t.Errorf("%s: left behind: %v", c.name, left)
		}
	}
}
