package store_test

import (
	"testing"

	"ltxbot/internal/parallel"
)

func TestMain(m *testing.M) {
	parallel.AtLeast(4) // they wait for servers
	m.Run()
}
