package repo

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// parse parses files of p.
func parse(t *testing.T, p pkg, files ...string) (*token.FileSet, []*ast.File) {
	t.Helper()
	fset := token.NewFileSet()
	var parsed []*ast.File
	for _, f := range files {
		file, err := parser.ParseFile(fset, filepath.Join(p.Dir, f), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, file)
	}
	return fset, parsed
}

// Every exported thing has a doc comment.
func TestExportedIsDocumented(t *testing.T) {
	for _, p := range packages(t) {
		if p.Name == "main" || len(p.GoFiles) == 0 {
			continue
		}
		fset, files := parse(t, p, p.GoFiles...)
		d, err := doc.NewFromFiles(fset, files, p.ImportPath)
		if err != nil {
			t.Fatal(err)
		}
		missing := func(doc, name string) {
			if ast.IsExported(name) && doc == "" && name != "Error" { // an error's text needs no explanation
				t.Errorf("%s.%s has no doc comment", p.path(), name)
			}
		}
		values := func(vs []*doc.Value) {
			for _, v := range vs {
				for _, spec := range v.Decl.Specs {
					s := spec.(*ast.ValueSpec)
					for _, n := range s.Names {
						missing(v.Doc+s.Doc.Text()+s.Comment.Text(), n.Name)
					}
				}
			}
		}
		funcs := func(fs []*doc.Func) {
			for _, f := range fs {
				missing(f.Doc, f.Name)
			}
		}
		values(d.Consts)
		values(d.Vars)
		funcs(d.Funcs)
		for _, ty := range d.Types {
			missing(ty.Doc, ty.Name)
			values(ty.Consts)
			values(ty.Vars)
			funcs(ty.Funcs)
			funcs(ty.Methods)
		}
	}
}

// Every package says what it is, and every public one shows it in an example that runs.
func TestPackagesHaveDocAndExample(t *testing.T) {
	for _, p := range packages(t) {
		if p.Doc == "" {
			t.Errorf("%s has no package comment", p.path())
		}
		if p.Name == "main" || strings.Contains(p.path(), "internal/") {
			continue
		}
		found := false
		_, files := parse(t, p, append(p.TestGoFiles, p.XTestGoFiles...)...)
		for _, e := range doc.Examples(files...) {
			found = found || e.Output != "" || e.EmptyOutput
		}
		if !found {
			t.Errorf("%s has no example with output", p.path())
		}
	}
}
