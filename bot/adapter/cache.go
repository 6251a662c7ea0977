package adapter

import (
	"maps"
	"sync"
)

// A Cache keeps values in this process's memory. When it is full, all of them are
// removed.
type Cache[V any] struct {
	most int

	mu     sync.Mutex
	values map[string]V
}

// NewCache makes a cache of at most that many values.
func NewCache[V any](most int) *Cache[V] {
	return &Cache[V]{most: most, values: map[string]V{}}
}

// Get returns a value, or the zero value if there is none.
func (c *Cache[V]) Get(key string) V {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.values[key]
}

// Put remembers a value and returns the one that it replaces, or the zero
// value.
func (c *Cache[V]) Put(key string, value V) (old V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old, known := c.values[key]
	if !known && len(c.values) >= c.most {
		clear(c.values)
	}
	c.values[key] = value
	return old
}

// DeleteFunc removes the values of which del says so.
func (c *Cache[V]) DeleteFunc(del func(V) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.values, func(_ string, v V) bool { return del(v) })
}

// Delete removes a value.
func (c *Cache[V]) Delete(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.values, key)
}
