package bolt

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.etcd.io/bbolt"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

// load reads the mirror: the line, and which jobs are to be handed out, oldest
// first. It returns the index entries of jobs that can't be read, which it
// leaves out. The caller holds s.mu, or nobody else knows s yet.
func (s *Store) load() (damaged []indexKey, err error) {
	l := newLine()
	var unfinished []string
	err = s.db.View(func(tx *bbolt.Tx) error {
		v := view{tx}
		err := tx.Bucket([]byte(servedBucket)).ForEach(func(k, n []byte) error {
			l.served[string(k)] = number(n)
			l.turn = max(l.turn, number(n))
			return nil
		})
		if err != nil {
			return err
		}
		c := v.cursor(openByTime)
		for k, _ := c.First(); k != nil; k, _ = c.Next() {
			id := string(k[min(timeLength, len(k)):])
			j, err := v.lineJob(id)
			if err != nil {
				s.log.Error("bolt: unfinished job can't be read", slog.String("job", id), slog.Any("error", err))
				damaged = append(damaged, indexKey{openByTime, string(k)})
				continue
			}
			l.add(j)
			if j.Unfinished() {
				unfinished = append(unfinished, id)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read unfinished jobs: %w", err)
	}
	s.line = l
	s.work.reset(unfinished)
	return damaged, nil
}

// lineJob reads of a job only what the mirror is made of: with ten thousand
// jobs in flight a start would else spend its time on their requests.
func (v view) lineJob(id string) (generate.Job, error) {
	var slim struct {
		State    generate.State `json:"state"`
		Team     string         `json:"team"`
		Member   string         `json:"member"`
		Line     quota.Line     `json:"line"`
		Admitted bool           `json:"admitted"`
		Shown    generate.State `json:"shown"`
		LookAt   time.Time      `json:"look_at"`
	}
	ok, err := v.record(jobsBucket, id, &slim)
	if err == nil && !ok {
		err = generate.ErrNoJob
	}
	return generate.Job{
		ID: id, State: slim.State, Team: slim.Team, Member: slim.Member,
		Line: slim.Line, Admitted: slim.Admitted, Shown: slim.Shown, LookAt: slim.LookAt,
	}, err
}

// setAside moves the records of damaged jobs out of the way of later starts,
// for an operator to look at.
func setAside(tx *bbolt.Tx, damaged []indexKey) error {
	for _, k := range damaged {
		id := k.key[min(timeLength, len(k.key)):]
		jobs := tx.Bucket([]byte(jobsBucket))
		var keep error
		if record := jobs.Get([]byte(id)); record != nil {
			name := string(jobsBucket) + "/" + id
			keep = tx.Bucket([]byte(damagedBucket)).Put([]byte(name), append([]byte(nil), record...))
		}
		if id != "" {
			keep = errors.Join(keep, jobs.Delete([]byte(id)))
		}
		if err := errors.Join(keep, tx.Bucket([]byte(k.bucket)).Delete([]byte(k.key))); err != nil {
			return err
		}
	}
	return nil
}
