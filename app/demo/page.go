package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	page "ltxbot/web/demo"
)

// Page is the page of a demo, while it is served.
type Page struct {
	world    *world
	http     *http.Server
	listener net.Listener
	served   chan struct{}
}

// ServePage serves the page of a demo at an address of this machine. With
// elsewhere, an address that is taken is replaced by a free one.
func (d *Demo) ServePage(ctx context.Context, address string, elsewhere bool) (*Page, error) {
	host, _, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("serve the page: %q is no address of this machine alone, such as 127.0.0.1:8080", address)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if elsewhere && errors.Is(err, syscall.EADDRINUSE) {
		l, err = lc.Listen(ctx, "tcp", net.JoinHostPort(host, "0"))
	}
	if err != nil {
		return nil, fmt.Errorf("serve the page: %w", err)
	}
	w := newWorld(d)
	p := &Page{world: w, listener: l, served: make(chan struct{})}
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	p.http = &http.Server{
		Handler:           page.New(w, d.people[0].name, d.opts.Logger),
		ReadHeaderTimeout: 5 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return life },
		ErrorLog:          slog.NewLogLogger(d.opts.Logger.Handler(), slog.LevelWarn),
	}
	p.http.RegisterOnShutdown(end) // streams of open pages end
	go func() {
		defer close(p.served)
		_ = p.http.Serve(l) // ends with ErrServerClosed
	}()
	return p, nil
}

// URL is where the page is.
func (p *Page) URL() string { return "http://" + p.listener.Addr().String() }

// Close stops serving.
func (p *Page) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
	defer cancel()
	if p.http.Shutdown(ctx) != nil {
		_ = p.http.Close()
	}
	<-p.served
	p.world.close()
}
