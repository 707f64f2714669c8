package local

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/mem"
	"github.com/shirou/gopsutil/v4/process"

	"github.com/crawlstats/crawlstats/events"
)

// measure returns the use of all processors since its last call, the memory of
// this process, and what it may use.
func measure() (events.SystemInfo, error) {
	percent, err := cpu.Percent(0, false)
	if err != nil {
		return events.SystemInfo{}, fmt.Errorf("local: measure processors: %w", err)
	}
	if len(percent) == 0 {
		return events.SystemInfo{}, errors.New("local: measure processors: the system lists none")
	}
	machine, err := mem.VirtualMemory()
	if err != nil {
		return events.SystemInfo{}, fmt.Errorf("local: measure memory of the machine: %w", err)
	}
	// A Process that is made by hand skips the look-up of its creation time.
	self := process.Process{Pid: int32(os.Getpid())}
	used, err := self.MemoryInfo()
	if err != nil {
		return events.SystemInfo{}, fmt.Errorf("local: measure memory of this process: %w", err)
	}
	return events.SystemInfo{
		CPU:         percent[0],
		MemoryUsed:  used.RSS,
		MemoryTotal: min(machine.Total, containerLimit(os.ReadFile)),
		At:          time.Now(),
	}, nil
}

// containerLimit returns the memory limit of the container this process runs
// in, the largest number if there is none. Both versions of cgroups are looked
// at; without a limit they say "max" or a number beyond any machine.
func containerLimit(readFile func(string) ([]byte, error)) uint64 {
	limit := ^uint64(0)
	for _, path := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		text, err := readFile(path)
		if err != nil {
			continue
		}
		if n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil {
			limit = min(limit, n)
		}
	}
	return limit
}
