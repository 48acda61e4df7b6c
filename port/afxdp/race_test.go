//go:build linux && race

package afxdp

const raceDetector = true
