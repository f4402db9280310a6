//! Calls one operation again and again, for a profiler:
//!
//! ```sh
//! cargo build --profile bench -p benches --bin profile # `bench` keeps the lines
//! valgrind --tool=callgrind target/release/profile 'traceparent inject (`HeaderMap`)' ours
//! callgrind_annotate callgrind.out.*
//! ```

use benches::rows::{self, Contender};
use std::{env, process::ExitCode};

/// Enough that what happens before them hardly counts.
const CALLS: usize = 1000;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let rows = rows::all();
    let task = match arguments.as_slice() {
        [row, contender] => find(&rows, row, contender),
        _ => None,
    };
    let Some(mut task) = task else {
        eprintln!("usage: profile ROW (SDK|ours|floor), where ROW is one of");
        for row in &rows {
            eprintln!("  {row:?}");
        }
        return ExitCode::from(2);
    };
    (0..CALLS).for_each(|_| task());
    ExitCode::SUCCESS
}

fn find(rows: &[rows::Row], row: &str, contender: &str) -> Option<benches::Task> {
    let row = rows.iter().find(|it| format!("{it:?}") == row)?;
    row.task(Contender::ALL.into_iter().find(|it| it.name() == contender)?)
}
