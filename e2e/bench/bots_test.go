// Package bench_test measures the whole bot against the simulators, and the
// store on Redis. Its numbers are for reading: nothing here passes or fails by
// a time. To run all of it: make bench
package bench_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"ltxbot/app"
	"ltxbot/config"
	"ltxbot/internal/need"
	simfal "ltxbot/sim/fal"
)

// botEnv makes this program the bot, instead of a test: it holds a joined as
// JSON.
const botEnv = "LTXBOT_BENCH_BOT"

// profileEnv names a file into which the bot writes its CPU profile: that of
// go test -cpuprofile is of the simulators.
const profileEnv = "LTXBOT_BENCH_PROFILE"

// joined is what a bot must know to join a stage.
type joined struct {
	Platform, API, Token, AppToken string
	Fal, FalREST, FalAPI, FalMedia string
	FalKey, Model, Dir             string
	// Stream lets the Node bot follow jobs by fal's status stream, which costs
	// it more than seldom polls, and less time.
	Stream bool
}

// beBot runs the bot, as people install it, until its input ends: with a store
// on disk, ffmpeg, and a ledger in which nobody has a limit.
func beBot(ctx context.Context, text string, in io.Reader, out io.Writer) error {
	var j joined
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return err
	}
	cfg := config.Default()
	cfg.HTTP.Listen = "127.0.0.1:0"
	cfg.Store.URL = config.NewSecret("bolt:" + filepath.Join(j.Dir, "ltx.db"))
	cfg.Fal.Key, cfg.Fal.QueueURL, cfg.Fal.RestURL, cfg.Fal.APIURL = config.NewSecret(j.FalKey), j.Fal, j.FalREST, j.FalAPI
	cfg.Fal.MediaHosts = []string{j.FalMedia}
	cfg.Discord.Token, cfg.Slack.BotToken = config.NewSecret(""), config.NewSecret("")
	if j.Platform == "slack" {
		cfg.Slack.BotToken, cfg.Slack.AppToken, cfg.Slack.APIURL = config.NewSecret(j.Token), config.NewSecret(j.AppToken), j.API
	} else {
		cfg.Discord.Token, cfg.Discord.APIURL = config.NewSecret(j.Token), j.API
	}
	cfg.Quota.Member, cfg.Quota.Team, cfg.Quota.Bot = config.Limit{}, config.Limit{}, config.Limit{}
	a, err := app.New(ctx, cfg, app.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	if err := a.Start(ctx); err != nil {
		return err
	}
	if path := os.Getenv(profileEnv); path != "" {
		f, err := os.Create(path)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	fmt.Fprintln(out, "ready")
	_, err = io.Copy(io.Discard, in)
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return errors.Join(err, a.Stop(ctx))
}

// bots are the programs that are measured.
var bots = []string{"this bot", "Node bot"}

// startBot starts one of the bots as a process of its own, and returns its id
// when it takes commands.
func startBot(b *testing.B, name string, j joined) (pid int) {
	b.Helper()
	text, err := json.Marshal(j)
	if err != nil {
		b.Fatal(err)
	}
	ctx := context.WithoutCancel(b.Context()) // it is to end by itself
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), botEnv+"="+string(text))
	if name == "Node bot" {
		cmd = exec.CommandContext(ctx, need.Tool(b, "node"), "node/bot.mjs")
		cmd.Env = append(os.Environ(), "PLATFORM="+j.Platform, "API_URL="+j.API, "TOKEN="+j.Token, "APP_TOKEN="+j.AppToken,
			"QUEUE_URL="+j.Fal, "FAL_TEST_KEY="+j.FalKey, "MODEL="+j.Model, fmt.Sprintf("STREAM=%t", j.Stream))
	}
	cmd.Stderr = os.Stderr
	in, inErr := cmd.StdinPipe()
	out, outErr := cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr, cmd.Start()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close()
		defer time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() }).Stop()
		_ = cmd.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		b.Fatalf("%s says %q: %v", name, line, err)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return cmd.Process.Pid
}

// crowd types commands at a stage where a bot works.
type crowd interface {
	// join is how a bot reaches the platform.
	join() joined
	// ask types the n-th command, and returns how long the acknowledgement
	// took. It may be called before others have returned.
	ask(ctx context.Context, n int) (time.Duration, error)
	// posted yields the prompts of videos as they are posted, with the time.
	posted(ctx context.Context, each func(prompt string, at time.Time) bool)
}

