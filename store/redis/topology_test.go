package redis_test

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"ltxbot/internal/need"
	"ltxbot/internal/redistest"
	"ltxbot/internal/until"
	"ltxbot/store/kv"
	"ltxbot/store/kv/kvtest"
	"ltxbot/store/redis"
)

// topology is a prefix on several servers, for the suite. A client that is
// killed there is closed: it has no way to the servers of its own.
type topology struct {
	url  string
	opts redis.Options
}

func newTopology(url string, now func() time.Time) *topology {
	return &topology{url, redis.Options{
		Prefix: fmt.Sprintf("t%d", prefixes.Add(1)), Now: now, Logger: slog.New(slog.DiscardHandler),
	}}
}

func (d *topology) Open(t testing.TB) kv.Engine {
	t.Helper()
	e, err := redis.Open(t.Context(), d.url, d.opts)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (d *topology) Kill(t testing.TB, e kv.Engine) {
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

func runSuite(t *testing.T, url string) {
	need.Checks()
	kvtest.Run(t, kvtest.Harness{New: func(_ testing.TB, now func() time.Time) kvtest.Database { return newTopology(url, now) }})
}

func TestOnACluster(t *testing.T) {
	t.Parallel()
	need.Spare(t)
	const slots, nodes = 16384, 3
	var all []*redistest.Server
	firstBus := ""
	for i := range nodes {
		bus := strconv.Itoa(redistest.FreePort(t))
		s := redistest.New(t, "--cluster-enabled", "yes", "--cluster-port", bus, "--cluster-node-timeout", "5000",
			"--appendonly", "yes", "--save", "")
		s.Start()
		s.CLI("CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(i*slots/nodes), strconv.Itoa((i+1)*slots/nodes-1))
		if i == 0 {
			firstBus = bus
		} else {
			s.CLI("CLUSTER", "MEET", "127.0.0.1", strconv.Itoa(all[0].Port), firstBus)
		}
		all = append(all, s)
	}
	for _, s := range all {
		until.True(t, "the cluster forms", func() bool {
			info := s.CLI("CLUSTER", "INFO")
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:3")
		})
	}
	url := fmt.Sprintf("redis+cluster://%s?addr=%s", all[0].Addr(), all[1].Addr())
	runSuite(t, url)
}

func TestBehindSentinels(t *testing.T) {
	t.Parallel()
	need.Spare(t)
	master := redistest.Start(t)
	replica := redistest.Start(t, "--replicaof", "127.0.0.1 "+strconv.Itoa(master.Port))
	sentinel := redistest.New(t)
	sentinel.Args = []string{sentinel.Config("sentinel.conf", fmt.Sprintf(`port %d
bind 127.0.0.1
sentinel monitor ltx 127.0.0.1 %d 1
sentinel down-after-milliseconds ltx 500
sentinel failover-timeout ltx 3000
`, sentinel.Port, master.Port)), "--sentinel"}
	sentinel.Start()
	until.True(t, "the sentinel knows the replica", func() bool {
		return strings.Contains(sentinel.CLI("SENTINEL", "REPLICAS", "ltx"), strconv.Itoa(replica.Port)) &&
			strings.Contains(replica.CLI("INFO", "replication"), "master_link_status:up")
	})
	url := "redis+sentinel://" + sentinel.Addr() + "/0?master_name=ltx&addr=" + sentinel.Addr()
	runSuite(t, url)

	d := newTopology(url, nil)
	e := d.Open(t)
	t.Cleanup(func() { e.Close() })
	publish(t, e, "a", "b")
	c := claim(t, e)
	increment(t, e, "n")
	master.Replicated(replica)
	run, err := e.Incarnation(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	master.Kill()
	until.True(t, "a transaction works on the new master", func() bool {
		return e.Update(t.Context(), func(tx kv.Tx) error { tx.Put("n", []byte("2")); tx.Retire(c.Job); return nil }) == nil
	})
	if got := read(t, e, "n"); got != "2" {
		t.Errorf("n is %s", got)
	}
	if now, err := e.Incarnation(t.Context()); err != nil || now == run {
		t.Errorf("the new master has the run of the old one: %v", err)
	}
	c.Release()
	if next := claim(t, e); next.Job == c.Job {
		t.Errorf("%s was retired, and is handed out", c.Job)
	}
}
