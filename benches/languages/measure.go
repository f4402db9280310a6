// Extracts and injects, in Go.
package main

import (
	"context"
	"fmt"
	"os"
	"syscall"

	"go.opentelemetry.io/otel/propagation"
)

func processorTime() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func perCall(propagator propagation.TextMapPropagator, name, value string) int64 {
	received := propagation.MapCarrier{name: value}
	best := int64(1 << 62)
	for batch := 0; batch < 8; batch++ {
		before, calls := processorTime(), int64(0)
		for processorTime()-before < 300_000_000 {
			for i := 0; i < 1000; i++ {
				ctx := propagator.Extract(context.Background(), received)
				sent := propagation.MapCarrier{}
				propagator.Inject(ctx, sent)
				if len(sent[name]) != len(value) {
					panic(sent[name])
				}
			}
			calls += 1000
		}
		best = min(best, (processorTime()-before)/calls)
	}
	return best
}

func main() {
	fmt.Println(
		perCall(propagation.TraceContext{}, "traceparent", os.Args[1]),
		perCall(propagation.Baggage{}, "baggage", os.Args[2]),
	)
}