// prompt is what the n-th command asks for.
func prompt(n int) string { return fmt.Sprintf("a red canoe on a lake, take %d.", n) }

// stage is fal with a platform, and a bot between them, whose process id it
// returns.
func stage(b *testing.B, name string, c crowd, stream bool, o simfal.Options) (fal *simfal.Server, pid int) {
	b.Helper()
	fal, err := simfal.Start(o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(fal.Close)
	j := c.join()
	j.Fal, j.FalREST, j.FalAPI, j.FalMedia, j.FalKey = fal.QueueURL(), fal.RESTURL(), fal.APIURL(), fal.MediaHost(), fal.Key()
	j.Model, j.Dir, j.Stream = config.Default().Fal.Model, b.TempDir(), stream
	return fal, startBot(b, name, j)
}

// acknowledged is how long acknowledgements take while commands come in at a
// rate for a while, and videos are made and posted all the time.
func acknowledged(b *testing.B, name string, c crowd, rate int, during time.Duration) spans {
	b.Helper()
	// 20 videos a second: Discord takes about as many from one bot.
	stage(b, name, c, false, simfal.Options{Concurrency: 20, Timing: simfal.Timing{Queue: 200 * time.Millisecond, Run: time.Second}})
	type answer struct {
		took time.Duration
		err  error
	}
	n := rate * int(during/time.Second)
	answers := make(chan answer, n)
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	for i := range n {
		<-tick.C
		go func() {
			took, err := c.ask(b.Context(), i)
			answers <- answer{took, err}
		}()
	}
	var out spans
	for range n {
		a := <-answers
		if a.err != nil {
			out.missed++ // the platform shows that the bot does not answer
			a.took = 3 * time.Second
		}
		out.took = append(out.took, a.took)
	}
	slices.Sort(out.took)
	return out
}

// lag is how long it takes from fal's COMPLETED until the message with a video
// of 1 MB is there.
func lag(b *testing.B, name string, c crowd, videos int) spans {
	b.Helper()
	fal, _ := stage(b, name, c, true, simfal.Options{FileSize: 1 << 20, Concurrency: 20})
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	at := map[string]time.Time{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.posted(ctx, func(prompt string, t time.Time) bool {
			at[prompt] = t
			return len(at) < videos
		})
	}()
	for n := range videos {
		if _, err := c.ask(ctx, n); err != nil {
			b.Fatal(err)
		}
		<-time.After(250 * time.Millisecond)
	}
	<-done
	var out spans
	for _, s := range fal.Submits() {
		var in struct{ Prompt string }
		if err := json.Unmarshal(s.Body, &in); err != nil {
			b.Fatal(err)
		}
		posted, ok := at[in.Prompt]
		if !ok {
			out.missed++
			continue
		}
		out.took = append(out.took, posted.Sub(fal.Ended(s.RequestID)))
	}
	slices.Sort(out.took)
	return out
}

// wholeJobs is how long the process of the bot works, in user and in system
// mode, for each of so many jobs from command to video, after a first one. Ten
// commands come in a second, and each video has 1 MB.
func wholeJobs(b *testing.B, name string, c crowd, jobs int) spans {
	b.Helper()
	_, pid := stage(b, name, c, false, simfal.Options{
		FileSize: 1 << 20, Concurrency: 40, Timing: simfal.Timing{Queue: 200 * time.Millisecond, Run: time.Second},
	})
	ctx, cancel := context.WithTimeout(b.Context(), 2*time.Minute)
	defer cancel()
	first, done := make(chan struct{}), make(chan int)
	go func() {
		posted := -1 // the first one does not count
		c.posted(ctx, func(string, time.Time) bool {
			if posted++; posted == 0 {
				close(first)
			}
			return posted < jobs
		})
		done <- posted
	}()
	if _, err := c.ask(ctx, 0); err != nil {
		b.Fatal(err)
	}
	<-first
	<-time.After(2 * time.Second) // for what a start does in the background: it tries ffmpeg
	before := processTime(b, pid)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for n := range jobs {
		if _, err := c.ask(ctx, 1+n); err != nil {
			b.Fatal(err)
		}
		<-tick.C
	}
	posted := <-done
	<-time.After(time.Second) // for the last word on the last cards
	each := (processTime(b, pid) - before) / time.Duration(jobs)
	return spans{took: []time.Duration{each}, missed: jobs - posted}
}

// processTime is how long a process has worked, with the children that it has
// waited for.
// https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
func processTime(b *testing.B, pid int) time.Duration {
	b.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Skip("only Linux tells how long a process has worked: ", err)
	}
	const userTime, ticksPerSecond = 13, 100
	_, after, _ := strings.Cut(string(data), ") ") // the name may have spaces
	fields := strings.Fields(after)[userTime-2:]
	var total time.Duration
	for _, text := range fields[:4] {
		ticks, err := strconv.Atoi(text)
		if err != nil {
			b.Fatal(err)
		}
		total += time.Duration(ticks) * time.Second / ticksPerSecond
	}
	return total
}

