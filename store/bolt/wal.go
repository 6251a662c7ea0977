package bolt

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"time"

	"ltxbot/store/kv"
)

// A wal is a write-ahead log: the commits that are not in the database yet, in
// their order. There are two, which take turns: one is written while what is in
// the other one goes into the database. Each begins with a random id, and with
// that of the log before it; the database has the id of the last log that is in
// it. So a log that does not follow the database, as after a backup was restored,
// is not read.
//
// A log keeps its size when it begins anew: then a commit changes no metadata of
// the file, and waits for the disk once. What is left in it from before has the
// checksum of another id.
type wal struct {
	path   string
	file   logFile
	noSync bool
	id     walID
	before walID // the id of the log before it
	begun  bool  // it may have commits
	end    int64 // where the next commit is written
	size   int64 // of the file
}

type walID [16]byte

// logFile is what a log needs of its file: tests have one that fails.
type logFile interface {
	io.ReaderAt
	io.WriterAt
	Size() (int64, error)
	Sync() error
	Datasync() error // but for the file's times
	Close() error
	Remove() error // closes it, too
}

// diskFile is a logFile on the disk.
type diskFile struct{ *os.File }

func openDiskFile(path string) (logFile, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, fileMode) //nolint:gosec // the operator chose it
	return diskFile{f}, err
}

