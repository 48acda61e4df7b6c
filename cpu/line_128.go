//go:build arm64 || ppc64 || ppc64le

package cpu

const cacheLineSize = 128
