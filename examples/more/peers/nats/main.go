// Answers our request over NATS: goes on with its trace, with the SDK of Go and a carrier of the argument's choice.
//
// own: over nats.Header's own Get and Set, which compare by case. canonical: propagation.HeaderCarrier, which spells
// names as HTTP does and so neither finds nor writes a name in lower case.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

type own nats.Header

func (c own) Get(name string) string { return nats.Header(c).Get(name) }
func (c own) Set(name, value string) { nats.Header(c).Set(name, value) }
func (c own) Keys() (names []string) {
	for name := range c {
		names = append(names, name)
	}
	return names
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func carrier(headers nats.Header) propagation.TextMapCarrier {
	if os.Args[1] == "canonical" {
		return propagation.HeaderCarrier(http.Header(headers))
	}
	return own(headers)
}

func answer(request *nats.Msg) *nats.Msg {
	propagator := propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})
	ctx := propagator.Extract(context.Background(), carrier(request.Header))
	fmt.Println("go", os.Args[1], "found a trace:", trace.SpanContextFromContext(ctx).IsValid())
	member, err := baggage.NewMemberRaw("peer", "go")
	check(err)
	bag, err := baggage.FromContext(ctx).SetMember(member)
	check(err)
	ctx, span := sdk.NewTracerProvider().Tracer("peer").Start(baggage.ContextWithBaggage(ctx, bag), "answer")
	defer span.End()
	reply := nats.NewMsg(request.Reply)
	propagator.Inject(ctx, carrier(reply.Header))
	return reply
}

func main() {
	connection, err := nats.Connect(os.Getenv("NATS_URL"))
	check(err)
	requests, err := connection.SubscribeSync("examples.ours")
	check(err)
	request, err := requests.NextMsg(60_000_000_000)
	check(err)
	check(request.RespondMsg(answer(request)))
	check(connection.Drain())
	for connection.IsDraining() {
	}
}
