package faults

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// disk is a file system of its own in an image file.
type disk struct {
	image string
	dir   string // where it is mounted
}

// newDisk makes and mounts a file system of some megabytes.
func newDisk(t *testing.T, megabytes int64) *disk {
	t.Helper()
	needRoot(t)
	image := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, megabytes<<20); err != nil {
		t.Fatal(err)
	}
	run(t, "mkfs.ext4", "-q", "-F", "-m", "0", image)
	return mount(t, image)
}

// needRoot skips a test that has to mount something. In CI it has to run, if it
// is root there.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("NOT TESTED: mounting a file system of its own needs root: run the test as root")
	}
	for _, tool := range []string{"mkfs.ext4", "mount", "umount"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing := "NOT TESTED: " + tool + " is missing; as root: apt-get install -y e2fsprogs mount"
			if os.Getenv("CI") == "true" {
				t.Fatal(missing)
			}
			t.Skip(missing)
		}
	}
}

// mount mounts an image until the test ends.
func mount(t *testing.T, image string) *disk {
	t.Helper()
	d := &disk{image: image, dir: image + ".mounted"}
	if err := os.Mkdir(d.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	run(t, "mount", "-o", "loop", image, d.dir)
	t.Cleanup(func() { d.unmount(t) })
	return d
}

// unmount unmounts the disk, once. What keeps it busy was started later and has
// ended by now.
func (d *disk) unmount(t *testing.T) {
	t.Helper()
	if d.dir != "" {
		run(t, "umount", d.dir)
		d.dir = ""
	}
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v: %s", name, args, err, out)
	}
}
