//! Runs every case in every direction and prints who agreed.

use crate::{
    cases::Case,
    ledger::{Half, Ledger, Step},
    meaning, ours,
    peer::{Kind, Peer},
    protocol::{Answer, Command, Format, Header, Start},
    reading::Reading,
};

/// What a cell says.
enum Cell {
    Same,
    /// The peer does not have the format.
    NotThere,
    Classes(Vec<usize>),
}

impl Cell {
    fn text(&self) -> String {
        match self {
            Self::Same => "same".to_owned(),
            Self::NotThere => "-".to_owned(),
            Self::Classes(numbers) => numbers.iter().map(|n| mark(*n)).collect::<Vec<_>>().join(" "),
        }
    }
}

fn mark(number: usize) -> String {
    if number == 0 { "UNNAMED".to_owned() } else { format!("[{number}]") }
}

impl From<Vec<usize>> for Cell {
    fn from(mut numbers: Vec<usize>) -> Self {
        numbers.sort_unstable();
        numbers.dedup();
        if numbers.is_empty() { Self::Same } else { Self::Classes(numbers) }
    }
}

/// Brave is a B3 library.
pub(crate) fn has(peer: Kind, format: Format) -> bool {
    peer != Kind::Brave || matches!(format, Format::B3 | Format::B3Multi)
}

/// Asks one peer one thing.
fn ask(peer: &mut Peer, format: Format, start: Start) -> Result<Answer, String> {
    peer.send(&[Command { format, start }])?;
    peer.receive()?.pop().ok_or_else(|| "an empty list of answers".to_owned())
}

fn ours(format: Format, start: Start) -> Answer {
    ours::answer(&Command { format, start })
}

/// What we read, held against what the headers mean.
pub(crate) fn read(ledger: &mut Ledger, format: Format, headers: &[Header]) -> (Reading, Vec<usize>) {
    let found = Reading::of(format, &ours(format, Start::Extract(headers.to_vec())));
    let expected = &meaning::of(format, headers);
    let step = Step { peer: Kind::Ours, format, half: Half::Reads, headers, expected, found: &found };
    let numbers = ledger.enter(&step);
    (found, numbers)
}

/// Both halves of a hop through a peer: what it made of the headers, and what we make of those it sent.
pub(crate) fn hop(
    ledger: &mut Ledger,
    (peer, format): (Kind, Format),
    (headers, expected): (&[Header], &Reading),
    answer: &Answer,
) -> Vec<usize> {
    let held = Reading::of(format, answer);
    let (sent, mut numbers) = read(ledger, format, &answer.headers);
    numbers.extend(ledger.enter(&Step { peer, format, half: Half::Reads, headers, expected, found: &held }));
    if answer.error.is_none() {
        let step = Step { peer, format, half: Half::Sends, headers, expected: &held, found: &sent };
        numbers.extend(ledger.enter(&step));
    }
    numbers
}

/// Prints the matrix of all cases: one block a format and a direction, one line a case, one column a peer.
pub(crate) fn run(ledger: &mut Ledger, peers: &mut [Peer], cases: &[Case]) -> Result<(), String> {
    for format in Format::ALL {
        let cases: Vec<_> = cases.iter().filter(|case| case.format == format).collect();
        block(format, "they to us", peers, &cases, |peer, case| they_to_us(ledger, peer, case))?;
        block(format, "we to them", peers, &cases, |peer, case| we_to_them(ledger, peer, case))?;
        println!("\n{}: a chain from us through all of them and back", format.name());
        for case in cases {
            let came_back = chain(ledger, peers, case)?;
            println!("  {:<14} {:<36} {}", case.about, case.name, came_back.text());
        }
    }
    Ok(())
}

fn block(
    format: Format,
    direction: &str,
    peers: &mut [Peer],
    cases: &[&Case],
    mut cell: impl FnMut(&mut Peer, &Case) -> Result<Cell, String>,
) -> Result<(), String> {
    println!("\n{}: {direction}", format.name());
    print!("  {:<14} {:<36}", "", "");
    for peer in &*peers {
        print!(" {:<16}", peer.kind.name());
    }
    for case in cases {
        print!("\n  {:<14} {:<36}", case.about, case.name);
        for peer in &mut *peers {
            let cell = if has(peer.kind, format) { cell(peer, case)? } else { Cell::NotThere };
            print!(" {:<16}", cell.text());
        }
    }
    println!();
    Ok(())
}

/// The peer sends the case's context: of its API's making where the API can make it, else from the headers, the only
/// form in which B3's debug and a tracestate come to be.
fn they_to_us(ledger: &mut Ledger, peer: &mut Peer, case: &Case) -> Result<Cell, String> {
    let starts = [Some(Start::Extract(case.headers.clone())), made(case).map(Start::Inject)];
    let mut numbers = Vec::new();
    for start in starts.into_iter().flatten() {
        let answer = ask(peer, case.format, start)?;
        numbers.extend(hop(ledger, (peer.kind, case.format), (&case.headers, &case.meaning), &answer));
    }
    Ok(numbers.into())
}

/// The context that an API can make: baggage of any kind.
fn made(case: &Case) -> Option<crate::protocol::Context> {
    (case.format == Format::Baggage).then(|| case.context.clone())
}

/// We read the case's headers and send it on; and, where the API can make it, we send the context itself.
fn we_to_them(ledger: &mut Ledger, peer: &mut Peer, case: &Case) -> Result<Cell, String> {
    let (kind, format) = (peer.kind, case.format);
    let starts = [Some(Start::Extract(case.headers.clone())), made(case).map(Start::Inject)];
    let mut numbers = Vec::new();
    for start in starts.into_iter().flatten() {
        let from_us = ours(format, start);
        numbers.extend(hop(ledger, (Kind::Ours, format), (&case.headers, &case.meaning), &from_us));
        let headers = &from_us.headers;
        let (expected, ours) = read(ledger, format, headers);
        numbers.extend(ours);
        let found = &Reading::of(format, &ask(peer, format, Start::Extract(headers.clone()))?);
        numbers.extend(ledger.enter(&Step {
            peer: kind,
            format,
            half: Half::Reads,
            headers,
            expected: &expected,
            found,
        }));
    }
    Ok(numbers.into())
}

/// From us through each peer in turn and back to us.
fn chain(ledger: &mut Ledger, peers: &mut [Peer], case: &Case) -> Result<Cell, String> {
    let format = case.format;
    let from_us = ours(format, Start::Extract(case.headers.clone()));
    let mut numbers = hop(ledger, (Kind::Ours, format), (&case.headers, &case.meaning), &from_us);
    let mut headers = from_us.headers;
    for peer in peers.iter_mut().filter(|peer| has(peer.kind, format)) {
        let (expected, ours) = read(ledger, format, &headers);
        numbers.extend(ours);
        let answer = ask(peer, format, Start::Extract(headers.clone()))?;
        numbers.extend(hop(ledger, (peer.kind, format), (&headers, &expected), &answer));
        headers = answer.headers;
    }
    Ok(numbers.into())
}
