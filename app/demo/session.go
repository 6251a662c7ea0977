package demo

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"ltxbot/internal/retry"
)

// Session is a conversation with the bot: several commands, and what happens
// in every channel.
type Session struct {
	d    *Demo
	stop context.CancelFunc

	mu     sync.Mutex
	on     string
	files  []File // that go with the next command
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

// Attach takes a file that goes with the next command.
func (s *Session) Attach(f File) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files = append(s.files, f)
}

// Say types a command.
func (s *Session) Say(ctx context.Context, line string) error {
	on, st := s.here()
	s.mu.Lock()
	files := s.files
	s.files = nil
	s.mu.Unlock()
	s.record.add(typed(on, line, files))
	return s.opened(st.say(ctx, line, files))
}

// maxLooks is how many looks a form, or a button, that an earlier command
// brings may take to appear. They are counted for the same reason as those of
// settle.
const maxLooks = 50

// Press presses a button of the form that is open, else the newest one with
// that label.
func (s *Session) Press(ctx context.Context, label string) error {
	on, st := s.here()
	return soon(ctx, errNoButton, func() error {
		return s.opened(st.press(ctx, label, func() {
			s.record.add(Event{Kind: Pressed, Platform: on, Who: "ada", Text: label})
		}))
	})
}

// Fill writes into a field of the form that is open: "Prompt: a fox".
func (s *Session) Fill(ctx context.Context, line string) error {
	on, st := s.here()
	return soon(ctx, errNoForm, func() error {
		if err := st.fill(line); err != nil {
			return err
		}
		s.record.add(Event{Kind: Filled, Platform: on, Who: "ada", Text: line})
		return nil
	})
}

// soon does something that may not be possible yet, which is the error not.
func soon(ctx context.Context, not error, do func() error) error {
	for looks := 1; ; looks++ {
		err := do()
		if !errors.Is(err, not) || looks > maxLooks || !retry.Wait(ctx, followPause) {
			return err
		}
	}
}

// here is the platform that the conversation is on.
func (s *Session) here() (string, stage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.on, s.d.stages[s.on]
}

// opened remembers a command that has begun.
func (s *Session) opened(a *act, err error) error {
	if err != nil || a == nil {
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
