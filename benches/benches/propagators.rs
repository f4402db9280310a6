//! Every row with criterion: `cargo bench -p benches`; one of them: `cargo bench -p benches -- 'hop'`.
#![allow(missing_docs, reason = "criterion's macros write undocumented functions")]

use benches::{
    clock,
    rows::{self, Contender},
};
use criterion::{Criterion, criterion_group, criterion_main};
use std::time::Duration;

/// Each row for the SDK, for ours and for the floor.
fn operations(criterion: &mut Criterion) {
    for row in rows::all() {
        let mut group = criterion.benchmark_group(format!("{row:?}"));
        for contender in Contender::ALL {
            if let Some(mut task) = row.task(contender) {
                group.bench_function(contender.name(), |bencher| bencher.iter(&mut task));
            }
        }
        group.finish();
    }
}

/// The rows that go through the global or through our handle, called by two threads at the same time.
fn two_threads(criterion: &mut Criterion) {
    for row in rows::all().into_iter().filter(|row| row.operation.contains(" through ")) {
        let mut group = criterion.benchmark_group(format!("two threads: {row:?}"));
        for contender in [Contender::Sdk, Contender::Ours] {
            let make = || row.task(contender).expect("these rows have every contender");
            group.bench_function(contender.name(), |bencher| {
                bencher.iter_custom(|calls| clock::time_in_two_threads(calls, &make));
            });
        }
        group.finish();
    }
}

fn short() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600))
}

criterion_group! { name = benches; config = short(); targets = operations, two_threads }
criterion_main!(benches);
