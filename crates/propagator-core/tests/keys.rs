//! Lists of patterns, fixed and owned.

use otel_propagator_core::keys::Keys;

#[test]
fn the_first_pattern_that_matches_is_found_in_fixed_and_owned_lists() {
    let patterns = &["tenant", "user.*", "*-id", "user.name"];
    let lists: [Keys; 4] = [
        Keys::of(patterns),
        patterns.into(),
        patterns.map(str::to_owned).to_vec().into(),
        patterns.iter().copied().collect(),
    ];
    let rows = [
        ("tenant", Some(0)),
        ("user.name", Some(1)),
        ("order-id", Some(2)),
        ("user.-id", Some(1)),
        ("Tenant", None),
        ("", None),
    ];
    for list in &lists {
        for (key, place) in rows {
            assert_eq!((list.position(key), list.contains(key)), (place, place.is_some()), "{key}");
        }
        assert_eq!(list.patterns().collect::<Vec<_>>(), patterns);
        assert_eq!(format!("{list:?}"), r#"["tenant", "user.*", "*-id", "user.name"]"#);
        assert!(!list.is_empty());
        assert_eq!(list, &lists[0]);
    }
}

#[test]
fn lists_are_the_same_if_they_have_the_same_patterns_in_the_same_order() {
    let owned = |patterns: &[&str]| patterns.iter().copied().collect::<Keys>();
    assert_eq!(owned(&[]), Keys::NONE);
    assert_eq!(Keys::default(), Keys::NONE);
    assert_ne!(owned(&["a", "b"]), owned(&["b", "a"]));
    assert_ne!(Keys::of(&["a"]), Keys::of(&["a", "b"]));
    assert_ne!(Keys::ALL, Keys::NONE);
    assert!(Keys::NONE.is_empty() && owned(&[]).is_empty());
    assert!(Keys::ALL.contains("") && !Keys::NONE.contains(""));
}
