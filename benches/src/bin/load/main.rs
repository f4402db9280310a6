//! Three services in a chain under load: does every good request keep its trace and its baggage to the end, while
//! others send nothing, nonsense or far too much?
//!
//! ```sh
//! cargo run --release -p benches --features load --bin load -- --seconds 60
//! ```
//!
//! A W3C edge calls a gateway, the gateway calls a leaf that knows B3 only; real sockets on loopback. The same mix of
//! requests goes through three chains in turn: without propagators, with the SDK's, and with ours. It exits with 1 where
//! a good request lost its trace or its baggage in our chain, where memory grew, or where the log was flooded.

mod chain;
mod events;
mod mix;
mod propagators;

use chain::{Chain, Tally};
use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

/// Rounds a chain: they alternate, so that whatever else the machine does falls on all of them.
const ROUNDS: u32 = 3;
/// Requests under way at once.
const CONNECTIONS: u64 = 16;
/// By how much the resident memory may differ between the end of the first round and the end of the last.
const FLAT: u64 = 16 * 1024 * 1024;

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    let seconds = seconds().unwrap_or(60);
    let events = events::Counts::install();
    let slice = Duration::from_secs(seconds) / ROUNDS;
    let mut chains = Vec::new();
    for propagators in propagators::all() {
        chains.push((Chain::start(propagators).await, Tally::default()));
    }
    let started = Instant::now();
    let mut memory = Vec::new();
    for _ in 0..ROUNDS {
        for (chain, tally) in &mut chains {
            tally.add(&chain.run(slice, CONNECTIONS).await);
        }
        memory.push(resident_bytes());
    }
    print_table(&chains);
    let flat = report_memory(&memory);
    let bounded = events.report(started.elapsed());
    let lost = chains.iter().filter(|(chain, _)| chain.is_ours()).any(|(_, tally)| tally.lost() > 0);
    if lost {
        println!("FAILED: a good request lost its trace or its baggage");
    }
    if flat && bounded && !lost { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn seconds() -> Option<u64> {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--seconds");
    arguments.nth(1)?.parse().ok()
}

fn print_table(chains: &[(Chain, Tally)]) {
    let baseline = chains.first().map_or(1.0, |(_, tally)| tally.per_second());
    println!(
        "| propagators | requests | good | lost their trace or baggage | other | failed | requests/s | against none |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (chain, tally) in chains {
        println!(
            "| {} | {} | {} | {} | {} | {} | {:.0} | {:.2} |",
            chain.name(),
            tally.requests(),
            tally.good,
            if chain.propagates() {
                tally.lost().to_string()
            } else {
                "all, as nothing is carried".to_owned()
            },
            tally.other,
            tally.failed,
            tally.per_second(),
            tally.per_second() / baseline,
        );
    }
}

/// Whether memory stayed flat from the first round to the last.
fn report_memory(memory: &[Option<u64>]) -> bool {
    let known: Vec<u64> = memory.iter().copied().flatten().collect();
    let (Some(first), Some(last)) = (known.first(), known.last()) else {
        println!("memory: not measured on this system");
        return true;
    };
    let mebibytes: Vec<_> = known.iter().map(|bytes| format!("{} MiB", bytes >> 20)).collect();
    println!("\nresident memory after each round: {}", mebibytes.join(", "));
    let flat = last.saturating_sub(*first) <= FLAT;
    if !flat {
        println!("FAILED: memory grew by more than {} MiB", FLAT >> 20);
    }
    flat
}

/// Linux tells it in pages; other systems go unmeasured.
fn resident_bytes() -> Option<u64> {
    const PAGE: u64 = 4096;
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    statm.split(' ').nth(1)?.parse::<u64>().ok().map(|pages| pages * PAGE)
}
