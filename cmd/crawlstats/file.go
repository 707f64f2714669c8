package main

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// writeFile puts a whole file in place of the regular one that is there, whose
// mode it keeps, or leaves that one as it is. A link, a pipe or a device is
// written to.
func writeFile(path string, fill func(io.Writer) error) error {
	info, err := os.Lstat(path)
	if err != nil || info.Mode().IsRegular() {
		return replaceFile(path, info, fill)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, newMode)
	if err != nil {
		return err
	}
	return errors.Join(buffered(f, fill), f.Close())
}

const newMode = 0o666 // the umask takes from it

// replaceFile writes a file beside path and gives it that name. What is there is
// old, nil for a new file.
func replaceFile(path string, old fs.FileInfo, fill func(io.Writer) error) (err error) {
	f, err := os.OpenFile(filepath.Join(filepath.Dir(path), ".crawlstats-"+rand.Text()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, newMode)
	if err != nil {
		return notWritten(path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(notWritten(path, err), os.Remove(f.Name()))
		}
	}()
	if old != nil {
		err = f.Chmod(old.Mode().Perm())
	}
	err = errors.Join(err, buffered(f, fill), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// notWritten names the file that the user has named, and not the one beside it.
func notWritten(path string, err error) error {
	if e := new(fs.PathError); errors.As(err, &e) {
		err = e.Err
	} else if e := new(os.LinkError); errors.As(err, &e) {
		err = e.Err
	}
	return fmt.Errorf("write %s: %w", path, err)
}

// output writes data to a file as a whole, or to standard output.
func (p *program) output(file string, data []byte) error {
	if file == "" || file == "-" {
		_, err := p.out.Write(data)
		return err
	}
	return writeFile(file, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// buffered counts on nothing but Flush.
func buffered(w io.Writer, fill func(io.Writer) error) error {
	b := bufio.NewWriter(w)
	return errors.Join(fill(b), b.Flush())
}
