package bench_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ltxbot/core/quota"
	"ltxbot/store"
)

// workerEnv makes this program one of several processes that share a store,
// instead of a test: it holds the work as JSON.
const workerEnv = "LTXBOT_BENCH_WORK"

func TestMain(m *testing.M) {
	if text := os.Getenv(workerEnv); text != "" {
		if err := beWorker(context.Background(), text, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if text := os.Getenv(botEnv); text != "" {
		if err := beBot(context.Background(), text, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// work is what one process does: an operation with each Step-th job.
type work struct {
	URL       string
	Operation string
	First     int64
	Last      int64
	Step      int64
	Callers   int
	Teams     int
	Limited   bool          // by limits on the whole bot
	Every     time.Duration // a call begins, in all processes together; 0 = as soon as one has ended
}

func (w work) policy() quota.Policy {
	if w.Limited {
		return limited
	}
	return ordinary
}

// beWorker opens the store, accepts once for everybody who will ask, says so
// with a line, waits for one, works, and says with another line how long each
// call took, in nanoseconds.
func beWorker(ctx context.Context, text string, in io.Reader, out io.Writer) error {
	var w work
	if err := json.Unmarshal([]byte(text), &w); err != nil {
		return err
	}
	s, err := openStore(ctx, w.URL, w.policy())
	if err != nil {
		return err
	}
	if err := w.warmUp(ctx, s); err != nil {
		return errors.Join(err, s.Close())
	}
	fmt.Fprintln(out, "ready")
	if _, err := bufio.NewReader(in).ReadString('\n'); err != nil {
		return errors.Join(err, s.Close())
	}
	took, err := w.do(ctx, s)
	return errors.Join(err, json.NewEncoder(out).Encode(took), s.Close())
}

// warmUp makes the counters of all members who will ask, and what the process
// remembers of them: hardly anybody asks for the first time.
func (w work) warmUp(ctx context.Context, s *store.Store) error {
	for n := w.First; n < min(w.Last+1, int64(max(members, w.Teams))); n += w.Step {
		j := benchJob(n, w.Teams)
		j.ID = "warm" + j.ID
		if err := operations["accept"](ctx, s, j, w.policy()); err != nil {
			return err
		}
	}
	return nil
}

// do does the work and returns how long each call took.
func (w work) do(ctx context.Context, s *store.Store) ([]time.Duration, error) {
	do := operations[w.Operation]
	took := make([]time.Duration, max(0, (w.Last-w.First)/w.Step+1))
	var next atomic.Int64
	var all sync.WaitGroup
	errs := make([]error, w.Callers)
	start := time.Now()
	for c := range w.Callers {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(took)); i = next.Add(1) - 1 {
				j := benchJob(w.First+i*w.Step, w.Teams)
				began := start.Add(time.Duration(w.First+i*w.Step) * w.Every)
				if wait := time.Until(began); w.Every > 0 && wait > 0 {
					<-time.After(wait)
				} else if w.Every == 0 {
					began = time.Now()
				}
				if errs[c] = do(ctx, s, j, w.policy()); errs[c] != nil {
					return
				}
				took[i] = time.Since(began)
			}
		})
	}
	all.Wait()
	return took, errors.Join(errs...)
}

// spread does work for so many jobs from several processes at once.
func spread(b *testing.B, of work, processes, jobs int) result {
	b.Helper()
	server := start(b)
	var children []*child
	for i := range processes {
		w := of
		w.URL, w.First, w.Last, w.Step, w.Callers = server.URL(), int64(i), int64(jobs-1), int64(processes), of.Callers/processes
		children = append(children, startChild(b, w))
	}
	for _, c := range children {
		c.line(b) // ready
	}
	before := cpu(b, server)
	b.ResetTimer()
	began := time.Now()
	for _, c := range children {
		fmt.Fprintln(c.in)
	}
	var took []time.Duration
	for _, c := range children {
		var its []time.Duration
		if err := json.Unmarshal(c.line(b), &its); err != nil {
			b.Fatal(err)
		}
		took = append(took, its...)
	}
	elapsed := time.Since(began)
	b.StopTimer()
	after := cpu(b, server)
	for _, c := range children {
		if err := c.cmd.Wait(); err != nil {
			b.Fatal(err)
		}
	}
	slices.Sort(took)
	return result{
		perSecond: float64(jobs) / elapsed.Seconds(),
		p50:       took[len(took)/2], p99: took[len(took)*99/100],
		server: (after - before) / time.Duration(jobs),
	}
}

// child is a process at work.
type child struct {
	cmd *exec.Cmd
	in  io.Writer
	out *bufio.Reader
}

func startChild(b *testing.B, w work) *child {
	b.Helper()
	text, err := json.Marshal(w)
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.CommandContext(b.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), workerEnv+"="+string(text))
	cmd.Stderr = os.Stderr
	in, inErr := cmd.StdinPipe()
	out, outErr := cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr, cmd.Start()); err != nil {
		b.Fatal(err)
	}
	return &child{cmd: cmd, in: in, out: bufio.NewReader(out)}
}

// line reads a line that the process says.
func (c *child) line(b *testing.B) []byte {
	b.Helper()
	text, err := c.out.ReadBytes('\n')
	if err != nil {
		b.Fatalf("process ended: %v", err)
	}
	return text
}
