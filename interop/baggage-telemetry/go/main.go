// Prints which attributes baggagecopy puts on a span for each header of a file.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"sort"
	"strings"

	"go.opentelemetry.io/contrib/processors/baggagecopy"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

func chosen(member baggage.Member) bool {
	key := member.Key()
	return key == "tenant" || strings.HasPrefix(key, "cohort.") && key != "cohort.secret"
}

func escaped(text string) string {
	var out strings.Builder
	for _, b := range []byte(text) {
		if b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b == '.' {
			out.WriteByte(b)
		} else {
			fmt.Fprintf(&out, "%%%02X", b)
		}
	}
	return out.String()
}

func main() {
	filter := map[string]baggagecopy.Filter{"chosen": chosen, "all": nil}[os.Args[1]]
	file, err := os.Open(os.Args[2])
	if err != nil {
		panic(err)
	}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		exporter := tracetest.NewInMemoryExporter()
		provider := trace.NewTracerProvider(
			trace.WithSpanProcessor(baggagecopy.NewSpanProcessor(filter)), trace.WithSyncer(exporter))
		carrier := propagation.MapCarrier{"baggage": lines.Text()}
		ctx := propagation.Baggage{}.Extract(context.Background(), carrier)
		_, span := provider.Tracer("interop").Start(ctx, "span")
		span.End()
		var found []string
		for _, attribute := range exporter.GetSpans()[0].Attributes {
			found = append(found, escaped(string(attribute.Key))+"="+escaped(attribute.Value.AsString()))
		}
		sort.Strings(found)
		fmt.Println(strings.Join(found, " "))
	}
}
