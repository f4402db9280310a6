//! The tables that `compare` prints, and what misses its target in them.

use crate::{
    Task,
    allocation::{self, Usage},
    callgrind::{self, Measured},
    clock,
    hostile::{self, Hostile, Reader},
    rows::{Contender, Row},
    targets,
};
use std::fmt::{Display, Write};

/// The tasks whose instructions are counted, in the order in which [`Tables::measure`] takes the counts.
pub fn tasks(rows: &[Row], hostile: &[Hostile]) -> impl Iterator<Item = Measured> {
    let of_row = |row| Contender::ALL.into_iter().filter_map(move |who| Row::task(row, who));
    let rows = rows.iter().flat_map(of_row).map(|task| Measured::over(callgrind::CALLS, task));
    let of_kind = |kind| {
        READINGS.map(|(reader, bytes)| match reader {
            Reader::Sdk if bytes > hostile::LONG => Measured::cold(Hostile::task(kind, reader, bytes)),
            _ => Measured::over(1, Hostile::task(kind, reader, bytes)),
        })
    };
    rows.chain(hostile.iter().flat_map(of_kind))
}

/// A hostile header is read by each of these: ours, just beyond the limits and far beyond them, the SDK, and
/// what the carrier alone costs. Then within the limits of baggage, beside the SDK and a good header of that size, and
/// as long as a tracestate can be.
const READINGS: [(Reader, usize); 10] = [
    (Reader::Ours, hostile::SIZES[0]),
    (Reader::Ours, hostile::SIZES[1]),
    (Reader::Sdk, hostile::SIZES[1]),
    (Reader::Carrier, hostile::SIZES[1]),
    (Reader::Sdk, hostile::WITHIN),
    (Reader::Ours, hostile::WITHIN),
    (Reader::Good, hostile::WITHIN),
    (Reader::Sdk, hostile::LONG),
    (Reader::Ours, hostile::LONG),
    (Reader::Carrier, hostile::LONG),
];

/// What `compare` prints.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Tables {
    /// The tables, in Markdown.
    pub text: String,
    /// What missed its target, a line each.
    pub missed: Vec<String>,
}

/// What one call costs.
#[derive(Clone, Copy, Debug)]
struct Cost {
    instructions: u64,
    usage: Usage,
    nanoseconds: f64,
}

impl Cost {
    fn of(mut task: Task, instructions: u64) -> Self {
        Self { instructions, usage: usage(&mut task), nanoseconds: clock::nanoseconds(&mut task) }
    }
}

/// What one call of a warm task asks of the allocator.
fn usage(task: &mut Task) -> Usage {
    for _ in 0..callgrind::CALLS {
        task();
    }
    allocation::count(task)
}

impl Tables {
    /// Measures and compares. `instructions` are those of [`tasks`].
    #[must_use]
    pub fn measure(rows: &[Row], hostile: &[Hostile], instructions: Vec<u64>) -> Self {
        let mut instructions = instructions.into_iter();
        let mut next = || instructions.next().expect("one count a task");
        let mut tables = Self::default();
        tables.operations(rows, &mut next);
        tables.two_threads(rows);
        tables.hostile(hostile, &mut next);
        tables
    }

    fn operations(&mut self, rows: &[Row], instructions: &mut dyn FnMut() -> u64) {
        self.head(
            &["operation", "carrier"],
            &[
                "instructions: SDK",
                "ours",
                "of it for all lines",
                "floor",
                "floor with get alone",
                "SDK / ours",
                "without all lines",
                "ours / floor",
                "ours / floor with get alone",
                "allocations: SDK",
                "ours",
                "floor",
                "ns: SDK",
                "ours",
                "floor",
                "SDK / ours",
                "ours / floor",
            ],
        );
        for row in rows {
            let costs = Contender::ALL.map(|who| row.task(who).map(|task| Cost::of(task, instructions())));
            if let [Some(sdk), Some(ours), floor, first_floor, all_lines, first_lines] = costs {
                // What it costs to look at all lines of a header, which the SDK does not.
                let more = |(all, first): (Cost, Cost)| all.instructions.saturating_sub(first.instructions);
                let all_lines = all_lines.zip(first_lines).map_or(0, more);
                self.operation(row, &sdk, &ours, [floor.as_ref(), first_floor.as_ref()], all_lines);
            }
        }
    }

