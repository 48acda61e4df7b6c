//go:build s390x

package cpu

const cacheLineSize = 256
