//! Scenario cards, parsed: one conversation, the checks that judge it, and the faults that prove the checks.

use crate::finding::FindingCode;
use crate::protocol::{Binding, Revision, Role};
use crate::template::Template;
use crate::verdict::Verdict;
use std::fmt;
use std::ops::Range;

/// Byte range in the card's source, for diagnostics.
pub type Span = Range<usize>;

/// One card.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// `<area>/<name>`; stable.
    pub id: String,
    /// First comment line of the card, where there is one: what the conversation is about.
    pub about: Option<String>,
    /// Which side is the target.
    pub role: Role,
    /// First revision.
    pub since: Revision,
    /// Last revision, inclusive.
    pub until: Option<Revision>,
    /// What a run needs, in order of the card.
    pub needs: Vec<Need>,
    /// Whether other cards may use its connection before and after.
    pub share: bool,
    /// Values to run with; one case for each combination. At least one value each.
    pub vary: Vec<Vary>,
    /// The conversation.
    pub steps: Vec<Step>,
    /// The judgements, in order.
    pub checks: Vec<Check>,
    /// Where the card lies (relative path) and its text.
    pub source: Source,
}

/// A card's file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Source {
    /// Path shown in diagnostics.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// One varied name.
#[derive(Clone, Debug, PartialEq)]
pub struct Vary {
    /// Name, as in `{$vary: name}`.
    pub name: String,
    /// Its values.
    pub values: Vec<Template>,
}

/// What a scenario needs; unmet needs give the reason a case did not run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Need {
    /// `binding:http`.
    Binding(Binding),
    /// `session`: an MCP session.
    Session,
    /// `modern-only`: a target that speaks no legacy revision.
    ModernOnly,
    /// `capability:tools.listChanged`: claimed by the target.
    Capability(String),
    /// `allow:call`: permission to call tools.
    AllowCall,
    /// `fixture:slow`.
    Fixture(String),
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Need::Binding(binding) => write!(f, "binding:{binding}"),
            Need::Session => f.write_str("session"),
            Need::ModernOnly => f.write_str("modern-only"),
            Need::Capability(path) => write!(f, "capability:{path}"),
            Need::AllowCall => f.write_str("allow:call"),
            Need::Fixture(name) => write!(f, "fixture:{name}"),
        }
    }
}

/// One step and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What to do.
    pub action: Action,
    /// Where the card says so.
    pub span: Span,
}

/// The nine verbs. Steps drive, they never judge.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Opens the conversation: in the legacy era the whole handshake. A card without `open` has a bare connection.
    Open {
        /// Label of the connection; also names the reply to `initialize`.
        label: String,
        /// Members that override those of the era's own parameters (`protocolVersion`, `capabilities`, `clientInfo`); null removes one.
        client: Vec<(String, Template)>,
        /// Answers to the target's requests, by method: a whole `{ result: … }` or `{ error: … }`.
        answer: Vec<(String, Template)>,
    },
    /// Sends a message, a batch, or exact JSON text.
    Send {
        /// Label of the send; for a batch each item has its own.
        label: Option<String>,
        /// What goes out.
        what: Payload,
    },
    /// Waits for a message.
    Await {
        /// Label of what came.
        label: Option<String>,
        /// What is awaited.
        what: Awaited,
        /// Shortens the deadline.
        within: Option<Template>,
    },
    /// Watches for silence up to the fence's answer and a grace.
    Quiet {
        /// Label of the window.
        label: String,
        /// Label of the request watched, or `any`.
        about: String,
        /// Lengthens the window: the time in milliseconds that an answer would take; times 1.5.
        lasting_ms: Option<Template>,
    },
    /// Cancels a request, as era and binding have it.
    Cancel {
        /// Label of the request.
        request: String,
    },
    /// Writes bytes as they are.
    Raw {
        /// Label, so that an answer without a readable id can be attributed.
        label: Option<String>,
        /// The bytes, a newline only where the card has one.
        bytes: Vec<u8>,
    },
    /// An HTTP request beside the protocol's own.
    Http {
        /// Label.
        label: Option<String>,
        /// Method.
        method: String,
        /// Headers over the connection's; `None` removes one, an array sends one several times.
        headers: Vec<(String, Option<Template>)>,
        /// Body: a text, or JSON text of another value.
        body: Option<Template>,
    },
    /// Closes something.
    Close(Close),
    /// A parameterised step written in Rust.
    Native {
        /// Name in the registry.
        name: String,
        /// Label of what it binds.
        label: Option<String>,
        /// Parameters.
        parameters: Vec<(String, Template)>,
    },
}