    /// `floors` are the one that looks for headers as ours do, and the one that looks with `get` alone.
    fn operation(&mut self, row: &Row, sdk: &Cost, ours: &Cost, floors: [Option<&Cost>; 2], all_lines: u64) {
        let [floor, first_floor] = floors;
        let as_a_user_sees_it = ratio(sdk.instructions, ours.instructions);
        let against_sdk = ratio(sdk.instructions, ours.instructions - all_lines);
        let sdk_target =
            row.targets.sdk.map(|target| (target.asked, target.least(), against_sdk >= target.least()));
        let against_sdk = self.ratio(row, "SDK / ours", against_sdk, '≥', sdk_target);
        let our_instructions = match row.targets.above_sdk {
            Some(most) => {
                let above = ours.instructions.saturating_sub(sdk.instructions);
                let cell = format!("{} ({above} more, ≤ {most})", ours.instructions);
                self.gate(&format!("{row:?}, instructions"), above <= most, cell)
            }
            None => ours.instructions.to_string(),
        };
        let against_floor = floor.map(|floor| {
            let against_floor = ratio(ours.instructions, floor.instructions);
            let target =
                row.targets.floor.map(|target| (target.asked, target.most(), against_floor <= target.most()));
            self.ratio(row, "ours / floor", against_floor, '≤', target)
        });
        let most = floor.map(|floor| calls(floor.usage) + row.targets.more_allocations);
        let within = most.is_none_or(|most| calls(ours.usage) <= most);
        let our_allocations = self.gate(&format!("{row:?}, allocations"), within, allocations(ours.usage));
        self.row(&[
            &row.operation,
            &row.carrier,
            &sdk.instructions,
            &our_instructions,
            &all_lines,
            &or_dash(floor.map(|floor| floor.instructions)),
            &or_dash(first_floor.map(|floor| floor.instructions)),
            &format!("{as_a_user_sees_it:.2}"),
            &against_sdk,
            &or_dash(against_floor),
            &or_dash(first_floor.map(|floor| format!("{:.2}", ratio(ours.instructions, floor.instructions)))),
            &allocations(sdk.usage),
            &our_allocations,
            &or_dash(floor.map(|floor| allocations(floor.usage))),
            &format!("{:.0}", sdk.nanoseconds),
            &format!("{:.0}", ours.nanoseconds),
            &or_dash(floor.map(|floor| format!("{:.0}", floor.nanoseconds))),
            &format!("{:.2}", sdk.nanoseconds / ours.nanoseconds),
            &or_dash(floor.map(|floor| format!("{:.2}", ours.nanoseconds / floor.nanoseconds))),
        ]);
    }

    /// A ratio with its target, if it has one, and whether it met it.
    fn ratio(
        &mut self,
        row: &Row,
        what: &str,
        ratio: f64,
        sign: char,
        target: Option<(f64, f64, bool)>,
    ) -> String {
        let Some((asked, held, met)) = target else { return format!("{ratio:.2}") };
        let held = (held * 100.0).round() / 100.0;
        let asked = if asked.total_cmp(&held).is_eq() { String::new() } else { format!("; asked {asked}") };
        self.gate(&format!("{row:?}, instructions {what}"), met, format!("{ratio:.2} ({sign} {held}{asked})"))
    }

    /// Not a gate: threads that meet at a lock are measured in nanoseconds or not at all.
    fn two_threads(&mut self, rows: &[Row]) {
        self.head(
            &["operation", "carrier"],
            &["ns, one thread: SDK", "ours", "processor ns a call, two threads: SDK", "ours"],
        );
        for row in rows.iter().filter(|row| row.operation.contains(" through ")) {
            let make = |who| move || row.task(who).expect("these rows have every contender");
            let [sdk, ours] = [Contender::Sdk, Contender::Ours].map(make);
            let nanoseconds = [
                clock::nanoseconds(&mut sdk()),
                clock::nanoseconds(&mut ours()),
                clock::nanoseconds_in_two_threads(&sdk),
                clock::nanoseconds_in_two_threads(&ours),
            ]
            .map(|nanoseconds| format!("{nanoseconds:.0}"));
            let [a, b, c, d] = &nanoseconds;
            self.row(&[&row.operation, &row.carrier, a, b, c, d]);
        }
    }

