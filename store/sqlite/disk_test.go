//go:build unix

package sqlite_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// A disk stands between SQLite and the files of one folder. It tells everything
// that is done to them to a log, and can answer with an error instead. It is a
// shim over SQLite's own VFS (https://sqlite.org/vfs.html): the files are real,
// only their methods are ours. All other folders are left alone.
type disk struct {
	dir string
	// fault answers the code with which an operation fails; SQLITE_OK lets it be
	// done. The operations are read, write, sync, truncate, open and delete.
	fault func(op, name string) int32

	mu    sync.Mutex
	log   []event
	quiet bool // nothing is written down
}

// event is something that was done to a file, by its name in the folder.
type event struct {
	op   string // write, truncate, sync, create, delete, rename, dirsync, ack
	name string
	to   string // of a rename
	at   int64  // of a write; the size of a truncate; what an ack tells of
	data []byte
}

var shim struct {
	once    sync.Once
	mu      sync.Mutex
	disks   map[string]*disk    // by folder
	open    map[uintptr]*opened // by sqlite3_file
	methods map[uintptr]uintptr // ours, by those of SQLite
	vfs     uintptr             // SQLite's own
}

// opened is a file that SQLite has open.
type opened struct {
	disk *disk
	name string
	real *sqlite3.Tsqlite3_io_methods
}

// watch puts a disk under the folder until the test ends.
func watch(t testing.TB, dir string) *disk {
	t.Helper()
	shim.once.Do(registerShim)
	d := &disk{dir: dir, fault: func(string, string) int32 { return sqlite3.SQLITE_OK }}
	shim.mu.Lock()
	defer shim.mu.Unlock()
	shim.disks[dir] = d
	t.Cleanup(func() {
		shim.mu.Lock()
		defer shim.mu.Unlock()
		delete(shim.disks, dir)
	})
	return d
}

// registerShim makes a copy of SQLite's VFS the default one, but for how files are
// opened and deleted.
func registerShim() {
	shim.disks, shim.open, shim.methods = map[string]*disk{}, map[uintptr]*opened{}, map[uintptr]uintptr{}
	tls := libc.NewTLS()
	shim.vfs = sqlite3.Xsqlite3_vfs_find(tls, 0)
	name, err := libc.CString("lab")
	if err != nil {
		panic(err)
	}
	ours := allocate(tls, *memory[sqlite3.Tsqlite3_vfs](shim.vfs))
	v := memory[sqlite3.Tsqlite3_vfs](ours)
	v.FzName = name
	v.FxOpen = pointer(shimOpen)
	v.FxDelete = pointer(shimDelete)
	if rc := sqlite3.Xsqlite3_vfs_register(tls, ours, 1); rc != sqlite3.SQLITE_OK {
		panic(rc)
	}
}

// memory is the value at an address outside of Go's memory.
func memory[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

// allocate puts a value where SQLite may keep its address.
func allocate[T any](tls *libc.TLS, value T) uintptr {
	address := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(value)))
	*memory[T](address) = value
	return address
}

// pointer is a function as SQLite keeps it; function is its inverse. Only
// functions without a closure may be given away.
func pointer[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&f)) }

func function[F any](address uintptr) F { return *(*F)(unsafe.Pointer(&address)) }

// diskOf is the disk that a path lies on, and the name there.
func diskOf(zName uintptr) (*disk, string) {
	if zName == 0 {
		return nil, ""
	}
	path := libc.GoString(zName)
	shim.mu.Lock()
	defer shim.mu.Unlock()
	return shim.disks[filepath.Dir(path)], filepath.Base(path)
}

func shimOpen(tls *libc.TLS, _, zName, file uintptr, flags int32, outFlags uintptr) int32 {
	d, name := diskOf(zName)
	fresh := false
	if d != nil {
		if rc := d.fault("open", name); rc != sqlite3.SQLITE_OK {
			memory[sqlite3.Tsqlite3_file](file).FpMethods = 0
			return rc
		}
		_, err := os.Lstat(filepath.Join(d.dir, name))
		fresh = err != nil
	}
	open := function[func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32](memory[sqlite3.Tsqlite3_vfs](shim.vfs).FxOpen)
	rc := open(tls, shim.vfs, zName, file, flags, outFlags)
	if methods := memory[sqlite3.Tsqlite3_file](file).FpMethods; d != nil && rc == sqlite3.SQLITE_OK && methods != 0 {
		if fresh {
			d.note(event{op: "create", name: name})
		}
		adopt(tls, file, &opened{d, name, memory[sqlite3.Tsqlite3_io_methods](methods)})
	}
	return rc
}

