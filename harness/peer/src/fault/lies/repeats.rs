//! Lies about how often a request is answered.

use crate::fault::lie::{Fired, Lie, is_reply};
use crate::outgoing::Outgoing;

/// Whether an answer is repeated: those that a harness needs to go on are not.
fn is_repeated(message: &Outgoing, is_subject: bool) -> bool {
    is_subject
        && is_reply(message)
        && !message.about.is_reply_to("initialize")
        && !message.about.is_reply_to("ping")
}

/// Says everything twice.
pub(crate) struct AnswersTwice;

impl Lie for AnswersTwice {
    fn send(&mut self, message: Outgoing, is_subject: bool, fired: &mut Fired) -> Vec<Outgoing> {
        if !is_repeated(&message, is_subject) {
            return vec![message];
        }
        fired.count();
        vec![message.clone(), message]
    }
}

/// Says it again after the next answer.
#[derive(Default)]
pub(crate) struct AnswersTwiceLate {
    kept: Vec<Outgoing>,
}

impl Lie for AnswersTwiceLate {
    fn send(&mut self, message: Outgoing, is_subject: bool, fired: &mut Fired) -> Vec<Outgoing> {
        if !is_reply(&message) {
            return vec![message];
        }
        let again = std::mem::take(&mut self.kept);
        if is_repeated(&message, is_subject) {
            fired.count();
            self.kept.push(message.clone());
        }
        std::iter::once(message).chain(again).collect()
    }

    fn last_words(&mut self) -> Vec<Outgoing> {
        std::mem::take(&mut self.kept)
    }
}
