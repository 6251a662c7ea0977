package quota_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the zones of the tests, wherever they run

	"pgregory.net/rapid"

	"ltxbot/core/quota"
	"ltxbot/internal/need"
)

func TestParseWindow(t *testing.T) {
	for _, test := range []struct {
		in   string
		want quota.Window // empty = refused
	}{
		{"day", quota.Day},
		{" Week ", quota.Week},
		{"MONTH", quota.Month},
		{"24h", "24h0m0s"},
		{"90m", "1h30m0s"},
		{"1m", "1m0s"},
		{"8784h", "8784h0m0s"},
		{"59s", ""},
		{"8785h", ""},
		{"-24h", ""},
		{"0", ""},
		{"year", ""},
		{"24", ""},
		{"", ""},
	} {
		got, err := quota.ParseWindow(test.in)
		if got != test.want || (err != nil) != (test.want == "") {
			t.Errorf("ParseWindow(%q): got %q, %v; want %q", test.in, got, err, test.want)
		}
		if again, _ := quota.ParseWindow(string(got)); again != got {
			t.Errorf("ParseWindow(%q) is not the window that it has written: %q", got, again)
		}
	}
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// count is where a video at a time is counted in a window.
func count(t interface{ Fatalf(string, ...any) }, w quota.Window, at time.Time, z *time.Location) quota.Count {
	p := quota.Policy{Zone: z, Member: quota.Limits{Windows: []quota.WindowLimit{{Window: w, Videos: 1}}}}
	for _, c := range p.Counts(quota.Asker{Team: "acme", Member: "discord:1"}, quota.AdminState{}, at) {
		if c.Scope.Kind == quota.Member && c.Unit == quota.Videos && c.Window == w {
			return c
		}
	}
	t.Fatalf("no count for window %s", w)
	return quota.Count{}
}

func TestCalendarWindowsFollowTheClockOnTheWall(t *testing.T) {
	for _, test := range []struct {
		name, zone, at string
		window         quota.Window
		counter        string
		resets         string
	}{
		{"a day in UTC", "UTC", "2026-03-11T12:00:00Z", quota.Day, "videos/day/2026-03-11", "2026-03-12T00:00:00Z"},
		{"its last instant", "UTC", "2026-03-11T23:59:59Z", quota.Day, "videos/day/2026-03-11", "2026-03-12T00:00:00Z"},
		{"the next day's first", "UTC", "2026-03-12T00:00:00Z", quota.Day, "videos/day/2026-03-12", "2026-03-13T00:00:00Z"},
		{"evening in the west, tomorrow in UTC", "America/Los_Angeles", "2026-03-12T02:00:00Z", quota.Day, "videos/day/2026-03-11", "2026-03-12T07:00:00Z"},
		{"a day of 23 hours", "America/New_York", "2026-03-08T05:00:00Z", quota.Day, "videos/day/2026-03-08", "2026-03-09T04:00:00Z"},
		{"a day of 25 hours", "America/New_York", "2026-11-01T04:00:00Z", quota.Day, "videos/day/2026-11-01", "2026-11-02T05:00:00Z"},
		{"the second of two one o'clocks", "America/New_York", "2026-11-01T06:30:00Z", quota.Day, "videos/day/2026-11-01", "2026-11-02T05:00:00Z"},
		{"a day without midnight", "America/Santiago", "2026-09-06T15:00:00Z", quota.Day, "videos/day/2026-09-06", "2026-09-07T03:00:00Z"},
		{"the day before one without midnight", "America/Santiago", "2026-09-05T15:00:00Z", quota.Day, "videos/day/2026-09-05", "2026-09-06T04:00:00Z"},
		{"a week begins on Monday", "Europe/Berlin", "2026-03-29T21:59:00Z", quota.Week, "videos/week/2026-03-23", "2026-03-29T22:00:00Z"},
		{"a Monday is in its own week", "Europe/Berlin", "2026-03-29T22:00:00Z", quota.Week, "videos/week/2026-03-30", "2026-04-05T22:00:00Z"},
		{"a week over the end of the year", "UTC", "2027-01-01T12:00:00Z", quota.Week, "videos/week/2026-12-28", "2027-01-04T00:00:00Z"},
		{"a month", "UTC", "2026-02-28T23:59:59Z", quota.Month, "videos/month/2026-02-01", "2026-03-01T00:00:00Z"},
		{"a leap February", "UTC", "2028-02-29T12:00:00Z", quota.Month, "videos/month/2028-02-01", "2028-03-01T00:00:00Z"},
		{"December", "Asia/Kolkata", "2026-12-31T18:29:00Z", quota.Month, "videos/month/2026-12-01", "2026-12-31T18:30:00Z"},
		{"the first instant of January", "Asia/Kolkata", "2026-12-31T18:30:00Z", quota.Month, "videos/month/2027-01-01", "2027-01-31T18:30:00Z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, test.at)
			if err != nil {
				t.Fatal(err)
			}
			c := count(t, test.window, at, zone(t, test.zone))
			if got := c.Resets.UTC().Format(time.RFC3339); c.Counter != test.counter || got != test.resets {
				t.Errorf("got counter %s until %s, want %s until %s", c.Counter, got, test.counter, test.resets)
			}
			if len(c.Also) != 0 {
				t.Errorf("other counters are added: %v", c.Also)
			}
		})
	}
}

