package view_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ltxbot/bot/command"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/library"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/core/team"
	"ltxbot/core/usd"
	"ltxbot/internal/golden"
)

// A shown is one message with its name in a golden file.
type shown struct {
	name    string
	message view.Message
}

// inBothLanguages compares messages with golden files: one in English, one in
// German. The clock stands still.
func inBothLanguages(t *testing.T, name string, messages func(t *testing.T, p text.Printer) []shown) {
	t.Helper()
	for file, locale := range map[string]string{"en": "en-US", "de": "de-AT"} {
		t.Run(file, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var b strings.Builder
				for _, s := range messages(t, text.BuiltInCatalog().Printer(locale, "/ltx")) {
					fmt.Fprintf(&b, "== %s\n%s(%s)\n\n", s.name, s.message, s.message.Plain)
				}
				golden.Equal(t, name+"."+file+".txt", b.String())
			})
		})
	}
}

func TestCardSaysHowAJobIsDoing(t *testing.T) {
	inBothLanguages(t, "card", func(t *testing.T, p text.Printer) []shown {
		var out []shown
		show := func(name, line string, state generate.State, change func(*generate.Job)) {
			j := job(t, jobA, line, state)
			if change != nil {
				change(&j)
			}
			out = append(out, shown{name, view.Card(p, j)})
		}
		now := time.Now()
		for _, id := range []string{"", "image_url", "end_image_url", "audio_url", "video_url"} {
			show("preparing "+id, cowboy, generate.Preparing, func(j *generate.Job) { j.Progress.Input = id })
			show("preparing again "+id, cowboy, generate.Preparing, func(j *generate.Job) { j.Progress.Input, j.Progress.Retrying = id, true })
		}
		show("preparing a clip whose length is not known yet", "it runs away clip:https://example.com/cat.mp4", generate.Preparing, nil)
		show("accepted", cowboy, generate.Accepted, nil)
		show("accepted, with what was adjusted", cowboy+" size:1300x720 duration:5.1 seed:9 format:gif", generate.Accepted, nil)
		show("waits for its turn", cowboy, generate.Accepted, func(j *generate.Job) { j.Admitted, j.Progress.Waiting = false, 2 })
		show("submitting", cowboy, generate.Submitting, nil)
		show("outcome unknown", cowboy, generate.Unknown, nil)
		show("queued, place not told", cowboy, generate.Queued, nil)
		show("queued, next", cowboy, generate.Queued, func(j *generate.Job) { j.Progress.Position = 0 })
		show("queued, one ahead", cowboy, generate.Queued, func(j *generate.Job) { j.Progress.Position = 1 })
		show("queued, three ahead", cowboy, generate.Queued, func(j *generate.Job) { j.Progress.Position = 3 })
		show("running, nothing known", cowboy, generate.Running, nil)
		show("running", cowboy, generate.Running, func(j *generate.Job) {
			j.Started = now.Add(-20 * time.Second)
			j.Progress.Percent, j.Progress.Expected = 42, 50*time.Second
		})
		show("running, longer than expected", cowboy, generate.Running, func(j *generate.Job) {
			j.Started = now.Add(-80 * time.Second)
			j.Progress.Percent, j.Progress.Expected = 95, 50*time.Second
		})
		show("cancelling before it was sent", cowboy, generate.Accepted, func(j *generate.Job) {
			j.Cancel = &generate.CancelRequest{By: ann, At: now}
		})
		show("cancelling", cowboy, generate.Running, func(j *generate.Job) {
			j.Cancel = &generate.CancelRequest{By: ann, At: now}
		})
		show("stopped at the deadline", cowboy, generate.Running, func(j *generate.Job) {
			j.Cancel = &generate.CancelRequest{By: generate.ByDeadline, At: now}
		})
		show("fetched", cowboy, generate.Fetched, func(j *generate.Job) { j.Charged = 130_000 })
		show("delivering", cowboy, generate.Delivering, func(j *generate.Job) { j.Charged = 130_000 })
		show("delivered", cowboy, generate.Delivered, func(j *generate.Job) {
			j.Charged, j.Receipt.Link, j.Parent = 130_000, "https://discord.com/channels/1/2/3", jobB
		})
		show("delivered, and deleted since", cowboy, generate.Delivered, func(j *generate.Job) {
			j.Charged, j.Receipt.Link, j.Notes = 130_000, "https://discord.com/channels/1/2/3", map[string]string{"deleted": "yes"}
		})
		show("covered by what an admin gave", cowboy, generate.Running, func(j *generate.Job) {
			j.Gauges[0].Used, j.Gauges[0].Extra = 10, 4
			j.Gauges[2].Used, j.Gauges[2].Extra = int64(200*usd.Dollar), 2_500_000
		})
		show("cancelled by the owner", cowboy, generate.Cancelled, func(j *generate.Job) {
			j.Cancel = &generate.CancelRequest{By: ann, At: now}
		})
		show("cancelled by an admin, and charged", cowboy, generate.Cancelled, func(j *generate.Job) {
			j.Cancel, j.Charged = &generate.CancelRequest{By: bob, At: now}, 130_000
		})
		show("a long prompt", strings.Repeat("A family 👨‍👩‍👧‍👦 walks along the beach. ", 30), generate.Accepted, nil)
		show("a secret link", secretLine, generate.Accepted, nil)
		return out
	})
}

