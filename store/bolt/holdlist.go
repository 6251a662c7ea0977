package bolt

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"time"

	"ltxbot/core/quota"
)

// Holds lists the holds of a team by the time of their reservation, oldest
// first. One that can't be read is left out.
func (s *Store) Holds(ctx context.Context, team string, from, to time.Time) ([]quota.Hold, error) {
	var holds []quota.Hold
	err := s.view(ctx, func(v view) error {
		holds = nil
		prefix := namePrefix(team)
		end := []byte(prefix + timeBytes(to))
		c := v.cursor(holdsByTeam)
		for k, _ := c.Seek([]byte(prefix + timeBytes(from))); k != nil && bytes.Compare(k, end) < 0; k, _ = c.Next() {
			if err := ctx.Err(); err != nil {
				return err
			}
			job := string(k[len(prefix)+timeLength:])
			h, err := v.hold(job)
			if err != nil {
				s.log.WarnContext(ctx, "bolt: hold left out of a list", slog.String("job", job), slog.Any("error", err))
				continue
			}
			h.Entries = nil
			holds = append(holds, h)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list holds of %s: %w", team, err)
	}
	return holds, nil
}
