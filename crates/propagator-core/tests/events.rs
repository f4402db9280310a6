//! What an operator sees, and how often.

use otel_propagator_core::diagnostics::{AtRisk, BURST, Direction, LeftOut, Rejected};
use testing::{events, lines};

const fn left_out(direction: Direction) -> LeftOut {
    LeftOut::new("baggage", direction, "more than max_bytes").members(2, 7).bytes(9000)
}

#[test]
fn each_event_has_its_name_its_facts_and_a_sentence() {
    let events = events(|| {
        Rejected::new("b3", "no span id", 33).emit();
        left_out(Direction::In).emit();
        left_out(Direction::Out).emit();
        LeftOut::new("baggage", Direction::Out, "the key is denied").members(1, 0).is_policy(true).emit();
        AtRisk::new("baggage", 1, 5000).emit();
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
            "DEBUG propagator.left_out header=baggage direction=out rule=the key is denied \
             left_out=1 kept=0 bytes=0 suppressed=0",
            "1 member(s) of the baggage header left out: the key is denied",
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
fn a_flood_of_one_rule_is_a_burst_and_hides_no_other() {
    let flood = |rule| lines(|| (0..1000).for_each(|_| Rejected::new("x-flood", rule, 1).emit())).len();
    assert_eq!(flood("one rule"), BURST);
    assert_eq!(flood("one rule"), 0);
    assert_eq!(flood("another rule"), BURST);
}

#[test]
fn a_burst_is_spent_whether_somebody_listens_or_not() {
    let rejected = Rejected::new("x-unheard", "a rule", 1);
    (0..BURST).for_each(|_| rejected.emit());
    assert_eq!(lines(|| rejected.emit()), [""; 0]);
}
