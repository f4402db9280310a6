//! What an operator sees, and how often.

use otel_propagator_core::diagnostics::{AtRisk, Direction, LeftOut, Rejected, Throttle};
use testing::{events, lines};

const REJECTED: Rejected = Rejected { header: "b3", rule: "no span id", bytes: 33 };

const fn left_out(direction: Direction) -> LeftOut {
    LeftOut { header: "baggage", direction, rule: "more than max_bytes", left_out: 2, kept: 7, bytes: 9000 }
}

#[test]
fn each_event_has_its_name_its_facts_and_a_sentence() {
    let throttle = Throttle::new();
    let events = events(|| {
        REJECTED.emit(&throttle);
        left_out(Direction::In).emit(&throttle);
        left_out(Direction::Out).emit(&throttle);
        AtRisk { header: "baggage", members: 1, bytes: 5000 }.emit(&throttle);
    });
    let facts = "rule=more than max_bytes left_out=2 kept=7 bytes=9000 suppressed=0";
    let expected = [
        (
            "WARN propagator.rejected header=b3 rule=no span id bytes=33 suppressed=0",
            "b3 header not used: no span id",
        ),
        (
            &format!("WARN propagator.left_out header=baggage direction=in {facts}"),
            "2 member(s) of the baggage header left out: more than max_bytes",
        ),
        (
            &format!("WARN propagator.left_out header=baggage direction=out {facts}"),
            "2 member(s) of the baggage header left out: more than max_bytes",
        ),
        (
            "WARN propagator.at_risk header=baggage members=1 bytes=5000 suppressed=0",
            "1 member(s) of the baggage header are longer than others are known to carry",
        ),
    ];
    let seen: Vec<_> = events.iter().map(|event| (event.to_string(), event.message.as_str())).collect();
    assert_eq!(seen, expected.map(|(line, message)| (line.to_owned(), message)));
}

#[test]
fn a_flood_is_a_burst_and_what_nobody_hears_takes_nothing_of_it() {
    let throttle = Throttle::new();
    let flood = || (0..1000).for_each(|_| REJECTED.emit(&throttle));
    flood();
    assert_eq!(lines(flood).len(), Throttle::BURST as usize);
    assert_eq!(lines(flood), [""; 0]);
}

#[test]
fn a_throttle_admits_one_burst() {
    let throttle = Throttle::new();
    let admitted: Vec<_> = (0..1000).filter_map(|_| throttle.admit()).collect();
    assert_eq!(admitted, [0; Throttle::BURST as usize]);
}
