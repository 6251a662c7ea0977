package faults_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"ltxbot/core/quota"
	simfal "ltxbot/sim/fal"
	"ltxbot/store"
)

var storeFaults = []row{
	{
		area: "store", fault: "the disk is full when the command comes", before: func(r *rig) { fillDisk(r) },
		ends: noJob, charged: "nothing", recovers: "with the next command after there is room",
	},
	{
		area: "store", fault: "the disk is full for 5 s while the video is made", setup: setup{fal: slow()},
		during: func(r *rig) {
			r.running()
			empty := fillDisk(r)
			r.after(5 * time.Second)
			empty()
		},
		ends: arrives, charged: price, recovers: "with the next try after there is room, at most a minute later", within: slowest,
	},
	{
		area: "store", fault: "the disk is full when fal has taken the job", before: inject(simfal.Fault{Op: simfal.OpSubmit, Delay: 2 * time.Second}),
		during: func(r *rig) {
			r.until("fal is asked", func() bool { return r.fal.Count(simfal.OpSubmit) > 0 })
			empty := fillDisk(r)
			r.after(4 * time.Second)
			empty()
		},
		ends: arrives, charged: price, recovers: "with the next try after there is room: fal's answer is kept until it is saved", within: slowest,
	},
	{
		area: "process", fault: "the bot is stopped and started while the video is made", setup: setup{fal: slow()},
		during: func(r *rig) { r.running(); r.restart(func() {}) },
		ends:   arrives, charged: price, recovers: "with the start", within: slowest,
	},
	{
		area: "process", fault: "the bot is down while the video is made, for longer than the interaction's token lives", on: "Discord", setup: setup{fal: slow(), falKeys: `deadline = "1h"`},
		during: func(r *rig) {
			r.running()
			r.restart(func() {
				discordOf(r).sim.Advance(20 * time.Minute)
				shift(r, -20*time.Minute)
				r.after(5 * time.Second)
			})
		},
		ends: arrives, charged: price, recovers: "with the start", within: slowest,
	},
}

var clockFaults = []row{
	{
		area: "clock", fault: "it jumps an hour ahead while the video is made", setup: setup{fal: slow()},
		during: func(r *rig) { r.running(); r.restart(func() { shift(r, -time.Hour) }) },
		before: next(simfal.IgnoresCancel),
		ends:   arrives, charged: price, recovers: "by itself: the deadline seems over, and what was paid for is delivered", within: slowest,
	},
	{
		area: "clock", fault: "it jumps an hour back while the video is made", setup: setup{fal: slow()},
		during: func(r *rig) { r.running(); r.restart(func() { shift(r, time.Hour) }) },
		ends:   arrives, charged: price, recovers: "at once; the deadline comes an hour late", within: slowest,
	},
	{
		area: "clock", fault: "it jumps an hour ahead while a lost submit is looked for", before: lose,
		setup: setup{fal: simfal.Options{HistoryLag: 2 * time.Second, Speed: 1, Timing: simfal.Timing{Run: time.Second}}},
		during: func(r *rig) {
			r.cardSays(r.job, "Looking for the model's answer")
			r.restart(func() { shift(r, -time.Hour); r.after(2 * time.Second) })
		},
		ends: arrives, charged: price, recovers: "at once: one answered search is always made", within: slowest,
	},
}

// fillDisk makes every write to the store's files fail as on a full disk, until
// the function that it returns is called. They are swapped for /dev/full below the
// store, which reads what it has written through its memory map, or from memory.
func fillDisk(r *rig) (empty func()) {
	r.t.Helper()
	if runtime.GOOS != "linux" {
		r.t.Skip("only Linux has /dev/full")
	}
	full, err := unix.Open("/dev/full", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		r.t.Fatal(err)
	}
	defer unix.Close(full)
	saved := map[int]int{} // descriptor → a duplicate of it
	for _, fd := range r.descriptors() {
		if saved[fd], err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0); err != nil {
			r.t.Fatal(err)
		}
		if err := unix.Dup3(full, fd, unix.O_CLOEXEC); err != nil {
			r.t.Fatal(err)
		}
	}
	empty = sync.OnceFunc(func() {
		for fd, file := range saved {
			if err := unix.Dup3(file, fd, unix.O_CLOEXEC); err != nil {
				r.t.Errorf("give the store its file back: %v", err)
			}
			_ = unix.Close(file)
		}
	})
	r.t.Cleanup(empty) // before the bot is stopped: what is cleaned up last was arranged first
	return empty
}

// descriptors finds the file descriptors of the store: of its file, and of the
// logs beside it.
func (r *rig) descriptors() []int {
	r.t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		r.t.Fatal(err)
	}
	var found []int
	for _, e := range entries {
		if to, err := os.Readlink(filepath.Join("/proc/self/fd", e.Name())); err == nil && strings.HasPrefix(to, r.storePath()) {
			fd, err := strconv.Atoi(e.Name())
			if err != nil {
				r.t.Fatal(err)
			}
			found = append(found, fd)
		}
	}
	if len(found) != 3 {
		r.t.Fatalf("the store has %d files open, want one and two logs", len(found))
	}
	return found
}

// shift moves all times in the record of the job, which is what a clock does
// that jumps the other way while the bot is down.
func shift(r *rig, by time.Duration) {
	r.t.Helper()
	r.books(func(s *store.Store) {
		j, err := s.Job(r.ctx, r.job)
		if err != nil {
			r.t.Fatal(err)
		}
		for _, at := range []*time.Time{&j.Created, &j.Submitted, &j.Started, &j.Deadline} {
			if !at.IsZero() {
				*at = at.Add(by)
			}
		}
		if until, err := strconv.ParseInt(j.Notes["token_until"], 10, 64); err == nil {
			j.Notes["token_until"] = strconv.FormatInt(until+int64(by.Seconds()), 10)
		}
		if _, err := s.Save(r.ctx, j, quota.Keep()); err != nil {
			r.t.Fatal(err)
		}
	})
}