/// What a `send` writes.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// A message of our making.
    Message(Outgoing),
    /// A batch.
    Batch(Vec<(Option<String>, Outgoing)>),
    /// JSON text, as typed.
    Json(String),
}

/// A message before the era completes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// The members as written in the card, without `jsonrpc` and `id`.
    pub message: Template,
    /// Which id it gets.
    pub id: OutgoingId,
    /// Members set in `_meta` over the era's.
    pub meta_set: Vec<(String, Template)>,
    /// Members removed from `_meta`.
    pub meta_remove: Vec<String>,
}

/// Which id a sent message gets.
#[derive(Clone, Debug, PartialEq)]
pub enum OutgoingId {
    /// A fresh one, unless the method begins with `notifications/`.
    Auto,
    /// None.
    None,
    /// The one written.
    Written(Template),
}

/// What an `await` waits for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Awaited {
    /// The response to a labelled request.
    ReplyTo(String),
    /// A request from the target.
    Request {
        /// Its method.
        method: String,
        /// Only after this label.
        since: Option<String>,
    },
    /// A notification from the target.
    Notification {
        /// Its method.
        method: String,
        /// Only after this label.
        since: Option<String>,
        /// Only on this request's stream.
        on: Option<String>,
    },
    /// The HTTP status of a labelled send.
    Status(String),
    /// The end of the target's process.
    Exit(String),
}

/// What a `close` closes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Close {
    /// The whole connection.
    Connection(String),
    /// The response stream of a request.
    Stream(String),
    /// The target's standard input.
    Stdin(String),
}

/// One judgement with an id.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// Last part of the id.
    pub name: String,
    /// What it says, in a line.
    pub title: String,
    /// The rule, in our words.
    pub rule: String,
    /// Whether the specification or good sense demands it.
    pub basis: Basis,
    /// Requirements cited: first statements.
    pub cites: Vec<String>,
    /// Row of the table of conflicts: warned at most.
    pub contested: Option<String>,
    /// Finding code in place of the judgement's own.
    pub code: Option<FindingCode>,
    /// Label judged.
    pub on: Option<String>,
    /// Precondition; unmet means not applicable.
    pub given: Option<Given>,
    /// The judgement.
    pub expect: Expect,
    /// Lawful variations that must not fail.
    pub near: Vec<Near>,
    /// Lies that must be caught.
    pub mutants: Vec<Mutant>,
    /// Where it stands.
    pub span: Span,
}

/// What a check rests on.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// The specification; it cites.
    Spec,
    /// Good sense: stays alive, answers in time, ends its lists; cites nothing.
    Robustness,
}

/// A precondition.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// One judgement on a label.
    One {
        /// Label judged.
        on: String,
        /// What must hold.
        expect: Expect,
    },
    /// All of them.
    All(Vec<Given>),
}

/// A judgement.
#[derive(Clone, Debug, PartialEq)]
pub enum Expect {
    /// JSON Schema on a part of the message; the message must be of that kind.
    Message {
        /// Which part.
        part: Part,
        /// JSON Schema, with references and `spec: Name`.
        schema: Template,
    },
    /// The id, or what stands at a pointer, has the same raw text as the id of a request.
    SameId {
        /// Label of the request.
        request: String,
        /// Pointer into the judged message; `/id` unless given.
        at: String,
    },
    /// No such message came.
    None {
        /// What must not come.
        kind: Absent,
        /// Label of the `quiet` window; without it the whole conversation after the judged label.
        within: Option<String>,
    },
    /// HTTP facts.
    Http {
        /// Statuses accepted: `404`, `2xx`.
        status: Vec<String>,
        /// Header values as JSON Schema; `None`: must be absent.
        headers: Vec<(String, Option<Template>)>,
        /// Media type.
        content_type: Option<String>,
    },
    /// The process ended.
    Exit {
        /// Within this time, in milliseconds.
        within_ms: Option<Template>,
        /// With this code.
        code: Option<i32>,
    },
    /// One of several.
    AnyOf(Vec<Expect>),
    /// A judge written in Rust.
    Native(String),
}

