package redis_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/store/redis"
)

// What was packed with a dictionary can only be read with the same one.
func TestTheDictionaryOfPackedRecordsNeverChanges(t *testing.T) {
	text, err := os.ReadFile("pack.dict")
	if err != nil {
		t.Fatal(err)
	}
	const want = "33d9686137666a9f15538c22534339cc3f06fdd22c5191df7985f529c91065ac"
	if got := fmt.Sprintf("%x", sha256.Sum256(text)); got != want {
		t.Errorf("pack.dict has the sum %s, want %s: jobs that were packed before can't be read", got, want)
	}
}

func TestAJobThatIsOverIsPacked(t *testing.T) {
	server := miniredis.RunT(t)
	s := open(t, "redis://"+server.Addr(), redis.Options{})
	defer s.Close()
	j := newJob("job1", "discord:1")
	var err error
	if j.Request, err = (ltx.Rules{}).Parse([]ltx.Setting{{Key: "prompt", Value: "a cowboy walks through a dusty town"}}); err != nil {
		t.Fatal(err)
	}
	if j, err = s.Accept(t.Context(), j, plan(j, quota.Policy{})); err != nil {
		t.Fatal(err)
	}
	size := func() (n int) {
		for _, key := range server.Keys() {
			n += len(server.HGet(key, j.ID))
		}
		return n
	}
	before := size()
	j.State, j.Shown, j.Owner = generate.Delivered, generate.Delivered, "me"
	if j, err = s.Save(t.Context(), j, quota.Keep()); err != nil {
		t.Fatal(err)
	}
	if after := size(); after > before/2 {
		t.Errorf("a job that is over takes %d bytes, %d when it was under way", after, before)
	}
	got, err := s.Job(t.Context(), j.ID)
	if diff := cmp.Diff(j, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Errorf("read it: %v (-saved +read):\n%s", err, diff)
	}
}
