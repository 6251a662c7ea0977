package slack

import (
	"context"
	"fmt"
)

// Changed returns a channel that is closed at the next change of anything that
// people or tests can see: messages, views, connections, requests.
func (s *Server) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.change
}

// changed wakes everybody who waits; s.mu is held.
func (s *Server) changed() {
	close(s.change)
	s.change = make(chan struct{})
}

// Wait returns nil as soon as done reports true. It asks again after every
// change; done may call any method of the server's parts.
func (s *Server) Wait(ctx context.Context, done func() bool) error {
	for {
		change := s.Changed()
		if done() {
			return nil
		}
		select {
		case <-change:
		case <-ctx.Done():
			return fmt.Errorf("wait for slack: %w", context.Cause(ctx))
		}
	}
}

// WaitConnected waits until the app has n live sockets that have been greeted.
func (s *Server) WaitConnected(ctx context.Context, n int) error {
	return s.Wait(ctx, func() bool { return s.Connections() == n })
}

// WaitMessage waits for a message in the channel that satisfies is, and returns
// the first one.
func (c *Channel) WaitMessage(ctx context.Context, is func(Message) bool) (Message, error) {
	var found Message
	err := c.s.Wait(ctx, func() bool {
		for _, m := range c.Messages() {
			if is(m) {
				found = m
				return true
			}
		}
		return false
	})
	return found, err
}

// WaitView waits until the user's topmost modal satisfies is, and returns it.
func (u *User) WaitView(ctx context.Context, is func(View) bool) (View, error) {
	var found View
	err := u.s.Wait(ctx, func() bool {
		views := u.Views()
		if len(views) == 0 || !is(views[len(views)-1]) {
			return false
		}
		found = views[len(views)-1]
		return true
	})
	return found, err
}

// WaitHome waits until the user's Home tab satisfies is, and returns it.
func (u *User) WaitHome(ctx context.Context, is func(View) bool) (View, error) {
	var found View
	err := u.s.Wait(ctx, func() bool {
		home, ok := u.Home()
		found = home
		return ok && is(home)
	})
	return found, err
}
