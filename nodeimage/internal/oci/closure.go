package oci

import (
	"debug/elf"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// Dynamic puts programs of a root file system into the tree, at their own paths, with every shared library and the
// loader that they need. An image so made has no shell and no package manager, and is a tenth of the size.
func (t Tree) Dynamic(root string, programs ...string) error {
	for _, program := range programs {
		if err := t.dynamic(root, program, filepath.Join(root, program)); err != nil {
			return fmt.Errorf("%s: %w", program, err)
		}
	}
	return nil
}

func (t Tree) dynamic(root, at, source string) error {
	if _, known := t[at]; known {
		return nil
	}
	t.Program(at, source)
	file, err := elf.Open(source)
	if err != nil {
		return err
	}
	defer file.Close()
	for _, section := range file.Progs {
		if section.Type != elf.PT_INTERP {
			continue
		}
		loader, err := io.ReadAll(section.Open())
		if err != nil {
			return err
		}
		name := strings.TrimRight(string(loader), "\x00")
		// /lib64/ld-linux… is an absolute link, which leads out of root; the file lies with the libraries.
		found, err := library(root, filepath.Base(name))
		if err != nil {
			return err
		}
		if err := t.dynamic(root, name, found); err != nil {
			return err
		}
	}
	libraries, err := file.ImportedLibraries()
	if err != nil {
		return err
	}
	for _, name := range libraries {
		found, err := library(root, name)
		if err != nil {
			return err
		}
		if err := t.dynamic(root, strings.TrimPrefix(found, filepath.Clean(root)), found); err != nil {
			return err
		}
	}
	return nil
}

func library(root, name string) (string, error) {
	found, err := filepath.Glob(filepath.Join(root, "usr/lib/*-linux-gnu", name))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("library %s: found %d times under %s/usr/lib", name, len(found), root)
	}
	return found[0], nil
}
