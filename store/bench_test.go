package store_test

import (
	"context"
	"fmt"
	"iter"
	"testing"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/core/usd"
	"ltxbot/store"
	"ltxbot/store/kv"
	"ltxbot/store/kv/mem"
)

// BenchmarkJob is a job's whole life in the store, without the engine's part.
func BenchmarkJob(b *testing.B) {
	e := &counting{Engine: mem.New(nil).Open()}
	s := store.New(e, store.Options{Limits: func(string, string, []string, quota.AdminState) quota.Line {
		return quota.Line{MemberMax: 2, TeamMax: 100, BotMax: 1000}
	}})
	defer func() { _ = s.Close() }()
	p := quota.Policy{Waiting: 5}
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		n++
		j := generate.Job{
			ID: fmt.Sprintf("job%d", n), State: generate.Accepted, Team: "acme", Member: fmt.Sprintf("discord:%d", n%500), Created: noon,
			Place: generate.Place{Platform: "discord", Tenant: "G1", Channel: "C1"}, Endpoint: "fal-ai/ltx-2.3-22b/text-to-video/lora",
		}
		j, err := s.Accept(b.Context(), j, p.Plan(j.ID, quota.Asker{Team: j.Team, Member: j.Member}, usd.Dollar, noon))
		if err != nil {
			b.Fatal(err)
		}
		for _, step := range []struct {
			state   generate.State
			billing quota.Billing
		}{
			{generate.Submitting, quota.Keep()},
			{generate.Queued, quota.Keep()},
			{generate.Running, quota.Keep()},
			{generate.Fetched, quota.Settle(usd.Dollar)},
			{generate.Delivering, quota.Keep()},
			{generate.Delivered, quota.Keep()},
		} {
			if j.State = step.state; j.State == generate.Delivered {
				j.Shown = j.State
			}
			if j, err = s.Save(b.Context(), j, step.billing); err != nil {
				b.Fatal(err)
			}
		}
	}
	jobs := float64(n)
	b.ReportMetric(float64(e.updates)/jobs, "updates/op")
	b.ReportMetric(float64(e.reads)/jobs, "reads/op")
	b.ReportMetric(float64(e.writes)/jobs, "writes/op")
}

// counting counts what transactions read and write.
type counting struct {
	kv.Engine
	updates, reads, writes int
}

func (e *counting) Update(ctx context.Context, fn func(kv.Tx) error) error {
	return e.Engine.Update(ctx, func(tx kv.Tx) error {
		e.updates++
		return fn(&countingTx{tx, e})
	})
}

type countingTx struct {
	kv.Tx
	e *counting
}

func (t *countingTx) Get(key string) []byte {
	t.e.reads++
	return t.Tx.Get(key)
}

func (t *countingTx) Scan(prefix, from string) iter.Seq2[string, []byte] {
	t.e.reads++
	return t.Tx.Scan(prefix, from)
}

func (t *countingTx) Put(key string, value []byte) {
	t.e.writes++
	t.Tx.Put(key, value)
}

func (t *countingTx) Delete(key string) {
	t.e.writes++
	t.Tx.Delete(key)
}
