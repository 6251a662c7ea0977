package store

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/store/kv"
)

// jobRecord is a job as it is stored.
type jobRecord struct {
	stamp
	generate.Job

	// Run is the incarnation of the server under which nothing of the job was
	// lost; empty where nothing is lost.
	Run string `json:"run,omitempty"`
}

// headRecord is what finding a job and its place in the line is made of: most
// of a record need not be decoded for that.
type headRecord struct {
	stamp

	ID       string           `json:"id"`
	Version  int64            `json:"version"`
	State    generate.State   `json:"state"`
	Team     string           `json:"team"`
	Member   string           `json:"member"`
	Tiers    []string         `json:"tiers"`
	Place    generate.Place   `json:"place"`
	Endpoint string           `json:"endpoint"`
	Line     quota.Line       `json:"line"`
	Admitted bool             `json:"admitted"`
	Shown    generate.State   `json:"shown"`
	Created  time.Time        `json:"created"`
	Finished time.Time        `json:"finished"`
	LookAt   time.Time        `json:"look_at"`
	Purge    time.Time        `json:"purge"`
	Receipt  generate.Receipt `json:"receipt"`
	Copy     generate.Copy    `json:"copy"`
	Run      string           `json:"run"`
}

func (h headRecord) job() generate.Job {
	return generate.Job{
		ID: h.ID, Version: h.Version, State: h.State, Team: h.Team, Member: h.Member, Tiers: h.Tiers,
		Place: h.Place, Endpoint: h.Endpoint, Line: h.Line, Admitted: h.Admitted, Shown: h.Shown,
		Created: h.Created, Finished: h.Finished, LookAt: h.LookAt, Purge: h.Purge, Receipt: h.Receipt, Copy: h.Copy,
	}
}

// job reads a job, or returns ErrNoJob.
func job(tx kv.Tx, id string) (jobRecord, error) {
	var r jobRecord
	ok, err := load(tx, join(jobKey, id), &r)
	if err == nil && !ok {
		err = generate.ErrNoJob
	}
	return r, err
}

// head reads the head of a job, or returns ErrNoJob.
func head(tx kv.Tx, id string) (headRecord, error) { return headOr(tx, id, ownership{}) }

// headOr is head of a job whose record this process may know.
func headOr(tx kv.Tx, id string, own ownership) (headRecord, error) {
	key := join(jobKey, id)
	data := tx.Get(key)
	switch {
	case data == nil:
		return headRecord{}, generate.ErrNoJob
	case own.is(data):
		return own.record.head(), nil
	}
	var r headRecord
	err := decode(key, data, &r)
	return r, err
}

func (r jobRecord) head() headRecord {
	return headRecord{
		stamp: r.stamp, ID: r.ID, Version: r.Version, State: r.State, Team: r.Team, Member: r.Member, Tiers: r.Tiers,
		Place: r.Place, Endpoint: r.Endpoint, Line: r.Line, Admitted: r.Admitted, Shown: r.Shown,
		Created: r.Created, Finished: r.Finished, LookAt: r.LookAt, Purge: r.Purge, Receipt: r.Receipt, Copy: r.Copy, Run: r.Run,
	}
}

// handedOut reports whether processes work on a job in this state.
func handedOut(j generate.Job) bool { return j.Unfinished() && j.State != generate.Received }

// ended is when a job became terminal, as far as that is known.
func ended(j generate.Job) time.Time {
	if j.Finished.IsZero() {
		return j.Created
	}
	return j.Finished
}

// byState reports whether jobs in a state are found by it. The states that a
// job goes through while it is worked on are not worth two more writes for each:
// these jobs are among the open ones.
func byState(s generate.State) bool { return s == generate.Received || s.Terminal() }

