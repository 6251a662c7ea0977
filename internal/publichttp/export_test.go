package publichttp

import "time"

// The limits.
const (
	MaxRedirects = maxRedirects
	HeaderLimit  = headerLimit
	SilenceLimit = silenceLimit
	WholeLimit   = wholeLimit
	MaxRetryWait = maxRetryWait
)

// LimitSilence sets how long a fetch waits for a byte.
func (c *Client) LimitSilence(d time.Duration) { c.silence = d }
