package bolt_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/core/quota/quotatest"
)

// crashFile names the store in the process that is to be killed.
const crashFile = "LTXBOT_TEST_CRASH_FILE"

func TestNothingAcknowledgedIsLostInAKill(t *testing.T) {
	if path := os.Getenv(crashFile); path != "" {
		workUntilKilled(t, path)
		return
	}
	path := filepath.Join(t.TempDir(), "ltx.db")
	acknowledged := map[string]string{} // job → last state
	for round := range 3 {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNothingAcknowledgedIsLostInAKill$")
		child.Env = append(os.Environ(), crashFile+"="+path, fmt.Sprintf("LTXBOT_TEST_ROUND=%d", round))
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; n < 200 && lines.Scan(); n++ {
			id, state, _ := strings.Cut(lines.Text(), " ")
			acknowledged[id] = state
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // what it wrote before it died
			if id, state, ok := strings.Cut(lines.Text(), " "); ok {
				acknowledged[id] = state
			}
		}
		if err := child.Wait(); err == nil {
			t.Fatal("the process ended by itself")
		}

		f := open(t, path, time.Now)
		quotatest.CheckBooks(t, f)
		unfinished, err := f.Jobs(t.Context(), generate.Query{Unfinished: true, Limit: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		taken := map[string]bool{}
		for range unfinished {
			c, err := f.Take(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			taken[c.Job.ID] = true
		}
		for id, state := range acknowledged {
			j, err := f.Job(t.Context(), id)
			// The save that was under way may have happened as well.
			if err != nil || state == string(generate.Delivered) && j.State != generate.Delivered {
				t.Errorf("job %s was %s before the kill, is %s, %v", id, state, j.State, err)
			}
			if j.Unfinished() && !taken[id] {
				t.Errorf("unfinished job %s was not handed out", id)
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(acknowledged) < 200 {
		t.Errorf("only %d jobs were acknowledged", len(acknowledged))
	}
}

// workUntilKilled accepts jobs, brings every other one to its end, and prints
// what the store has acknowledged.
func workUntilKilled(t *testing.T, path string) {
	f := open(t, path, time.Now)
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("job-%s-%d-%d", os.Getenv("LTXBOT_TEST_ROUND"), worker, i)
				j := accept(t, f.Store, job(id, "acme", "discord:1"))
				fmt.Fprintln(os.Stdout, id, j.State)
				if i%2 == 0 {
					continue
				}
				j.State, j.Shown = generate.Delivered, generate.Delivered
				if _, err := f.Save(t.Context(), j, quota.Settle(100_000)); err != nil {
					t.Errorf("save: %v", err)
					return
				}
				fmt.Fprintln(os.Stdout, id, j.State)
			}
		})
	}
	all.Wait()
}