// Whatever the zone, all times of a year are in the day, week and month
// that a calendar on the wall there shows, and the window ends when it says.
func TestCalendarWindowsHoldInEveryZone(t *testing.T) {
	for _, name := range []string{
		"UTC", "Europe/Berlin", "America/New_York", "America/Santiago", "America/Havana", "Africa/Cairo", "Asia/Beirut",
		"Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Chatham",
	} {
		if !need.Thorough() && rand.IntN(3) > 0 {
			continue // .ci/run tries all
		}
		z := zone(t, name)
		end := time.Date(2027, time.January, 10, 0, 0, 0, 0, time.UTC)
		var step time.Duration
		for at := time.Date(2026, time.January, 1, 0, 30, 0, 0, time.UTC); at.Before(end); at = at.Add(step) {
			local := at.In(z)
			// Closely around a change of the clocks, else at any hour of each day.
			if step = 25 * time.Hour; local.Add(-36*time.Hour).Format("-0700") != local.Add(36*time.Hour).Format("-0700") {
				step = time.Hour
			}
			monday := local.AddDate(0, 0, -(int(local.Weekday())+6)%7)
			for w, want := range map[quota.Window]string{
				quota.Day:   local.Format(time.DateOnly),
				quota.Week:  monday.Format(time.DateOnly),
				quota.Month: local.Format("2006-01") + "-01",
			} {
				c := count(t, w, at, z)
				if !strings.HasSuffix(c.Counter, want) {
					t.Fatalf("%s: %s in %s is counted in %s", name, local, w, c.Counter)
				}
				if last := count(t, w, c.Resets.Add(-time.Nanosecond), z); last.Counter != c.Counter || !c.Resets.After(at) {
					t.Fatalf("%s: %s at %s ends %s, but an instant before that is in %s", name, w, local, c.Resets, last.Counter)
				}
				if next := count(t, w, c.Resets, z); next.Counter == c.Counter {
					t.Fatalf("%s: %s at %s ends %s, but that is still in it", name, w, local, c.Resets)
				}
				if c.Expires.Sub(c.Resets) < 24*time.Hour {
					t.Fatalf("%s: counter of %s expires %s after its window", name, w, c.Expires.Sub(c.Resets))
				}
			}
		}
	}
}

func TestRollingWindowsNeverForgetEarly(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		length := time.Duration(rapid.IntRange(1, 60*24*40).Draw(rt, "minutes")) * time.Minute
		w, err := quota.ParseWindow(length.String())
		if err != nil || w.Rolling() != length {
			rt.Fatalf("window %s is %s long, %v", w, w.Rolling(), err)
		}
		used := time.Unix(0, rapid.Int64Range(1_700_000_000_000_000_000, 1_900_000_000_000_000_000).Draw(rt, "used at"))
		age := time.Duration(rapid.Int64Range(0, int64(2*length)).Draw(rt, "age"))
		slice := length / 24

		then, now := count(rt, w, used, time.UTC), count(rt, w, used.Add(age), time.UTC)
		counted := now.Counter == then.Counter || slices.Contains(now.Also, then.Counter)
		switch {
		case age <= length && !counted:
			rt.Fatalf("what was used %s ago is not counted in %s", age, w)
		case age >= length+slice && counted:
			rt.Fatalf("what was used %s ago is counted in %s", age, w)
		case counted && !used.Add(age).Before(then.Expires):
			rt.Fatalf("a counter that %s still includes has expired", w)
		case !now.Resets.After(used.Add(age)) || now.Resets.Sub(used.Add(age)) > slice:
			rt.Fatalf("window %s shrinks in %s, want within %s", w, now.Resets.Sub(used.Add(age)), slice)
		}
	})
}

func TestRollingIsZeroForCalendarWindows(t *testing.T) {
	for _, w := range []quota.Window{quota.Day, quota.Week, quota.Month, ""} {
		if got := w.Rolling(); got != 0 {
			t.Errorf("%q: got %s, want 0", w, got)
		}
	}
}
