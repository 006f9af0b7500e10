//! The named faults, by what they lie about.

pub(super) mod cancel;
pub(super) mod exchange;
pub(super) mod habit;
pub(super) mod handshake;
pub(super) mod ids;
pub(super) mod modern;
pub(super) mod oddities;
pub(super) mod pages;
pub(super) mod progress;
pub(super) mod repeats;
pub(super) mod strikes;
pub(super) mod version;
