//! What a named fault can do: the places where an honest server asks.

use crate::client::Terms;
use crate::error::RpcError;
use crate::incoming::Arrival;
use crate::modern::meta::Meta;
use crate::modern::mrtr::Rounds;
use crate::outgoing::{About, Outgoing};
use mcp_assay_model::protocol::Era;
use serde_json::Value;
use std::time::Duration;

/// What can be wrong with a modern request: one for each rule that a server may forget apart from the others.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Breach {
    /// No `MCP-Protocol-Version`.
    VersionHeaderMissing,
    /// `MCP-Protocol-Version` is not what the body says.
    VersionHeaderDiffers,
    /// No `Mcp-Method`.
    MethodHeaderMissing,
    /// `Mcp-Method` is not what the body says, by case alone.
    MethodHeaderCase,
    /// `Mcp-Method` is not what the body says.
    MethodHeaderDiffers,
    /// No `Mcp-Name`.
    NameHeaderMissing,
    /// `Mcp-Name` stands for nothing.
    NameHeaderMalformed,
    /// `Mcp-Name` is not what the body says.
    NameHeaderDiffers,
    /// No `Mcp-Param-*` for an annotated argument that is there.
    ParamHeaderMissing,
    /// An `Mcp-Param-*` stands for nothing.
    ParamHeaderMalformed,
    /// An `Mcp-Param-*` is not what the body says.
    ParamHeaderDiffers,
    /// No `_meta`.
    NoMeta,
    /// No `protocolVersion`.
    NoVersion,
    /// No `clientCapabilities`.
    NoCapabilities,
    /// A member of `_meta` that has another type.
    MetaType,
    /// A `logLevel` that is none.
    LogLevel,
    /// A version that the server does not speak.
    UnsupportedVersion,
    /// A method that the revision does not have.
    UnknownMethod,
    /// A capability is needed that was not declared.
    UndeclaredCapability,
    /// Elicitation by form is needed, and only another mode was declared.
    UndeclaredMode,
    /// A `requestState` that the server did not give for this request, or too long ago.
    RequestState,
    /// An answer that is no result of the kind that was asked for.
    InputResponse,
    /// A `subscriptions/listen` without a filter that can be read.
    Filter,
}

impl Breach {
    /// Whether it is answered with -32020.
    pub fn is_of_headers(self) -> bool {
        match self {
            Breach::VersionHeaderMissing
            | Breach::VersionHeaderDiffers
            | Breach::MethodHeaderMissing
            | Breach::MethodHeaderCase
            | Breach::MethodHeaderDiffers
            | Breach::NameHeaderMissing
            | Breach::NameHeaderMalformed
            | Breach::NameHeaderDiffers
            | Breach::ParamHeaderMissing
            | Breach::ParamHeaderMalformed
            | Breach::ParamHeaderDiffers => true,
            Breach::NoMeta
            | Breach::NoVersion
            | Breach::NoCapabilities
            | Breach::MetaType
            | Breach::LogLevel
            | Breach::UnsupportedVersion
            | Breach::UnknownMethod
            | Breach::UndeclaredCapability
            | Breach::UndeclaredMode
            | Breach::RequestState
            | Breach::InputResponse
            | Breach::Filter => false,
        }
    }
}

/// One stateful lie, on one connection.
///
/// **Shape**: every method's default is honest. What a method changes counts as fired where it says so to [`Fired`].
pub(crate) trait Lie: Send {
    /// What holds for the whole connection.
    fn habits(&self) -> Habits {
        Habits::default()
    }

    /// Something came that the fault is about.
    fn hear(&mut self, _heard: &Heard<'_>, _fired: &mut Fired) -> Course {
        Course::Honest
    }

    /// A request that runs is cancelled.
    fn cancel(&mut self, _method: &str, _fired: &mut Fired) -> OnCancel {
        OnCancel::Stop
    }

    /// Something is wrong with a modern request, for which it is to be refused with this error.
    ///
    /// **Errors**: the answer; where there is none, the request is served.
    fn breach(
        &mut self,
        _breach: Breach,
        error: RpcError,
        _fired: &mut Fired,
    ) -> Result<(), RpcError> {
        Err(error)
    }

    /// A modern request says this about itself.
    fn meta(&mut self, _meta: &mut Meta, _fired: &mut Fired) {}

    /// A request that may ask brings this of earlier rounds.
    fn rounds(&mut self, _rounds: &mut Rounds, _fired: &mut Fired) {}

