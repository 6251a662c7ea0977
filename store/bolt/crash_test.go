package bolt_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"ltxbot/store/bolt"
	"ltxbot/store/kv"
)

// crashFile names the store in the process that is to be killed.
const crashFile = "LTXBOT_TEST_CRASH_FILE"

func TestNothingAcknowledgedIsLostInAKill(t *testing.T) {
	if path := os.Getenv(crashFile); path != "" {
		workUntilKilled(t, path)
		return
	}
	path := newPath(t)
	acknowledged := map[string]bool{} // job → whether it was retired
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
		note := func() {
			if op, job, ok := strings.Cut(lines.Text(), " "); ok {
				acknowledged[job] = op == "retired"
			}
		}
		for n := 0; n < 200 && lines.Scan(); n++ {
			note()
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // what it wrote before it died
			note()
		}
		if err := child.Wait(); err == nil {
			t.Fatal("the process ended by itself")
		}
		e := open(t, path, bolt.Options{})
		claimed := claimAll(t, e)
		for job, retired := range acknowledged {
			if got := get(t, e, job); got == "" || retired && got != "retired" {
				t.Errorf("job %s (retired: %v) is %q", job, retired, got)
			}
			// A retirement that was under way may have happened as well.
			if retired && claimed[job] || !retired && !claimed[job] && get(t, e, job) != "retired" {
				t.Errorf("job %s: retired %v, handed out %v", job, retired, claimed[job])
			}
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(acknowledged) < 200 {
		t.Errorf("only %d jobs were acknowledged", len(acknowledged))
	}
}

// claimAll claims every job that waits.
func claimAll(t *testing.T, e *bolt.Engine) map[string]bool {
	t.Helper()
	const last = "last"
	if err := e.Update(t.Context(), func(tx kv.Tx) error { tx.Publish(last); return nil }); err != nil {
		t.Fatal(err)
	}
	claimed := map[string]bool{}
	for {
		c, err := e.Claim(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if c.Job == last {
			if err := e.Update(t.Context(), func(tx kv.Tx) error { tx.Retire(last); return nil }); err != nil {
				t.Fatal(err)
			}
			return claimed
		}
		claimed[c.Job] = true
	}
}

// workUntilKilled publishes jobs, retires every other one, and prints what was
// committed.
func workUntilKilled(t *testing.T, path string) {
	e := open(t, path, bolt.Options{FlushSize: 16 << 10}) // several flushes a second
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := 0; ; i++ {
				job := fmt.Sprintf("job-%s-%d-%d", os.Getenv("LTXBOT_TEST_ROUND"), worker, i)
				for _, op := range []string{"published", "retired"} {
					err := e.Update(t.Context(), func(tx kv.Tx) error {
						tx.Put(job, []byte(op))
						if op == "retired" {
							tx.Retire(job)
						} else {
							tx.Publish(job)
						}
						return nil
					})
					if err != nil {
						t.Error(err)
						return
					}
					fmt.Fprintln(os.Stdout, op, job)
					if i%2 == 0 {
						break
					}
				}
			}
		})
	}
	all.Wait()
}
