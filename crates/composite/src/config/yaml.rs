//! YAML text.

use super::{
    ConfigError,
    node::{Node, Value},
    substitute::substitute,
};
use crate::error::Quoted;
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};
use std::collections::HashMap;

/// Reads one document. Variables are put into its scalars before these have a type.
pub(crate) fn parse(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Node, ConfigError> {
    let reader = Reader { events: Parser::new_from_str(text), variable, anchors: HashMap::new() };
    reader.document()
}

struct Reader<'a, V> {
    events: Parser<'a, StrInput<'a>>,
    variable: V,
    /// What an alias stands for. One is copied for each of its aliases, so they may not grow without bound.
    anchors: HashMap<usize, Node>,
}

/// No configuration is nested as deep as this.
const DEEPEST: usize = 64;

impl<'a, V: Fn(&str) -> Option<String>> Reader<'a, V> {
    fn document(mut self) -> Result<Node, ConfigError> {
        loop {
            match self.next()? {
                None | Some((Event::StreamEnd | Event::DocumentEnd, _)) => {
                    return Ok(Node { line: None, value: Value::Null });
                }
                Some((Event::Nothing | Event::StreamStart | Event::DocumentStart(_), _)) => {}
                Some((event, span)) => return self.node(&event, span, DEEPEST),
            }
        }
    }

    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, ConfigError> {
        self.events.next().transpose().map_err(|error| not_yaml(&error))
    }

    fn node(&mut self, event: &Event<'_>, span: Span, depth: usize) -> Result<Node, ConfigError> {
        let line = Some(span.start.line());
        let depth = depth.checked_sub(1).ok_or_else(|| ConfigError::new("", line, "nested too deep"))?;
        let (anchor, value) = match event {
            Event::Scalar(text, style, anchor, _) => (*anchor, self.scalar(text, *style, line)?),
            Event::SequenceStart(anchor, _) => (*anchor, self.list(depth)?),
            Event::MappingStart(anchor, _) => (*anchor, self.map(depth)?),
            Event::Alias(anchor) => {
                let value = self.anchors.get(anchor).map(|node| node.value.clone());
                return Ok(Node { line, value: value.unwrap_or(Value::Null) });
            }
            _ => return Err(ConfigError::new("", line, "not a part of a document")),
        };
        let node = Node { line, value };
        if anchor > 0 {
            if contains_much(&node) {
                return Err(ConfigError::new("", line, "an anchor for too much"));
            }
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    /// > Environment variable substitution MUST only apply to scalar values.
    fn scalar(&self, text: &str, style: ScalarStyle, line: Option<usize>) -> Result<Value, ConfigError> {
        let text = substitute(text, &self.variable).map_err(|_| {
            ConfigError::new("", line, "a reference to a variable that is not ${NAME} or ${NAME:-default}")
        })?;
        Ok(if style == ScalarStyle::Plain { plain(&text) } else { Value::Text(text.into_owned()) })
    }

    fn list(&mut self, depth: usize) -> Result<Value, ConfigError> {
        let mut nodes = Vec::new();
        loop {
            match self.next()? {
                None | Some((Event::SequenceEnd, _)) => return Ok(Value::List(nodes)),
                Some((event, span)) => nodes.push(self.node(&event, span, depth)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, ConfigError> {
        let mut entries: Vec<(String, Node)> = Vec::new();
        loop {
            let (key, line) = match self.next()? {
                None | Some((Event::MappingEnd, _)) => return Ok(Value::Map(entries)),
                Some((Event::Scalar(key, ..), span)) => (key.into_owned(), Some(span.start.line())),
                Some((_, span)) => {
                    return Err(ConfigError::new("", Some(span.start.line()), "a key that is not text"));
                }
            };
            if entries.iter().any(|(known, _)| *known == key) {
                return Err(ConfigError::new("", line, &format!("the key {} is there twice", Quoted(&key))));
            }
            let Some((event, span)) = self.next()? else { return Ok(Value::Map(entries)) };
            let node = self.node(&event, span, depth)?;
            entries.push((key, node));
        }
    }
}

/// How much may stand for an alias: more than any configuration says twice, and so little that aliases of aliases do not
/// grow.
fn contains_much(node: &Node) -> bool {
    count(node) > 256
}

fn count(node: &Node) -> usize {
    1 + match &node.value {
        Value::List(nodes) => nodes.iter().map(count).sum::<usize>(),
        Value::Map(entries) => entries.iter().map(|(_, node)| count(node)).sum(),
        _ => 0,
    }
}

/// The types of the core schema: <https://yaml.org/spec/1.2.2/#103-core-schema>.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Plain("true".to_owned()),
        "false" | "False" | "FALSE" => Value::Plain("false".to_owned()),
        _ if text.parse::<f64>().is_ok() && text.contains(|char: char| char.is_ascii_digit()) => {
            Value::Plain(text.to_owned())
        }
        _ => Value::Text(text.to_owned()),
    }
}

fn not_yaml(error: &ScanError) -> ConfigError {
    ConfigError::new("", Some(error.marker().line()), &format!("not YAML: {}", error.info()))
}