func (f diskFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (f diskFile) Datasync() error { return datasync(f.File) }

func (f diskFile) Remove() error { return errors.Join(f.Close(), os.Remove(f.Name())) }

// The layout of a log: a header, the same once more at headerCopy, and from
// firstCommit on the commits, each with its length and its checksum. What damages one
// sector of the disk damages one header.
const (
	walMagic     = "ltxwal1\n"
	headerCopy   = 2048
	firstCommit  = 4096            // in a page of its own: the header is never written again
	commitHeader = 8               // bytes
	walGrowth    = 1 << 20         // bytes that a log grows by
	headerSize   = 8 + 16 + 16 + 4 // magic, id, id of the log before, checksum
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum of data in the log with an id.
func (id walID) checksum(data []byte) uint32 {
	return crc32.Update(crc32.Checksum(id[:], castagnoli), castagnoli, data)
}

func newWALID() (id walID) {
	_, _ = rand.Read(id[:]) // never fails
	return id
}

// openWAL opens the log at path, or makes an empty one.
func openWAL(path string, opts Options) (*wal, error) {
	f, err := opts.openLog(path)
	if err != nil {
		return nil, err
	}
	size, err := f.Size()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &wal{path: path, file: f, noSync: opts.NoSync, size: size}, nil
}

// openWALs opens the two logs of the database at path.
func openWALs(path string, opts Options) (a, b *wal, err error) {
	if a, err = openWAL(path+".wal1", opts); err != nil {
		return nil, nil, err
	}
	if b, err = openWAL(path+".wal2", opts); err == nil && !opts.NoSync {
		err = syncDir(path) // a new file may be gone after a loss of power, with all that was synced in it
	}
	if err != nil {
		return nil, nil, errors.Join(err, a.close(), b.close())
	}
	return a, b, nil
}

// follow makes the log empty from the next begin on: it follows another one.
func (w *wal) follow(other *wal) { w.before, w.begun, w.end = other.id, false, firstCommit }

// begin makes the log empty, on the disk, too.
func (w *wal) begin() error {
	if err := w.grow(firstCommit); err != nil {
		return err
	}
	id := newWALID()
	header := append([]byte(walMagic), id[:]...)
	header = append(header, w.before[:]...)
	header = binary.LittleEndian.AppendUint32(header, crc32.Checksum(header, castagnoli))
	page := append(make([]byte, 0, headerCopy+headerSize), header...)
	page = append(page[:headerCopy], header...)
	if _, err := w.file.WriteAt(page, 0); err != nil {
		return err
	}
	if err := w.sync(); err != nil {
		return err
	}
	w.id, w.begun, w.end = id, true, firstCommit
	return nil
}

// append brings a commit to the disk. If it fails, the disk may have the commit all
// the same: nothing more is to be written to the log.
func (w *wal) append(commit []byte) error {
	if err := w.grow(w.end + commitHeader + int64(len(commit))); err != nil {
		return err
	}
	data := binary.LittleEndian.AppendUint32(make([]byte, 0, commitHeader+len(commit)), uint32(len(commit))) //nolint:gosec // far below 4 GiB
	data = binary.LittleEndian.AppendUint32(data, w.id.checksum(commit))
	data = append(data, commit...)
	if _, err := w.file.WriteAt(data, w.end); err != nil {
		return err
	}
	if err := w.sync(); err != nil {
		_, erased := w.file.WriteAt(make([]byte, commitHeader), w.end) // for the next start, unless the power fails first
		return errors.Join(err, erased)
	}
	w.end += int64(len(data))
	return nil
}

// grow makes the file long enough for size bytes, with its metadata on the disk.
func (w *wal) grow(size int64) error {
	if size <= w.size {
		return nil
	}
	more := max(walGrowth, size-w.size)
	if _, err := w.file.WriteAt(make([]byte, more), w.size); err != nil {
		return err
	}
	if !w.noSync {
		if err := w.file.Sync(); err != nil {
			return err
		}
	}
	w.size += more
	return nil
}

func (w *wal) sync() error {
	if w.noSync {
		return nil
	}
	return w.file.Datasync()
}

// header reads the ids of the log and of the one before it. ok is false if it has
// none and no commits. Both are on the disk before there is a commit: where the power
// failed between, either may be the older one, and no commit is of the newer one.
func (w *wal) header() (id, before walID, ok bool, err error) {
	for _, at := range []int64{0, headerCopy} {
		data := make([]byte, headerSize)
		if _, err := w.file.ReadAt(data, at); err != nil && !errors.Is(err, io.EOF) {
			return id, before, false, err
		}
		body, sum := data[:headerSize-4], binary.LittleEndian.Uint32(data[headerSize-4:])
		if bytes.HasPrefix(body, []byte(walMagic)) && crc32.Checksum(body, castagnoli) == sum {
			body = body[len(walMagic):]
			return walID(body[:16]), walID(body[16:]), true, nil
		}
	}
	lost, err := w.hasCommit()
	if lost {
		err = fmt.Errorf("%w: the header of its log %s, which has commits; without that log and the other one the bot starts, and lacks what it did last", errDamaged, w.path)
	}
	return id, before, false, err
}

// hasCommit reports whether the log has what looks like a commit, without its id.
func (w *wal) hasCommit() (bool, error) {
	commit, _, err := w.read(walID{}, firstCommit)
	if err != nil || commit == nil {
		return false, err
	}
	_, err = decodeCommit(commit, kv.NewBatch())
	return err == nil, nil
}

// commits calls each with every commit of the log with an id. A last one that is
// not whole was never acknowledged: the process was killed while it wrote it.
func (w *wal) commits(id walID, each func(commit []byte) error) error {
	for at := int64(firstCommit); ; {
		commit, whole, err := w.read(id, at)
		if err != nil {
			return err
		}
		if !whole {
			if more, err := w.more(id, at); more || err != nil {
				return cmp.Or(err, errCommit)
			}
			return nil
		}
		if err := each(commit); err != nil {
			return err
		}
		at += commitHeader + int64(len(commit))
	}
}

// mostSought is the length of the largest commit that more looks for, in bytes: most
// of what has the length of a larger one is not a commit.
const mostSought = 1 << 20

// more reports whether there is a whole commit anywhere after an offset. Where it
// begins is not known: the length of the one before may be what is damaged.
func (w *wal) more(id walID, at int64) (bool, error) {
	rest := make([]byte, max(w.size-at, 0))
	if _, err := w.file.ReadAt(rest, at); err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	for ; len(rest) > commitHeader; rest = rest[1:] {
		length, commit := int64(binary.LittleEndian.Uint32(rest)), rest[commitHeader:]
		if length > 0 && length <= min(mostSought, int64(len(commit))) &&
			id.checksum(commit[:length]) == binary.LittleEndian.Uint32(rest[4:]) {
			return true, nil
		}
	}
	return false, nil
}

// read reads the commit at an offset, and reports whether it is whole.
func (w *wal) read(id walID, at int64) (commit []byte, whole bool, err error) {
	head := make([]byte, commitHeader)
	if at+commitHeader > w.size {
		return nil, false, nil
	}
	if _, err := w.file.ReadAt(head, at); err != nil {
		return nil, false, err
	}
	length := int64(binary.LittleEndian.Uint32(head))
	if length == 0 || at+commitHeader+length > w.size {
		return nil, false, nil
	}
	commit = make([]byte, length)
	if _, err := w.file.ReadAt(commit, at+commitHeader); err != nil {
		return nil, false, err
	}
	return commit, id.checksum(commit) == binary.LittleEndian.Uint32(head[4:]), nil
}

// close closes the log, which may be nil.
func (w *wal) close() error {
	if w == nil {
		return nil
	}
	return w.file.Close()
}

// remove closes the log and removes its file.
func (w *wal) remove() error { return w.file.Remove() }

// The parts of a commit in the log, each with its own letter.
const (
	opPut     = 'p' // key, value
	opDelete  = 'd' // key
	opPublish = 'n' // job
	opRetire  = 'r' // job
)

// encodeCommit is a batch that was committed at a time, as the log has it.
func encodeCommit(at time.Time, b *kv.Batch) []byte {
	const usual = 4096 // bytes of a commit
	out := binary.LittleEndian.AppendUint64(make([]byte, 0, usual), uint64(at.UnixNano()))
	add := func(op byte, fields ...[]byte) {
		out = append(out, op)
		for _, f := range fields {
			out = append(binary.AppendUvarint(out, uint64(len(f))), f...)
		}
	}
	for key, value := range b.Writes() {
		if value == nil {
			add(opDelete, []byte(key))
		} else {
			add(opPut, []byte(key), value)
		}
	}
	for _, n := range b.News() {
		if n.Retired {
			add(opRetire, []byte(n.Job))
		} else {
			add(opPublish, []byte(n.Job))
		}
	}
	return out
}

// errCommit says that a commit of the log is not what encodeCommit writes.
var errCommit = fmt.Errorf("%w: a commit in its log can't be read", errDamaged)

// decodeCommit is the other way round. It adds the commit to b, with values that are
// parts of data.
func decodeCommit(data []byte, b *kv.Batch) (at time.Time, err error) {
	if len(data) < 8 {
		return time.Time{}, errCommit
	}
	at, data = time.Unix(0, int64(binary.LittleEndian.Uint64(data))), data[8:] //nolint:gosec // as it was
	field := func() []byte {
		n, used := binary.Uvarint(data)
		if used <= 0 || n > uint64(len(data)-used) { //nolint:gosec // used is at most len(data)
			err = errCommit
			return nil
		}
		f := data[used : used+int(n)] //nolint:gosec // at most len(data)
		data = data[used+int(n):]     //nolint:gosec // at most len(data)
		return f
	}
	for len(data) > 0 && err == nil {
		op := data[0]
		data = data[1:]
		first := string(field())
		switch op {
		case opPut:
			if value := field(); len(value) > 0 {
				b.Set(first, value)
			} else {
				err = cmp.Or(err, errCommit)
			}
		case opDelete:
			b.Set(first, nil)
		case opPublish, opRetire:
			b.Announce(kv.News{Job: first, Retired: op == opRetire})
		default:
			err = errCommit
		}
	}
	return at, err
}
