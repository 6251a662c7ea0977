package redis

import (
	"context"
	"fmt"
	"time"
)

// budgetKey is where a budget is kept. It expires when it is full and nobody
// wants any of it.
func (s *Store) budgetKey(name string) string { return s.botKey("budget:" + name) }

// Spend takes one of the budget called name, which all processes share: it has
// burst when it is full, and one more after each every. It returns 0, or how
// long there is none by the clock of the server.
//
// users is how many in this process want some of the budget, and total how
// many in all processes, each as it said last.
//
// A call whose reply is lost may have taken one that nobody uses.
func (s *Store) Spend(ctx context.Context, name string, every time.Duration, burst, users int) (wait time.Duration, total int, err error) {
	got, err := s.budget(ctx, name, every, burst, 0, users)
	if err != nil {
		return 0, 0, fmt.Errorf("spend: %w", err)
	}
	return time.Duration(got.number(0)) * time.Microsecond, int(got.number(1)), nil
}

// HoldBack lets no process spend of the budget for d, and one at a time after
// that.
func (s *Store) HoldBack(ctx context.Context, name string, every time.Duration, burst int, d time.Duration) error {
	if _, err := s.budget(ctx, name, every, burst, max(time.Microsecond, d), 0); err != nil {
		return fmt.Errorf("hold back: %w", err)
	}
	return nil
}

func (s *Store) budget(ctx context.Context, name string, every time.Duration, burst int, hold time.Duration, users int) (list, error) {
	if err := checkNames(name); err != nil {
		return nil, err
	}
	reply, err := s.eval(ctx, budgetScript, []string{s.budgetKey(name)},
		max(1, every.Microseconds()), max(1, burst), hold.Microseconds(), s.consumer, max(0, users))
	if err != nil {
		return nil, err
	}
	got, _ := reply.([]any)
	return got, nil
}
