package kvtest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"pgregory.net/rapid"

	"ltxbot/store/kv"
)

// each runs do in many goroutines of all clients at once.
func (b *bench) each(goroutines int, do func(e kv.Engine, i int)) {
	var all sync.WaitGroup
	for i := range goroutines {
		all.Go(func() { do(b.clients[i%len(b.clients)], i) })
	}
	all.Wait()
}

func number(value []byte) int {
	n, _ := strconv.Atoi(string(value))
	return n
}

func putNumber(tx kv.Tx, key string, n int) { tx.Put(key, []byte(strconv.Itoa(n))) }

func testIncrements(b *bench) {
	const goroutines, rounds = 12, 25
	b.each(goroutines, func(e kv.Engine, i int) {
		for range rounds {
			err := e.Update(b.t.Context(), func(tx kv.Tx) error {
				putNumber(tx, "all", number(tx.Get("all"))+1)
				own := fmt.Sprintf("own/%02d", i)
				putNumber(tx, own, number(tx.Get(own))+1)
				return nil
			})
			if err != nil {
				b.t.Errorf("increment: %v", err)
			}
		}
	})
	for _, e := range b.clients {
		b.view(e, func(tx kv.Tx) {
			sum := 0
			for _, v := range tx.Scan("own/", "") {
				sum += number(v)
			}
			if got := number(tx.Get("all")); got != goroutines*rounds || sum != got {
				b.t.Errorf("counted %d, and %d in parts; want %d", got, sum, goroutines*rounds)
			}
		})
	}
}

// testWriteSkew has transactions that read two keys and write one of them: run
// one after the other, they never take more than there is.
func testWriteSkew(b *bench) {
	const there = 40
	b.update(b.first(), func(tx kv.Tx) { putNumber(tx, "a", there/2); putNumber(tx, "b", there/2) })
	var mu sync.Mutex
	taken := 0
	empty := errors.New("empty")
	b.each(12, func(e kv.Engine, i int) {
		for {
			err := e.Update(b.t.Context(), func(tx kv.Tx) error {
				left := map[string]int{"a": number(tx.Get("a")), "b": number(tx.Get("b"))}
				if left["a"]+left["b"] <= 0 {
					return empty
				}
				key := []string{"a", "b"}[i%2]
				putNumber(tx, key, left[key]-1)
				return nil
			})
			if errors.Is(err, empty) {
				return
			}
			if err != nil {
				b.t.Errorf("take: %v", err)
				return
			}
			mu.Lock()
			taken++
			mu.Unlock()
		}
	})
	if taken != there {
		b.t.Errorf("took %d of %d", taken, there)
	}
}

// testPhantoms has transactions that add a key to a range if it has fewer
// than some: between other keys, at either end, seen from either side.
func testPhantoms(b *bench) {
	const room = 10
	full := errors.New("full")
	for name, count := range map[string]func(tx kv.Tx) int{
		"all":       func(tx kv.Tx) int { return len(list(tx.Scan("r/", ""))) },
		"backwards": func(tx kv.Tx) int { return len(list(tx.ScanReverse("r/", ""))) },
		"the last key": func(tx kv.Tx) int {
			for k := range tx.ScanReverse("r/", "") {
				n, _ := strconv.Atoi(strings.TrimPrefix(k, "r/"))
				return n
			}
			return 0
		},
	} {
		b.update(b.first(), func(tx kv.Tx) {
			for k := range tx.Scan("r/", "") {
				tx.Delete(k)
			}
		})
		b.each(12, func(e kv.Engine, i int) {
			for {
				err := e.Update(b.t.Context(), func(tx kv.Tx) error {
					n := count(tx)
					if n >= room {
						return full
					}
					key := fmt.Sprintf("r/%03d-%02d", (i*7)%12, n)
					if name == "the last key" {
						key = fmt.Sprintf("r/%03d", n+1)
					}
					if tx.Get(key) != nil {
						return fmt.Errorf("key %s was taken", key)
					}
					put(tx, key)
					return nil
				})
				if errors.Is(err, full) {
					return
				}
				if err != nil {
					b.t.Errorf("%s: %v", name, err)
					return
				}
			}
		})
		b.view(b.last(), func(tx kv.Tx) {
			if got := list(tx.Scan("r/", "")); len(got) != room {
				b.t.Errorf("%s: the range has %d keys, want %d: %q", name, len(got), room, got)
			}
		})
	}
}

// testView moves amounts between keys, and moves the keys: every view sees
// the same sum.
func testView(b *bench) {
	const accounts, sum = 40, 4000
	b.update(b.first(), func(tx kv.Tx) {
		for i := range accounts {
			putNumber(tx, fmt.Sprintf("a/%02d", i), sum/accounts)
		}
	})
	var writers sync.WaitGroup
	stop := make(chan struct{})
	for w := range 4 {
		e := b.clients[w%len(b.clients)]
		writers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				from, to := fmt.Sprintf("a/%02d", (w*11+i)%accounts), fmt.Sprintf("a/%02d", (w*7+i*3)%accounts)
				err := e.Update(b.t.Context(), func(tx kv.Tx) error {
					x := number(tx.Get(from))
					tx.Delete(from)
					putNumber(tx, to, number(tx.Get(to))+x)
					if i%5 == 0 {
						putNumber(tx, from, number(tx.Get(from))+1)
						putNumber(tx, to, number(tx.Get(to))-1)
					}
					return nil
				})
				if err != nil {
					b.t.Errorf("move: %v", err)
					return
				}
			}
		})
	}
	for i := range 100 {
		e := b.clients[i%len(b.clients)]
		var got, back, single int
		b.view(e, func(tx kv.Tx) {
			got, back, single = 0, 0, 0 // of a run that may be repeated
			for _, v := range tx.Scan("a/", "") {
				got += number(v)
			}
			for _, v := range tx.ScanReverse("a/", "") {
				back += number(v)
			}
			for i := range accounts {
				single += number(tx.Get(fmt.Sprintf("a/%02d", i)))
			}
		})
		if got != sum || back != sum || single != sum {
			b.t.Errorf("a view has the sums %d, %d and %d; want %d", got, back, single, sum)
		}
	}
	close(stop)
	writers.Wait()
}

