package process

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Pin keeps all threads of this process, and those to come, on one core.
func Pin(core int) error {
	var set unix.CPUSet
	set.Set(core)
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			return err
		}
		if err := unix.SchedSetaffinity(id, &set); err != nil {
			return fmt.Errorf("core %d: %w", core, err)
		}
	}
	return nil
}

// CPUTime is what a process has used so far, user and system, all threads, in nanoseconds: its CPU-time clock
// (clock_getcpuclockid(3)), as /proc/PID/stat counts in hundredths of a second.
func CPUTime(pid int) (time.Duration, error) {
	const sched = 2 // CPUCLOCK_SCHED of the kernel's posix-timers
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|sched), &t); err != nil {
		return 0, fmt.Errorf("CPU time of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// Runnable says whether a thread of the process runs or would like to.
func Runnable(pid int) bool {
	folder := fmt.Sprintf("/proc/%d/task", pid)
	threads, _ := os.ReadDir(folder)
	for _, t := range threads {
		stat, _ := os.ReadFile(filepath.Join(folder, t.Name(), "stat"))
		if _, after, _ := bytes.Cut(stat, []byte(") ")); len(after) > 0 && after[0] == 'R' { // proc_pid_stat(5): state follows (comm)
			return true
		}
	}
	return false
}
