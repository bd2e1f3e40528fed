//go:build !unix

package main

import "time"

// cpuTime is at most what passes.
func cpuTime() time.Duration { return time.Duration(time.Now().UnixNano()) }
