package ingress

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
)

// How much memory bodies may take, in bytes, that are under way: all
// together, and those that are larger than most in the half of it, so that
// large ones never keep small ones out.
const (
	maxTotal = 32 << 20
	maxSmall = 64 << 10
)

// firstBuffer is where the buffer of a body begins, in bytes: most are smaller.
const firstBuffer = 8 << 10

// room is the memory that bodies take.
type room struct{ used atomic.Int64 }

// take takes n more bytes for a body that has size bytes then.
func (r *room) take(n, size int64) bool {
	most := int64(maxTotal)
	if size > maxSmall {
		most /= 2
	}
	if r.used.Add(n) > most {
		r.used.Add(-n)
		return false
	}
	return true
}

// Body reads the body of r, of at most limit bytes. Call release when it is
// not used any more. When the body can't be read, Body answers the request
// and returns false.
func (g *Guard) Body(w http.ResponseWriter, r *http.Request, at Endpoint, limit int64) (body []byte, release func(), ok bool) {
	body, why := g.room.read(r, limit)
	if why != "" {
		w.Header().Set("Connection", "close") // the rest is not read
		g.Refuse(w, at, why)
		return nil, nil, false
	}
	return body, func() { g.room.used.Add(-int64(cap(body))) }, true
}

// read reads a body in a buffer that grows with what has come: who announces a
// large body and does not send it takes little. What it returns has taken its
// capacity of the room; what it refuses has taken nothing.
func (r *room) read(req *http.Request, limit int64) ([]byte, Reason) {
	if req.ContentLength > limit {
		return nil, TooLarge
	}
	size := int64(firstBuffer)
	if !r.take(size, size) {
		return nil, NoRoom
	}
	buffer := make([]byte, 0, size)
	for {
		n, err := req.Body.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		switch {
		case int64(len(buffer)) > limit:
			r.used.Add(-size)
			return nil, TooLarge
		case errors.Is(err, io.EOF), int64(len(buffer)) == req.ContentLength:
			return buffer, ""
		case err != nil:
			r.used.Add(-size)
			return nil, Incomplete
		}
		if len(buffer) < cap(buffer) {
			continue
		}
		larger := min(2*size, limit+1) // one more than allowed shows that it is too large
		if !r.take(larger, larger) {
			r.used.Add(-size)
			return nil, NoRoom
		}
		grown := make([]byte, len(buffer), larger)
		copy(grown, buffer)
		r.used.Add(-size)
		buffer, size = grown, larger
	}
}
