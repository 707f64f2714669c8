package kvstore

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

const (
	fileSuffix = ".kv"
	fileHeader = "crawlstats-kv 1 rev=%d crc32c=%08x key=%s\n"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// fileName returns a readable part of key and a hash of all of it. The hash
// keeps keys apart on file systems that fold case, and makes any key fit.
func fileName(key string) string {
	readable := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '_', r == '-':
			return r
		}
		return '-'
	}, key[:min(len(key), 64)])
	hash := sha256.Sum256([]byte(key))
	return fmt.Sprintf("%s.%x%s", readable, hash[:16], fileSuffix)
}

// encodeFile returns the file of a value.
func encodeFile(key string, rev Revision, value []byte) []byte {
	quoted := strconv.QuoteToASCII(key)
	sum := crc32.Update(0, castagnoli, fmt.Appendf(nil, "%d %s\n", rev, quoted))
	sum = crc32.Update(sum, castagnoli, value)
	return append(fmt.Appendf(nil, fileHeader, rev, sum, quoted), value...)
}

// decodeFile is the inverse of encodeFile. Encoding the result again must give
// the same bytes: no other check can be stricter.
func decodeFile(data []byte) (key string, it Item, ok bool) {
	line, value, ok := bytes.Cut(data, []byte("\n"))
	if !ok {
		return "", Item{}, false
	}
	key, rev, ok := decodeHeader(string(line))
	if !ok || !bytes.Equal(encodeFile(key, rev, value), data) {
		return "", Item{}, false
	}
	return key, Item{Value: value, Rev: rev}, true
}

func decodeHeader(line string) (key string, rev Revision, ok bool) {
	var sum uint32
	n, err := fmt.Sscanf(line+"\n", strings.Replace(fileHeader, "%s", "%q", 1), &rev, &sum, &key)
	return key, rev, err == nil && n == 3 && rev != 0
}

// readKey reads the key from the header of a file.
func readKey(name string) (key string, ok bool, err error) {
	f, err := os.Open(name)
	if err != nil {
		return "", false, err
	}
	defer f.Close()
	line, err := bufio.NewReaderSize(f, 4*MaxKey+128).ReadSlice('\n') // a byte is quoted with four at most
	if err != nil {
		return "", false, nil
	}
	key, _, ok = decodeHeader(strings.TrimSuffix(string(line), "\n"))
	return key, ok, nil
}

// syncDir makes renames and removals in dir durable, where the system can.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // the file system's journal does it
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}

// Errors of Windows that package syscall does not name alike.
const (
	windowsWriteProtect   = syscall.Errno(19)
	windowsHandleDiskFull = syscall.Errno(39)
	windowsDiskFull       = syscall.Errno(112)
)

// diskError gives an error of the file system its sentinel.
func diskError(err error) error {
	is := func(any ...error) bool {
		for _, target := range any {
			if errors.Is(err, target) {
				return true
			}
		}
		return false
	}
	windows := runtime.GOOS == "windows"
	switch {
	case is(syscall.ENOSPC, syscall.EDQUOT), windows && is(windowsDiskFull, windowsHandleDiskFull):
		return fmt.Errorf("%w: make room on the disk: %w", ErrNoSpace, err)
	case is(syscall.EROFS), windows && is(windowsWriteProtect):
		return fmt.Errorf("%w: choose a directory on a writable file system: %w", ErrReadOnly, err)
	case is(fs.ErrPermission):
		return fmt.Errorf("%w: give this user the directory: %w", ErrPermission, err)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}
