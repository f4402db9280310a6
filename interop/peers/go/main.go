// The Go SDK as a peer: each line of standard input is a JSON list of commands, each line of output its answers.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"runtime/debug"
	"strings"

	"go.opentelemetry.io/contrib/propagators/autoprop"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

type entry struct {
	Key      string `json:"key"`
	Value    string `json:"value"`
	Metadata string `json:"metadata,omitempty"`
}

type contextText struct {
	TraceID    string  `json:"traceId,omitempty"`
	SpanID     string  `json:"spanId,omitempty"`
	Flags      byte    `json:"flags"`
	TraceState string  `json:"tracestate,omitempty"`
	Baggage    []entry `json:"baggage,omitempty"`
}

type command struct {
	Format  string       `json:"format"`
	Extract [][2]string  `json:"extract"`
	Inject  *contextText `json:"inject"`
}

type answer struct {
	Context *contextText `json:"context,omitempty"`
	Headers [][2]string  `json:"headers,omitempty"`
	Error   string       `json:"error,omitempty"`
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// carrier is what a Go server hands to the SDK: header lines under canonical names.
func carrier(headers [][2]string) propagation.HeaderCarrier {
	lines := http.Header{}
	for _, header := range headers {
		lines.Add(header[0], header[1])
	}
	return propagation.HeaderCarrier(lines)
}

// build makes the context that the command describes with the API.
func build(wanted *contextText) context.Context {
	ctx := context.Background()
	if wanted.TraceID != "" {
		traceID, err := trace.TraceIDFromHex(wanted.TraceID)
		check(err)
		spanID, err := trace.SpanIDFromHex(wanted.SpanID)
		check(err)
		state, err := trace.ParseTraceState(wanted.TraceState)
		check(err)
		ctx = trace.ContextWithRemoteSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: traceID, SpanID: spanID, TraceFlags: trace.TraceFlags(wanted.Flags), TraceState: state,
		}))
	}
	var members []baggage.Member
	for _, wantedEntry := range wanted.Baggage {
		member, err := baggage.NewMemberRaw(wantedEntry.Key, wantedEntry.Value, properties(wantedEntry.Metadata)...)
		check(err)
		members = append(members, member)
	}
	// The error says that members were left out; the rest is there.
	bag, _ := baggage.New(members...)
	return baggage.ContextWithBaggage(ctx, bag)
}

func properties(metadata string) []baggage.Property {
	var made []baggage.Property
	for text := range strings.SplitSeq(metadata, ";") {
		key, value, hasValue := strings.Cut(text, "=")
		var property baggage.Property
		var err error
		switch {
		case text == "":
			continue
		case hasValue:
			property, err = baggage.NewKeyValueProperty(key, value)
			if err != nil { // not percent-encoded yet
				property, err = baggage.NewKeyValuePropertyRaw(key, value)
			}
		default:
			property, err = baggage.NewKeyProperty(key)
		}
		check(err)
		made = append(made, property)
	}
	return made
}

// describe is what the API says of the context. The metadata is what stands after the first ";" of the member's
// text: a ";" of the value is escaped there.
func describe(ctx context.Context) *contextText {
	seen := &contextText{}
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		seen.TraceID = span.TraceID().String()
		seen.SpanID = span.SpanID().String()
		seen.Flags = byte(span.TraceFlags())
		seen.TraceState = span.TraceState().String()
	}
	for _, member := range baggage.FromContext(ctx).Members() {
		_, metadata, _ := strings.Cut(member.String(), ";")
		seen.Baggage = append(seen.Baggage, entry{member.Key(), member.Value(), metadata})
	}
	return seen
}

func reply(cmd command) (result answer) {
	// What the SDK panics with in front of its user is an answer too.
	defer func() {
		if recover() != nil {
			result = answer{Error: "panic"}
		}
	}()
	propagator, err := autoprop.TextMapPropagator(cmd.Format)
	check(err)
	var ctx context.Context
	if cmd.Inject != nil {
		ctx = build(cmd.Inject)
	} else {
		ctx = propagator.Extract(context.Background(), carrier(cmd.Extract))
	}
	sent := propagation.HeaderCarrier{}
	propagator.Inject(ctx, sent)
	headers := [][2]string{}
	for name, values := range sent {
		headers = append(headers, [2]string{name, values[0]})
	}
	return answer{Context: describe(ctx), Headers: headers}
}

func versions() []string {
	var found []string
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		switch module.Path {
		case "go.opentelemetry.io/otel",
			"go.opentelemetry.io/contrib/propagators/autoprop",
			"go.opentelemetry.io/contrib/propagators/aws",
			"go.opentelemetry.io/contrib/propagators/b3",
			"go.opentelemetry.io/contrib/propagators/jaeger",
			"go.opentelemetry.io/contrib/propagators/ot":
			found = append(found, module.Path+" "+module.Version)
		}
	}
	return found
}

func main() {
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) {}))
	output := json.NewEncoder(os.Stdout)
	check(output.Encode(versions()))
	input := bufio.NewReader(os.Stdin)
	decoder := json.NewDecoder(input)
	for {
		var commands []command
		if decoder.Decode(&commands) != nil {
			return // the runner has closed the pipe
		}
		answers := make([]answer, len(commands))
		for i, cmd := range commands {
			answers[i] = reply(cmd)
		}
		check(output.Encode(answers))
	}
}
