//! Lies about cancellation.

use crate::fault::lie::{Fired, Lie, OnCancel};

/// Runs to the end and answers.
pub(crate) struct IgnoresCancel;

impl Lie for IgnoresCancel {
    fn cancel(&mut self, _method: &str, fired: &mut Fired) -> OnCancel {
        fired.count();
        OnCancel::RunOn
    }
}

/// Answers at the moment of the cancel, as a server does whose answer was just ready.
pub(crate) struct AnswersAsCancelArrives;

impl Lie for AnswersAsCancelArrives {
    fn cancel(&mut self, _method: &str, fired: &mut Fired) -> OnCancel {
        fired.count();
        OnCancel::Answer
    }
}