// indexKeys are the keys by which j is found.
func indexKeys(j generate.Job, prompt bool) []string {
	at := stamped(j.Created)
	keys := make([]string, 0, 12)
	keys = append(keys,
		join(allJobs, at, j.ID),
		join(jobsByTeam, j.Team, at, j.ID),
		join(jobsByMember, j.Member, at, j.ID),
		join(jobsByPlace, j.Place.Platform, j.Place.Tenant, j.Place.Channel, at, j.ID),
		join(jobsByModel, j.Endpoint, at, j.ID),
	)
	if byState(j.State) {
		keys = append(keys, join(jobsByState, string(j.State), at, j.ID))
	}
	for _, name := range j.Receipt.Posted() {
		keys = append(keys, join(jobsByPosted, name, at, j.ID))
	}
	switch {
	case j.Unfinished():
		keys = append(keys, join(openJobs, at, j.ID), join(openByTeam, j.Team, at, j.ID), join(openByMember, j.Member, at, j.ID))
	case prompt:
		keys = append(keys, join(endedPrompts, stamped(ended(j)), j.ID))
		fallthrough
	default:
		keys = append(keys, join(endedJobs, stamped(ended(j)), j.ID))
	}
	return keys
}

// putJob writes j in place of old, which is the zero Job for a new one, with
// all that finds it, and tells who works on it.
func (t *txn) putJob(old, j generate.Job, run string) error {
	key, record := join(jobKey, j.ID), jobRecord{stamp: v1, Job: j, Run: run}
	if err := save(t, key, &record); err != nil {
		return err
	}
	record.Progress, record.Gauges = generate.Progress{}, nil // are not stored
	t.wrote = ownership{t.run, record, t.Get(key)}
	stale := map[string]bool{}
	if old.ID != "" {
		for _, k := range indexKeys(old, true) {
			stale[k] = true
		}
	}
	for _, k := range indexKeys(j, !j.Request.IsZero() || j.Output.Prompt != "") {
		if !stale[k] {
			mark(t, k)
		}
		delete(stale, k)
	}
	for k := range stale {
		t.Delete(k)
	}
	switch {
	case handedOut(j):
		t.Publish(j.ID)
	case old.ID != "":
		t.Retire(j.ID)
	}
	return t.putCopy(old, j)
}

// Job reads a job.
func (s *Store) Job(ctx context.Context, id string) (generate.Job, error) {
	own := s.ownership(id)
	var r jobRecord
	err := s.view(ctx, func(t *txn) error {
		key := join(jobKey, id)
		data := t.Get(key)
		if data == nil {
			return generate.ErrNoJob
		}
		if own.is(data) {
			r = own.record
			r.Notes = maps.Clone(r.Notes)
			return nil
		}
		r = jobRecord{}
		return decode(key, data, &r)
	})
	return r.Job, outcome("read job "+id, err)
}

// defaultLimit is how many jobs a Query without a limit selects at most.
const defaultLimit = 100

// listPage is how many entries of an index are read in one transaction for a
// list: few enough that it succeeds while other processes write all the time.
const listPage = 32

// Jobs lists jobs, newest first. One that can't be read is left out. A long list
// is not one state of the store: it is read in pages.
func (s *Store) Jobs(ctx context.Context, q generate.Query) ([]generate.Job, error) {
	if q.Limit <= 0 {
		q.Limit = defaultLimit
	}
	prefix, before := index(q), ""
	if !q.Before.IsZero() {
		before = prefix + stamped(q.Before)
	}
	var jobs []generate.Job
	for size := min(listPage, q.Limit); ; {
		var page []generate.Job
		var next string
		err := s.view(ctx, func(t *txn) error {
			page, next = t.listPage(ctx, q, prefix, before, size)
			return ctx.Err()
		})
		if err != nil {
			return nil, outcome("list jobs", err)
		}
		jobs = append(jobs, page[:min(len(page), q.Limit-len(jobs))]...)
		if next == "" || len(jobs) == q.Limit {
			return jobs, nil
		}
		if len(page) < size { // not all are wanted: more must be read
			size = listPage
		} else {
			size = min(listPage, q.Limit-len(jobs))
		}
		before = next
	}
}

