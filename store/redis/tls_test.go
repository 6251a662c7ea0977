package redis_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"ltxbot/internal/flaky"
	"ltxbot/internal/redistest"
	"ltxbot/internal/until"
	"ltxbot/store/redis"
)

// addressVariable names the store that TestTheStoreAtAnAddress works with.
const addressVariable = "LTXBOT_REDIS_TEST_URL"

// TestTheStoreAtAnAddress uses a database that another test names: in
// a process of its own, since a process reads once which CAs it trusts.
func TestTheStoreAtAnAddress(t *testing.T) {
	t.Parallel()
	url := os.Getenv(addressVariable)
	if url == "" {
		t.Skip("another test runs this one")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, err := redis.Open(ctx, url, redis.Options{Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)), Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	publish(t, s, "a")
	c, err := s.Claim(ctx)
	if err != nil {
		t.Fatal(err)
	}
	increment(t, s, "n")
	if got := read(t, s, "n"); got != "1" {
		t.Errorf("counted %s", got)
	}
	if held, err := s.Lease(ctx, "gateway", time.Second); err != nil || !held {
		t.Errorf("lease: %t, %v", held, err)
	}
	c.Release()
}

// useStore runs TestTheStoreAtAnAddress in a process that trusts the CA too.
func useStore(t *testing.T, url, ca string) (out string, ok bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestTheStoreAtAnAddress$", "-test.v")
	cmd.Env = append(os.Environ(), addressVariable+"="+url, "SSL_CERT_FILE="+ca)
	raw, err := cmd.CombinedOutput()
	return string(raw), err == nil
}

func TestTLSWithACAOfOnesOwn(t *testing.T) {
	t.Parallel()
	ca := redistest.NewCA(t)
	server := redistest.NewTLS(t, ca, []string{"127.0.0.1"}, "--requirepass", "hunter2")
	server.Start()
	out, ok := useStore(t, "rediss://:hunter2@"+server.Addr()+"/0", ca.File)
	if !ok || strings.Contains(out, "hunter2") {
		t.Errorf("the store can't be used:\n%s", out)
	}
}

func TestTLSThatIsNotTrustedEndsTheStartAndSaysWhy(t *testing.T) {
	t.Parallel()
	ca := redistest.NewCA(t)
	server := redistest.NewTLS(t, ca, []string{"127.0.0.1"}, "--requirepass", "hunter2", "--cluster-enabled", "yes")
	server.Start()
	renamed := redistest.NewTLS(t, ca, []string{"redis.example.com"}, "--requirepass", "hunter2")
	renamed.Start()
	sentinel := newTLSSentinel(t, ca, []string{"127.0.0.1"}, server)
	for _, test := range []struct{ name, url, ca, want string }{
		{"another CA", "rediss://:hunter2@" + server.Addr(), redistest.NewCA(t).File, "signed by unknown authority"},
		{"another name", "rediss://:hunter2@" + renamed.Addr(), ca.File, "doesn't contain any IP SANs"},
		{"another CA of a cluster", "rediss+cluster://:hunter2@" + server.Addr(), "", "signed by unknown authority"},
		{"another CA of sentinels", "rediss+sentinel://:hunter2@" + sentinel.Addr() + "/0?master_name=ltx", "", "signed by unknown authority"},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, ok := useStore(t, test.url, test.ca)
			if ok || !strings.Contains(out, test.want) || !strings.Contains(out, "SSL_CERT_FILE names") || strings.Contains(out, "hunter2") {
				t.Errorf("it ends with %t, want %q and not the password:\n%s", ok, test.want, out)
			}
		})
	}
}

func TestTheWrongSchemeIsHintedAtWhileTheServerIsWaitedFor(t *testing.T) {
	t.Parallel()
	encrypted := redistest.NewTLS(t, redistest.NewCA(t), []string{"127.0.0.1"})
	encrypted.Start()
	plain := redistest.Start(t)
	for _, test := range []struct{ name, url, want string }{
		{"redis:// to a port for TLS", "redis://:hunter2@" + encrypted.Addr(), "a port for TLS needs rediss://"},
		{"rediss:// to a port without", "rediss://:hunter2@" + plain.Addr(), "a port without TLS needs redis://"},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
			defer cancel()
			log := hintLog{hint: test.want, found: cancel}
			_, err := redis.Open(ctx, test.url, redis.Options{Logger: slog.New(slog.NewTextHandler(&log, nil)), Timeout: 500 * time.Millisecond})
			if !errors.Is(err, redis.ErrUnavailable) {
				t.Errorf("got error %v, want ErrUnavailable", err)
			}
			if text := log.String() + err.Error(); !strings.Contains(text, test.want) || strings.Contains(text, "hunter2") {
				t.Errorf("log and error are %q, want %q and not the password", text, test.want)
			}
		})
	}
}

