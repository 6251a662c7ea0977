package bot

import (
	"context"
	"slices"
	"time"

	"ltxbot/core/generate"
)

// known is c under the name whose limits apply, with all other names of the
// same person. When that can't be read, c stays as the platform vouches for.
func (d *Desk) known(ctx context.Context, c Caller) Caller {
	if d.cfg.Account == nil {
		return c
	}
	account, others, err := d.cfg.Account(ctx, c.Team, c.Member)
	if err != nil {
		d.log.WarnContext(ctx, "cannot read with what an account is linked", "member", c.Member, "team", c.Team, "error", err)
		return c
	}
	c.Member, c.Also = account, others
	return c
}

// accountLimit bounds the look at an account while somebody types.
const accountLimit = 200 * time.Millisecond

// knownSoon is known for an answer that comes from memory.
func (d *Desk) knownSoon(c Caller) Caller {
	ctx, cancel := context.WithTimeout(context.Background(), accountLimit)
	defer cancel()
	return d.known(ctx, c)
}

// is reports whether the caller is a member, under any name.
func (c Caller) is(member string) bool { return c.Member == member || slices.Contains(c.Also, member) }

// owns reports whether the caller is who a job is charged to, or who asked for
// it: accounts that were linked then may not be any more.
func (c Caller) owns(j generate.Job) bool { return c.is(j.Member) || c.is(j.AskedBy()) }
