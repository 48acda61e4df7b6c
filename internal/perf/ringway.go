// Ringway's works.

package perf

import "slices"

// Ringway returns all works as Ringway does them.
func Ringway() []Work {
	return slices.Concat(spscWorks(), mpmcWorks(), latencyWorks(), poolWorks(), handoffWorks(), frameWorks(),
		counterWorks(), forwardWorks())
}