// TestAHintIsGivenWhicheverTryShowsIt: a server that is slow at first tells nothing.
func TestAHintIsGivenWhicheverTryShowsIt(t *testing.T) {
	t.Parallel()
	encrypted := redistest.NewTLS(t, redistest.NewCA(t), []string{"127.0.0.1"})
	encrypted.Start()
	proxy := flaky.New(t, encrypted.Addr())
	proxy.Pause()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	log := hintLog{hint: "does not answer"}
	log.found = func() {
		proxy.Resume()
		if strings.Contains(log.String(), "needs rediss://") {
			cancel()
		}
	}
	_, err := redis.Open(ctx, "redis://"+proxy.Addr(), redis.Options{Logger: slog.New(slog.NewTextHandler(&log, nil)), Timeout: 500 * time.Millisecond})
	if n := strings.Count(log.String(), "\n"); !errors.Is(err, redis.ErrUnavailable) || ctx.Err() != context.Canceled || n != 2 {
		t.Errorf("after %v, in %d lines: %s", err, n, log.String())
	}
}

// newTLSSentinel starts a sentinel that watches a master called ltx.
func newTLSSentinel(t *testing.T, ca *redistest.CA, names []string, master *redistest.Server) *redistest.Server {
	t.Helper()
	s := redistest.NewTLS(t, ca, names)
	s.Args = []string{s.Config("sentinel.conf", fmt.Sprintf(`port 0
tls-port %d
bind 127.0.0.1
tls-cert-file %[2]s/cert.pem
tls-key-file %[2]s/key.pem
tls-ca-cert-file %s
tls-auth-clients no
tls-replication yes
sentinel monitor ltx 127.0.0.1 %d 1
`, s.Port, s.Dir, ca.File, master.Port)), "--sentinel"}
	s.Start()
	return s
}

// The servers of a topology are known by names of their own, not by that of
// the one that was asked first.
func TestTLSBehindSentinels(t *testing.T) {
	t.Parallel()
	ca := redistest.NewCA(t)
	master := redistest.NewTLS(t, ca, []string{"127.0.0.1"})
	master.Start()
	sentinel := newTLSSentinel(t, ca, []string{"localhost"}, master)
	if out, ok := useStore(t, fmt.Sprintf("rediss+sentinel://localhost:%d/0?master_name=ltx", sentinel.Port), ca.File); !ok {
		t.Errorf("the store can't be used:\n%s", out)
	}
}

func TestTLSOnACluster(t *testing.T) {
	t.Parallel()
	ca := redistest.NewCA(t)
	const slots = 16384
	var nodes []*redistest.Server
	firstBus := ""
	for i, names := range [][]string{{"localhost", "127.0.0.1"}, {"127.0.0.1"}} {
		bus := strconv.Itoa(redistest.FreePort(t))
		s := redistest.NewTLS(t, ca, names, "--cluster-enabled", "yes", "--cluster-port", bus, "--tls-cluster", "yes")
		s.Start()
		s.CLI("CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(i*slots/2), strconv.Itoa((i+1)*slots/2-1))
		if i == 0 {
			firstBus = bus
		} else {
			s.CLI("CLUSTER", "MEET", "127.0.0.1", strconv.Itoa(nodes[0].Port), firstBus)
		}
		nodes = append(nodes, s)
	}
	for _, s := range nodes {
		until.True(t, "the cluster forms", func() bool {
			info := s.CLI("CLUSTER", "INFO")
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:2")
		})
	}
	if out, ok := useStore(t, fmt.Sprintf("rediss+cluster://localhost:%d", nodes[0].Port), ca.File); !ok {
		t.Errorf("the store can't be used:\n%s", out)
	}
}
