package plainfile

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"
)

// tree makes a folder "in" with one of everything, beside a file that is not in it.
func tree(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "plain") // short: a socket's path has a limit
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	in := filepath.Join(dir, "in")
	socket, serr := net.Listen("unix", filepath.Join(dir, "socket"))
	err = errors.Join(serr,
		os.MkdirAll(filepath.Join(in, "sub"), 0o755),
		os.WriteFile(filepath.Join(dir, "secret"), []byte("secret"), 0o644),
		os.WriteFile(filepath.Join(in, "plain"), []byte("text"), 0o644),
		os.WriteFile(filepath.Join(in, "sub", "plain"), []byte("deeper"), 0o644),
		os.WriteFile(filepath.Join(in, "empty"), nil, 0o644),
		os.Symlink("sub/plain", filepath.Join(in, "link")),
		os.Symlink("../secret", filepath.Join(in, "out")),
		os.Symlink(filepath.Join(dir, "secret"), filepath.Join(in, "absolute")),
		os.Symlink("..", filepath.Join(in, "up")),
		os.Symlink("loop", filepath.Join(in, "loop")),
		os.Symlink("/dev/zero", filepath.Join(in, "zero")),
		syscall.Mkfifo(filepath.Join(in, "pipe"), 0o644),
		os.Rename(filepath.Join(dir, "socket"), filepath.Join(in, "socket")),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	return in
}

func TestReadFS(t *testing.T) {
	in := tree(t)
	for name, want := range map[string]string{"plain": "text", "sub/plain": "deeper", "empty": "", "link": "deeper"} {
		if got, err := ReadFS(Folder(in), name, 6); string(got) != want || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for name, want := range map[string]error{
		"out": ErrOutside, "absolute": ErrOutside, "up/secret": ErrOutside, "zero": ErrOutside,
		"pipe": ErrSpecial, "socket": ErrSpecial, "sub": ErrFolder, ".": ErrFolder,
		"absent": fs.ErrNotExist, "../secret": fs.ErrInvalid, "/etc/passwd": fs.ErrInvalid, "loop": syscall.ELOOP,
	} {
		start := time.Now()
		got, err := ReadFS(Folder(in), name, 1<<20)
		if !errors.Is(err, want) || got != nil {
			t.Errorf("%s: %q, %v; want %v", name, got, err, want)
		}
		if err != nil && strings.Contains(err.Error(), in) {
			t.Errorf("%s: the error names the path: %v", name, err)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%s: it waited %s", name, took)
		}
	}
	if _, err := ReadFS(Folder(in), "link", 5); !errors.Is(err, ErrTooLarge) {
		t.Errorf("one byte too many: %v", err)
	}
	if _, err := ReadFS(Folder(filepath.Join(in, "absent")), "x", 5); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without the folder: %v", err)
	}
}

// Opening alone keeps to the folder and does not wait, whatever a look before it has said.
func TestFolderOpensNothingOutside(t *testing.T) {
	in := tree(t)
	for _, name := range []string{"out", "absolute", "up/secret", "zero", "../secret"} {
		if file, err := Folder(in).Open(name); err == nil {
			file.Close()
			t.Errorf("%s was opened", name)
		}
	}
	opened := make(chan error, 1)
	go func() {
		file, err := Folder(in).Open("pipe")
		if err == nil {
			err = file.Close()
		}
		opened <- err
	}()
	select {
	case err := <-opened:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("waited for somebody to write into a pipe")
	}
}

func TestRead(t *testing.T) {
	in := tree(t)
	for name, want := range map[string]string{"plain": "text", "out": "secret"} {
		if got, err := Read(filepath.Join(in, name), 6); string(got) != want || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for name, want := range map[string]error{"zero": ErrSpecial, "pipe": ErrSpecial, "socket": ErrSpecial, "sub": ErrFolder, "absent": fs.ErrNotExist} {
		if got, err := Read(filepath.Join(in, name), 1<<20); !errors.Is(err, want) || got != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestWrite(t *testing.T) {
	in := tree(t)
	for _, name := range []string{"new", "plain", "out"} {
		for _, text := range []string{"something long", "short"} {
			path := filepath.Join(in, name)
			if err := Write(path, []byte(text)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if got, err := os.ReadFile(path); string(got) != text || err != nil {
				t.Errorf("%s: %q, %v", name, got, err)
			}
		}
	}
	for name, want := range map[string]error{"zero": ErrSpecial, "pipe": ErrSpecial, "sub": ErrFolder, "absent/x": fs.ErrNotExist} {
		if err := Write(filepath.Join(in, name), []byte("x")); !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// swapped is a file system whose file turns into a pipe between the look and the opening.
type swapped struct{ fstest.MapFS }

func (s swapped) Stat(string) (fs.FileInfo, error) { return fs.Stat(s.MapFS, "plain") }

func TestWhatIsOpenIsLookedAt(t *testing.T) {
	files := swapped{fstest.MapFS{"plain": {}, "pipe": {Mode: fs.ModeNamedPipe}}}
	if _, err := ReadFS(files, "pipe", 10); !errors.Is(err, ErrSpecial) {
		t.Errorf("read what had become a pipe: %v", err)
	}
}