func TestWhyTellsNothingOfWhatWasTyped(t *testing.T) {
	j := job(t, jobA, cowboy, generate.Failed)
	j.Request, _ = ltx.Rules{}.Parse([]ltx.Setting{{Key: "prompt", Value: "a fox"}, ltx.FileSetting("image", ltx.Media{Ref: "discord:1", Name: "fox.psd"})})
	p := text.BuiltInCatalog().Printer("en", "/ltx")
	for _, c := range []struct {
		failure generate.Failure
		want    string
	}{
		{generate.Failure{}, ""},
		{generate.Failure{Kind: generate.FailProvider}, "The model had a problem."},
		{generate.Failure{Kind: generate.FailInvalid}, "The model did not accept one of the settings."},
		{generate.Failure{Kind: generate.FailInvalid, Field: "num_frames"}, "The model did not accept frames."},
		{generate.Failure{Kind: generate.FailInputType, Field: "image_url", Limit: "PNG, JPEG"}, "The file for image is of another kind than is needed here."},
		{generate.Failure{Kind: "new"}, "Something went wrong inside the bot. The reference is " + jobA + "."},
	} {
		j.Failure = c.failure
		if got := view.Why(p, j); got != c.want {
			t.Errorf("%+v: %q, want %q", c.failure, got, c.want)
		}
	}
}

func TestFailureSaysWhatHappenedAndWhatToDo(t *testing.T) {
	inBothLanguages(t, "failure", func(t *testing.T, p text.Printer) []shown {
		var out []shown
		show := func(name string, f generate.Failure, charged usd.Micros) {
			j := job(t, jobA, cowboy, generate.Failed)
			j.Failure, j.Charged = f, charged
			out = append(out, shown{name, view.Card(p, j)})
		}
		for _, kind := range generate.FailureKinds {
			var charged usd.Micros
			if kind == generate.FailExpired {
				charged = 128_500 // the video was made
			}
			var field string
			if strings.HasPrefix(string(kind), "input") {
				field = "image_url"
			}
			show(string(kind), generate.Failure{Kind: kind, Field: field}, charged)
		}
		show("input of another type, types known", generate.Failure{Kind: generate.FailInputType, Field: "image_url", Limit: "PNG, JPEG, WebP"}, 0)
		named := job(t, jobA, cowboy, generate.Failed)
		named.Request, _ = ltx.Rules{}.Parse([]ltx.Setting{{Key: "prompt", Value: "a fox"}, ltx.FileSetting("image", ltx.Media{Ref: "discord:1", Name: "fox (1).psd"})})
		named.Failure = generate.Failure{Kind: generate.FailInputType, Field: "image_url", Limit: generate.InputTypes("image_url")}
		out = append(out, shown{"input of another type, with its name", view.Card(p, named)})
		show("input too large, limit known", generate.Failure{Kind: generate.FailInputLarge, Field: "video_url", Limit: "500 MB"}, 0)
		show("input does not fit", generate.Failure{Kind: generate.FailInput, Field: "audio_url", Invalid: ltx.Invalid{
			{Option: "duration", Value: "42", Problem: ltx.OutOfRange, Min: 1, Max: 20, Unit: "s", Nearest: "20"},
		}}, 0)
		show("invalid, field known", generate.Failure{Kind: generate.FailInvalid, Field: "num_frames"}, 0)
		show("invalid, limit known", generate.Failure{Kind: generate.FailInvalid, Field: "num_frames", Limit: "<= 481"}, 0)
		show("invalid, two limits", generate.Failure{Kind: generate.FailInvalid, Field: "loras[0].scale", Limit: ">= 0, < 4"}, 0)
		show("refused and charged", generate.Failure{Kind: generate.FailRefused}, 128_500)
		unposted := job(t, jobA, cowboy, generate.Failed)
		unposted.Failure, unposted.Charged, unposted.Output.URL = generate.Failure{Kind: generate.FailUnreachable}, 128_500, "https://v3.fal.media/files/b/x.mp4"
		out = append(out, shown{"made and not posted", view.Card(p, unposted)})
		show("of an unknown kind", generate.Failure{Kind: "new"}, 0)
		return out
	})
}

