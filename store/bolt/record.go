package bolt

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

// A bucket is one sorted table of the file.
type bucket string

// The buckets. Indexes have the job's id at the end of their keys and no value.
const (
	jobsBucket     bucket = "jobs"            // id → generate.Job
	jobsByTime     bucket = "jobs_by_time"    // created, id
	jobsByTeam     bucket = "jobs_by_team"    // team, created, id
	jobsByMember   bucket = "jobs_by_member"  // member, created, id
	openByTime     bucket = "open_by_time"    // the same for unfinished jobs
	openByTeam     bucket = "open_by_team"    //
	openByMember   bucket = "open_by_member"  //
	servedBucket   bucket = "served"          // team, member → turn in which it was last admitted
	holdsBucket    bucket = "holds"           // job → quota.Hold
	holdsHeld      bucket = "holds_held"      // job, while its hold is neither settled nor released
	holdsByExpiry  bucket = "holds_by_expiry" // when the hold's last counter expires, job
	holdsByTeam    bucket = "holds_by_team"   // team, when it was reserved, job
	countersBucket bucket = "counters"        // team, scope, counter → sum, expiry
	membersBucket  bucket = "members"         // team, member → quota.MemberStanding
	teamsBucket    bucket = "teams"           // team → quota.TeamStanding
	recordsBucket  bucket = "records"         // team, time, id → quota.Record
	marksBucket    bucket = "marks"           // key → mark
	metaBucket     bucket = "meta"            // the ledger's running totals
	settingsBucket bucket = "settings"        // name → bytes
	damagedBucket  bucket = "damaged"         // bucket/key → the record as it was found
)

var buckets = [...]bucket{
	jobsBucket, jobsByTime, jobsByTeam, jobsByMember, openByTime, openByTeam, openByMember, servedBucket,
	holdsBucket, holdsHeld, holdsByExpiry, holdsByTeam, countersBucket, membersBucket, teamsBucket, recordsBucket, marksBucket, metaBucket,
	settingsBucket, damagedBucket,
}

// sep ends a name within a key. Names have no zero byte: see checkNames.
const sep = "\x00"

// A view reads records within one transaction. Nothing it returns points into
// the file.
type view struct{ tx *bbolt.Tx }

func (v view) get(b bucket, key string) []byte { return v.tx.Bucket([]byte(b)).Get([]byte(key)) }

func (v view) cursor(b bucket) *bbolt.Cursor { return v.tx.Bucket([]byte(b)).Cursor() }

// record decodes the record at key into out and reports whether there is one.
func (v view) record(b bucket, key string, out any) (bool, error) {
	data := v.get(b, key)
	if data == nil {
		return false, nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return false, &damagedError{bucket: b, key: key, err: err}
	}
	return true, nil
}

func (v view) job(id string) (generate.Job, error) {
	var j generate.Job
	ok, err := v.record(jobsBucket, id, &j)
	if err == nil && !ok {
		err = generate.ErrNoJob
	}
	return j, err
}

func (v view) hold(job string) (quota.Hold, error) {
	var h quota.Hold
	ok, err := v.record(holdsBucket, job, &h)
	if err == nil && !ok {
		err = quota.ErrNoHold
	}
	return h, err
}

// damagedError says that a record is not what the bot wrote.
type damagedError struct {
	bucket bucket
	key    string
	err    error
}

func (e *damagedError) Error() string {
	return fmt.Sprintf("record %s/%s is damaged: %v", e.bucket, e.key, e.err)
}

func (e *damagedError) Unwrap() error { return e.err }

// An indexKey is where an index mentions a job.
type indexKey struct {
	bucket bucket
	key    string
}

// indexKeys are all index entries of j.
func indexKeys(j generate.Job) []indexKey {
	keys := []indexKey{
		{jobsByTime, timeKey("", j.Created, j.ID)},
		{jobsByTeam, timeKey(j.Team, j.Created, j.ID)},
		{jobsByMember, timeKey(j.Member, j.Created, j.ID)},
	}
	if j.Unfinished() {
		keys = append(
			keys,
			indexKey{openByTime, timeKey("", j.Created, j.ID)},
			indexKey{openByTeam, timeKey(j.Team, j.Created, j.ID)},
			indexKey{openByMember, timeKey(j.Member, j.Created, j.ID)},
		)
	}
	return keys
}

// timeKey is the key of what belongs to name and happened at a time.
func timeKey(name string, at time.Time, id string) string {
	return namePrefix(name) + timeBytes(at) + id
}

// namePrefix is what the keys of all that belongs to name begin with.
func namePrefix(name string) string {
	if name == "" {
		return ""
	}
	return name + sep
}

// timeLength is how many bytes of a key are its time.
const timeLength = 8

// timeBytes sorts as the times do, those before 1970 included.
func timeBytes(at time.Time) string {
	const sign = 1 << 63
	n := uint64(at.UnixNano()) ^ sign
	return string(binary.BigEndian.AppendUint64(nil, n))
}

// numberBytes and number keep a whole number as a record.
func numberBytes(n int64) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(n)) //nolint:gosec // the bits are kept, not the number
}

func number(b []byte) int64 {
	if len(b) < timeLength {
		return 0
	}
	return int64(binary.BigEndian.Uint64(b)) //nolint:gosec // the bits are kept, not the number
}
