//! Context through the message types of clients that are heavy to build: what `docs/carriers.md` says to write, word for
//! word, and compiled.
//!
//! ```sh
//! cargo test --locked --manifest-path examples/clients/Cargo.toml --target-dir target/clients
//! ```
//!
//! It needs a C compiler and `make` (for librdkafka, which is built from its source) and `protoc` (for Pulsar's protocol):
//! Debian's `build-essential` and `protobuf-compiler`. No broker is asked: a test carries a context through each client's
//! own type of message, there and back.
#![allow(missing_docs, reason = "the page has them as they stand here")]

pub mod events;
pub mod kafka;
pub mod mqtt;
pub mod pulsar;
pub mod sqs;