    /// A message is about to go out. `is_subject`: the fault is about it; others are shown because a lie may wait for them.
    fn send(&mut self, message: Outgoing, _is_subject: bool, _fired: &mut Fired) -> Vec<Outgoing> {
        vec![message]
    }

    /// The input has ended and every answer is out: what is still to be said.
    fn last_words(&mut self) -> Vec<Outgoing> {
        Vec::new()
    }
}

/// No lie about messages: what a server has whose deviation shows elsewhere.
pub(crate) struct Honest;

impl Lie for Honest {}

/// Whether the lie was told.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fired(u64);

impl Fired {
    /// It was.
    pub fn count(&mut self) {
        self.0 += 1;
    }

    /// How often.
    pub fn times(self) -> u64 {
        self.0
    }
}

/// Habits of a server that do not depend on a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Habits {
    /// Written to stdout before anything else.
    pub banner: &'static str,
    /// Time before the first line is read.
    pub start_delay: Duration,
    /// Time that each answer, save that to `initialize`, lies in a buffer.
    pub answer_delay: Duration,
    /// The same for the first of these, the third, and so on, on top.
    pub every_second_answer_delay: Duration,
    /// Entries of a page, where they are not as many as the server was told.
    pub page_size: Option<usize>,
    /// Bytes that are written at once, at most.
    pub piece: usize,
    /// Written after each message.
    pub terminator: &'static str,
    /// Whether the answers to a batch go out one by one.
    pub splits_batches: bool,
    /// Whether a request waits until the one before is answered.
    pub is_serial: bool,
    /// What happens at the end of the input.
    pub at_end: AtEnd,
}

impl Default for Habits {
    fn default() -> Self {
        Habits {
            banner: "",
            start_delay: Duration::ZERO,
            answer_delay: Duration::ZERO,
            every_second_answer_delay: Duration::ZERO,
            page_size: None,
            piece: usize::MAX,
            terminator: "\n",
            splits_batches: false,
            is_serial: false,
            at_end: AtEnd::Finish,
        }
    }
}

/// What a server does at the end of its input.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AtEnd {
    /// Finishes the answers under way and exits with 0.
    Finish,
    /// Exits with 0 at once.
    Drop,
    /// Finishes, and exits with this code.
    Exit(i32),
    /// Finishes, and runs on.
    Stay,
}

/// Something that came from the client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heard<'a> {
    /// What.
    pub what: What<'a>,
    /// What was agreed, once it was; of a modern request what it says itself.
    pub terms: Option<&'a Terms>,
}

impl Heard<'_> {
    /// Whether it is of the modern era.
    pub fn is_modern(&self) -> bool {
        self.terms
            .is_some_and(|terms| terms.revision.era() == Era::Modern)
    }
}

/// Kinds of what comes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What<'a> {
    /// No JSON, or JSON that is no message.
    Malformed,
    /// A batch, before its items are looked at.
    Batch,
    /// A request, by its keys.
    Request(&'a Arrival, &'a str, u64),
    /// A notification.
    Notification(&'a Arrival, &'a str),
}

impl<'a> What<'a> {
    /// The message, where there is one.
    pub fn arrival(self) -> Option<&'a Arrival> {
        match self {
            What::Malformed | What::Batch => None,
            What::Request(arrival, ..) | What::Notification(arrival, _) => Some(arrival),
        }
    }
}

/// What the server does with what it heard.
#[derive(Debug)]
pub(crate) enum Course {
    /// What the specification says.
    Honest,
    /// Takes the request although it may not be taken now, or with this id.
    Admit,
    /// Nothing, as if it asked for no answer.
    Ignore,
    /// Never answers it. Over HTTP its stream stays open, where [`Course::Ignore`] accepts the POST.
    Silence,
    /// Answers the request with this.
    Answer(Result<Value, RpcError>),
    /// Says this first, then does what the specification says.
    Say(Vec<Outgoing>),
    /// Ends the process with this code.
    Exit(i32),
    /// Never says anything again; the process ends with its input.
    Hang,
}

/// What becomes of a running request that is cancelled.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OnCancel {
    /// It stops.
    Stop,
    /// It runs on and is answered.
    RunOn,
    /// It stops and is answered at once, with the smallest lawful result.
    Answer,
}

/// Whether a message is the response to a request.
pub(crate) fn is_reply(message: &Outgoing) -> bool {
    matches!(message.about, About::Reply { .. })
}
