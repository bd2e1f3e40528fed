// Package cache keeps a bounded number of recently used values in memory, and never keeps one that was dropped while it
// was being loaded.
package cache

import "sync"

// Cache maps keys to values that can be loaded again. It holds at most about twice its size: when the younger half is
// full it becomes the older half, and what is used there moves back to the younger. All methods may be called
// concurrently.
type Cache[K comparable, V any] struct {
	size int

	mu         sync.Mutex
	young, old map[K]V
	drops      uint64 // how often anything was dropped
}

// New returns a cache of which size values are young.
func New[K comparable, V any](size int) *Cache[K, V] {
	return &Cache[K, V]{size: size, young: make(map[K]V)}
}

// Load returns the value of k, calling load when it is not held. An error is returned and not kept. Whatever is
// dropped while load runs may be stale: then load's value is returned and not kept either.
func (c *Cache[K, V]) Load(k K, load func() (V, error)) (V, error) {
	c.mu.Lock()
	v, ok := c.get(k)
	drops := c.drops
	c.mu.Unlock()
	if ok {
		return v, nil
	}
	v, err := load()
	if err != nil {
		return v, err
	}
	c.mu.Lock()
	if c.drops == drops {
		c.put(k, v)
	}
	c.mu.Unlock()
	return v, nil
}

// Get returns the value of k if it is held.
func (c *Cache[K, V]) Get(k K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.get(k)
}

// Update changes the value of k if it is held.
func (c *Cache[K, V]) Update(k K, change func(V) V) {
	c.mu.Lock()
	if v, ok := c.get(k); ok {
		c.put(k, change(v))
	}
	c.mu.Unlock()
}

// Drop forgets the keys. Call it after the change is committed.
func (c *Cache[K, V]) Drop(keys ...K) {
	c.mu.Lock()
	for _, k := range keys {
		delete(c.young, k)
		delete(c.old, k)
	}
	c.drops++
	c.mu.Unlock()
}

// Clear forgets everything.
func (c *Cache[K, V]) Clear() {
	c.mu.Lock()
	c.young, c.old = make(map[K]V), nil
	c.drops++
	c.mu.Unlock()
}

func (c *Cache[K, V]) get(k K) (V, bool) {
	v, ok := c.young[k]
	if ok {
		return v, true
	}
	if v, ok = c.old[k]; ok {
		c.put(k, v)
	}
	return v, ok
}

func (c *Cache[K, V]) put(k K, v V) {
	if _, ok := c.young[k]; !ok && len(c.young) >= c.size {
		c.old, c.young = c.young, make(map[K]V)
	}
	c.young[k] = v
}
