package fal_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/provider/fal"
	sim "ltxbot/sim/fal"
)

func TestFindRecoversALostSubmit(t *testing.T) {
	w := newWorld(t, sim.Options{HistoryLag: time.Hour, Speed: 1})
	began := time.Now()
	w.sim.Inject(sim.Fault{Op: sim.OpSubmit, Lose: true})
	if _, err := w.Submit(t.Context(), jobRequest(t, prompt)); knowledge(err) != "unknown" {
		t.Fatal(err)
	}
	w.submit(t, "another prompt")
	other := jobRequest(t, prompt)
	other.Request = other.Request.WithSeed(43)
	if _, err := w.Submit(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	find := func() []generate.Submission {
		found, err := w.Find(t.Context(), jobRequest(t, prompt), began, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if found := find(); len(found) != 0 {
		t.Errorf("found before the history shows it: %+v", found)
	}
	w.sim.Advance(time.Hour)
	found := find()
	if len(found) != 1 || found[0].RequestID != w.sim.RequestIDs()[0] || found[0].Endpoint != lora {
		t.Errorf("found: %+v", found)
	}
	if st, err := w.Status(t.Context(), found[0]); err != nil || st.Phase == "" {
		t.Errorf("status: %+v, %v", st, err)
	}
	future, err := w.Find(t.Context(), jobRequest(t, prompt), time.Now().Add(time.Hour), time.Now().Add(2*time.Hour))
	if err != nil || len(future) != 0 {
		t.Errorf("found what is older than asked: %+v, %v", future, err)
	}
}

func TestFindReadsAllPagesOldestFirst(t *testing.T) {
	w := newWorld(t, sim.Options{HistoryLag: time.Nanosecond, Concurrency: 500})
	var mine []string
	for i := range 230 {
		if i%100 == 5 {
			mine = append(mine, w.submit(t, prompt).RequestID)
			continue
		}
		w.submit(t, fmt.Sprint("prompt ", i))
	}
	found, err := w.Find(t.Context(), jobRequest(t, prompt), time.Now().Add(-time.Hour), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range found {
		got = append(got, s.RequestID)
	}
	if diff := cmp.Diff(mine, got); diff != "" || w.sim.Count(sim.OpHistory) != 3 {
		t.Errorf("%d calls, (-want +got):\n%s", w.sim.Count(sim.OpHistory), diff)
	}
}

func TestFindComparesSeedPromptAndLoRAs(t *testing.T) {
	w := newWorld(t, sim.Options{})
	item := func(input string) string {
		return `{"request_id":"abc","sent_at":"2026-01-01T00:00:00Z","json_input":` + input + `}`
	}
	own := `{"prompt":` + fal.Quote(prompt) + `,"seed":42}`
	for _, tc := range []struct {
		name, body string
		found      int
	}{
		{"the same", item(own), 1},
		{"as JSON in a string", item(fal.Quote(own)), 1},
		{"twice in the history", item(own) + "," + item(own), 1},
		{"the same LoRAs", item(strings.TrimSuffix(own, "}") + `,"loras":[{"path":"","scale":1}]}`), 1},
		{"other LoRAs", item(strings.TrimSuffix(own, "}") + `,"loras":[{"path":"owner/film","scale":0.7}]}`), 0},
		{"another seed", item(`{"prompt":` + fal.Quote(prompt) + `,"seed":43}`), 0},
		{"no seed", item(`{"prompt":` + fal.Quote(prompt) + `}`), 0},
		{"no prompt", item(`{"seed":42}`), 0},
		{"no input", item(`null`), 0},
		{"no usable id", strings.Replace(item(own), "abc", "a/b", 1), 0},
		{"nothing", "", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w.sim.Inject(sim.Fault{Op: sim.OpHistory, Status: 200, Body: `{"items":[` + tc.body + `],"has_more":false,"next_cursor":""}`})
			found, err := w.Find(t.Context(), jobRequest(t, prompt), time.Now(), time.Now())
			if err != nil || len(found) != tc.found {
				t.Errorf("found %+v, %v", found, err)
			}
		})
	}
	t.Run("pages without end", func(t *testing.T) {
		before := w.sim.Count(sim.OpHistory)
		for i := range 300 {
			w.sim.Inject(sim.Fault{Op: sim.OpHistory, Status: 200, Body: fmt.Sprintf(`{"items":[],"has_more":true,"next_cursor":"%d"}`, i)})
		}
		defer w.sim.Heal()
		if _, err := w.Find(t.Context(), jobRequest(t, prompt), time.Now(), time.Now()); err == nil || w.sim.Count(sim.OpHistory)-before != 200 {
			t.Errorf("%d calls, %v; want an error after 200", w.sim.Count(sim.OpHistory)-before, err)
		}
	})
	t.Run("more pages, and no way to them", func(t *testing.T) {
		for name, cursor := range map[string]string{"no cursor": "null", "the same cursor again": `"7"`} {
			w.sim.Inject(sim.Fault{Op: sim.OpHistory, Status: 200, Times: 2, Body: `{"items":[],"has_more":true,"next_cursor":` + cursor + `}`})
			if _, err := w.Find(t.Context(), jobRequest(t, prompt), time.Now(), time.Now()); err == nil {
				t.Errorf("%s: no error, though not all was looked through", name)
			}
			w.sim.Heal()
		}
	})
}

func TestCheckKeyAndPrices(t *testing.T) {
	w := newWorld(t, sim.Options{})
	if err := w.CheckKey(t.Context(), lora); err != nil {
		t.Error(err)
	}
	prices, err := w.Prices(t.Context(), lora, noLoRA)
	want := []fal.Price{
		{Endpoint: lora, UnitPrice: 0.001805, Unit: "megapixels", Currency: "USD"},
		{Endpoint: noLoRA, UnitPrice: 0.001605, Unit: "megapixels", Currency: "USD"},
	}
	if diff := cmp.Diff(want, prices); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	w.sim.Lock("Exhausted balance")
	for _, err := range []error{w.CheckKey(t.Context(), lora), second(w.Prices(t.Context(), lora))} {
		pe, _ := errors.AsType[*generate.ProviderError](err)
		if pe == nil || pe.Kind != generate.FailAccount || !strings.Contains(pe.Message, "User is locked") {
			t.Errorf("locked: %v", err)
		}
	}
	w.sim.Lock("")
	bad := newWorld(t, sim.Options{}, func(c *fal.Config) { c.Key = "someone:else-0123456789" })
	if pe, _ := errors.AsType[*generate.ProviderError](bad.CheckKey(t.Context(), lora)); pe == nil || pe.HTTPStatus != 401 || pe.Kind != generate.FailAccount {
		t.Errorf("another key: %+v", pe)
	}
	if n := len(w.sim.Submits()) + len(bad.sim.Submits()); n != 0 {
		t.Errorf("%d submits", n)
	}
}

func second[T any](_ T, err error) error { return err }

func TestFullRequestIsAcceptedByTheSchema(t *testing.T) {
	w := newWorld(t, sim.Options{RefuseAtSubmit: true})
	o := jobRequest(t, prompt,
		ltx.Setting{Key: "camera", Value: "dolly_in"}, ltx.Setting{Key: "lora", Value: "owner/repo@0.8"},
		ltx.Setting{Key: "size", Value: "9:16"}, ltx.Setting{Key: "duration", Value: "3"})
	s, err := w.Submit(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	w.await(t, s)
	r, err := w.Result(t.Context(), s)
	if err != nil || r.Output.Width != o.Request.Size().Width || r.Output.Frames != o.Request.Frames() {
		t.Errorf("%+v, %v", r, err)
	}
	if in := w.sim.Submits()[0].Input(); len(in) != inputs(t) || in["camera_lora"] != "dolly_in" {
		t.Errorf("%d inputs: %v", len(in), in)
	}
}

func TestFindReadsTheListWhateverItIsCalled(t *testing.T) {
	w := newWorld(t, sim.Options{})
	item := `{"request_id":"abc","json_input":{"prompt":` + fal.Quote(prompt) + `,"seed":42}}`
	for _, tc := range []struct {
		name, body string
		found      int
	}{
		{"items", `{"items":[` + item + `],"has_more":false,"next_cursor":"x"}`, 1},
		{"requests", `{"has_more":false,"requests":[` + item + `]}`, 1},
		{"no wrapping", `[` + item + `]`, 1},
		{"a list of something else", `{"prices":[{"unit":"megapixels"}]}`, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w.sim.Inject(sim.Fault{Op: sim.OpHistory, Status: 200, Body: tc.body})
			found, err := w.Find(t.Context(), jobRequest(t, prompt), time.Now(), time.Now())
			if err != nil || len(found) != tc.found {
				t.Errorf("found %+v, %v", found, err)
			}
		})
	}
}
