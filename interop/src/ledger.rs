//! Puts each difference into its class and counts it.

use crate::{
    classes::{self, Class},
    peer::Kind,
    protocol::{Format, Header},
    reading::{Difference, Field, Reading},
};
use std::collections::BTreeMap;

/// Which half of a hop a difference arose in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Half {
    /// The peer read the headers otherwise than expected.
    Reads,
    /// What the peer sent is not what it held.
    Sends,
}

/// Half a hop through a peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step<'a> {
    pub(crate) peer: Kind,
    pub(crate) format: Format,
    pub(crate) half: Half,
    /// What the peer was given.
    pub(crate) headers: &'a [Header],
    pub(crate) expected: &'a Reading,
    pub(crate) found: &'a Reading,
}

/// What was found, by class.
#[derive(Default)]
pub(crate) struct Ledger {
    found: BTreeMap<usize, Found>,
    unnamed: usize,
    shown: BTreeMap<(Kind, Format, Field), usize>,
}

struct Found {
    count: usize,
    example: String,
}

/// How many differences without a name are shown in full, for each peer, format and field.
const SHOWN: usize = 8;

impl Ledger {
    /// The numbers of the classes into which the differences of a step fall, each once; 0 is none.
    pub(crate) fn enter(&mut self, step: &Step<'_>) -> Vec<usize> {
        let mut numbers: Vec<_> = step
            .expected
            .differences(step.found)
            .iter()
            .map(|difference| self.number(step, difference))
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    fn number(&mut self, step: &Step<'_>, difference: &Difference) -> usize {
        let index = classes::all().position(|class| class.covers(step, difference));
        let Some(index) = index else {
            self.name_missing(step, difference);
            return 0;
        };
        let entry = self.found.entry(index + 1);
        let example = || example(step, difference);
        entry.or_insert_with(|| Found { count: 0, example: example() }).count += 1;
        index + 1
    }

    fn name_missing(&mut self, step: &Step<'_>, difference: &Difference) {
        self.unnamed += 1;
        let shown = self.shown.entry((step.peer, step.format, difference.field)).or_default();
        *shown += 1;
        if *shown <= SHOWN {
            println!("UNNAMED {}", example(step, difference));
        }
    }

    /// Lists the classes that were met, and says what is wrong: a difference without a name, a class that no
    /// difference falls into.
    pub(crate) fn report(&self) -> Vec<String> {
        for (number, found) in &self.found {
            let Some(class) = number.checked_sub(1).and_then(|index| classes::all().nth(index)) else {
                continue;
            };
            println!("\n[{number}] {} ({}; {} times)", class.name, class.whose.name(), found.count);
            println!("    rule:    {} <{}>", class.rule, class.source);
            if let Some(issue) = class.issue {
                println!("    issue:   {issue}");
            }
            println!("    example: {}", found.example);
        }
        println!("\ndifferences without a name: {}", self.unnamed);
        let mut wrong = Vec::new();
        if self.unnamed > 0 {
            wrong.push(format!("differences without a name: {}", self.unnamed));
        }
        let unmet: Vec<_> =
            (1..).zip(classes::all()).filter(|(n, _)| !self.found.contains_key(n)).map(named).collect();
        if !unmet.is_empty() {
            wrong.push(format!("classes that were not met: {}", unmet.join(", ")));
        }
        wrong
    }
}

fn named((number, class): (usize, &Class)) -> String {
    format!("[{number}] {}", class.name)
}

fn example(step: &Step<'_>, difference: &Difference) -> String {
    let headers: Vec<_> =
        step.headers.iter().map(|(name, value)| format!("{name}: {}", brief(value))).collect();
    let headers = headers.join(", ");
    let text = |side: &Option<String>| side.as_deref().map_or("nothing".to_owned(), brief);
    format!(
        "{} {:?} {headers}: {:?} {:?} is {}, not {}",
        step.peer.name(),
        step.half,
        difference.field,
        difference.key,
        text(&difference.found),
        text(&difference.expected),
    )
}

/// A text that does not fill the screen.
fn brief(text: &str) -> String {
    let count = text.chars().count();
    if count <= 120 {
        return format!("{text:?}");
    }
    let start: String = text.chars().take(60).collect();
    format!("{start:?}... ({count} characters)")
}
