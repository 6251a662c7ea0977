package quota

import "ltxbot/core/usd"

// Totals are sums over the holds of a ledger. Reserved, Held, Settled and
// Released add up what was reserved; what was paid in the end is Charged.
type Totals struct {
	Holds    int64      `json:"holds"`
	Reserved usd.Micros `json:"reserved"`
	Held     usd.Micros `json:"held"`
	Settled  usd.Micros `json:"settled"`
	Released usd.Micros `json:"released"`
	Charged  usd.Micros `json:"charged"`
}

// Add counts h in.
func (t *Totals) Add(h Hold) { t.add(h, 1) }

// Remove undoes Add of the very same h.
func (t *Totals) Remove(h Hold) { t.add(h, -1) }

func (t *Totals) add(h Hold, sign usd.Micros) {
	t.Holds += int64(sign)
	t.Reserved += sign * h.Estimate
	t.Charged += sign * h.Charged
	switch h.State {
	case Held:
		t.Held += sign * h.Estimate
	case Settled:
		t.Settled += sign * h.Estimate
	case Released:
		t.Released += sign * h.Estimate
	}
}

// Balanced reports whether what was reserved is all accounted for.
func (t Totals) Balanced() bool { return t.Settled+t.Released+t.Held == t.Reserved }

// LedgerReport is what a ledger adds up to, and where its sums contradict the
// holds. A ledger without an error has no Wrong and is Balanced.
type LedgerReport struct {
	Totals Totals // as the ledger keeps them
	Wrong  []Difference
}

// Difference is a sum that is not what the holds add up to.
type Difference struct {
	What   string // names the total or the counter
	Stored int64
	Want   int64 // the sum over the holds
}
