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
// change; done may call any method of the server's parts. The error of a wait
// that ctx ends says what there was instead.
func (s *Server) Wait(ctx context.Context, done func() bool) error {
	return s.await(ctx, done, func() string {
		last := "none"
		requests := s.Requests("")
		if len(requests) > 0 {
			last = requests[len(requests)-1].Method
		}
		return fmt.Sprintf("slack, %d connections, %d calls, the last %s", s.Connections(), len(requests), last)
	})
}

// await is Wait with an error that says what was waited for.
func (s *Server) await(ctx context.Context, done func() bool, what func() string) error {
	for {
		change := s.Changed()
		if done() {
			return nil
		}
		select {
		case <-change:
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", what(), context.Cause(ctx))
		}
	}
}

// WaitConnected waits until the app has n live sockets that have been greeted,
// no more and no fewer.
func (s *Server) WaitConnected(ctx context.Context, n int) error {
	return s.await(ctx, func() bool { return s.Connections() == n }, func() string {
		return fmt.Sprintf("%d connections, there are %d", n, s.Connections())
	})
}

// WaitMessage waits for a message in the channel that satisfies is, and returns
// the first one.
func (c *Channel) WaitMessage(ctx context.Context, is func(Message) bool) (Message, error) {
	var found Message
	err := c.s.await(ctx, func() bool {
		for _, m := range c.Messages() {
			if is(m) {
				found = m
				return true
			}
		}
		return false
	}, func() string {
		messages := c.Messages()
		if len(messages) == 0 {
			return fmt.Sprintf("a message in #%s, which is empty", c.Name())
		}
		return fmt.Sprintf("a message in #%s, the last of %d is %q", c.Name(), len(messages), messages[len(messages)-1].Text)
	})
	return found, err
}

// WaitView waits until the user's topmost modal satisfies is, and returns it.
func (u *User) WaitView(ctx context.Context, is func(View) bool) (View, error) {
	var found View
	err := u.s.await(ctx, func() bool {
		views := u.Views()
		if len(views) == 0 || !is(views[len(views)-1]) {
			return false
		}
		found = views[len(views)-1]
		return true
	}, func() string {
		views := u.Views()
		if len(views) == 0 {
			return fmt.Sprintf("a form of %s, none is open", u.Name())
		}
		top := views[len(views)-1]
		return fmt.Sprintf("a form of %s, the topmost is %q with errors %v", u.Name(), top.Title, top.Errors)
	})
	return found, err
}

// WaitHome waits until the user's Home tab satisfies is, and returns it.
func (u *User) WaitHome(ctx context.Context, is func(View) bool) (View, error) {
	var found View
	err := u.s.await(ctx, func() bool {
		home, ok := u.Home()
		found = home
		return ok && is(home)
	}, func() string {
		home, ok := u.Home()
		if !ok {
			return fmt.Sprintf("the Home tab of %s, which is empty", u.Name())
		}
		return fmt.Sprintf("the Home tab of %s, which says %q", u.Name(), home.Blocks.Text())
	})
	return found, err
}
