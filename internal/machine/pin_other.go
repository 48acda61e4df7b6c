//go:build !linux

package machine

// canPin reports that threads aren't pinned here.
func canPin() bool { return false }
