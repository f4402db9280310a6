//! Plots cost against size: `cargo run --release -p benches --bin growth > benches/growth.svg`.

use benches::{
    Task,
    callgrind::{self, Measured},
    carrier::Carrier,
    contenders::{Propagator, ours, sdk},
    hostile::{self, Reader},
    input::Entries,
    svg::{self, Line, Panel},
    task,
};
use opentelemetry::Context;
use std::{collections::HashMap, ops::RangeInclusive, process::ExitCode};

/// A line of the plot before it is measured: its label, its colour, whether it is dashed, and its points.
type Series = (String, &'static str, bool, Vec<(usize, Make)>);
type Make = Box<dyn Fn() -> Task>;
type Headers = HashMap<String, String>;

fn main() -> ExitCode {
    let panels = [entries(), bytes()];
    if callgrind::is_watched() {
        let points = panels.iter().flatten().flat_map(|(.., points)| points);
        callgrind::run(points.map(|(_, make)| Measured::over(2, make())));
        return ExitCode::SUCCESS;
    }
    match callgrind::count() {
        Ok(instructions) => {
            print!("{}", plot(panels, instructions));
            ExitCode::SUCCESS
        }
        Err(missing) => {
            eprintln!("{missing}");
            ExitCode::from(2)
        }
    }
}

fn plot(panels: [Vec<Series>; 2], instructions: Vec<u64>) -> String {
    let mut instructions = instructions.into_iter();
    let [entries, bytes] = panels.map(|panel| {
        let line = |(label, colour, dashed, points): Series| Line {
            label,
            colour,
            dashed,
            points: points
                .into_iter()
                .map(|(size, _)| {
                    (number(size as u64), number(instructions.next().expect("one count a point")))
                })
                .collect(),
        };
        panel.into_iter().map(line).collect()
    });
    let up = "instructions";
    svg::draw(&[
        Panel {
            title: "Baggage, by entries",
            across: "entries of 30 bytes",
            up,
            limit: (64.0, "64 members"),
            lines: entries,
        },
        Panel {
            title: "Hostile headers of many members, by size",
            across: "bytes received in one line",
            up,
            limit: (8192.0, "8192 bytes"),
            lines: bytes,
        },
    ])
}

#[allow(clippy::cast_precision_loss, reason = "the counts are far below 2^52")]
fn number(count: u64) -> f64 {
    count as f64
}

const BLUE: &str = "#3b82d9";
const ORANGE: &str = "#d9730d";

fn entries() -> Vec<Series> {
    let lines = |who, dashed, propagator: fn() -> Propagator| {
        let extract = move |entries| {
            task::extract(propagator(), Headers::of(&[("baggage", Entries::Plain.header(entries))]))
        };
        let context = |entries| move || Entries::Plain.context(&Context::new(), entries);
        let inject = move |entries| task::inject::<Headers>(propagator(), &context(entries));
        [
            (format!("extract, {who}"), BLUE, dashed, points(0..=8, extract)),
            // A `Baggage` holds 64 entries.
            (format!("inject, {who}"), ORANGE, dashed, points(0..=6, inject)),
        ]
    };
    let ours = lines("ours", false, ours::baggage);
    ours.into_iter().chain(lines("SDK", true, sdk::baggage)).collect()
}

fn bytes() -> Vec<Series> {
    let shown = [("baggage", "many members", BLUE), ("tracestate", "many members", ORANGE)];
    let kinds = hostile::all();
    let find =
        |header, kind| *kinds.iter().find(|it| (it.header, it.kind) == (header, kind)).expect("a known kind");
    let mut series = Vec::new();
    for (header, name, colour) in shown {
        let kind = find(header, name);
        for (reader, who, dashed) in [(Reader::Ours, "ours", false), (Reader::Sdk, "SDK", true)] {
            let points = points(6..=20, move |bytes| kind.task(reader, bytes));
            series.push((format!("{header}, {who}"), colour, dashed, points));
        }
    }
    series
}

/// A point for each power of two.
fn points<F>(powers: RangeInclusive<u32>, make: F) -> Vec<(usize, Make)>
where
    F: Fn(usize) -> Task + Clone + 'static,
{
    let point = |power| {
        let make = make.clone();
        (1_usize << power, Box::new(move || make(1_usize << power)) as Make)
    };
    powers.map(point).collect()
}
