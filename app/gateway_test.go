package app_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/app"
	"ltxbot/app/health"
	"ltxbot/config"
	"ltxbot/internal/redistest"
	"ltxbot/internal/until"
	simdiscord "ltxbot/sim/discord"
	"ltxbot/store/kv/mem"
)

// contender is a process that wants the gateway.
type contender struct {
	reaches atomic.Bool // it can connect
	holds   atomic.Bool
	waits   atomic.Bool
}

func (c *contender) run(ctx context.Context, l app.Leases) {
	app.NewGateway(l, func() bool { return c.holds.Load() && c.reaches.Load() }).Turn(ctx, func(ctx context.Context) {
		c.waits.Store(false)
		c.holds.Store(true)
		<-ctx.Done()
		c.holds.Store(false)
	}, func() { c.waits.Store(true) })
}

// client is a process of a database.
func client(t *testing.T, db *mem.Database) *mem.Engine {
	e := db.Open()
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func TestAHolderThatCannotConnectLetsAnotherProcessTry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		db, first, second := mem.New(nil), &contender{}, &contender{}
		var all sync.WaitGroup
		defer all.Wait()
		defer cancel()
		want := func(when string, after time.Duration, holder, other *contender) {
			t.Helper()
			<-time.After(after)
			synctest.Wait()
			if !holder.holds.Load() || other.holds.Load() || !other.waits.Load() {
				t.Fatalf("%s: the first holds: %t, the second holds: %t", when, first.holds.Load(), second.holds.Load())
			}
		}
		all.Go(func() { first.run(ctx, client(t, db)) })
		synctest.Wait()
		all.Go(func() { second.run(ctx, client(t, db)) })
		first.reaches.Store(true)
		second.reaches.Store(true)
		want("a holder that is connected", time.Hour, first, second)
		first.reaches.Store(false)
		want("a holder that is not connected for a while", app.GatewayTimeout/2, first, second)
		first.reaches.Store(true)
		want("a holder that is connected again", app.GatewayTimeout, first, second)
		first.reaches.Store(false)
		want("a holder that is not connected for long", app.GatewayTimeout+10*time.Second, second, first)
		want("its successor, which is connected", time.Hour, second, first)
		second.reaches.Store(false)
		for range 10 { // nobody reaches Discord: all try in turn
			<-time.After(app.GatewayTimeout)
			synctest.Wait()
		}
		first.reaches.Store(true)
		want("the only one that can connect", 2*app.GatewayTimeout, first, second)
	})
}

func TestAProcessThatStandsByIsReady(t *testing.T) {
	t.Parallel()
	holder := prepare(t, "text")
	holder.cfg.Store.URL = config.NewSecret(redistest.Start(t).URL())
	other := &world{}
	*other = *holder
	holder.run(t)
	other.run(t)
	want := func(when string, w *world, status int, state health.State) {
		t.Helper()
		until.True(t, fmt.Sprintf("%s answers %d and %s", when, status, state), func() bool {
			got, parts := w.parts(t)
			return got == status && parts["discord"] == state
		})
	}
	want("the holder", holder, http.StatusOK, health.OK)
	want("the other", other, http.StatusOK, health.Standby)
	for w, line := range map[*world]string{holder: `ltxbot_platform_connected{platform="discord"} 1`, other: `ltxbot_platform_connected{platform="discord"} 0`} {
		if _, text := w.get(t, "/metrics"); !strings.Contains(text, line+"\n") {
			t.Errorf("/metrics has no line %s", line)
		}
	}
	holder.discord.GatewayFault(simdiscord.GatewayFault{Refuse: true, Times: -1})
	holder.discord.DropGateway()
	want("a holder whose connection is gone", holder, http.StatusServiceUnavailable, health.Down)
	want("the other, meanwhile", other, http.StatusOK, health.Standby)
	holder.discord.ClearGatewayFaults()
	holder.stop(t)
	want("the successor", other, http.StatusOK, health.OK)
}
