// Command service is net/http under otelhttp, with autoprop's propagators.
package main

import (
	"context"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"strings"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/contrib/propagators/autoprop"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const reported = "traceparent tracestate baggage b3 x-b3-traceid x-b3-spanid x-b3-sampled x-b3-flags uber-trace-id x-amzn-trace-id"

type report struct {
	Service    string            `json:"service"`
	Trace      string            `json:"trace"`
	Span       string            `json:"span"`
	Sampled    bool              `json:"sampled"`
	TraceState string            `json:"tracestate"`
	Baggage    map[string]string `json:"baggage"`
	Headers    map[string]string `json:"headers"`
}

var client = http.Client{Transport: otelhttp.NewTransport(http.DefaultTransport)}

func answer(w http.ResponseWriter, r *http.Request) {
	span := trace.SpanContextFromContext(r.Context())
	own := report{"go", span.TraceID().String(), span.SpanID().String(), span.IsSampled(), span.TraceState().String(), map[string]string{}, map[string]string{}}
	for _, member := range baggage.FromContext(r.Context()).Members() {
		own.Baggage[member.Key()] = member.Value()
	}
	for _, name := range strings.Fields(reported) {
		if lines := r.Header.Values(name); len(lines) > 0 {
			own.Headers[name] = strings.Join(lines, ",")
		}
	}
	reports := []any{own}
	to, rest, _ := strings.Cut(r.URL.Query().Get("to"), ",")
	if to != "" {
		more, err := call(r.Context(), "http://"+to+"/?to="+rest)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		reports = append(reports, more...)
	}
	_ = json.NewEncoder(w).Encode(reports)
}

func call(ctx context.Context, url string) (reports []any, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return reports, json.NewDecoder(response.Body).Decode(&reports)
}

func main() {
	exporter, err := otlptracehttp.New(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	otel.SetTracerProvider(sdk.NewTracerProvider(sdk.WithBatcher(exporter)))
	otel.SetTextMapPropagator(autoprop.NewTextMapPropagator())
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], otelhttp.NewHandler(http.HandlerFunc(answer), "GET /")))
}
