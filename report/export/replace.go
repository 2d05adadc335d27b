package export

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// partition writes one file anew. It reports whether the file is another one now.
func (x *exporter) partition(p *planner, one partition) (replaced bool, err error) {
	temp, err := x.tempFile()
	if err != nil {
		return false, err
	}
	defer os.Remove(temp.Name()) // gone when all went well
	defer temp.Close()
	file, err := p.write(one, temp)
	if err != nil {
		return false, err
	}
	path := one.path(x.o.Dir)
	if file.Rows == 0 {
		delete(p.now.Files[one.table.name], one.key)
		return false, x.remove(path)
	}
	p.now.Files[one.table.name][one.key] = file
	if same, err := sameContent(path, temp, file.Bytes); err != nil || same {
		return false, err
	}
	if err := temp.Close(); err != nil {
		return false, err
	}
	x.result.FilesWritten++
	x.result.RowsWritten += file.Rows
	x.result.BytesWritten += file.Bytes
	return true, x.rename(temp.Name(), path)
}

// write writes the rows of a partition to a file, and reads it back.
func (p *planner) write(one partition, temp *os.File) (file fileState, err error) {
	from, until, err := one.bounds()
	if err != nil {
		return file, err
	}
	w, open, at := newFileWriter(one.table, temp), &digest{}, -1
	if one.table.open != "" {
		at = one.table.position(one.table.open)
	}
	var params []sql.NamedArg
	if one.table.period != whole {
		params = []sql.NamedArg{sql.Named("from", from), sql.Named("until", until)}
	}
	err = p.query(one.table.query(), func(row []any) error {
		if at >= 0 && row[at] == nil {
			open.add(row)
		}
		return w.write(row)
	}, params...)
	if err != nil {
		return file, err
	}
	if err := w.close(); err != nil {
		return file, err
	}
	info, err := temp.Stat()
	if err != nil {
		return file, err
	}
	return fileState{Rows: w.rows, Bytes: info.Size(), Open: open.String()}, readBack(temp, w.rows)
}

// sameContent reports whether the file at the path is, byte for byte, the one that was
// written.
func sameContent(path string, temp *os.File, size int64) (bool, error) {
	old, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer old.Close()
	if info, err := old.Stat(); err != nil || info.Size() != size {
		return false, err
	}
	const part = 1 << 20
	a, b := make([]byte, part), make([]byte, part)
	for at := int64(0); at < size; at += part {
		n, m := min(part, size-at), int64(0)
		if _, err := io.ReadFull(old, a[:n]); err != nil {
			return false, err
		}
		if m, err := temp.ReadAt(b[:n], at); err != nil && m < int(n) {
			return false, err
		}
		if m = n; !bytes.Equal(a[:m], b[:m]) {
			return false, nil
		}
	}
	return true, nil
}

// tempFile makes a file of which no reader takes notice.
func (x *exporter) tempFile() (*os.File, error) {
	dir := filepath.Join(x.o.Dir, tempName)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	x.temps++
	return os.OpenFile(filepath.Join(dir, fmt.Sprint(x.temps)), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
}

// rename gives a file that is on the disk its name. The umask of the user narrows who may
// read it.
func (x *exporter) rename(temp, path string) error {
	folder := filepath.Dir(path)
	if err := x.makeFolder(folder); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	return x.o.SyncDir(folder)
}

// makeFolder makes a folder below the directory, and those above it, unless they are there.
func (x *exporter) makeFolder(folder string) error {
	err := os.Mkdir(folder, 0o777)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		if err := x.makeFolder(filepath.Dir(folder)); err != nil {
			return err
		}
		err = os.Mkdir(folder, 0o777)
	}
	if err != nil {
		return err
	}
	return x.o.SyncDir(filepath.Dir(folder))
}

// remove removes a file of which no rows are left, and its folder.
func (x *exporter) remove(path string) error {
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	x.result.FilesRemoved++
	os.Remove(filepath.Dir(path)) // stays if something else is in it
	return nil
}
