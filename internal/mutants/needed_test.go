//go:build mutants

package mutants

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
)

// unneeded returns those of a package's test files without which the tests whose names match pattern can be built and run. Most of
// the time that a mutant takes goes into compiling tests that are not run.
func unneeded(dir, pattern string) ([]string, error) {
	pattern, _, _ = strings.Cut(pattern, "/") // what follows is of subtests
	tests, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	names, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		return nil, err
	}
	var files []*ast.File
	needed := map[string]bool{"TestMain": true} // names of the package's own
	for _, name := range names {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
		for _, d := range f.Decls {
			if d, ok := d.(*ast.FuncDecl); ok && d.Recv == nil && tests.MatchString(d.Name.Name) {
				needed[d.Name.Name] = true
			}
		}
	}
	var visit func(n ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			needed[n.Name] = true
		case *ast.SelectorExpr: // what is behind the dot is of what is before it
			ast.Inspect(n.X, visit)
			return false
		}
		return true
	}
	keep := make([]bool, len(files))
	for more := true; more; {
		more = false
		for i, f := range files {
			if keep[i] || !declaresOneOf(f, needed) {
				continue
			}
			keep[i], more = true, true
			ast.Inspect(f, visit)
		}
	}
	var left []string
	for i, name := range names {
		if !keep[i] {
			left = append(left, name)
		}
	}
	return left, nil
}

// declaresOneOf reports whether a file declares one of the names, or a method of a type that has one.
func declaresOneOf(f *ast.File, names map[string]bool) (found bool) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				found = found || names[d.Name.Name]
				continue
			}
			ast.Inspect(d.Recv.List[0].Type, func(n ast.Node) bool {
				id, ok := n.(*ast.Ident)
				found = found || ok && names[id.Name]
				return true
			})
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					found = found || names[s.Name.Name]
				case *ast.ValueSpec:
					for _, id := range s.Names {
						found = found || id.Name != "_" && names[id.Name]
					}
				}
			}
		}
	}
	return found
}
