//! Carriers that tests of several crates read from and write to.

use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator},
};

/// Header lines in order, of any text; names are compared as they are.
#[derive(Clone, Debug)]
pub struct Lines<'a>(pub Vec<(&'a str, &'a str)>);

impl<'a> Lines<'a> {
    /// The lines of one header.
    pub fn of(name: &'a str, values: impl IntoIterator<Item = &'a str>) -> Self {
        Self(values.into_iter().map(|value| (name, value)).collect())
    }

    /// Every line of the text is `name:value`; lines with other names are left out.
    #[must_use]
    pub fn parse(names: &[&'a str], text: &'a str) -> Self {
        let line = |line: &'a str| {
            let (given, value) = line.split_once(':')?;
            let name = names.iter().find(|name| name.eq_ignore_ascii_case(given))?;
            Some((*name, value))
        };
        Self(text.split('\n').filter_map(line).collect())
    }

    /// The lines of one header.
    pub fn values<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'a str> + 's {
        self.0.iter().filter(move |line| line.0 == name).map(|line| line.1)
    }

    /// The lines of one header, joined as RFC 9110 joins them.
    #[must_use]
    pub fn joined(&self, name: &str) -> Option<String> {
        self.values(name).map(str::to_owned).reduce(|joined, line| joined + "," + &line)
    }
}

impl Extractor for Lines<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.values(name).next()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|line| line.0).collect()
    }

    fn get_all(&self, name: &str) -> Option<Vec<&str>> {
        let lines: Vec<_> = self.values(name).collect();
        (!lines.is_empty()).then_some(lines)
    }
}

/// Headers that are there, and of which no line is text: `get_all` has an empty list for them.
#[derive(Clone, Copy, Debug)]
pub struct NotText(pub &'static [&'static str]);

impl Extractor for NotText {
    fn get(&self, _: &str) -> Option<&str> {
        None
    }

    fn keys(&self) -> Vec<&str> {
        self.0.to_vec()
    }

    fn get_all(&self, name: &str) -> Option<Vec<&str>> {
        self.0.contains(&name).then(Vec::new)
    }
}

/// A carrier of nothing, whose `get_all` has an empty list for every name.
///
/// > The `GetAll` function SHOULD return an empty collection if the key doesn't exist in the carrier.
#[derive(Clone, Copy, Debug)]
pub struct EmptyLists;

impl Extractor for EmptyLists {
    fn get(&self, _: &str) -> Option<&str> {
        None
    }

    fn keys(&self) -> Vec<&str> {
        Vec::new()
    }

    fn get_all(&self, _: &str) -> Option<Vec<&str>> {
        Some(Vec::new())
    }
}

/// A case-sensitive map, as AMQP tables and NATS headers are; a value of `None` is there, but not text.
#[derive(Clone, Debug)]
pub struct Table {
    /// Names and values.
    pub rows: Vec<(&'static str, Option<&'static str>)>,
    /// Which of its names it lists.
    pub listed: fn(&str) -> bool,
}

impl Extractor for Table {
    fn get(&self, key: &str) -> Option<&str> {
        self.rows.iter().find(|row| row.0 == key)?.1
    }

    fn keys(&self) -> Vec<&str> {
        self.rows.iter().map(|row| row.0).filter(|name| (self.listed)(name)).collect()
    }
}

/// Every header that was set, in order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Sent(pub Vec<(String, String)>);

impl Sent {
    /// What the propagator sends of this context.
    pub fn by(propagator: &dyn TextMapPropagator, cx: &Context) -> Self {
        let mut sent = Self::default();
        propagator.inject_context(cx, &mut sent);
        sent
    }

    /// The value of the first header with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|header| header.0 == name).map(|header| header.1.as_str())
    }

    /// The value of the only header with this name.
    ///
    /// # Panics
    ///
    /// If it was sent more than once.
    #[must_use]
    pub fn only(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|header| header.0 == name).map(|header| header.1.as_str());
        let value = values.next();
        assert!(values.next().is_none(), "{name} is sent once: {self:?}");
        value
    }
}

impl Injector for Sent {
    fn set(&mut self, name: &str, value: String) {
        self.0.push((name.to_owned(), value));
    }
}

/// What was sent is received as it is.
impl Extractor for Sent {
    fn get(&self, name: &str) -> Option<&str> {
        Self::get(self, name)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|header| header.0.as_str()).collect()
    }
}

/// A carrier that attaches a context whenever it is asked, which panics under a borrow of the current one.
#[derive(Clone, Debug)]
pub struct Attaching {
    /// The value of every name.
    value: &'static str,
    /// The names that were set, in order.
    pub set: Vec<String>,
}

impl Attaching {
    /// Has this value for every name.
    #[must_use]
    pub const fn with(value: &'static str) -> Self {
        Self { value, set: Vec::new() }
    }
}

impl Injector for Attaching {
    fn set(&mut self, name: &str, _: String) {
        drop(Context::new().attach());
        self.set.push(name.to_owned());
    }
}

impl Extractor for Attaching {
    fn get(&self, _: &str) -> Option<&str> {
        drop(Context::new().attach());
        Some(self.value)
    }

    fn keys(&self) -> Vec<&str> {
        vec![]
    }
}

/// A carrier that holds nothing and adds up the room that it is asked to make.
#[derive(Debug, Default)]
pub struct Reserved(pub usize);

impl Injector for Reserved {
    fn set(&mut self, _: &str, _: String) {}

    fn reserve(&mut self, additional: usize) {
        self.0 += additional;
    }
}
