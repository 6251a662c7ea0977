package redis_test

import (
	"flag"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/internal/redistest"
	"ltxbot/store/redis"
)

// histories sets how many random histories each suite tries.
func histories(t *testing.T, n int) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	before := checks.Value.String()
	t.Cleanup(func() { _ = checks.Value.Set(before) })
	if err := checks.Value.Set(strconv.Itoa(n)); err != nil {
		t.Fatal(err)
	}
}

func TestOnACluster(t *testing.T) {
	if testing.Short() {
		t.Skip("starts three servers")
	}
	histories(t, 10)
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
		waitFor(t, "the cluster to form", func() bool {
			info := s.CLI("CLUSTER", "INFO")
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:3")
		})
	}
	url := fmt.Sprintf("redis+cluster://%s?addr=%s", all[0].Addr(), all[1].Addr())
	runSuites(t, url)

	for _, s := range all {
		if strings.HasPrefix(s.CLI("DBSIZE"), "0") {
			t.Errorf("nothing is kept on %s", s.Addr())
		}
	}
}

func TestBehindSentinels(t *testing.T) {
	if testing.Short() {
		t.Skip("starts three servers and waits for a failover")
	}
	histories(t, 3)
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
	waitFor(t, "the sentinel to know the replica", func() bool {
		return strings.Contains(sentinel.CLI("SENTINEL", "REPLICAS", "ltx"), strconv.Itoa(replica.Port)) &&
			strings.Contains(replica.CLI("INFO", "replication"), "master_link_status:up")
	})
	url := "redis+sentinel://" + sentinel.Addr() + "/0?master_name=ltx&addr=" + sentinel.Addr()
	runSuites(t, url)

	s := open(t, url, redis.Options{Silence: silence})
	defer s.Close()
	accept(t, s, 5)
	c := take(t, s)
	master.Replicated(replica)
	master.Kill()
	waitFor(t, "the replica to be the master", func() bool {
		return strings.Contains(replica.CLI("INFO", "replication"), "role:master")
	})
	j := c.Job
	waitFor(t, "a save on the new master", func() bool {
		j.State, j.Shown = generate.Delivered, generate.Delivered
		_, err := s.Save(t.Context(), j, quota.Settle(cost))
		return err == nil
	})
	c.Done()
	for range 4 {
		take(t, s).Done()
	}
	wantTotals(t, s, quota.Totals{Holds: 5, Reserved: 5 * cost, Held: 4 * cost, Settled: cost, Charged: cost})
}
