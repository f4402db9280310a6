//! Sets of bytes, written as their ABNF.

/// A set of bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ByteSet([bool; 256]);

impl ByteSet {
    pub(crate) const EMPTY: Self = Self([false; 256]);

    /// The set with the bytes from `first` to `last` as well.
    #[allow(clippy::indexing_slicing, reason = "the compiler evaluates it")]
    pub(crate) const fn range(mut self, first: u8, last: u8) -> Self {
        let mut byte = first;
        while byte <= last {
            self.0[byte as usize] = true;
            byte += 1;
        }
        self
    }

    /// The set with one byte more.
    pub(crate) const fn add(self, byte: u8) -> Self {
        self.range(byte, byte)
    }

    pub(crate) fn has(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte)).copied().unwrap_or_default()
    }

    pub(crate) fn has_all(&self, bytes: &[u8]) -> bool {
        bytes.iter().fold(true, |all, &byte| all & self.has(byte))
    }

    /// How many bytes at the beginning of the text are in the set, up to `at_most`.
    pub(crate) fn prefix(&self, text: &str, at_most: usize) -> usize {
        let bytes = text.as_bytes();
        let bytes = bytes.get(..at_most).unwrap_or(bytes);
        bytes.iter().position(|&byte| !self.has(byte)).unwrap_or(bytes.len())
    }
}
