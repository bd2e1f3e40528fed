package redis

import (
	"hash/fnv"
	"strconv"
	"sync"

	"parley/channel"
)

// Partitions is how many parts the data has. Everything of one partition is in one slot of a cluster, so one script can change it
// together. It is a constant of the layout: changing it would lose all channels.
const Partitions = 64

// facts is the partition of everything that must change together with people: users, rooms, memberships, and the inboxes.
const facts = 0

// slots is how many slots a Redis Cluster has.
const slots = 16384

// partitionOf is where a channel lives.
func partitionOf(name channel.Name) int {
	if name.Kind() == channel.KindUser {
		return facts
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // never fails
	sum := h.Sum64()
	return int((sum ^ sum>>32) % Partitions)
}

// tags are the hash tags of the partitions: partition i is in a slot of the i-th of 64 equal parts of a cluster's slots. So a cluster
// that divides its slots evenly divides the partitions evenly.
var tags = sync.OnceValue(func() (found [Partitions]string) {
	for n, left := int64(0), Partitions; left > 0; n++ {
		tag := strconv.FormatInt(n, 36)
		part := slotOf(tag) * Partitions / slots
		if found[part] == "" {
			found[part] = tag
			left--
		}
	}
	return found
})

// slotOf is the cluster slot of a hash tag: CRC16 (XMODEM) modulo the number of slots.
func slotOf(tag string) int {
	var crc uint16
	for i := range len(tag) {
		crc ^= uint16(tag[i]) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return int(crc) % slots
}
