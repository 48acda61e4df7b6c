//go:build interleave

package interleave

// On says whether the build tag interleave is set. It guards the reports of plain accesses,
// so that other builds have none of it.
const On = true
