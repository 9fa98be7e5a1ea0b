// Uncalled lists what the packages of a program declare for no use of its own: functions, methods, types,
// variables and constants that only tests use, or nothing. deadcode, which follows calls from main, counts every
// exported method of a value in an interface as called; here a method counts if something names it, or if it makes
// its type an interface's.
//
//	uncalled PACKAGE...
//
// It looks at the builds in the list below together, and prints a line for each: FILE:LINE:COLUMN: PACKAGE.NAME, or
// PACKAGE.TYPE.METHOD. Exit codes: 0 it has looked, 1 it could not.
package main

import (
	"fmt"
	"go/ast"
	"go/types"
	"maps"
	"os"
	"slices"

	"golang.org/x/tools/go/packages"
)

// builds are those that code may be for: an object is used if it is in one of them.
var builds = []struct{ tags, system string }{{"", "linux"}, {"", "darwin"}, {"killpoints", "linux"}}

func main() {
	declared, used := map[string]string{}, map[string]bool{}
	for _, build := range builds {
		pkgs, err := packages.Load(&packages.Config{
			Mode:       packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedExportFile | packages.NeedTypes | packages.NeedSyntax | packages.NeedTypesInfo,
			BuildFlags: []string{"-tags", build.tags},
			Env:        append(os.Environ(), "GOOS="+build.system, "CGO_ENABLED=0"),
		}, os.Args[1:]...)
		if err != nil || packages.PrintErrors(pkgs) > 0 {
			fmt.Fprintln(os.Stderr, "uncalled: loading the packages:", err)
			os.Exit(1)
		}
		contracts := interfaces(pkgs)
		for _, p := range pkgs {
			for id, object := range p.TypesInfo.Defs {
				if object != nil && counts(object) && !contracts.satisfied(object) {
					declared[p.Fset.Position(id.Pos()).String()] = name(object)
				}
			}
			for _, object := range p.TypesInfo.Uses {
				used[p.Fset.Position(origin(object).Pos()).String()] = true
			}
		}
	}
	for _, at := range slices.Sorted(maps.Keys(declared)) {
		if !used[at] {
			fmt.Println(at + ": " + declared[at])
		}
	}
}

// counts tells whether an object has to be used: what a package or a type has, and not what a function has.
func counts(object types.Object) bool {
	if recv := receiver(object); recv != nil {
		return !types.IsInterface(recv)
	}
	return object.Pkg() != nil && object.Parent() == object.Pkg().Scope() && !slices.Contains([]string{"_", "main", "init"}, object.Name())
}

// origin is the declaration of which a generic object is an instance.
func origin(object types.Object) types.Object {
	switch o := object.(type) {
	case *types.Func:
		return o.Origin()
	case *types.Var:
		return o.Origin()
	}
	return object
}

// receiver is the type that a method is of, nil for what is none.
func receiver(object types.Object) types.Type {
	f, ok := object.(*types.Func)
	if !ok || f.Signature().Recv() == nil {
		return nil
	}
	if p, ok := f.Signature().Recv().Type().(*types.Pointer); ok {
		return p.Elem()
	}
	return f.Signature().Recv().Type()
}

func name(object types.Object) string {
	name := object.Pkg().Path() + "."
	if named, ok := receiver(object).(*types.Named); ok {
		name += named.Obj().Name() + "."
	}
	return name + object.Name()
}

// byMethod has the interfaces that a method's name is in.
type byMethod map[string][]*types.Interface

// interfaces are all that the packages declare, write out or can import.
func interfaces(pkgs []*packages.Package) byMethod {
	all := byMethod{}
	add := func(t types.Type) {
		if i, ok := t.Underlying().(*types.Interface); ok {
			for m := range i.Methods() {
				all[m.Name()] = append(all[m.Name()], i)
			}
		}
	}
	seen := map[*types.Package]bool{}
	var visit func(*types.Package)
	visit = func(p *types.Package) {
		if seen[p] {
			return
		}
		seen[p] = true
		for _, name := range p.Scope().Names() {
			if t, ok := p.Scope().Lookup(name).(*types.TypeName); ok {
				add(t.Type())
			}
		}
		for _, imported := range p.Imports() {
			visit(imported)
		}
	}
	for _, p := range pkgs {
		visit(p.Types)
		for _, file := range p.Syntax {
			ast.Inspect(file, func(n ast.Node) bool {
				if i, ok := n.(*ast.InterfaceType); ok {
					add(p.TypesInfo.TypeOf(i))
				}
				return true
			})
		}
	}
	add(types.Universe.Lookup("error").Type())
	return all
}

// asked are the methods that package errors asks an error for, by interfaces inside its functions.
var asked = []string{"As", "Is", "Unwrap"}

// satisfied tells whether an object is a method by which its type has an interface's, exported or the package's own.
func (b byMethod) satisfied(object types.Object) bool {
	recv := receiver(object)
	if recv == nil {
		return false
	}
	if slices.Contains(asked, object.Name()) {
		return true
	}
	if n, ok := recv.(*types.Named); ok && n.TypeParams() != nil {
		return len(b[object.Name()]) > 0
	}
	return slices.ContainsFunc(b[object.Name()], func(i *types.Interface) bool { return types.Implements(types.NewPointer(recv), i) })
}
