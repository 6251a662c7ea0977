package demo

import (
	"context"
	"fmt"
	"sync"
)

// Session is a conversation with the bot: several commands, and what happens
// in every channel.
type Session struct {
	d    *Demo
	stop context.CancelFunc

	mu     sync.Mutex
	on     string
	open   []*act // commands whose end was not seen yet
	record *recorder
}

// Session begins a conversation on a platform. tell is called with each event
// as it happens, on every platform.
func (d *Demo) Session(ctx context.Context, platform string, tell func(Event)) (*Session, error) {
	watching, stop := context.WithCancel(ctx)
	s := &Session{d: d, stop: stop, record: newRecorder(tell)}
	if err := s.On(platform); err != nil {
		stop()
		return nil, err
	}
	for _, st := range d.stages {
		st.watch(watching, s.record.add)
	}
	return s, nil
}

// Close ends the conversation.
func (s *Session) Close() { s.stop() }

// On goes to the channel of another platform.
func (s *Session) On(platform string) error {
	if _, ok := s.d.stages[platform]; !ok {
		return fmt.Errorf("%s: %w", platform, errNoStage)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.on = platform
	return nil
}

// Say types a command.
func (s *Session) Say(ctx context.Context, line string) error {
	return s.do(func(st stage) (*act, error) { return st.say(ctx, line) })
}

// Press presses the newest button with that label.
func (s *Session) Press(ctx context.Context, label string) error {
	return s.do(func(st stage) (*act, error) { return st.press(ctx, label) })
}

func (s *Session) do(do func(stage) (*act, error)) error {
	s.mu.Lock()
	st := s.d.stages[s.on]
	s.mu.Unlock()
	a, err := do(st)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = append(s.open, a)
	return nil
}

// Wait returns when every command has come to its end.
func (s *Session) Wait(ctx context.Context) error {
	s.mu.Lock()
	open := s.open
	s.open = nil
	s.mu.Unlock()
	for _, a := range open {
		if _, err := s.d.follow(ctx, a); err != nil {
			return err
		}
	}
	s.record.settle(ctx)
	return nil
}
