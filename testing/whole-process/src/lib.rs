//! Nothing: the tests are all there is. Each file of `tests/` is one process, with its own throttles, subscriber and
//! global propagator.
