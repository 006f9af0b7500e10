//! Lies about cancellation.

use crate::error::RpcError;
use crate::fault::lie::{Course, Fired, Heard, Lie, OnCancel, What};

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

/// Takes a cancellation of the request 0 for one of nothing.
pub(crate) struct MissesCancelOfZero;

impl Lie for MissesCancelOfZero {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        match heard.what {
            What::Notification(arrival, "notifications/cancelled")
                if arrival
                    .raw_at("/params/requestId")
                    .is_some_and(|id| id.0 == "0") =>
            {
                fired.count();
                Course::Ignore
            }
            What::Request(..) | What::Notification(..) | What::Batch | What::Malformed => {
                Course::Honest
            }
        }
    }
}

/// Takes everything that comes behind a cancellation for cancelled.
#[derive(Default)]
pub(crate) struct CancelsAllThatFollows {
    is_cancelled: bool,
}

impl Lie for CancelsAllThatFollows {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        match heard.what {
            What::Notification(_, "notifications/cancelled") => {
                self.is_cancelled = true;
                Course::Honest
            }
            // The fence is still answered, if by an error.
            What::Request(..) if self.is_cancelled => {
                fired.count();
                Course::Answer(Err(RpcError::internal("cancelled")))
            }
            What::Request(..) | What::Notification(..) | What::Batch | What::Malformed => {
                Course::Honest
            }
        }
    }
}
