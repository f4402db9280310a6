//! One extraction and one injection in processor time, as the programs of other languages in `benches/languages` measure
//! it: `benches/languages/run` runs all of them.

use benches::{
    contenders::{Propagator, ours, sdk},
    input::{Entries, TRACEPARENT},
};
use opentelemetry::Context;
use std::{collections::HashMap, env, process::ExitCode};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [trace, baggage] = match *arguments.as_slice() {
        ["headers"] => {
            println!("{TRACEPARENT}\n{}", Entries::Plain.header(8));
            return ExitCode::SUCCESS;
        }
        ["ours", _, _] => [ours::trace_context(), ours::baggage()],
        ["sdk", _, _] => [sdk::trace_context(), sdk::baggage()],
        _ => {
            eprintln!("usage: extract_and_inject headers | (ours|sdk) TRACEPARENT BAGGAGE");
            return ExitCode::from(2);
        }
    };
    let [trace, baggage] = [(trace, "traceparent"), (baggage, "baggage")].map(|(propagator, name)| {
        per_call(&propagator, name, arguments[if name == "baggage" { 2 } else { 1 }])
    });
    println!("{trace} {baggage}");
    ExitCode::SUCCESS
}

fn per_call(propagator: &Propagator, name: &str, value: &str) -> u128 {
    let received = HashMap::from([(name.to_owned(), value.to_owned())]);
    let batch = || {
        let (before, mut calls) = (processor_time(), 0);
        while processor_time() - before < 300_000_000 {
            for _ in 0..1000 {
                let context = propagator.extract_with_context(&Context::new(), &received);
                let mut sent = HashMap::new();
                propagator.inject_context(&context, &mut sent);
                assert_eq!(sent[name].len(), value.len());
            }
            calls += 1000;
        }
        (processor_time() - before) / calls
    };
    (0..8).map(|_| batch()).min().unwrap_or_default()
}

/// Nanoseconds that this process has taken.
fn processor_time() -> u128 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    u128::from(time.tv_sec.unsigned_abs()) * 1_000_000_000 + u128::from(time.tv_nsec.unsigned_abs())
}