    /// What lies beyond the limits may cost what the carrier asks for it, and nothing more.
    fn hostile(&mut self, kinds: &[Hostile], instructions: &mut dyn FnMut() -> u64) {
        self.head(
            &["hostile header", "kind"],
            &[
                "peak bytes: ours, 64 KiB",
                "ours, 1 MiB",
                "SDK, 1 MiB",
                "carrier, 1 MiB",
                "instructions: ours, 64 KiB",
                "ours, 1 MiB",
                "SDK, 1 MiB",
                "carrier, 1 MiB",
                "SDK, 8 KiB",
                "ours, 8 KiB",
                "a good one, 8 KiB",
                "SDK, 32 KiB",
                "ours, 32 KiB",
                "carrier, 32 KiB",
            ],
        );
        for kind in kinds {
            let costs = READINGS
                .map(|(reader, bytes)| (usage(&mut kind.task(reader, bytes)).peak as u64, instructions()));
            let [peak, work] = [costs.map(|cost| cost.0), costs.map(|cost| cost.1)];
            let our_peak =
                self.gate(&format!("{kind}, peak bytes"), grows_not(&peak, 1.0), peak[1].to_string());
            let our_work =
                self.gate(&format!("{kind}, instructions"), grows_not(&work, 1.1), work[1].to_string());
            let [within, long] = self.beside_sdk(kind, &work);
            self.row(&[
                &kind.header,
                &kind.kind,
                &peak[0],
                &our_peak,
                &peak[2],
                &peak[3],
                &work[0],
                &our_work,
                &work[2],
                &work[3],
                &work[4],
                &within,
                &work[6],
                &work[7],
                &long,
                &work[9],
            ]);
        }
    }

    /// A header within the limits costs little more than the SDK's, where that reads all of it too; and, besides what the
    /// carrier takes to give it, not ten good ones. Where four times the bytes cost the SDK no more, it does not read them.
    fn beside_sdk(&mut self, kind: &Hostile, work: &[u64; 10]) -> [String; 2] {
        let [.., sdk, ours, good, long_sdk, long_ours, carrier] = *work;
        let beside = |ours, sdk| !kind.sdk_reads_all() || ratio(ours, sdk) <= targets::hostile();
        let little = |ours: u64| ours <= 10 * good + carrier;
        let is_read = long_sdk > 2 * sdk;
        [
            ("8 KiB", ours, beside(ours, sdk) && little(ours)),
            ("32 KiB", long_ours, (!is_read || beside(long_ours, long_sdk)) && little(long_ours)),
        ]
        .map(|(size, cost, met)| self.gate(&format!("{kind}, {size}"), met, cost.to_string()))
    }

    /// Marks what missed its target and remembers it.
    fn gate(&mut self, what: &str, met: bool, cell: String) -> String {
        if met {
            return cell;
        }
        self.missed.push(format!("{what}: {cell}"));
        format!("**{cell}** ✗")
    }

    fn head(&mut self, words: &[&str], numbers: &[&str]) {
        let cells = [words, numbers].concat();
        let rule = ["---|".repeat(words.len()), "--:|".repeat(numbers.len())].concat();
        let _ = write!(self.text, "\n| {} |\n|{rule}\n", cells.join(" | "));
    }

    fn row(&mut self, cells: &[&dyn Display]) {
        let cells: Vec<String> = cells.iter().map(ToString::to_string).collect();
        let _ = writeln!(self.text, "| {} |", cells.join(" | "));
    }
}

fn grows_not(costs: &[u64; 10], tolerance: f64) -> bool {
    let [near, far, _, carrier, ..] = *costs;
    ratio(far, near + carrier) <= tolerance
}

#[allow(clippy::cast_precision_loss, reason = "the counts are far below 2^52")]
fn ratio(one: u64, other: u64) -> f64 {
    one as f64 / (other.max(1)) as f64
}

fn calls(usage: Usage) -> usize {
    usage.allocations + usage.reallocations
}

fn allocations(usage: Usage) -> String {
    match usage.reallocations {
        0 => usage.allocations.to_string(),
        reallocations => format!("{}+{reallocations} re", usage.allocations),
    }
}

fn or_dash(cell: Option<impl ToString>) -> String {
    cell.map_or_else(|| "-".to_owned(), |cell| cell.to_string())
}
