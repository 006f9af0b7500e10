//! Ids that nobody can guess.
//!
//! Session ids of this server are the same in every run; what an id alone gives access to, has one of these.

/// 32 hexadecimal digits of the operating system's randomness.
pub(crate) fn id() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("every operating system that this runs on has randomness");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
