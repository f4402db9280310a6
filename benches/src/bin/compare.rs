//! Prints the tables and fails where a target is missed.
//!
//! `cargo run --release -p benches --bin compare` prints all rows; with a word behind it, such as `-- hop`, those
//! that have it in their name.

use benches::{
    allocation::Counting,
    callgrind, hostile,
    report::{self, Tables},
    rows,
};
use std::{env, process::ExitCode};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> ExitCode {
    let word = env::args().nth(1).unwrap_or_default();
    let (mut rows, mut hostile) = (rows::all(), hostile::all());
    rows.retain(|row| format!("{row:?}").contains(&word));
    hostile.retain(|kind| kind.to_string().contains(&word));
    if callgrind::is_watched() {
        callgrind::run(report::tasks(&rows, &hostile));
        return ExitCode::SUCCESS;
    }
    let instructions = match callgrind::count() {
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
