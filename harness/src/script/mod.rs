//! Runs the steps of one card over one conversation.

pub mod answers;
pub mod attribution;
pub mod compose;
pub mod conversation;
pub mod execute;
pub mod pace;
pub mod scope;
pub mod transcript;
