package redis

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// target is what a URL names; one of its fields is set.
type target struct {
	single   *goredis.Options
	cluster  *goredis.ClusterOptions
	sentinel *goredis.FailoverOptions
}

// parseURL reads the forms that the config allows. Its errors never hold the
// URL, which may hold a password.
func parseURL(raw string) (target, error) {
	scheme, rest, found := strings.Cut(raw, "://")
	if !found {
		return target{}, errors.New("url must begin with redis://, rediss://, redis+cluster:// or redis+sentinel://")
	}
	transport, kind, _ := strings.Cut(scheme, "+")
	if transport != "redis" && transport != "rediss" {
		return target{}, fmt.Errorf("url scheme %q is not one of Redis", scheme)
	}
	plain := transport + "://" + rest
	var t target
	var err error
	switch kind {
	case "":
		t.single, err = goredis.ParseURL(plain)
	case "cluster":
		t.cluster, err = goredis.ParseClusterURL(plain)
		if err == nil && t.cluster.TLSConfig != nil {
			t.cluster.TLSConfig.ServerName = "" // each server is known by its own name
		}
	case "sentinel":
		t.sentinel, err = goredis.ParseFailoverURL(plain)
		if err == nil && t.sentinel.MasterName == "" {
			err = errors.New("url must say which master the sentinels watch: master_name=NAME")
		}
		if err == nil && t.sentinel.TLSConfig != nil {
			t.sentinel.TLSConfig.ServerName = ""
		}
	default:
		err = fmt.Errorf("url scheme %q is not one of Redis", scheme)
	}
	if bad := (*url.Error)(nil); errors.As(err, &bad) {
		err = fmt.Errorf("url can't be read: %w", bad.Err)
	}
	return t, err
}

const (
	// dialTimeout is how long a connection may take. A server that is not
	// there is tried again until the call's time is over.
	dialTimeout = time.Second
	poolSize    = 20
	// reloadInterval is how often a client asks a cluster who its masters are,
	// while it is used: a refused connection is no reason for the client.
	reloadInterval = time.Second
	// maxRedirects is how often a cluster may point somewhere else.
	maxRedirects = 8
)

// client connects to the target. The client never repeats a command by itself
// and keeps to the deadlines of contexts, both of which it does not by
// default: what is repeated, and how long, is decided by Engine.try. It calls
// connected for each new connection before that is used.
func (t target) client(timeout time.Duration, connected func()) goredis.UniversalClient {
	onConnect := func(context.Context, *goredis.Conn) error { connected(); return nil }
	switch {
	case t.cluster != nil:
		o := *t.cluster
		o.MaxRetries, o.ContextTimeoutEnabled, o.Protocol, o.DisableIdentity = -1, true, 2, true
		o.OnConnect = onConnect
		o.DialTimeout, o.DialerRetries, o.ReadTimeout, o.WriteTimeout = dialTimeout, 1, timeout, timeout
		o.PoolSize, o.MaxRedirects, o.ClusterStateReloadInterval = poolSize, maxRedirects, reloadInterval
		return goredis.NewClusterClient(&o)
	case t.sentinel != nil:
		o := *t.sentinel
		o.MaxRetries, o.ContextTimeoutEnabled, o.Protocol, o.DisableIdentity = -1, true, 2, true
		o.OnConnect = onConnect
		o.DialTimeout, o.DialerRetries, o.ReadTimeout, o.WriteTimeout = dialTimeout, 1, timeout, timeout
		o.PoolSize = poolSize
		return goredis.NewFailoverClient(&o)
	default:
		o := *t.single
		o.MaxRetries, o.ContextTimeoutEnabled, o.Protocol, o.DisableIdentity = -1, true, 2, true
		o.OnConnect = onConnect
		o.DialTimeout, o.DialerRetries, o.ReadTimeout, o.WriteTimeout = dialTimeout, 1, timeout, timeout
		o.PoolSize = poolSize
		return goredis.NewClient(&o)
	}
}
