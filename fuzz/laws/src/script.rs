//! Headers out of a few bytes: each byte asks for a member, for many members, or for as many bytes as lead to a limit, so
//! that what takes thousands of bytes on the wire takes a dozen to make up, and every limit is met often.

use arbitrary::{Arbitrary, Result, Unstructured};

/// Where one byte or one member more makes a difference, each with its neighbours.
const BYTES: [usize; 10] = [24, 4095, 4096, 4097, 8191, 8192, 8193, 16_384, 32_768, 32_769];
const MEMBERS: [usize; 10] = [1, 2, 31, 32, 33, 63, 64, 65, 180, 181];
const LENGTHS: [usize; 6] = [1, 2, 120, 255, 256, 257];

/// What the members of a header look like.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    /// Before the number that makes a key its own.
    pub(crate) key: &'static str,
    pub(crate) values: [&'static str; 6],
    pub(crate) broken: [&'static str; 6],
    /// The longest value that there may be, so that padding makes as many members as it takes.
    pub(crate) longest: usize,
}

pub(crate) const BAGGAGE: Shape = Shape {
    key: "k",
    values: ["v", "", "%C3%A9", "5%25", "a=b", "1;p;q = 2"],
    broken: ["=", "no equals sign", "a b=1", "a=\"", ";;;", "é=é"],
    longest: usize::MAX,
};

pub(crate) const TRACESTATE: Shape = Shape {
    key: "t",
    values: ["v", "1", "a b", "!", "~", "x:y"],
    broken: ["=", "none", "A=1", "a=", "a=b=c", "é=1"],
    longest: 256,
};

/// The lines of one header.
pub(crate) fn lines(input: &mut Unstructured<'_>, shape: Shape) -> Result<Vec<String>> {
    let mut lines = vec![String::new()];
    let steps = input.int_in_range(0..=5_u8)?;
    let mut made = 0;
    for _ in 0..steps {
        step(input, shape, &mut lines, &mut made)?;
    }
    Ok(lines)
}

fn step(input: &mut Unstructured<'_>, shape: Shape, lines: &mut Vec<String>, made: &mut usize) -> Result<()> {
    match input.int_in_range(0..=7_u8)? {
        0 => lines.push(String::new()),
        1 => put(lines, input.choose(&shape.broken)?),
        2 => {
            let padding = *input.choose(&[",", " ", "\t", ", ,", ";"])?;
            let times = *input.choose(&BYTES)? / padding.len();
            if let Some(line) = lines.last_mut() {
                line.push_str(&padding.repeat(times));
            }
        }
        3 => {
            let key = *input.choose(&["a", "b", "tenant", "foo@@bar", "K"])?;
            put(lines, &format!("{key}={}", input.choose(&shape.values)?));
        }
        // So many members, some of them of one key.
        4 | 5 => {
            let count = *input.choose(&MEMBERS)?;
            let value = *input.choose(&shape.values)?;
            let length = *input.choose(&LENGTHS)?;
            let apart = bool::arbitrary(input)?;
            for _ in 0..count {
                let number = if apart { *made } else { *made % 60 };
                put(lines, &format!("{}{number}={}{value}", shape.key, "x".repeat(length)));
                *made += 1;
            }
        }
        // As long as a limit, to the byte.
        _ => fill(lines, shape, *input.choose(&BYTES)?, made),
    }
    Ok(())
}

/// Appends a member to the last line.
fn put(lines: &mut [String], member: &str) {
    let Some(line) = lines.last_mut() else { return };
    if !line.is_empty() {
        line.push(',');
    }
    line.push_str(member);
}

/// Appends members until all lines, joined by commas, have so many bytes.
fn fill(lines: &mut [String], shape: Shape, bytes: usize, made: &mut usize) {
    loop {
        let now = joined_len(lines);
        let comma = usize::from(lines.last().is_some_and(|line| !line.is_empty()));
        let key = format!("{}{made}=", shape.key);
        let Some(room) = bytes.checked_sub(now + comma + key.len()).filter(|room| *room > 0) else { return };
        // What is left after the longest value has to be a member again.
        let length = if room <= shape.longest { room } else { shape.longest.min(room - 16) };
        put(lines, &(key + &"f".repeat(length)));
        *made += 1;
    }
}

pub(crate) fn joined_len(lines: &[String]) -> usize {
    lines.iter().map(String::len).sum::<usize>() + lines.len().saturating_sub(1)
}
