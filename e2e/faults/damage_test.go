package faults_test

import (
	"bytes"
	"strings"
	"testing"

	"ltxbot/internal/need"
	"ltxbot/internal/testfile"
)

// TestADamagedStore starts the program on a file that somebody or something
// has damaged. It must say so and end, or do without what it can't read; it
// must never take a damaged file for an empty one.
func TestADamagedStore(t *testing.T) {
	t.Parallel()
	build(t)
	const page = 4096
	var trials []trial
	for _, tt := range []struct {
		name   string
		damage func([]byte) []byte
		starts bool
		says   string
	}{
		{"it is something else", func([]byte) []byte { return bytes.Repeat([]byte("not a store\n"), 5000) }, false, "not a store of the bot, or it is damaged"},
		{"it ends in the middle of what is in use", func(b []byte) []byte { return b[:8*page] }, false, "damaged"},
		{"it ends after its first two pages", func(b []byte) []byte { return b[:2*page] }, false, "damaged"},
		{"its first page is torn, the second tells where all is", func(b []byte) []byte {
			copy(b[:page], make([]byte, page/2))
			return b
		}, true, "bot is running"},
		{"both of its first pages are torn", func(b []byte) []byte {
			copy(b[:2*page], make([]byte, 2*page))
			return b
		}, false, "not a store of the bot, or it is damaged"},
		{"all pages after the first two are zero", func(b []byte) []byte {
			clear(b[2*page:])
			return b
		}, false, "damaged"},
		{"all pages after the first two are garbage", func(b []byte) []byte {
			for i := range b[2*page:] {
				b[2*page+i] = byte(i * 7)
			}
			return b
		}, false, "damaged"},
		{"the record of a job is garbage", func(b []byte) []byte {
			return bytes.ReplaceAll(b, []byte(`"state":"`), []byte(`"state"x"`))
		}, true, "is damaged"},
	} {
		trials = append(trials, trial{tt.name, func(t *testing.T) {
			w := newWorld(t, stages[0].make, setup{fal: slow()})
			p := w.spawn()
			job, _ := w.ask("")
			w.cardSays(job, "Making your video")
			// Then all that it knows is in the file, and nothing in a log beside it.
			if _, code, err := p.terminate(); err != nil || code != 0 {
				t.Fatalf("stopped with %d, %v", code, err)
			}
			if err := w.on.gone(w.ctx); err != nil {
				t.Fatal(err)
			}
			raw := testfile.Read(t, w.storePath())
			testfile.Write(t, w.storePath(), tt.damage(raw))
			before := len(w.logged())
			p = w.spawn()
			if !tt.starts {
				if p.alive() {
					t.Fatalf("the bot started")
				}
				if code := p.cmd.ProcessState.ExitCode(); code <= 0 {
					t.Errorf("exit code %d, want one that says that it failed", code)
				}
			}
			if tt.starts {
				second, _ := w.ask("")
				w.cardSays(second, "Done")
			}
			said := w.logged()[before:]
			if !strings.Contains(said, tt.says) || strings.Contains(said, "goroutine ") || strings.Contains(said, "panic") {
				t.Errorf("the bot said %q, want %q and no panic", said[:min(len(said), 1500)], tt.says)
			}
			if !tt.starts {
				return
			}
			if _, code, err := p.terminate(); err != nil || code != 0 {
				t.Errorf("stopped with %d, %v", code, err)
			}
		}})
	}
	together(t, need.Some(t, trials, 4))
}
