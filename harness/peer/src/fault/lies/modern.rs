//! Lies of the modern era, by what they are about.

pub(crate) mod breaches;
pub(crate) mod listening;
pub(crate) mod meta;
pub(crate) mod requests;
pub(crate) mod results;
pub(crate) mod rounds;
