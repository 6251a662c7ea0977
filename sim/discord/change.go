package discord

import (
	"context"
	"fmt"
	"iter"
)

// A ChangeKind says what happened.
type ChangeKind string

// What can happen.
const (
	MessagePosted       ChangeKind = "message_posted"
	MessageEdited       ChangeKind = "message_edited"
	MessageDeleted      ChangeKind = "message_deleted"
	InteractionCreated  ChangeKind = "interaction_created"
	InteractionAnswered ChangeKind = "interaction_answered"
	GatewayChanged      ChangeKind = "gateway_changed"
	ClockAdvanced       ChangeKind = "clock_advanced"
	RequestServed       ChangeKind = "request_served"
	CommandsChanged     ChangeKind = "commands_changed"
)

// A Change is one thing that happened in the simulator.
type Change struct {
	Kind        ChangeKind
	Message     Message      // of the message kinds
	Interaction *Interaction // of the interaction kinds
	Request     Request      // of RequestServed
}

// A changeNode is one link of the endless list of changes. Each watcher holds
// the node it has come to, so what all have seen is garbage.
type changeNode struct {
	change Change
	next   *changeNode
	ready  chan struct{} // closed when next is set
}

func newChangeNode() *changeNode { return &changeNode{ready: make(chan struct{})} }

// changed tells all watchers. The caller holds the lock.
func (s *Server) changed(c Change) {
	n := newChangeNode()
	n.change = c
	last := s.tail
	last.next, s.tail = n, n
	close(last.ready)
}

// Watch yields every change from the call of Watch on, in order, until ctx is
// done or the simulator is closed. A slow watcher misses nothing.
func (s *Server) Watch(ctx context.Context) iter.Seq[Change] {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watch(ctx)
}

func (s *Server) watch(ctx context.Context) iter.Seq[Change] {
	n := s.tail
	return func(yield func(Change) bool) {
		for {
			select {
			case <-ctx.Done():
				return
			case <-s.done:
				return
			case <-n.ready:
			}
			n = n.next
			if !yield(n.change) {
				return
			}
		}
	}
}

// await blocks until ok, which is called with the lock held after each
// change, is true. what is what it waits for.
func (s *Server) await(ctx context.Context, what string, ok func() bool) error {
	for {
		s.mu.Lock()
		if ok() {
			s.mu.Unlock()
			return nil
		}
		ready := s.tail.ready
		s.mu.Unlock()
		select {
		case <-ready:
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", what, context.Cause(ctx))
		case <-s.done:
			return errClosed
		}
	}
}
