// Package mutants shows that the tests of the concurrent core find bugs: each of its entries
// is one mistake in one place, and the tests that must fail with it. Run it by
//
//	go test -tags mutants ./internal/mutants
package mutants