// spans are times in order.
type spans struct {
	took   []time.Duration
	missed int // of which nothing came
}

func (s spans) at(q float64) time.Duration {
	if len(s.took) == 0 {
		return 0
	}
	return s.took[int(q*float64(len(s.took)-1))]
}

// BenchmarkBots measures this bot beside one made with the usual libraries for
// Node: each is a process of its own and does the same work at the same
// simulators. At the end it prints what it has found as tables.
func BenchmarkBots(b *testing.B) {
	need.Tool(b, "ffmpeg")
	need.Tool(b, "node")
	if _, err := os.Stat("node/node_modules"); err != nil {
		b.Skip("the Node bot is not installed: npm ci --prefix e2e/bench/node --ignore-scripts")
	}
	const during = 10 * time.Second
	var acks, lags, work versus
	for _, platform := range []string{"discord", "slack"} {
		for _, rate := range []int{50, 100, 200} {
			acks.run(b, fmt.Sprintf("%s, %d commands/s", platform, rate), platform, func(b *testing.B, name string, c crowd) spans {
				return acknowledged(b, name, c, rate, during)
			})
		}
	}
	lags.run(b, "discord, video of 1 MB", "discord", func(b *testing.B, name string, c crowd) spans { return lag(b, name, c, 40) })
	work.run(b, "discord, CPU of a job", "discord", func(b *testing.B, name string, c crowd) spans { return wholeJobs(b, name, c, 200) })
	acks.print("command → acknowledgement")
	lags.print("COMPLETED → message")
	work.print("CPU of a whole job")
}

// versus is a table with a row for each case and both bots side by side.
type versus struct{ rows []string }

// rounds is how often a case is run: of each figure the median counts, since those
// of a p99 differ by a factor of two from run to run.
const rounds = 3

// run runs a case for both bots, in turns.
func (v *versus) run(b *testing.B, name, platform string, measure func(*testing.B, string, crowd) spans) {
	b.Helper()
	var found [2][]spans
	for range rounds {
		for i, bot := range bots {
			b.Run(strings.ReplaceAll(name+"/"+bot, " ", "_"), func(b *testing.B) {
				if b.N > 1 {
					return // one run takes long enough
				}
				s := measure(b, bot, newCrowd(b, platform))
				found[i] = append(found[i], s)
				b.ReportMetric(milliseconds(s.at(0.5)), "p50-ms")
				b.ReportMetric(milliseconds(s.at(0.99)), "p99-ms")
				b.ReportMetric(float64(s.missed), "missed")
				b.ReportMetric(0, "ns/op") // says nothing
			})
		}
	}
	columns := []string{name}
	var medians [2][2]float64 // of the bots, of the p50 and the p99
	for i := range bots {
		if len(found[i]) < rounds {
			return // left out by -bench
		}
		missed := 0
		for k, q := range []float64{0.5, 0.99} {
			of := make([]float64, rounds)
			for n, s := range found[i] {
				of[n] = milliseconds(s.at(q))
			}
			slices.Sort(of)
			medians[i][k] = of[rounds/2]
		}
		for _, s := range found[i] {
			missed += s.missed
		}
		columns = append(columns, fmt.Sprintf("| %.1f ms\t| %.1f ms\t| %d", medians[i][0], medians[i][1], missed))
	}
	columns = append(columns, fmt.Sprintf("| %.2f\t| %.2f\t|", medians[0][0]/medians[1][0], medians[0][1]/medians[1][1]))
	v.rows = append(v.rows, strings.Join(columns, "\t"))
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// print writes the table, ready for docs/benchmarks.md.
func (v *versus) print(what string) {
	if len(v.rows) == 0 {
		return
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', 0)
	defer w.Flush()
	fmt.Fprintf(w, "\n| %s\t| p50\t| p99\t| missed\t| Node p50\t| p99\t| missed\t| p50 ratio\t| p99 ratio\t|\n|%s\n", what, strings.Repeat("---|", 9))
	for _, row := range v.rows {
		fmt.Fprintf(w, "| %s\n", row)
	}
}
