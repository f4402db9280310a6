//! What counting costs: ours in every column, without a meter where the table says SDK.

use crate::{
    Task,
    carrier::Carrier,
    contenders::Propagator,
    pair::{Given, Lines},
    rows::Contender,
    task,
};
use http::HeaderMap;
use opentelemetry::{Context, metrics::MeterProvider};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    metrics::{
        PeriodicReader, SdkMeterProvider, Temporality, data::ResourceMetrics, exporter::PushMetricExporter,
    },
};
use otel_composite::{BaggagePropagator, CompositePropagator, TraceContextPropagator};
use std::{sync::LazyLock, time::Duration};

/// One for all threads, as a service has it; nobody reads it while something is measured.
static COUNTED: LazyLock<(CompositePropagator, SdkMeterProvider)> = LazyLock::new(|| {
    let reader = PeriodicReader::builder(Nowhere).with_interval(Duration::from_secs(3600)).build();
    let provider = SdkMeterProvider::builder().with_reader(reader).build();
    (builder().meter(&provider.meter("benches")).build(), provider)
});

struct Nowhere;

impl PushMetricExporter for Nowhere {
    async fn export(&self, _: &ResourceMetrics) -> OTelSdkResult {
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Cumulative
    }
}

fn builder() -> otel_composite::Builder {
    CompositePropagator::builder().trace(TraceContextPropagator::new()).baggage(BaggagePropagator::new())
}

fn propagator(who: Contender) -> Option<Propagator> {
    match who {
        Contender::Sdk | Contender::Floor => Some(Box::new(builder().build())),
        Contender::Ours => Some(Box::new(COUNTED.0.clone())),
        _ => None,
    }
}

/// Writes the context.
pub(crate) fn inject(context: Given<Context>, who: Contender) -> Option<Task> {
    propagator(who).map(|it| task::inject::<HeaderMap>(it, &context))
}

/// Reads the headers.
pub(crate) fn extract(lines: Given<Lines>, who: Contender) -> Option<Task> {
    propagator(who).map(|it| task::extract(it, HeaderMap::of(&lines())))
}
