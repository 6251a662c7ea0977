package kv

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/btree"
)

// A Reader reads one state of a database. It is what an engine writes to get
// transactions from an overlay.
type Reader interface {
	// Get returns the value of key, or nil if there is none.
	Get(key string) ([]byte, error)
	// Fetch says that keys are read next, each by a Get.
	Fetch(keys []string) error
	// Range calls yield with the keys from <= k < end, in order or, if reverse,
	// from the last one on, until yield returns false. An empty end is no
	// limit.
	Range(from, end string, reverse bool, yield func(key string, value []byte) bool) error
}

// A Batch is what one or more transactions write together.
type Batch struct {
	writes *btree.Map[string, []byte] // nil = deleted
	news   []News
}

// NewBatch is a batch that writes nothing.
func NewBatch() *Batch { return &Batch{writes: new(btree.Map[string, []byte])} }

// News is a call of Publish or Retire.
type News struct {
	Job     string
	Retired bool
}

// copy is a batch that can be written to without changing b.
func (b *Batch) copy() *Batch {
	return &Batch{writes: b.writes.Copy(), news: slices.Clip(b.news)}
}

// Set writes a key; nil deletes it.
func (b *Batch) Set(key string, value []byte) { b.writes.Set(key, value) }

// Announce adds a call of Publish or Retire.
func (b *Batch) Announce(n News) { b.news = append(b.news, n) }

// Successor is a batch like b to go on with, for a b that is read and so may not
// be written to any more.
func (b *Batch) Successor() *Batch { return &Batch{writes: b.writes.Copy(), news: b.news} }

// Empty reports whether the batch changes nothing.
func (b *Batch) Empty() bool { return b.writes.Len() == 0 && len(b.news) == 0 }

// Writes are the keys with their new values in order; nil means deleted.
func (b *Batch) Writes() iter.Seq2[string, []byte] { return b.writes.Scan }

// News are the calls of Publish and Retire in their order: of several for one
// job the last one counts.
func (b *Batch) News() []News { return b.news }

// Over is a Reader of what base reads after b was written to it. b must not
// change meanwhile.
func Over(base Reader, b *Batch) Reader { return layer{base, b.writes} }

// layer is a Reader with writes on top of it.
type layer struct {
	base   Reader
	writes *btree.Map[string, []byte]
}

func (l layer) Get(key string) ([]byte, error) {
	if value, ok := l.writes.Get(key); ok {
		return value, nil
	}
	return l.base.Get(key)
}

func (l layer) Fetch(keys []string) error { return l.base.Fetch(keys) }

// Range merges the keys of the writes into those of the base.
func (l layer) Range(from, end string, reverse bool, yield func(string, []byte) bool) error {
	written := newCursor(l.writes, from, end, reverse)
	emit := func(key string, value []byte) bool { return value == nil || yield(key, value) }
	more := true
	err := l.base.Range(from, end, reverse, func(key string, value []byte) bool {
		for more && written.ok && (written.key < key) != reverse && written.key != key {
			more = emit(written.key, written.value)
			written.next()
		}
		if written.ok && written.key == key {
			value = written.value
			written.next()
		}
		more = more && emit(key, value)
		return more
	})
	for err == nil && more && written.ok {
		more = emit(written.key, written.value)
		written.next()
	}
	return err
}

// overlay is a Tx: buffered writes over a Reader.
type overlay struct {
	base     Reader
	batch    *Batch
	reads    int // that are left
	readOnly bool
	err      error // the first one
}

// View runs fn on what base reads.
func View(base Reader, fn func(Tx) error) error {
	o := &overlay{base: base, batch: NewBatch(), reads: -1, readOnly: true}
	return o.outcome(fn(o))
}

// outcome is the error of a transaction whose function returned err. That was
// decided without what could not be read, so the first error comes first.
func (o *overlay) outcome(err error) error { return cmp.Or(o.err, err) }

// fail keeps the first error of a transaction.
func (o *overlay) fail(err error) {
	if o.err == nil {
		o.err = err
	}
}

