//! Prints the tables and fails where a target is missed: `cargo run --release -p benches --bin compare`.

use benches::{
    allocation::Counting,
    callgrind, hostile,
    report::{self, Tables},
    rows,
};
use std::{env, process::ExitCode};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// With this argument the program is the child that callgrind looks at.
const CHILD: &str = "--under-callgrind";

fn main() -> ExitCode {
    let (rows, hostile) = (rows::all(), hostile::all());
    if env::args().any(|argument| argument == CHILD) {
        callgrind::run(report::tasks(&rows, &hostile));
        return ExitCode::SUCCESS;
    }
    let instructions = match callgrind::count(CHILD) {
        Ok(instructions) => instructions,
        Err(missing) => {
            eprintln!("{missing}");
            return ExitCode::from(2);
        }
    };
    let tables = Tables::measure(&rows, &hostile, instructions);
    println!("{}", tables.text);
    for missed in &tables.missed {
        eprintln!("target missed: {missed}");
    }
    if tables.missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