func testViewAfterUpdate(b *bench) {
	b.each(9, func(e kv.Engine, i int) {
		key := fmt.Sprintf("k%d", i)
		for n := range 20 {
			b.update(e, func(tx kv.Tx) { putNumber(tx, key, n+1) })
			b.view(e, func(tx kv.Tx) {
				if got := number(tx.Get(key)); got != n+1 {
					b.t.Errorf("a view after an update has %d, want %d", got, n+1)
				}
			})
		}
	})
}

// testMachine runs random transactions against a map.
func testMachine(b *bench) {
	keys := rapid.StringMatching(`[a-c]/[0-3]{1,2}`)
	prefixes := rapid.SampledFrom([]string{"", "a", "a/", "b/1", "c/", "d"})
	refused := errors.New("refused")
	rapid.Check(b.t, func(rt *rapid.T) {
		b.update(b.first(), func(tx kv.Tx) {
			for k := range tx.Scan("", "") {
				tx.Delete(k)
			}
		})
		model := map[string]string{}
		for range rapid.IntRange(1, 12).Draw(rt, "transactions") {
			e := rapid.SampledFrom(b.clients).Draw(rt, "client")
			steps := make([]func(kv.Tx, map[string]string) string, rapid.IntRange(0, 10).Draw(rt, "steps"))
			for i := range steps {
				steps[i] = drawStep(rt, keys, prefixes)
			}
			fails := rapid.IntRange(0, 4).Draw(rt, "fails") == 0
			var wrong string
			after := model
			err := e.Update(b.t.Context(), func(tx kv.Tx) error {
				wrong, after = "", maps.Clone(model)
				for _, step := range steps {
					if wrong = step(tx, after); wrong != "" {
						return nil
					}
				}
				if fails {
					return refused
				}
				return nil
			})
			if wrong != "" {
				rt.Fatal(wrong)
			}
			if fails != errors.Is(err, refused) || !fails && err != nil {
				rt.Fatalf("update: %v", err)
			}
			if !fails {
				model = after
			}
			for _, e := range b.clients {
				b.view(e, func(tx kv.Tx) {
					if got, want := list(tx.Scan("", "")), modelList(model, "", ""); !slices.Equal(got, want) {
						rt.Fatalf("keys: got %q, want %q", got, want)
					}
				})
			}
		}
	})
}

// drawStep draws what a transaction does, with the check against the map.
func drawStep(rt *rapid.T, keys, prefixes *rapid.Generator[string]) func(kv.Tx, map[string]string) string {
	key, prefix := keys.Draw(rt, "key"), prefixes.Draw(rt, "prefix")
	at := rapid.OneOf(keys, rapid.Just("")).Draw(rt, "at")
	value := rapid.StringN(1, 20, -1).Draw(rt, "value")
	switch rapid.IntRange(0, 4).Draw(rt, "step") {
	case 0:
		return func(tx kv.Tx, m map[string]string) string {
			tx.Put(key, []byte(value))
			m[key] = value
			return ""
		}
	case 1:
		return func(tx kv.Tx, m map[string]string) string {
			tx.Delete(key)
			delete(m, key)
			return ""
		}
	case 2:
		return func(tx kv.Tx, m map[string]string) string {
			if got := string(tx.Get(key)); got != m[key] {
				return fmt.Sprintf("get %s: got %q, want %q", key, got, m[key])
			}
			return ""
		}
	case 3:
		return func(tx kv.Tx, m map[string]string) string {
			want := slices.DeleteFunc(modelList(m, prefix, ""), func(p string) bool { k, _, _ := strings.Cut(p, "="); return k < at })
			if got := list(tx.Scan(prefix, at)); !slices.Equal(got, want) {
				return fmt.Sprintf("scan %q from %q: got %q, want %q", prefix, at, got, want)
			}
			return ""
		}
	default:
		return func(tx kv.Tx, m map[string]string) string {
			want := modelList(m, prefix, at)
			slices.Reverse(want)
			if got := list(tx.ScanReverse(prefix, at)); !slices.Equal(got, want) {
				return fmt.Sprintf("scan %q back before %q: got %q, want %q", prefix, at, got, want)
			}
			return ""
		}
	}
}

// modelList writes the keys of m with a prefix and before an end in order.
func modelList(m map[string]string, prefix, end string) []string {
	var pairs []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if strings.HasPrefix(k, prefix) && (end == "" || k < end) {
			pairs = append(pairs, k+"="+m[k])
		}
	}
	return pairs
}

func testCrash(b *bench) {
	for i := range 5 {
		e := b.first()
		b.update(e, func(tx kv.Tx) { put(tx, fmt.Sprintf("k%d", i)); tx.Delete(fmt.Sprintf("k%d", i-2)) })
		b.kill(e)
		b.open()
	}
	b.want(b.first(), "k3=vk3", "k4=vk4")
}
