//! Random agreement: the same random and mutated headers through every peer and through ours.

use crate::{
    ledger::{Half, Ledger, Step},
    matrix::{has, hop, read},
    meaning, ours,
    peer::{Kind, Peer},
    protocol::{Answer, Command, Format, Header, Start},
    random::Random,
    reading::Reading,
};

/// Commands a line: large enough that the pipes do not count.
const BATCH: usize = 500;

/// So many headers a format, each read by everybody, sent on, and read again.
pub(crate) fn run(ledger: &mut Ledger, peers: &mut [Peer], count: usize, seed: u64) -> Result<(), String> {
    println!("\nrandom headers: {count} a format, seed {seed}");
    for format in Format::ALL {
        let mut random = Random(seed);
        let mut tally = Tally::default();
        let mut left = count;
        while left > 0 {
            let size = BATCH.min(left);
            left -= size;
            let headers: Vec<_> = (0..size).map(|_| random.headers(format)).collect();
            batch(ledger, peers, format, &headers, &mut tally)?;
        }
        println!("  {:<12} {} hops compared, {} alike", format.name(), tally.compared, tally.alike);
    }
    Ok(())
}

#[derive(Default)]
struct Tally {
    compared: usize,
    alike: usize,
}

impl Tally {
    fn count(&mut self, numbers: &[usize]) {
        self.compared += 1;
        self.alike += usize::from(numbers.is_empty());
    }
}

fn batch(
    ledger: &mut Ledger,
    peers: &mut [Peer],
    format: Format,
    headers: &[Vec<Header>],
    tally: &mut Tally,
) -> Result<(), String> {
    let from_us = |headers: &Vec<Header>| ours::answer(&extract(format, headers));
    let ours: Vec<_> = headers.iter().map(from_us).collect();
    let meant: Vec<_> = headers.iter().map(|headers| meaning::of(format, headers)).collect();
    for ((headers, answer), meant) in headers.iter().zip(&ours).zip(&meant) {
        tally.count(&hop(ledger, (Kind::Ours, format), (headers, meant), answer));
    }
    for_each(peers, format, headers, |peer, index, answer| {
        let (Some(headers), Some(expected)) = (headers.get(index), meant.get(index)) else { return };
        tally.count(&hop(ledger, (peer.kind, format), (headers, expected), answer));
    })?;
    let sent: Vec<_> = ours.into_iter().map(|answer| answer.headers).collect();
    let meant: Vec<_> = sent.iter().map(|headers| read(ledger, format, headers).0).collect();
    for_each(peers, format, &sent, |peer, index, answer| {
        let (Some(headers), Some(expected)) = (sent.get(index), meant.get(index)) else { return };
        let found = &Reading::of(format, answer);
        let step = Step { peer: peer.kind, format, half: Half::Reads, headers, expected, found };
        tally.count(&ledger.enter(&step));
    })
}

fn extract(format: Format, headers: &[Header]) -> Command {
    Command { format, start: Start::Extract(headers.to_vec()) }
}

/// Has all peers answer at the same time.
fn for_each(
    peers: &mut [Peer],
    format: Format,
    headers: &[Vec<Header>],
    mut judge: impl FnMut(&Peer, usize, &Answer),
) -> Result<(), String> {
    let commands: Vec<_> = headers.iter().map(|headers| extract(format, headers)).collect();
    for peer in peers.iter_mut().filter(|peer| has(peer.kind, format)) {
        peer.send(&commands)?;
    }
    for peer in peers.iter_mut().filter(|peer| has(peer.kind, format)) {
        for (index, answer) in peer.receive()?.iter().enumerate() {
            judge(peer, index, answer);
        }
    }
    Ok(())
}
