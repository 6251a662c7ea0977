package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// How patient a server is with who calls it.
const (
	headerPatience = 5 * time.Second
	bodyPatience   = 10 * time.Second // for a whole request
	idlePatience   = 2 * time.Minute
	maxHeader      = 1 << 16 // bytes
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
		ReadHeaderTimeout: headerPatience,
		ReadTimeout:       bodyPatience,
		IdleTimeout:       idlePatience,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}}
}

// addServers makes the servers that the config asks for, and returns what the
// public and the operator's paths are added to: the same when there is no
// address for the operator alone.
func (a *App) addServers() (public, ops *http.ServeMux) {
	c := a.cfg.HTTP
	a.servers = append(a.servers, newWebServer("http.listen", c.Listen, a.log))
	if c.OpsListen != "" {
		a.servers = append(a.servers, newWebServer("http.ops_listen", c.OpsListen, a.log))
	}
	return a.servers[0].mux, a.servers[len(a.servers)-1].mux
}

// startServers returns when all servers listen.
func (a *App) startServers(ctx context.Context) error {
	for _, s := range a.servers {
		if err := a.startServer(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (a *App) startServer(ctx context.Context, s *webServer) (err error) {
	var lc net.ListenConfig
	if s.listener, err = lc.Listen(ctx, "tcp", s.address); err != nil {
		return fmt.Errorf("listen for HTTP (%s): %w", s.key, err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			a.fail(fmt.Errorf("web server: %w", err))
		}
	}()
	a.parts.started("web server", func(ctx context.Context) error {
		err := s.http.Shutdown(ctx)
		<-served
		return err
	})
	return nil
}

// Addr is where the web server listens: "127.0.0.1:8080".
func (a *App) Addr() string { return a.servers[0].addr() }

// OpsAddr is where the operator's paths are: that of the web server, or an
// address of their own.
func (a *App) OpsAddr() string { return a.servers[len(a.servers)-1].addr() }

func (s *webServer) addr() string {
	if s.listener == nil {
		return ""
	}
	return s.listener.Addr().String()
}