// listPage reads the jobs of so many entries of an index from before on, those that
// q selects. next is where the page after it begins, "" if there is none.
func (t *txn) listPage(ctx context.Context, q generate.Query, prefix, before string, size int) (jobs []generate.Job, next string) {
	var found []string
	var records []string // their keys
	for k := range t.ScanReverse(prefix, before) {
		found, records = append(found, k), append(records, join(jobKey, last(k)))
		if len(found) == size {
			next = k
			break
		}
	}
	t.Fetch(records)
	for _, k := range found {
		r, err := job(t, last(k))
		switch {
		case errors.Is(err, generate.ErrNoJob): // it was set aside
		case err != nil:
			t.s.log.WarnContext(ctx, "store: job left out of a list", slog.String("job", last(k)), slog.Any("error", err))
		case selects(q, r.Job):
			jobs = append(jobs, r.Job)
		}
	}
	return jobs, next
}

// index returns the key prefix of the index that fits q best: the one with the
// fewest jobs that q does not select.
func index(q generate.Query) string {
	open := q.Unfinished || q.State != "" && !q.State.Terminal()
	under := func(prefix string, names ...string) string { return join(prefix, names...) + "/" }
	switch {
	case q.Posted != "":
		return under(jobsByPosted, q.Posted)
	case open && q.Member != "":
		return under(openByMember, q.Member)
	case q.Member != "":
		return under(jobsByMember, q.Member)
	case q.Channel != "" && !q.Unfinished:
		return under(jobsByPlace, q.Platform, q.Tenant, q.Channel)
	case q.State == generate.Received:
		return under(jobsByState, string(q.State))
	case open && q.Team != "":
		return under(openByTeam, q.Team)
	case open:
		return openJobs
	case q.State == generate.Failed, q.State == generate.Cancelled: // few jobs of a team end so
		return under(jobsByState, string(q.State))
	case q.Team != "":
		return under(jobsByTeam, q.Team)
	case q.State != "":
		return under(jobsByState, string(q.State))
	case q.Endpoint != "":
		return under(jobsByModel, q.Endpoint)
	default:
		return allJobs
	}
}

func selects(q generate.Query, j generate.Job) bool {
	return (q.Team == "" || j.Team == q.Team) &&
		(q.Member == "" || j.Member == q.Member) &&
		(q.Channel == "" || j.Place.Channel == q.Channel && j.Place.Tenant == q.Tenant && j.Place.Platform == q.Platform) &&
		(q.State == "" || j.State == q.State) &&
		(q.Posted == "" || slices.Contains(j.Receipt.Posted(), q.Posted)) &&
		(q.Endpoint == "" || j.Endpoint == q.Endpoint) &&
		(!q.Unfinished || j.Unfinished())
}

// Remove removes a job that is over, with all that finds it. A hold of which a
// counter still has a share is left to the sweep.
func (s *Store) Remove(ctx context.Context, j generate.Job) error {
	err := s.update(ctx, func(t *txn) error {
		old, err := head(t, j.ID)
		if err != nil {
			return err
		}
		if old.Version != j.Version {
			return generate.ErrConflict
		}
		return t.removeJob(old.job())
	})
	return outcome("remove job "+j.ID, err)
}

func (t *txn) removeJob(j generate.Job) error {
	if j.Unfinished() {
		return generate.ErrConflict
	}
	for _, k := range indexKeys(j, true) {
		t.Delete(k)
	}
	t.Delete(join(jobKey, j.ID))
	t.Retire(j.ID)
	if err := t.putCopy(j, generate.Job{ID: j.ID}); err != nil {
		return err
	}
	h, err := hold(t, j.ID)
	var damaged *DamagedError
	switch {
	case errors.Is(err, quota.ErrNoHold):
		return nil
	case errors.As(err, &damaged):
		t.s.log.Error("store: hold of a removed job stays", slog.String("job", j.ID), slog.Any("error", err))
		return nil
	case err != nil:
		return err
	}
	return t.dropHold(h)
}
