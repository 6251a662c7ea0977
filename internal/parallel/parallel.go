// Package parallel lets more tests of a package run at the same time than
// there are processors: for packages whose tests mostly wait for a network.
package parallel

import (
	"flag"
	"runtime"
	"strconv"
)

// AtLeast lets n tests that call t.Parallel run at the same time. TestMain
// calls it before m.Run. The flag -parallel of go test wins.
func AtLeast(n int) {
	flag.Parse()
	const name = "test.parallel"
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == name })
	if asked || runtime.GOMAXPROCS(0) >= n {
		return
	}
	if err := flag.Set(name, strconv.Itoa(n)); err != nil {
		panic(err) // only a program that is no test lacks the flag
	}
}
