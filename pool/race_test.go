//go:build race

package pool

// raceDetector scales what a test does: under the detector everything is ten times slower.
const raceDetector = true