func TestResultSaysWhatTheVideoIs(t *testing.T) {
	inBothLanguages(t, "result", func(t *testing.T, p text.Printer) []shown {
		seed := int64(77)
		j := job(t, jobA, secretLine, generate.Delivering)
		j.Charged, j.Seconds = 130_000, 48.2
		j.Output = ltx.Output{
			URL: "https://v3.fal.media/files/a/b.mp4", Width: 1024, Height: 576, Frames: 121, FPS: 24, Seconds: 5.0417, Seed: &seed,
			Prompt: "A weathered cowboy strides through a dusty frontier town as the camera slowly moves in.",
		}
		bare := job(t, jobB, cowboy, generate.Delivering)
		bare.Gauges, bare.Parent = nil, jobA
		late := bare
		late.Cancel, late.Charged = &generate.CancelRequest{By: ann, At: time.Now()}, 130_000
		again := bare
		again.Notes = map[string]string{"repeat": "yes"}
		link := func(why view.LinkReason) view.Message {
			return view.Result(p, bare, view.ResultFacts{Fit: generate.FitLink, URL: j.Output.URL, Why: why})
		}
		of := func(settings ...ltx.Setting) view.Message {
			made := bare
			made.Request, _ = ltx.Rules{Seed: func() int64 { return 7 }}.Parse(append(settings, ltx.Setting{Key: "prompt", Value: "a fox runs on"}))
			return view.Result(p, made, view.ResultFacts{Fit: generate.FitOriginal})
		}
		clip := ltx.FileSetting("clip", ltx.MediaOfJob(jobA))
		edit := func(what string) ltx.Setting { return ltx.Setting{Key: "edit", Value: what} }
		return []shown{
			{"an extension", of(clip, edit("extend"))},
			{"a retake", of(clip, edit("retake"))},
			{"another shape", of(clip, edit("reframe"), ltx.Setting{Key: "size", Value: "9:16"})},
			{"another style", of(clip, edit("restyle"))},
			{"the same motion", of(clip, edit("reference"))},
			{"from the last picture", of(ltx.FileSetting("image", ltx.MediaOfJob(jobA)))},
			{"a changed extension of another one", of(ltx.FileSetting("clip", ltx.MediaOfJob(jobB)), edit("extend"))},
			{"as the model made it", view.Result(p, j, view.ResultFacts{Fit: generate.FitOriginal})},
			{"made smaller", view.Result(p, j, view.ResultFacts{Fit: generate.FitReencoded})},
			{"nothing told by the provider", view.Result(p, bare, view.ResultFacts{Fit: generate.FitOriginal})},
			{"cancelled too late", view.Result(p, late, view.ResultFacts{Fit: generate.FitOriginal})},
			{"again", view.Result(p, again, view.ResultFacts{Fit: generate.FitOriginal})},
			{"details", view.Details(p, j)},
			{"alternative text", view.Message{Plain: view.AltText(p, j)}},
			{"link: too large", link("")},
			{"link: explicit", link(view.LinkExplicit)},
			{"link: stopped by moderation", link(view.LinkModerated)},
			{"link: uploads are limited", link(view.LinkLimited)},
			{"link: uploads keep failing", link(view.WhyLink(&generate.LinkError{Err: generate.ErrUploads}))},
			{"link: on another host", link(view.WhyLink(&generate.LinkError{Err: generate.ErrForeign}))},
			{"link: cannot be fetched", link(view.WhyLink(&generate.LinkError{Err: io.ErrUnexpectedEOF}))},
			{"link: ffmpeg failed", link(view.WhyLink(&generate.LinkError{Err: &generate.TooLargeError{Size: 2, Limit: 1}}))},
		}
	})
}

