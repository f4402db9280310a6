//! What a configuration file says, whatever it is written in.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// A part of a configuration, and where it is.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Where the format tells.
    pub(crate) line: Option<usize>,
    pub(crate) value: Value,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Text(String),
    /// A number or a truth value, as it is written.
    Plain(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    /// What a map has under a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, node)| node),
            _ => None,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// The part at a path such as `rules[2].conditions`, or as much of the way as there is.
    #[cfg(feature = "boundary")]
    pub(crate) fn at(&self, path: &str) -> &Self {
        let steps = path.split(['.', '[', ']']).filter(|step| !step.is_empty());
        steps
            .scan(self, |node, step| {
                let next = match &node.value {
                    Value::List(nodes) => nodes.get(step.parse::<usize>().ok()?),
                    _ => node.get(step),
                };
                *node = next?;
                Some(*node)
            })
            .last()
            .unwrap_or(self)
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reads).map(|value| Self { line: None, value })
    }
}

struct Reads;

impl<'de> Visitor<'de> for Reads {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a part of a configuration")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Node::deserialize(deserializer).map(|node| node.value)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Plain(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Plain(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Plain(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Plain(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element()? {
            nodes.push(node);
        }
        Ok(Value::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries: Vec<(String, Node)> = Vec::new();
        while let Some((key, node)) = map.next_entry::<String, Node>()? {
            if entries.iter().any(|(known, _)| *known == key) {
                return Err(A::Error::custom("a key is there twice"));
            }
            entries.push((key, node));
        }
        Ok(Value::Map(entries))
    }
}

/// For what reads its part by `serde`.
#[cfg(feature = "boundary")]
mod read {
    use super::{Node, Value};
    use serde::{
        de::{
            Deserializer, IntoDeserializer, Visitor,
            value::{Error, MapDeserializer, SeqDeserializer, StrDeserializer},
        },
        forward_to_deserialize_any,
    };

    impl<'de> Deserializer<'de> for &'de Node {
        type Error = Error;

        fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match &self.value {
                Value::Null => visitor.visit_unit(),
                Value::Text(text) => visitor.visit_borrowed_str(text),
                Value::Plain(text) => match (text.parse(), text.parse(), text.parse()) {
                    (Ok(number), ..) => visitor.visit_u64(number),
                    (_, Ok(truth), _) => visitor.visit_bool(truth),
                    (.., Ok(number)) => visitor.visit_f64(number),
                    _ => visitor.visit_borrowed_str(text),
                },
                Value::List(nodes) => visitor.visit_seq(SeqDeserializer::new(nodes.iter())),
                Value::Map(entries) => visitor
                    .visit_map(MapDeserializer::new(entries.iter().map(|(key, node)| (key.as_str(), node)))),
            }
        }

        fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
        }

        fn deserialize_enum<V: Visitor<'de>>(
            self,
            name: &'static str,
            variants: &'static [&'static str],
            visitor: V,
        ) -> Result<V::Value, Error> {
            match &self.value {
                Value::Text(text) => {
                    StrDeserializer::<Error>::new(text).deserialize_enum(name, variants, visitor)
                }
                _ => self.deserialize_any(visitor),
            }
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
            newtype_struct seq tuple tuple_struct map struct identifier ignored_any
        }
    }

    impl<'de> IntoDeserializer<'de, Error> for &'de Node {
        type Deserializer = Self;

        fn into_deserializer(self) -> Self {
            self
        }
    }
}
