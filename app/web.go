package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"ltxbot/config"
)

// Timeouts of a server for its callers.
const (
	headerTimeout = 5 * time.Second
	bodyTimeout   = 10 * time.Second // for a whole request
	idleTimeout   = 2 * time.Minute
	maxHeader     = 1 << 16 // bytes
)

// A webServer serves at one address.
type webServer struct {
	key      string // of its address in the config
	address  string
	mux      *http.ServeMux
	http     *http.Server
	listener net.Listener
}

func newWebServer(key, address string, log *slog.Logger) *webServer {
	mux := http.NewServeMux()
	return &webServer{key: key, address: address, mux: mux, http: &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       bodyTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}}
}

// servers are that of http.listen and, if it is set, that of http.ops_listen.
type servers []*webServer

func newServers(c config.HTTP, log *slog.Logger) servers {
	s := servers{newWebServer("http.listen", c.Listen, log)}
	if c.OpsListen != "" {
		s = append(s, newWebServer("http.ops_listen", c.OpsListen, log))
	}
	return s
}

// public and ops are what the public and the operator's paths are added to:
// the same when there is no address for the operator alone.
func (s servers) public() *http.ServeMux { return s[0].mux }
func (s servers) ops() *http.ServeMux    { return s[len(s)-1].mux }

// start returns when all servers listen.
func (s servers) start(ctx context.Context, parts *lifecycle, broken fatal) error {
	for _, one := range s {
		if err := one.start(ctx, parts, broken); err != nil {
			return err
		}
	}
	return nil
}

func (s *webServer) start(ctx context.Context, parts *lifecycle, broken fatal) (err error) {
	var lc net.ListenConfig
	if s.listener, err = lc.Listen(ctx, "tcp", s.address); err != nil {
		return fmt.Errorf("listen for HTTP (%s): %w", s.key, err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			broken.report(fmt.Errorf("web server: %w", err))
		}
	}()
	parts.started("web server", func(ctx context.Context) error {
		err := s.http.Shutdown(ctx)
		<-served
		return err
	})
	return nil
}

func (s *webServer) addr() string {
	if s.listener == nil {
		return ""
	}
	return s.listener.Addr().String()
}