// read counts a key that is read and reports whether that is allowed.
func (o *overlay) read() bool {
	if o.reads == 0 {
		o.fail(ErrReads)
		return false
	}
	o.reads--
	return o.err == nil
}

func (o *overlay) Get(key string) []byte {
	if !o.read() {
		return nil
	}
	value, err := layer{o.base, o.batch.writes}.Get(key)
	if err != nil {
		o.fail(err)
		return nil
	}
	return value
}

func (o *overlay) Fetch(keys []string) {
	if o.err != nil {
		return
	}
	if err := o.base.Fetch(keys); err != nil {
		o.fail(err)
	}
}

func (o *overlay) Put(key string, value []byte) {
	if len(value) == 0 {
		o.fail(fmt.Errorf("put %q: the value is empty", key))
		return
	}
	o.write(key, value)
}

func (o *overlay) Delete(key string) { o.write(key, nil) }

func (o *overlay) write(key string, value []byte) {
	if err := checkKey(key); err != nil {
		o.fail(err)
	}
	if o.readOnly {
		o.fail(errReadOnly)
	}
	if o.err == nil {
		o.batch.writes.Set(key, value)
	}
}

var errReadOnly = errors.New("a view must not write")

// checkKey refuses what can't be a key.
func checkKey(key string) error {
	if key == "" || strings.Contains(key, "\x00") || !utf8.ValidString(key) {
		return fmt.Errorf("%q can't be a key", key)
	}
	return nil
}

func (o *overlay) Publish(job string) { o.announce(News{Job: job}) }

func (o *overlay) Retire(job string) { o.announce(News{Job: job, Retired: true}) }

func (o *overlay) announce(n News) {
	if err := checkKey(n.Job); err != nil {
		o.fail(err)
	}
	if o.readOnly {
		o.fail(errReadOnly)
	}
	if o.err == nil {
		o.batch.news = append(o.batch.news, n)
	}
}

func (o *overlay) Scan(prefix, from string) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		o.scan(max(prefix, from), prefixEnd(prefix), false, yield)
	}
}

func (o *overlay) ScanReverse(prefix, before string) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		end := prefixEnd(prefix)
		if before != "" && (end == "" || before < end) {
			end = before
		}
		if prefix < end || end == "" {
			o.scan(prefix, end, true, yield)
		}
	}
}

// scan goes over a range of what the transaction saw when the scan began.
func (o *overlay) scan(from, end string, reverse bool, yield func(string, []byte) bool) {
	seen := o.batch.copy()
	err := Over(o.base, seen).Range(from, end, reverse, func(key string, value []byte) bool {
		return o.read() && yield(key, value)
	})
	if err != nil {
		o.fail(err)
	}
}

// cursor goes over a range of buffered writes.
type cursor struct {
	at        btree.MapIter[string, []byte]
	from, end string
	reverse   bool
	ok        bool
	key       string
	value     []byte
}

func newCursor(writes *btree.Map[string, []byte], from, end string, reverse bool) *cursor {
	c := &cursor{at: writes.Iter(), from: from, end: end, reverse: reverse}
	switch {
	case !reverse:
		c.set(c.at.Seek(from))
	case end != "" && c.at.Seek(end):
		c.set(c.at.Prev())
	default:
		c.set(c.at.Last())
	}
	return c
}

func (c *cursor) next() {
	if c.reverse {
		c.set(c.at.Prev())
	} else {
		c.set(c.at.Next())
	}
}

func (c *cursor) set(ok bool) {
	if c.ok = ok; ok {
		c.key, c.value = c.at.Key(), c.at.Value()
		c.ok = c.key >= c.from && (c.end == "" || c.key < c.end)
	}
}

// prefixEnd is the first string after all that begin with prefix; empty if
// there is none.
func prefixEnd(prefix string) string {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xff {
			return prefix[:i] + string([]byte{prefix[i] + 1})
		}
	}
	return ""
}
