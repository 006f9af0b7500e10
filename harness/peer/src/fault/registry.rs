//! The list of named faults: what `serve --list-faults` prints and cards may say.
//!
//! They are listed by theme, each list sorted by name: [`messages`] are faults of what is said, on any binding, and [`handshake`] those of its beginning; [`http`] of what the HTTP
//! layer of the legacy era does; [`modern`] and [`modern_http`] are the same of the modern era; [`oddities`] are no lies, but near misses.

mod handshake;
mod http;
mod messages;
mod modern;
mod modern_http;
mod modern_provocations;
mod oddities;
mod provocations;

use super::lie::{Honest, Lie};
use super::quirk::Quirk;

/// A fault that has a name.
#[derive(Clone, Copy)]
pub struct NamedFault {
    /// The name, as cards and `--fault` have it.
    pub name: &'static str,
    /// What such a server does, as a fragment.
    pub about: &'static str,
    /// Whether the specification allows it: a near miss, not a lie.
    pub is_lawful: bool,
    /// On which bindings it can strike.
    pub over: Over,
    /// What a client does to see it.
    pub provoked_by: &'static [Provocation],
    /// What the HTTP layer does in its own way.
    pub(crate) quirk: Option<Quirk>,
    pub(crate) begin: fn() -> Box<dyn Lie>,
}

/// On which bindings a named fault can strike.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Over {
    /// On all: it is about messages.
    Any,
    /// On lines alone.
    Stdio,
    /// Over HTTP alone.
    Http,
}

/// One HTTP request of a client. What a client always sends (Host, Accept, Content-Type, the session's headers) is added to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HttpAsk {
    /// The method.
    pub method: &'static str,
    /// Headers over the usual ones; `None` leaves one out.
    pub headers: &'static [(&'static str, Option<&'static str>)],
    /// The body.
    pub body: &'static str,
}

/// One thing a client does to see a fault.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Provocation {
    /// The whole handshake for the latest revision, with these client capabilities; over HTTP a GET stream is opened too.
    Open(&'static str),
    /// The handshake for another revision, without client capabilities.
    OpenIn(&'static str),
    /// One line. `@STATE@` in it stands for the `requestState` that was given last.
    Send(&'static str),
    /// Time passes.
    WaitMs(u64),
    /// A `tools/list` for each page, until `nextCursor` is absent or this many pages came.
    Walk(usize),
    /// The input ends.
    Close,
    /// One HTTP request.
    Http(HttpAsk),
    /// One more GET stream.
    Listen,
    /// A GET that resumes the stream of the last POST that was answered by one, from its first event.
    Resume,
    /// A second client does the handshake and all that follows.
    AnotherClient,
    /// Bytes on a socket of their own.
    Raw(&'static str),
}

impl std::fmt::Debug for NamedFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NamedFault")
            .field("name", &self.name)
            .field("about", &self.about)
            .field("is_lawful", &self.is_lawful)
            .finish_non_exhaustive()
    }
}

/// Every named fault, sorted by name.
pub const FAULTS: &[NamedFault] = &sorted();

const COUNT: usize = messages::FAULTS.len()
    + handshake::FAULTS.len()
    + http::FAULTS.len()
    + modern::FAULTS.len()
    + modern_http::FAULTS.len()
    + oddities::FAULTS.len();

/// The lists made one. The compiler runs this, so that the list is a constant and can be searched.
const fn sorted() -> [NamedFault; COUNT] {
    let mut all = [messages::FAULTS[0]; COUNT];
    let lists = [
        messages::FAULTS,
        handshake::FAULTS,
        http::FAULTS,
        modern::FAULTS,
        modern_http::FAULTS,
        oddities::FAULTS,
    ];
    let mut count = 0;
    let mut list = 0;
    while list < lists.len() {
        let mut item = 0;
        while item < lists[list].len() {
            let fault = lists[list][item];
            let mut place = count;
            while place > 0 && is_before(fault.name, all[place - 1].name) {
                all[place] = all[place - 1];
                place -= 1;
            }
            all[place] = fault;
            count += 1;
            item += 1;
        }
        list += 1;
    }
    all
}

const fn is_before(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut at = 0;
    while at < a.len() && at < b.len() {
        if a[at] != b[at] {
            return a[at] < b[at];
        }
        at += 1;
    }
    a.len() < b.len()
}

/// The fault of this name.
pub(crate) fn find(name: &str) -> Option<&'static NamedFault> {
    let place = FAULTS.binary_search_by(|fault| fault.name.cmp(name)).ok()?;
    Some(&FAULTS[place])
}

const LAWFUL: bool = true;
const A_LIE: bool = false;

const fn over_http(
    name: &'static str,
    about: &'static str,
    is_lawful: bool,
    quirk: Quirk,
    provoked_by: &'static [Provocation],
) -> NamedFault {
    NamedFault {
        name,
        about,
        is_lawful,
        over: Over::Http,
        provoked_by,
        quirk: Some(quirk),
        begin: || Box::new(Honest),
    }
}

const fn named(
    name: &'static str,
    about: &'static str,
    is_lawful: bool,
    over: Over,
    provoked_by: &'static [Provocation],
    begin: fn() -> Box<dyn Lie>,
) -> NamedFault {
    NamedFault {
        name,
        about,
        is_lawful,
        over,
        provoked_by,
        quirk: None,
        begin,
    }
}

const fn lawful(
    name: &'static str,
    about: &'static str,
    provoked_by: &'static [Provocation],
    begin: fn() -> Box<dyn Lie>,
) -> NamedFault {
    named(name, about, LAWFUL, Over::Any, provoked_by, begin)
}
