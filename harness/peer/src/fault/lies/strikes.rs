//! Lies that end the conversation: one thing comes, and the server dies or hangs.

use crate::fault::lie::{Course, Fired, Heard, Lie, What};
use crate::modern;
use crate::server::{NOTIFICATIONS, REQUESTS};

/// What does it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Provoked {
    /// A line that is no JSON-RPC message.
    Malformed,
    /// A request for an unknown method.
    UnknownMethod,
    /// An unknown notification.
    UnknownNotification,
    /// A cancellation, of whatever.
    Cancel,
    /// The request `initialize`.
    Initialize,
    /// The request `tools/call`.
    Call,
    /// The request `server/discover`.
    Discover,
    /// Arrays and objects more than 64 levels deep.
    DeepNesting,
}

/// Ends when provoked.
pub(crate) struct Ends {
    by: Provoked,
    course: fn() -> Course,
}

/// The process ends with code 1.
pub(crate) fn then_exit(by: Provoked) -> Ends {
    Ends {
        by,
        course: || Course::Exit(1),
    }
}

/// The process lives and never speaks again.
pub(crate) fn then_hang(by: Provoked) -> Ends {
    Ends {
        by,
        course: || Course::Hang,
    }
}

impl Lie for Ends {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        let is_provoked = match (self.by, heard.what) {
            (Provoked::Malformed, What::Malformed) => true,
            (Provoked::UnknownMethod, What::Request(_, method, _)) if heard.is_modern() => {
                !modern::REQUESTS.contains(&method)
            }
            (Provoked::UnknownMethod, What::Request(_, method, _)) => !REQUESTS.contains(&method),
            (Provoked::UnknownNotification, What::Notification(_, method)) => {
                !NOTIFICATIONS.contains(&method)
            }
            (Provoked::Cancel, What::Notification(_, method)) => {
                method == "notifications/cancelled"
            }
            (Provoked::Initialize, What::Request(_, method, _)) => method == "initialize",
            (Provoked::Call, What::Request(_, method, _)) => method == "tools/call",
            (Provoked::Discover, What::Request(_, method, _)) => method == "server/discover",
            (
                Provoked::DeepNesting,
                What::Request(arrival, ..) | What::Notification(arrival, _),
            ) => depth(&arrival.text) > 64,
            (
                Provoked::Malformed
                | Provoked::UnknownMethod
                | Provoked::UnknownNotification
                | Provoked::Cancel
                | Provoked::Initialize
                | Provoked::Call
                | Provoked::Discover
                | Provoked::DeepNesting,
                _,
            ) => false,
        };
        if !is_provoked {
            return Course::Honest;
        }
        fired.count();
        (self.course)()
    }
}

/// How deep the brackets of a JSON text go. Those in strings count too where they do not close: near enough for a bug.
fn depth(text: &str) -> usize {
    let mut deepest = 0;
    let mut open = 0_usize;
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}
