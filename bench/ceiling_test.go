package bench_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"ltxbot/internal/need"
	"ltxbot/internal/redistest"
	"ltxbot/store/redis"
)

// benchCeiling lets redis-benchmark make a call of the store over and over:
// with the arguments that the store has sent, for another job each time.
func benchCeiling(b *testing.B, operation string) result {
	b.Helper()
	server := start(b)
	tool := need.Tool(b, "redis-benchmark")
	call := captured(b, server, operation)
	args := append([]string{
		"-p", strconv.Itoa(server.Port), "-c", strconv.Itoa(callers), "-r", "1000000000", "-n", strconv.Itoa(max(b.N, 100)), "-q", "--csv",
	}, call...)
	_, before := scripts(b, server)
	b.ResetTimer()
	out, err := exec.CommandContext(b.Context(), tool, args...).Output()
	b.StopTimer()
	_, after := scripts(b, server)
	if err != nil {
		b.Fatal(errors.Join(err, errors.New(string(out))))
	}
	// The first field is the call, which may hold anything. After it come
	// jobs per second, and in milliseconds average, minimum, p50, p95, p99
	// and maximum.
	const columns, rate, p50, p99 = 7, 0, 3, 5
	fields := strings.Split(strings.TrimSpace(string(out)), `","`)
	if len(fields) <= columns {
		b.Fatalf("redis-benchmark says %q", out)
	}
	var numbers [columns]float64
	for i, text := range fields[len(fields)-columns:] {
		if numbers[i], err = strconv.ParseFloat(strings.Trim(text, "\"\n"), 64); err != nil {
			b.Fatalf("redis-benchmark says %q", out)
		}
	}
	milliseconds := func(n float64) time.Duration { return time.Duration(n * float64(time.Millisecond)) }
	return result{
		perSecond: numbers[rate], p50: milliseconds(numbers[p50]), p99: milliseconds(numbers[p99]),
		server: (after - before) / time.Duration(max(b.N, 100)),
	}
}

// quoted is an argument as MONITOR shows it.
// https://redis.io/docs/latest/commands/monitor/
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// captured is a call that a store has made for a job, as the arguments of
// redis-benchmark, which puts another number into the job's id each time. The
// team, its member and their counters are there already, as they mostly are.
func captured(b *testing.B, server *redistest.Server, operation string) []string {
	b.Helper()
	s := mustOpen(b, server, redis.Options{})
	do := operations[operation]
	warm, j := benchJob(0, usualTeams), benchJob(members, usualTeams) // of the same member
	if err := do(b.Context(), s, warm); err != nil {
		b.Fatal(err)
	}
	monitor, err := new(net.Dialer).DialContext(b.Context(), "tcp", server.Addr())
	if err != nil {
		b.Fatal(err)
	}
	defer monitor.Close()
	lines := bufio.NewReader(monitor)
	fmt.Fprint(monitor, "MONITOR\r\n")
	if _, err := lines.ReadString('\n'); err != nil {
		b.Fatal(err)
	}
	if err := do(b.Context(), s, j); err != nil {
		b.Fatal(err)
	}
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			b.Fatal(err)
		}
		if !strings.Contains(line, `"evalsha"`) || !strings.Contains(line, j.ID) {
			continue
		}
		var call []string
		for _, text := range quoted.FindAllString(line, -1) {
			arg, err := strconv.Unquote(text)
			if err != nil {
				b.Fatalf("MONITOR shows %s: %v", text, err)
			}
			call = append(call, strings.ReplaceAll(arg, j.ID, "job__rand_int__"))
		}
		return call
	}
}
