//! The two carriers of every row.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use std::collections::HashMap;

/// What headers travel in, built from names and values, to be read and to be written.
pub trait Carrier: Default + 'static {
    /// How a table calls it.
    const NAME: &'static str;

    /// Adds a line.
    fn append(&mut self, name: &'static str, value: &str);

    /// Hands it over for reading.
    fn read<T>(&self, reader: impl FnOnce(&dyn Extractor) -> T) -> T;

    /// Hands it over for writing.
    fn write(&mut self, writer: impl FnOnce(&mut dyn Injector));

    /// With these lines.
    #[must_use]
    fn of(lines: &[(&'static str, String)]) -> Self {
        lines.iter().fold(Self::default(), |mut carrier, (name, value)| {
            carrier.append(name, value);
            carrier
        })
    }
}

#[allow(clippy::implicit_hasher, reason = "measured as everyone uses it")]
impl Carrier for HashMap<String, String> {
    const NAME: &'static str = "`HashMap`";

    fn append(&mut self, name: &'static str, value: &str) {
        self.insert(name.to_owned(), value.to_owned());
    }

    fn read<T>(&self, reader: impl FnOnce(&dyn Extractor) -> T) -> T {
        reader(self)
    }

    fn write(&mut self, writer: impl FnOnce(&mut dyn Injector)) {
        writer(self);
    }
}

impl Carrier for HeaderMap {
    const NAME: &'static str = "`HeaderMap`";

    fn append(&mut self, name: &'static str, value: &str) {
        let value = HeaderValue::from_str(value).expect("the rows have valid values");
        Self::append(self, HeaderName::from_static(name), value);
    }

    fn read<T>(&self, reader: impl FnOnce(&dyn Extractor) -> T) -> T {
        reader(&HeaderExtractor(self))
    }

    fn write(&mut self, writer: impl FnOnce(&mut dyn Injector)) {
        writer(&mut HeaderInjector(self));
    }
}