// adopt gives an open file our methods. Version 2 of them has no memory maps, so
// that every read is a call.
func adopt(tls *libc.TLS, file uintptr, o *opened) {
	shim.mu.Lock()
	defer shim.mu.Unlock()
	theirs := memory[sqlite3.Tsqlite3_file](file).FpMethods
	if shim.methods[theirs] == 0 {
		m := *o.real
		m.FiVersion = 2
		m.FxRead, m.FxWrite, m.FxSync = pointer(shimRead), pointer(shimWrite), pointer(shimSync)
		m.FxTruncate, m.FxClose = pointer(shimTruncate), pointer(shimClose)
		shim.methods[theirs] = allocate(tls, m)
	}
	memory[sqlite3.Tsqlite3_file](file).FpMethods = shim.methods[theirs]
	shim.open[file] = o
}

func openedAt(file uintptr) *opened {
	shim.mu.Lock()
	defer shim.mu.Unlock()
	return shim.open[file]
}

func shimDelete(tls *libc.TLS, _, zName uintptr, syncDir int32) int32 {
	d, name := diskOf(zName)
	if d != nil {
		if rc := d.fault("delete", name); rc != sqlite3.SQLITE_OK {
			return rc
		}
	}
	remove := function[func(*libc.TLS, uintptr, uintptr, int32) int32](memory[sqlite3.Tsqlite3_vfs](shim.vfs).FxDelete)
	rc := remove(tls, shim.vfs, zName, syncDir)
	if d != nil && rc == sqlite3.SQLITE_OK {
		d.note(event{op: "delete", name: name})
		if syncDir != 0 {
			d.note(event{op: "dirsync"})
		}
	}
	return rc
}

type transfer = func(tls *libc.TLS, file, buffer uintptr, size int32, offset int64) int32

func shimRead(tls *libc.TLS, file, buffer uintptr, size int32, offset int64) int32 {
	o := openedAt(file)
	if rc := o.disk.fault("read", o.name); rc != sqlite3.SQLITE_OK {
		return rc
	}
	return function[transfer](o.real.FxRead)(tls, file, buffer, size, offset)
}

func shimWrite(tls *libc.TLS, file, buffer uintptr, size int32, offset int64) int32 {
	o := openedAt(file)
	if rc := o.disk.fault("write", o.name); rc != sqlite3.SQLITE_OK {
		return rc
	}
	data := append([]byte(nil), unsafe.Slice(memory[byte](buffer), size)...)
	o.disk.note(event{op: "write", name: o.name, at: offset, data: data})
	return function[transfer](o.real.FxWrite)(tls, file, buffer, size, offset)
}

func shimTruncate(tls *libc.TLS, file uintptr, size int64) int32 {
	o := openedAt(file)
	if rc := o.disk.fault("truncate", o.name); rc != sqlite3.SQLITE_OK {
		return rc
	}
	o.disk.note(event{op: "truncate", name: o.name, at: size})
	return function[func(*libc.TLS, uintptr, int64) int32](o.real.FxTruncate)(tls, file, size)
}

// dirSync is SQLite's flag for a journal whose folder is synced with it, once.
const dirSync = 0x08

func shimSync(tls *libc.TLS, file uintptr, flags int32) int32 {
	o := openedAt(file)
	if rc := o.disk.fault("sync", o.name); rc != sqlite3.SQLITE_OK {
		return rc
	}
	before := memory[sqlite3.TunixFile](file).FctrlFlags
	rc := function[func(*libc.TLS, uintptr, int32) int32](o.real.FxSync)(tls, file, flags)
	if rc == sqlite3.SQLITE_OK {
		o.disk.note(event{op: "sync", name: o.name})
		if before&dirSync != 0 && memory[sqlite3.TunixFile](file).FctrlFlags&dirSync == 0 {
			o.disk.note(event{op: "dirsync"})
		}
	}
	return rc
}

func shimClose(tls *libc.TLS, file uintptr) int32 {
	o := openedAt(file)
	shim.mu.Lock()
	delete(shim.open, file)
	shim.mu.Unlock()
	return function[func(*libc.TLS, uintptr) int32](o.real.FxClose)(tls, file)
}

func (d *disk) note(e event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.quiet {
		d.log = append(d.log, e)
	}
}

// contents are the files of the folder, but for those that mean nothing to the
// next start.
func (d *disk) contents(t testing.TB) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(d.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(path, "-shm") || strings.HasSuffix(path, ".lock") {
			return err
		}
		all[entry.Name()], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
