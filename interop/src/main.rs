//! The OpenTelemetry SDKs of other languages beside our propagators: a matrix of cases, then random headers.
//!
//! See `README.md` for how to read what it prints.

mod agreement;
mod cases;
mod classes;
mod ledger;
mod matrix;
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
    /// A peer that cannot be had is a failure.
    all: bool,
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
    let mut options = Options { random: 2000, seed: 1, all: false };
    while let Some(name) = arguments.next() {
        match name.as_str() {
            "--random" => options.random = number(&name, arguments.next())?,
            "--seed" => options.seed = number(&name, arguments.next())?,
            "--all" => options.all = true,
            _ => return Err("usage: interop [--random HEADERS_A_FORMAT] [--seed NUMBER] [--all]".to_owned()),
        }
    }
    Ok(options)
}

fn number<N: std::str::FromStr>(name: &str, text: Option<String>) -> Result<N, String> {
    text.and_then(|text| text.parse().ok()).ok_or_else(|| format!("{name} needs a number"))
}

/// Whether every difference has a name, and every peer that must be there is.
fn run(options: &Options) -> Result<bool, String> {
    let mut peers = start();
    let complete = peers.len() == Kind::ALL.len();
    let mut ledger = Ledger::default();
    matrix::run(&mut ledger, &mut peers, &cases::all())?;
    agreement::run(&mut ledger, &mut peers, options.random, options.seed)?;
    Ok(ledger.report() && (complete || !options.all) && !peers.is_empty())
}

fn start() -> Vec<Peer> {
    let mut peers = Vec::new();
    for kind in Kind::ALL {
        match Peer::start(kind) {
            Ok(peer) => {
                println!("peer {:<10} {}", kind.name(), peer.versions.join(", "));
                peers.push(peer);
            }
            Err(reason) => println!("peer {:<10} NOT HERE: {reason}", kind.name()),
        }
    }
    peers
}
