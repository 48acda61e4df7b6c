// Package repo holds the repository to its own rules: which package may import
// which, that everything exported is documented, that what the documents show
// compiles. It has tests only.
package repo
