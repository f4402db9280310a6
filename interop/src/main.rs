//! The OpenTelemetry SDKs of other languages beside our propagators: a matrix of cases, then random headers.
//!
//! See `README.md` for how to read what it prints.

mod agreement;
mod cases;
mod classes;
mod ledger;
mod matrix;
mod meaning;
mod ours;
mod peer;
mod protocol;
mod random;
mod reading;

use ledger::Ledger;
use peer::{Kind, Peer};
use std::process::ExitCode;

/// What the command line asks for.
struct Options {
    /// Random headers a format.
    random: usize,
    seed: u64,
}

fn main() -> ExitCode {
    match options(std::env::args().skip(1)).and_then(|options| run(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options { random: 2000, seed: 1 };
    while let Some(name) = arguments.next() {
        match name.as_str() {
            "--random" => options.random = number(&name, arguments.next())?,
            "--seed" => options.seed = number(&name, arguments.next())?,
            // What is so without it; commands that people have written down go on.
            "--all" => {}
            _ => return Err("usage: interop [--random HEADERS_A_FORMAT] [--seed NUMBER]".to_owned()),
        }
    }
    Ok(options)
}

fn number<N: std::str::FromStr>(name: &str, text: Option<String>) -> Result<N, String> {
    text.and_then(|text| text.parse().ok()).ok_or_else(|| format!("{name} needs a number"))
}

/// Whether every difference has a name, every class was met, and every peer is there. The last line says it.
fn run(options: &Options) -> Result<bool, String> {
    let (mut peers, missing) = start();
    if peers.is_empty() {
        return Err(format!("no peer is here: {}", missing.join("; ")));
    }
    let mut ledger = Ledger::default();
    matrix::run(&mut ledger, &mut peers, &cases::all())?;
    agreement::run(&mut ledger, &mut peers, options.random, options.seed)?;
    let mut wrong = ledger.report();
    if !missing.is_empty() {
        // First, since the classes of a peer that is not here are not met.
        wrong.insert(0, format!("peers missing: {}", missing.join("; ")));
    }
    println!(
        "\n{}",
        if wrong.is_empty() {
            "every peer is here, every difference has a name".to_owned()
        } else {
            wrong.join("; ")
        }
    );
    Ok(wrong.is_empty())
}

/// The peers, and the names of those that cannot be had, each with its reason.
fn start() -> (Vec<Peer>, Vec<String>) {
    let (mut peers, mut missing) = (Vec::new(), Vec::new());
    for kind in Kind::ALL {
        match Peer::start(kind) {
            Ok(peer) => {
                println!("peer {:<10} {}", kind.name(), peer.versions.join(", "));
                peers.push(peer);
            }
            Err(reason) => {
                println!("peer {:<10} NOT HERE: {reason}", kind.name());
                missing.push(format!("{} ({reason})", kind.name()));
            }
        }
    }
    (peers, missing)
}
