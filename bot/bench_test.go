package bot_test

import (
	"path/filepath"
	"strconv"
	"testing"

	"ltxbot/bot"
	"ltxbot/bot/command"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/core/usd"
	"ltxbot/store/storetest"
)

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		newService(&fakeGenerator{})
	}
}

const (
	shortLine = "a red canoe on a lake, take 7."
	longLine  = `a cowboy says: "go" and walks, duraton is no key camera:dolly in duration:6.5s lora:a/b@0.8, c/d`
)

func BenchmarkParseLine(b *testing.B) {
	for name, line := range map[string]string{"prompt": shortLine, "options": longLine} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := command.Parse(line); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSubmit is what is done for a command until it is acknowledged, without
// a platform: with an engine and a store on a file, and a member who has had videos
// before.
func BenchmarkSubmit(b *testing.B) {
	policy := func() quota.Policy {
		return quota.Policy{Waiting: 5, Member: quota.Limits{Windows: []quota.WindowLimit{
			{Window: quota.Day, Videos: 1_000_000}, {Window: quota.Month, USD: 1_000_000 * usd.Dollar},
		}}}
	}
	s := storetest.File(b, filepath.Join(b.TempDir(), "ltx.db"), storetest.Options{Limits: storetest.Limits(policy)})
	defer func() { _ = s.Close() }()
	defaults := []ltx.Setting{{Key: "duration", Value: "5"}, {Key: "size", Value: "16:9"}}
	svc := bot.New(bot.Config{
		Generator: generate.New(generate.Config{
			Store: s, Ledger: s, Policy: policy,
			Price: func(string) ltx.Price { return ltx.Price{Unit: ltx.Megapixel, USD: ltx.DefaultUSDPerMegapixel} },
		}),
		Rules: func(string) ltx.Rules { return ltx.Rules{Defaults: defaults, Qualities: ltx.DefaultQualities()} },
	})
	n := 0
	submit := func(line string, r *responder) {
		n++
		l, err := command.Parse(line)
		if err != nil {
			b.Fatal(err)
		}
		if _, ok := svc.Submit(b.Context(), bot.Ask{Event: strconv.Itoa(n), Caller: caller(ann), Place: generate.Place{Platform: "slack", Tenant: "T1", Channel: "C1"}, Settings: l.Settings}, r); !ok {
			b.Fatal(r.refusal)
		}
	}
	for range 25 {
		submit(longLine, &responder{})
	}
	for name, line := range map[string]string{"prompt": shortLine, "options": longLine} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				submit(line, &responder{err: bot.ErrElsewhere}) // what comes after the acknowledgement is left out
			}
		})
	}
}
