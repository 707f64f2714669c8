//go:build darwin || dragonfly || freebsd || linux

package badgerstore

import "golang.org/x/sys/unix"

// freeSpace returns the bytes that this user can still write in dir.
func freeSpace(dir string) (uint64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return uint64(max(int64(st.Bavail), 0)) * uint64(st.Bsize), nil // Bavail is negative where root has eaten the reserve
}
