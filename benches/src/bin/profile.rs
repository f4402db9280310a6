//! Calls one operation again and again, for a profiler:
//!
//! ```sh
//! cargo build --release -p benches --bin profile
//! valgrind --tool=callgrind --toggle-collect=benches::callgrind::measured \
//!     target/release/profile 'traceparent inject (`HeaderMap`)' ours
//! callgrind_annotate callgrind.out.*
//! ```

use benches::{
    Task,
    callgrind::{self, Measured},
    rows::{self, Contender, Row},
};
use std::{env, iter, process::ExitCode};

const CALLS: u64 = 1000;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let rows = rows::all();
    let task = match arguments.as_slice() {
        [row, contender] => find(&rows, row, contender),
        _ => None,
    };
    let Some(task) = task else {
        eprintln!("usage: profile ROW (SDK|ours|floor), where ROW is one of");
        for row in &rows {
            eprintln!("  {row:?}");
        }
        return ExitCode::from(2);
    };
    callgrind::run(iter::once(Measured::over(CALLS, task)));
    ExitCode::SUCCESS
}

fn find(rows: &[Row], row: &str, contender: &str) -> Option<Task> {
    let row = rows.iter().find(|it| format!("{it:?}") == row)?;
    row.task(Contender::ALL.into_iter().find(|it| it.name() == contender)?)
}
