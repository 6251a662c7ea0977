package bot

import (
	"context"
	"time"
)

// known is c under the name whose limits apply, with all other names of the
// same person. When these can't be read, c is returned as the platform told it.
func (svc *Service) known(ctx context.Context, c Caller) Caller {
	if svc.cfg.Account == nil {
		return c
	}
	account, others, err := svc.cfg.Account(ctx, c.Team, c.Member)
	if err != nil {
		svc.log.WarnContext(ctx, "cannot read with what an account is linked", "member", c.Member, "team", c.Team, "error", err)
		return c
	}
	c.Member, c.Also = account, others
	return c
}

// accountLimit bounds the look at an account while somebody types.
const accountLimit = 200 * time.Millisecond

// knownSoon is known for an answer that comes from memory.
func (svc *Service) knownSoon(c Caller) Caller {
	ctx, cancel := context.WithTimeout(context.Background(), accountLimit)
	defer cancel()
	return svc.known(ctx, c)
}
