//! The laws of the carriers: whatever they hold is read or absent, and what they write is read again.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
};
use otel_carriers::{
    ContextMap,
    environment::{self, EnvExtractor, EnvInjector},
    headers::{self, HeaderExtractor, ServerTiming},
    message::{self, MessageExtractor},
    sql_comment,
};
use std::ffi::OsStr;

/// Every line of the input is `name:value`, of any bytes. The first name and value are also written.
pub fn carriers(data: &[u8]) {
    let lines: Vec<(String, &[u8])> = data.split(|byte| *byte == b'\n').map(line).collect();
    messages(&lines);
    variables(&lines);
    http(&lines);
    if let Some((name, value)) = lines.first() {
        written(name, &String::from_utf8_lossy(value));
    }
}

fn line(line: &[u8]) -> (String, &[u8]) {
    let at = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
    let (name, value) = line.split_at(at);
    (String::from_utf8_lossy(name).into_owned(), value.get(1..).unwrap_or_default())
}

/// The values of a name that are text, and whether the name is there at all.
fn texts<'a>(values: impl Iterator<Item = &'a [u8]>) -> Option<Vec<&'a str>> {
    let values: Vec<_> = values.collect();
    let texts = values.iter().filter_map(|value| std::str::from_utf8(value).ok()).collect();
    (!values.is_empty()).then_some(texts)
}

fn messages(lines: &[(String, &[u8])]) {
    let message = MessageExtractor::new(lines.iter().map(|(name, value)| (name, *value)));
    for (name, _) in lines {
        let same =
            lines.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| *value);
        let expected = texts(same);
        law!(message.get_all(name) == expected, "all text of a name is read, in order", name, expected);
    }
    law!(message.keys().len() == lines.len(), "every name is a key", lines);
}

#[cfg(unix)]
fn variables(lines: &[(String, &[u8])]) {
    use std::os::unix::ffi::OsStrExt as _;
    let variables = lines.iter().map(|(name, value)| (name.as_str(), OsStr::from_bytes(value)));
    let environment = EnvExtractor::from_vars(variables);
    for (name, _) in lines {
        let normalized = environment::normalize(name);
        law!(environment::is_normalized(&normalized), "a normalized name is one", name, normalized);
        let mut values = lines.iter().filter(|(other, _)| *other == normalized).map(|(_, value)| *value);
        let is_absent = |text: &&str| text.is_empty() && is_formats_own(&normalized);
        let expected =
            values.find_map(|value| std::str::from_utf8(value).ok().filter(|text| !is_absent(text)));
        law!(
            environment.get(name) == expected,
            "the variable of the normalized name is read",
            name,
            expected
        );
    }
    law!(environment.keys().iter().all(|key| environment::is_normalized(key)), "keys are normalized", lines);
}

/// Whether the variable is one of a format's headers, for which an empty value is none in any carrier.
#[cfg(unix)]
fn is_formats_own(variable: &str) -> bool {
    ContextMap::from_iter([(variable.replace('_', "-"), "")]).is_empty()
}

#[cfg(not(unix))]
fn variables(_: &[(String, &[u8])]) {}

fn http(lines: &[(String, &[u8])]) {
    let mut request = HeaderMap::new();
    for (name, value) in lines {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value)) {
            request.append(name, value.clone());
            request.append("server-timing", value);
        }
    }
    let extractor = HeaderExtractor::new(&request);
    for name in request.keys() {
        let expected = texts(request.get_all(name).iter().map(HeaderValue::as_bytes));
        law!(extractor.get_all(name.as_str()) == expected, "all lines of a header are read", name, expected);
    }
    let _ = ServerTiming::read(&request);
    let mut stripped = request.clone();
    headers::strip(&mut stripped, lines.iter().map(|(name, _)| name));
    stripped.remove("server-timing");
    law!(stripped.is_empty(), "what is stripped is gone", stripped);
}

/// One header goes through every carrier that can be written.
fn written(name: &str, value: &str) {
    let sets = Sets(name.to_owned(), value.to_owned());
    let text = (!value.is_empty()).then(|| value.to_owned());

    let mut message = vec![(name.to_ascii_uppercase(), "older".to_owned())];
    message::replace(&sets, &Context::new(), |name, value| match value {
        Some(value) => message.push((name.to_owned(), value)),
        None => message.retain(|(older, _)| !older.eq_ignore_ascii_case(name)),
    });
    law!(message.len() <= 1 && message.iter().all(|(_, it)| it == value), "one value or none", message);
    let forged = |(name, value): &(String, String)| format!("{name}{value}").contains(['\r', '\n', '\0']);
    law!(!message.iter().any(forged), "nothing that ends a line is written", message);

    let mut request = HeaderMap::new();
    headers::inject(&sets, &Context::new(), &mut request);
    headers::inject(&sets, &Context::new(), &mut request);
    law!(
        request.len() <= 1 && request.values().all(|it| it.as_bytes() == value.as_bytes()),
        "as it was",
        request
    );

    let stored = ContextMap::inject(&sets, &Context::new());
    law!(stored.get(name) == text.as_deref(), "what is stored is read", stored);

    let mut environment = EnvInjector::new(&sets);
    sets.inject_context(&Context::new(), &mut environment);
    let variables = environment.changes().filter_map(|(name, value)| Some((name, value?)));
    let read = EnvExtractor::from_vars(variables);
    let expected = text.filter(|text| !text.contains('\0'));
    law!(read.get(name) == expected.as_deref(), "what is set is read", read, expected);

    for statement in ["SELECT 1;", name, value] {
        comment(&sets, statement);
    }
}

fn comment(sets: &Sets, statement: &str) {
    let commented = sql_comment(sets, &Context::new(), statement);
    if commented == statement {
        return;
    }
    let end = statement.trim_end_matches(|c: char| c == ';' || c.is_whitespace());
    let added = commented.strip_prefix(end).and_then(|rest| rest.strip_prefix(" /*")).unwrap_or_default();
    let Some((inside, rest)) = added.split_once("*/") else {
        law!(false, "the comment ends", commented);
        return;
    };
    law!(statement.strip_prefix(end) == Some(rest), "the statement is as it was", commented);
    law!(
        inside.matches('\'').count() == 2 && !inside.contains("/*"),
        "the comment cannot be left",
        commented
    );
    law!(sql_comment(sets, &Context::new(), &commented) == commented, "it is commented once", commented);
}

/// Writes one header, valid or not.
#[derive(Debug)]
struct Sets(String, String);

impl TextMapPropagator for Sets {
    fn inject_context(&self, _: &Context, injector: &mut dyn Injector) {
        injector.set(&self.0, self.1.clone());
    }

    fn extract_with_context(&self, cx: &Context, _: &dyn Extractor) -> Context {
        cx.clone()
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(std::slice::from_ref(&self.0))
    }
}