/// Part of a message that a schema judges.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Part {
    /// The result of a result response.
    Result,
    /// The error object of an error response.
    Error,
    /// The params of a notification.
    Notification,
    /// The params of a request.
    Request,
    /// The whole response.
    Reply,
}

impl Part {
    /// The key in a card.
    pub fn as_str(self) -> &'static str {
        match self {
            Part::Result => "result",
            Part::Error => "error",
            Part::Notification => "notification",
            Part::Request => "request",
            Part::Reply => "reply",
        }
    }
}

/// What must not come.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Absent {
    /// A response to the judged request.
    Reply,
    /// A result response to the judged request.
    Result,
    /// Any notification.
    Notification,
    /// Any request.
    Request,
    /// Anything at all.
    Any,
}

/// A lawful variation of the reference peer.
#[derive(Clone, Debug, PartialEq)]
pub struct Near {
    /// Where it deviates.
    pub at: Option<FaultAt>,
    /// How.
    pub fault: Fault,
    /// What the check must then say; `Ok(Pass)` unless stated, `Err(())` for not-applicable.
    pub verdict: NearVerdict,
    /// Where it stands.
    pub span: Span,
}

/// What a check must say of a near miss.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NearVerdict {
    /// This verdict.
    Verdict(Verdict),
    /// Not applicable.
    NotApplicable,
}

/// One lie that the check must catch.
#[derive(Clone, Debug, PartialEq)]
pub struct Mutant {
    /// What kind of server this would be, as a fragment.
    pub why: String,
    /// Where it lies.
    pub at: Option<FaultAt>,
    /// How.
    pub fault: Fault,
    /// Codes that this check must report, each in at least one case.
    pub finds: Vec<FindingCode>,
    /// What else may fire: `ID:code`.
    pub also: Vec<String>,
    /// Where it stands.
    pub span: Span,
}

/// The message at which a fault strikes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FaultAt {
    /// Which kind.
    pub target: FaultTarget,
    /// The how-manyeth of that kind on a connection, from 1.
    pub nth: u32,
    /// Only in these revisions, inclusive.
    pub revisions: Option<(Revision, Revision)>,
}

/// Kinds of messages of the reference peer that a fault can strike.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FaultTarget {
    /// Its response to a request with this method (`*`: any; `!`: to what is no request).
    ReplyTo(String),
    /// Its own request.
    Request(String),
    /// Its own notification.
    Notification(String),
    /// Its HTTP response to this HTTP method.
    Http(String),
}

/// One lie.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// Sets a value.
    Set {
        /// JSON pointer.
        at: String,
        /// The value.
        to: Template,
    },
    /// Removes a member.
    Remove {
        /// JSON pointer.
        at: String,
    },
    /// Replaces members of the message: result, error, params; keeps `jsonrpc` and `id`.
    Replace(Vec<(String, Template)>),
    /// Says nothing.
    Drop,
    /// Says it again, this many times more.
    Duplicate(u32),
    /// Says it later.
    DelayMs(u64),
    /// Says these messages before it, each a JSON text; for the proofs of observers, not written in cards.
    Before(Vec<String>),
    /// Swaps it with the next message.
    Reorder,
    /// Writes these bytes instead.
    Raw(Vec<u8>),
    /// Writes it in two pieces, cut at this byte.
    Split(usize),
    /// HTTP status.
    Status(u16),
    /// HTTP header; `None` removes it.
    Header(String, Option<String>),
    /// HTTP body.
    Body(String),
    /// A named stateful fault.
    Named(String),
}