func TestRefusalSaysWhatIsWrong(t *testing.T) {
	inBothLanguages(t, "refusal", func(_ *testing.T, p text.Printer) []shown {
		var out []shown
		show := func(name string, err error) {
			m := view.Refuse(p, fmt.Errorf("prepare: %w", err))
			if m == nil {
				m = &view.Message{Plain: "no refusal"}
			}
			out = append(out, shown{name, *m})
		}
		for _, p := range ltx.Problems() {
			e := ltx.FieldError{
				Option: "fps", Value: "sixty1", Problem: p, Min: 0.5, Max: 60, Count: 99, Unit: "fps",
				Choices: []string{"a", "b", "c"}, Nearest: "near", Other: "other",
			}
			show(string(p), ltx.Invalid{e})
			if p == ltx.Duplicate || p == ltx.TooManyMegapixels || p == ltx.NotAChoice {
				e.Value, e.Nearest, e.Unit = "", "", ""
				show(string(p)+", without details", e)
			}
		}
		show("two at once", ltx.Invalid{
			{Option: "camera", Problem: ltx.NotAChoice, Value: "dolly_inn", Nearest: "dolly_in", Choices: []string{"dolly_in", "none"}},
			{Option: "prompt", Problem: ltx.Missing},
		})
		show("an edit without a clip", ltx.Invalid{{Option: "edit", Problem: ltx.NeedsInput, Other: "clip"}})
		show("a shape without a size", ltx.Invalid{{Option: "edit", Problem: ltx.NeedsInput, Other: "size"}})
		show("duration too long at this frame rate", ltx.Invalid{
			{Option: "duration", Problem: ltx.OutOfRange, Value: "10", Min: 0.2, Max: 8, Unit: "seconds", Nearest: "8", Other: "60"},
		})
		show("nearly a verb", &command.VerbError{Word: "hlep", Nearest: "help"})
		for _, line := range []string{"cancel abc", "admni log", "löschen", "loras rename film kino", "loras list", "quota grant me 5", "a cat camera: fps:"} {
			_, err := command.Parse(line)
			show(line, err)
		}
		show("no refusal", errors.New("disk on fire"))
		return out
	})
}

