// Package usd counts US dollars in whole micro-dollars, so that sums of many
// small prices are exact.
package usd

import (
	"fmt"
	"math"
)

// Micros is an amount in micro-dollars: 1,000,000 are one US dollar.
type Micros int64

// Dollar is one US dollar.
const Dollar Micros = 1_000_000

// FromDollars turns a decimal number of dollars, as found in a config file,
// into the nearest micro-dollar.
func FromDollars(d float64) Micros {
	return Micros(math.Round(d * float64(Dollar)))
}

// Dollars returns the amount as a decimal number, for charts and JSON meant
// for people. Sums are made of Micros, never of what this returns.
func (m Micros) Dollars() float64 { return float64(m) / float64(Dollar) }

// String writes the amount as a person reads a price: "$0.13", "$4.10",
// "-$2.00". Amounts are rounded to the cent, but one that is not zero never
// reads "$0.00": below half a cent it reads "<$0.01".
func (m Micros) String() string {
	sign := ""
	if m < 0 {
		sign, m = "-", -m
	}
	cents := (m + 5_000) / 10_000
	if cents == 0 && m > 0 {
		return sign + "<$0.01"
	}
	return fmt.Sprintf("%s$%d.%02d", sign, cents/100, cents%100)
}

// Times is the price of n units at rate m each, rounded up to the next
// micro-dollar so that an estimate is never below the bill.
func (m Micros) Times(n float64) Micros {
	return Micros(math.Ceil(float64(m)*n - 1e-6))
}
