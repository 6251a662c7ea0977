package app

import (
	"os"
	"runtime/debug"
)

// garbagePercent is how much garbage piles up before it is collected, in
// percent of what is in use. The bot holds little, 10 to 20 MB, and makes about
// 0.7 MB of garbage for each job: with Go's usual 100 a bot that gets 100
// commands a second collects six times a second, which takes a tenth of its
// CPU, and just when people wait. With 10,000 jobs in flight, which hold 110
// MB, it comes to 450 MB.
const garbagePercent = 300

// letGarbagePile makes collections rare, unless the operator has chosen by the
// environment. That holds for the whole process and until its end.
func letGarbagePile() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
}