func TestQuotaRefusalSaysWhichLimitAndWhenItStartsOver(t *testing.T) {
	inBothLanguages(t, "quota", func(_ *testing.T, p text.Printer) []shown {
		var out []shown
		show := func(name string, e quota.LimitError) {
			out = append(out, shown{name, *view.Refuse(p, &e)})
		}
		resets := time.Date(2000, 1, 2, 0, 0, 0, 0, time.UTC)
		for _, kind := range []quota.ScopeKind{quota.Member, quota.Team, quota.Bot} {
			g := quota.Gauge{
				Scope: quota.Scope{Kind: kind}, Unit: quota.Videos, Window: quota.Day, Used: 10, Max: 10, Resets: resets,
				Fixed: kind != quota.Member,
			}
			show(string(kind)+" videos", quota.LimitError{Reason: quota.OverLimit, Gauge: g, Need: 1})
			g.Unit, g.Window, g.Used, g.Max = quota.Dollars, quota.Month, 9_950_000, 10_000_000
			show(string(kind)+" dollars", quota.LimitError{Reason: quota.OverLimit, Gauge: g, Need: 128_500})
		}
		rolling := quota.Gauge{Scope: quota.Scope{Kind: quota.Member}, Unit: quota.Videos, Window: "24h0m0s", Used: 5, Max: 5, Resets: resets}
		show("rolling window", quota.LimitError{Reason: quota.OverLimit, Gauge: rolling, Need: 1})
		small := quota.Gauge{Scope: quota.Scope{Kind: quota.Member}, Unit: quota.Dollars, Window: quota.Week, Max: 100_000, Resets: resets}
		show("never fits", quota.LimitError{Reason: quota.OverLimit, Gauge: small, Need: 128_500})
		show("never fits, several videos", quota.LimitError{Reason: quota.OverLimit, Gauge: small, Need: 385_500, Videos: 3})
		for _, kind := range []quota.ScopeKind{quota.Member, quota.Team, quota.Bot} {
			g := quota.Gauge{Scope: quota.Scope{Kind: kind}, Unit: quota.Dollars, Window: quota.Month, Used: 9_700_000, Max: 10_000_000, Resets: resets}
			show(string(kind)+" dollars, several videos", quota.LimitError{Reason: quota.OverLimit, Gauge: g, Need: 385_500, Videos: 3})
		}
		several := quota.Gauge{Scope: quota.Scope{Kind: quota.Member}, Unit: quota.Videos, Window: quota.Day, Used: 8, Max: 10, Resets: resets}
		show("several videos", quota.LimitError{Reason: quota.OverLimit, Gauge: several, Need: 3})
		show("line full, one", quota.LimitError{Reason: quota.LineFull, Line: 1})
		show("line full", quota.LimitError{Reason: quota.LineFull, Line: 5})
		show("blocked", quota.LimitError{Reason: quota.Blocked, Block: quota.Block{By: bob, Reason: "spam"}})
		show("blocked without a reason", quota.LimitError{Reason: quota.Blocked})
		show("paused", quota.LimitError{Reason: quota.Paused, Block: quota.Block{By: bob, Reason: "the budget of the month is for the launch"}})
		show("the team's videos, where admins may raise", quota.LimitError{Reason: quota.OverLimit, Need: 1, Gauge: quota.Gauge{
			Scope: quota.Scope{Kind: quota.Team}, Unit: quota.Videos, Window: quota.Day, Used: 10, Max: 10, Resets: resets,
		}})
		show("blocked by the operator", quota.LimitError{Reason: quota.Blocked, Block: quota.Block{By: quota.Operator, Reason: "spam"}})
		show("paused by the operator", quota.LimitError{Reason: quota.Paused, Block: quota.Block{By: quota.Operator}})
		show("unlisted", quota.LimitError{Reason: quota.Unlisted, Gauge: quota.Gauge{Scope: quota.Scope{Kind: quota.Team, ID: acme}}})
		out = append(out, shown{"usage", view.Usage(p, gauges())})
		out = append(out, shown{"usage, with models of a tier", view.Report(p, team.Report{Verb: "mine", Member: ann, Self: true, Models: []string{"quality", "ltx-2.5"}})})
		out = append(out, shown{"a code to link accounts", view.Report(p, team.Report{Verb: "link", Member: ann, Self: true, Code: "3ENC7K2Q", Expires: resets})})
		out = append(out, shown{"nothing was left to take back", view.Report(p, team.Report{Verb: "revoke", Member: ann, Change: &team.Record{}})})
		return out
	})
}

func TestHelpExplains(t *testing.T) {
	inBothLanguages(t, "help", func(_ *testing.T, p text.Printer) []shown {
		out := []shown{{"start", view.Help(p, ltx.Rules{}, "")}}
		for _, topic := range view.HelpTopics() {
			out = append(out, shown{topic, view.Help(p, ltx.Rules{}, topic)})
		}
		for _, option := range []string{"camera", "size", "duration", "retake", "fps", "video_stg_scale", "banana"} {
			out = append(out, shown{option, view.Help(p, ltx.Rules{}, option)})
		}
		tiers := ltx.Rules{Models: []string{"distilled"}, Reserved: map[string][]string{"quality": {"studio"}, "ltx-2.5": {"studio", "gold"}}}
		out = append(out, shown{"models of tiers", view.Help(p, tiers, "models")})
		few := ltx.Rules{Endpoint: "fal-ai/ltx-2.3/text-to-video", Models: []string{"ltx-2.5-pro"}, MaxSide: 1920}
		for _, topic := range []string{command.TopicOptions, command.TopicFiles, command.TopicAdvanced, "model", "size", "duration", "fps", "lora", "edit", "steps", "quality"} {
			out = append(out, shown{topic + ", with few models and small videos", view.Help(p, few, topic)})
		}
		return append(out, shown{"loras", view.Library(p, library.Report{Verb: "list"}, rules())})
	})
}

