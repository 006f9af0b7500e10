//! Lies that show in every message, or in none.

use crate::fault::lie::{Fired, Habits, Lie};
use crate::json::Json;
use crate::outgoing::{About, Outgoing};

/// One habit that is not the usual one.
pub(crate) struct Habit(Habits);

impl Habit {
    /// The usual habits, save what `change` changes.
    pub fn begin(change: fn(&mut Habits)) -> Box<dyn Lie> {
        let mut habits = Habits::default();
        change(&mut habits);
        Box::new(Habit(habits))
    }
}

impl Lie for Habit {
    fn habits(&self) -> Habits {
        self.0
    }
}

/// Prints what it does where only messages may go.
pub(crate) struct LogsOnStdout;

impl Lie for LogsOnStdout {
    fn send(&mut self, message: Outgoing, is_subject: bool, fired: &mut Fired) -> Vec<Outgoing> {
        if !is_subject || !message.about.is_reply_to("tools/call") {
            return vec![message];
        }
        fired.count();
        let line = Outgoing {
            about: About::ReplyToNone,
            post: message.post,
            era: message.era,
            status: None,
            json: Json::Raw("INFO called a tool".to_owned()),
        };
        vec![line, message]
    }
}
