//! What `open` and `cancel` mean in an era; only this module knows.

pub mod legacy;