func TestHelpTakesATopicAsDiscordWritesIt(t *testing.T) {
	p := text.BuiltInCatalog().Printer("en", "/ltx")
	if d := cmp.Diff(view.Help(p, ltx.Rules{}, "takes"), view.Help(p, ltx.Rules{}, "topic:takes")); d != "" {
		t.Error(d)
	}
}

// TestTeamsAreListed compares what only the operator reads, in every language.
func TestTeamsAreListed(t *testing.T) {
	inBothLanguages(t, "teams", func(_ *testing.T, p text.Printer) []shown {
		budget := quota.Gauge{
			Scope: quota.Scope{Kind: quota.Team, ID: acme}, Unit: quota.Dollars, Window: quota.Month,
			Used: 15_420_000, Max: 200 * int64(usd.Dollar), Resets: time.Date(2000, 2, 1, 0, 0, 0, 0, time.UTC), Fixed: true,
		}
		all := budget
		all.Scope = quota.Scope{Kind: quota.Bot}
		return []shown{
			{"none", view.Report(p, team.Report{Verb: "teams"})},
			{"some", view.Report(p, team.Report{Verb: "teams", Gauges: []quota.Gauge{all}, Teams: []team.Summary{
				{Team: "acme", Spending: team.Spending{Videos: 119, UnderWay: 1, Charged: 15 * usd.Dollar, Held: 420_000}, Gauges: []quota.Gauge{budget}},
				{Team: "discord:175928847299117063", Paused: &quota.Block{By: quota.Operator}},
				{Team: "slack:T0614TZR7", Refused: true},
			}})},
		}
	})
}

func TestNoticesToAdmins(t *testing.T) {
	inBothLanguages(t, "notice", func(_ *testing.T, p text.Printer) []shown {
		g := quota.Gauge{
			Scope: quota.Scope{Kind: quota.Team, ID: acme}, Unit: quota.Dollars, Window: quota.Month,
			Used: 151 * int64(usd.Dollar), Max: 200 * int64(usd.Dollar), Resets: time.Date(2000, 2, 1, 0, 0, 0, 0, time.UTC),
		}
		full := g
		full.Used = full.Max
		rolling := g
		rolling.Window, rolling.Unit, rolling.Used, rolling.Max = "24h0m0s", quota.Videos, 50, 100
		operators := g
		operators.Fixed = true
		return []shown{
			{"a threshold of the operator's limit", view.Notice(p, team.Notice{Percent: 75, Gauge: operators})},
			{"a threshold", view.Notice(p, team.Notice{Percent: 75, Gauge: g})},
			{"used up", view.Notice(p, team.Notice{Percent: 100, Gauge: full})},
			{"over rolling time", view.Notice(p, team.Notice{Percent: 50, Gauge: rolling})},
			{"a month", view.Notice(p, team.Notice{
				Month:   time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
				Spent:   team.Spending{Videos: 120, Estimate: 16 * usd.Dollar, Charged: 15_420_000},
				Members: []team.MemberSpending{{Member: ann, Spending: team.Spending{Videos: 100, Charged: 12 * usd.Dollar}}},
			})},
		}
	})
}

func TestASecretOfALinkIsNotInAQuestion(t *testing.T) {
	for _, line := range []string{
		"a cat lora: https://civitai.com/api/download/models/12?token=hush@0.5 seed:1",
		"a cat [lora:https://civitai.com/api/download/models/12?token=hush]",
		"a cat lora:https://civitai.com/api/download/models/12?token=hush 0.8",
		"a cat lora:https://civitai.com/api/download/models/12?token=hush; a/b",
	} {
		_, err := command.Parse(line)
		m := view.Refuse(text.BuiltInCatalog().Printer("en", "/ltx"), err)
		if m == nil || strings.Contains(m.String()+m.Plain, "hush") {
			t.Errorf("%s: %v", line, m)
		}
	}
}
