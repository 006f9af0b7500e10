//! The teller: the planted fault on one connection, between the server and the wire.

use super::aim::Aim;
use super::lie::{Breach, Course, Fired, Habits, Heard, Lie, OnCancel, What};
use super::wire::{self, Struck};
use super::{FaultRefused, Planted, registry};
use crate::error::RpcError;
use crate::incoming::Arrival;
use crate::json::Json;
use crate::modern::meta::Meta;
use crate::modern::mrtr::Rounds;
use crate::options::Resolve;
use crate::outgoing::{About, Outgoing, PostNumber};
use mcp_assay_model::protocol::{Era, Revision};
use mcp_assay_model::scenario::Fault;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// One connection's fault, if it has one.
pub(crate) struct Teller {
    planted: Option<Planted>,
    aim: Aim,
    lie: Option<Box<dyn Lie>>,
    resolve: Option<Resolve>,
    /// The negotiated revision, or before that those on offer, latest first.
    revisions: Vec<Revision>,
    /// Requests that a named fault with a target is about.
    subjects: HashSet<u64>,
    refused: Option<FaultRefused>,
    /// Answers so far, save those to `initialize`.
    answers: u64,
    fired: u64,
    is_dying: bool,
    is_agreed: bool,
}

/// What is said in the modern era is in the one revision it has.
const MODERN: [Revision; 1] = [Revision::R2026_07_28];

/// The revisions that a message can be in.
fn revisions<'a>(message: &Outgoing, agreed: &'a [Revision]) -> &'a [Revision] {
    match message.era {
        Era::Legacy => agreed,
        Era::Modern => &MODERN,
    }
}

/// Something to write.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Utterance {
    /// What.
    pub content: Content,
    /// What kind of message it was before anything befell it; of an array, its first.
    pub about: About,
    /// The POST it relates to, over HTTP.
    pub post: Option<PostNumber>,
    /// The HTTP status that it is answered with, where it has one of its own.
    pub status: Option<u16>,
    /// How long to wait before, while others may go.
    pub delay: Duration,
    /// Whether to wait until another has gone.
    pub is_held: bool,
    /// Where to cut it in two.
    pub cut: Option<usize>,
}

/// What is written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    /// One message, as a line or an item of a batch.
    Message(String),
    /// Bytes as they are.
    Bytes(Vec<u8>),
}

impl Utterance {
    /// Whether it can stand among the answers to a batch.
    pub fn is_plain(&self) -> bool {
        matches!(self.content, Content::Message(_))
            && self.delay.is_zero()
            && !self.is_held
            && self.cut.is_none()
    }

    /// The message as it is, now.
    pub fn of(message: Outgoing) -> Self {
        Utterance {
            content: Content::Message(message.json.to_text()),
            about: message.about,
            post: message.post,
            status: message.status,
            delay: Duration::ZERO,
            is_held: false,
            cut: None,
        }
    }

    /// The same with another content.
    pub fn with(self, content: Content) -> Self {
        Utterance { content, ..self }
    }
}

impl Teller {
    /// A teller for one connection.
    pub fn new(planted: Option<Planted>, resolve: Option<Resolve>, offered: &[Revision]) -> Self {
        let lie = planted.as_ref().and_then(|planted| match &planted.fault {
            Fault::Named(name) => registry::find(name).map(|fault| (fault.begin)()),
            _ => None,
        });
        Teller {
            aim: Aim::new(planted.clone()),
            planted,
            lie,
            resolve,
            revisions: offered.to_vec(),
            subjects: HashSet::new(),
            refused: None,
            answers: 0,
            fired: 0,
            is_dying: false,
            is_agreed: false,
        }
    }

    /// From now on this revision is spoken.
    pub fn negotiated(&mut self, revision: Revision) {
        self.revisions = vec![revision];
        self.is_agreed = true;
    }

    /// The negotiated revision, once there is one.
    pub fn spoken(&self) -> Option<Revision> {
        self.revisions.first().copied().filter(|_| self.is_agreed)
    }

    /// Whether a fault of HTTP heads or bodies strikes the response that carries the reply to this.
    pub fn strikes_head(&mut self, heard: &Heard<'_>) -> bool {
        if !self.planted.as_ref().is_some_and(Planted::is_of_heads) {
            return false;
        }
        match heard.what {
            What::Request(arrival, method, _) => {
                let chosen = self.chosen_at(heard, arrival, method);
                self.aim.hits_request(method, &chosen)
            }
            What::Malformed | What::Batch => self.aim.hits(&About::ReplyToNone, &self.revisions),
            What::Notification(..) => false,
        }
    }

    /// Habits of the whole connection.
    pub fn habits(&self) -> Habits {
        self.lie
            .as_ref()
            .map(|lie| lie.habits())
            .unwrap_or_default()
    }

    /// A habit showed.
    pub fn habit_showed(&mut self) {
        self.record(1);
    }

    /// The process ends now, with whatever it had still to say.
    pub fn die(&mut self) {
        self.is_dying = true;
    }

    /// Whether the process ends now.
    pub fn is_dying(&self) -> bool {
        self.is_dying
    }

    /// What to do with what came.
    pub fn hear(&mut self, heard: &Heard<'_>) -> Course {
        if self.lie.is_none() {
            return Course::Honest;
        }
        let is_subject = match heard.what {
            What::Request(arrival, method, seq) => {
                let chosen = self.chosen_at(heard, arrival, method);
                let is_hit = self.aim.hits_request(method, &chosen);
                if is_hit {
                    self.subjects.insert(seq);
                }
                is_hit
            }
            What::Malformed | What::Batch | What::Notification(..) => true,
        };
        let Some(lie) = self.lie.as_mut().filter(|_| is_subject) else {
            return Course::Honest;
        };
        let mut fired = Fired::default();
        let course = lie.hear(heard, &mut fired);
        self.record(fired.times());
        course
    }

    /// What becomes of a running request that is cancelled.
    pub fn cancel(&mut self, method: &str, seq: u64) -> OnCancel {
        let is_subject = self.is_subject(seq);
        let Some(lie) = self.lie.as_mut().filter(|_| is_subject) else {
            return OnCancel::Stop;
        };
        let mut fired = Fired::default();
        let on_cancel = lie.cancel(method, &mut fired);
        self.record(fired.times());
        on_cancel
    }

    /// Something is wrong with a modern request, for which it is to be refused with this error.
    fn breach(&mut self, seq: u64, breach: Breach, error: RpcError) -> Result<(), RpcError> {
        let is_subject = self.is_subject(seq);
        let Some(lie) = self.lie.as_mut().filter(|_| is_subject) else {
            return Err(error);
        };
        let mut fired = Fired::default();
        let answer = lie.breach(breach, error, &mut fired);
        self.record(fired.times());
        answer
    }

    /// A modern request says this about itself.
    fn meta(&mut self, seq: u64, meta: &mut Meta) {
        let is_subject = self.is_subject(seq);
        if let Some(lie) = self.lie.as_mut().filter(|_| is_subject) {
            let mut fired = Fired::default();
            lie.meta(meta, &mut fired);
            self.record(fired.times());
        }
    }

    /// A request that may ask brings this of earlier rounds.
    fn rounds(&mut self, seq: u64, rounds: &mut Rounds) {
        let is_subject = self.is_subject(seq);
        if let Some(lie) = self.lie.as_mut().filter(|_| is_subject) {
            let mut fired = Fired::default();
            lie.rounds(rounds, &mut fired);
            self.record(fired.times());
        }
    }

    /// Whether the fault is about a request that came.
    fn is_subject(&self, seq: u64) -> bool {
        self.aim.is_everywhere() || self.subjects.contains(&seq)
    }

    /// What to write for a message.
    pub fn tell(&mut self, message: Outgoing) -> Vec<Utterance> {
        let Some(lie) = &mut self.lie else {
            return self.strike(message);
        };
        let revisions = revisions(&message, &self.revisions);
        let is_subject = match &message.about {
            _ if self.aim.is_everywhere() => true,
            About::Reply { seq, .. } => self.subjects.contains(seq),
            about => self.aim.hits(about, revisions),
        };
        let habits = lie.habits();
        let mut fired = Fired::default();
        let is_delayed =
            matches!(&message.about, About::Reply { method, .. } if method != "initialize");
        let post = message.post;
        let messages = lie.send(message, is_subject, &mut fired);
        self.record(fired.times());
        self.answers += u64::from(is_delayed);
        let delay = match (is_delayed, self.answers % 2) {
            (true, 1) => habits.answer_delay + habits.every_second_answer_delay,
            (true, _) => habits.answer_delay,
            (false, _) => Duration::ZERO,
        };
        let say = |message: Outgoing| Utterance {
            delay,
            // What a lie adds goes where the message goes that it was added to.
            post: message.post.or(post),
            ..Utterance::of(message)
        };
        messages.into_iter().map(say).collect()
    }

    /// What is said after the last answer.
    pub fn last_words(&mut self) -> Vec<Utterance> {
        let words = self.lie.as_mut().map(|lie| lie.last_words());
        let words = words.unwrap_or_default().into_iter();
        words.map(Utterance::of).collect()
    }

    /// How often the fault struck on this connection.
    pub fn fired(&self) -> u64 {
        self.fired
    }

    /// Why it could not strike, where it hit and could not.
    pub fn refused(&self) -> Option<&FaultRefused> {
        self.refused.as_ref()
    }

    fn strike(&mut self, message: Outgoing) -> Vec<Utterance> {
        let say = Utterance::of;
        let Some(planted) = self
            .planted
            .as_ref()
            .filter(|planted| !planted.is_of_heads())
        else {
            return vec![say(message)];
        };
        let revisions = revisions(&message, &self.revisions);
        let latest = revisions.first().copied();
        if !self.aim.hits(&message.about, revisions) {
            return vec![say(message)];
        }
        let nobody = |_: &_, _| None;
        let struck = wire::strike(
            &planted.fault,
            message.clone(),
            latest.unwrap_or(Revision::R2025_11_25),
            match &self.resolve {
                Some(resolve) => resolve.as_ref(),
                None => &nobody,
            },
        );
        let struck = match struck {
            Ok(Some(struck)) => struck,
            Ok(None) => return vec![say(message)],
            Err(refused) => {
                planted.refuse(refused.clone());
                self.refused = Some(refused);
                return vec![say(message)];
            }
        };
        let original = message;
        self.record(1);
        match struck {
            Struck::Changed(message) => vec![say(message)],
            Struck::Dropped => Vec::new(),
            Struck::Repeated(message, times) => {
                let count = usize::try_from(times).unwrap_or(usize::MAX);
                std::iter::repeat_n(say(message), count.saturating_add(1)).collect()
            }
            Struck::Preceded(texts, message) => {
                let before = texts.into_iter().map(|text| {
                    // In an array of answers there is no place for it: it is a message of its own.
                    let about = About::Notification(String::new());
                    say(Outgoing {
                        about,
                        json: Json::Raw(text),
                        ..message.clone()
                    })
                });
                let mut all: Vec<Utterance> = before.collect();
                all.push(say(message));
                all
            }
            Struck::Delayed(message, delay) => vec![Utterance {
                delay,
                ..say(message)
            }],
            Struck::Held(message) => vec![Utterance {
                is_held: true,
                ..say(message)
            }],
            Struck::Bytes(bytes) => vec![say(original).with(Content::Bytes(bytes))],
            Struck::Cut(message, at) => vec![Utterance {
                cut: Some(at),
                ..say(message)
            }],
        }
    }

    /// The revision in which a request is answered, or those on offer.
    fn chosen_at(&self, heard: &Heard<'_>, arrival: &Arrival, method: &str) -> Vec<Revision> {
        if heard.is_modern() {
            MODERN.to_vec()
        } else if method == "initialize" {
            self.chosen_by(arrival)
        } else {
            self.revisions.clone()
        }
    }

    /// The revision that `initialize` is about to settle on.
    fn chosen_by(&self, initialize: &Arrival) -> Vec<Revision> {
        let requested = initialize.message.value.pointer("/params/protocolVersion");
        let requested = requested.and_then(|version| version.as_str());
        let same = |revision: &&Revision| Some(revision.as_str()) == requested;
        let chosen = self.revisions.iter().find(same);
        chosen
            .or(self.revisions.first())
            .copied()
            .into_iter()
            .collect()
    }

    fn record(&mut self, times: u64) {
        self.fired += times;
        if let Some(planted) = &self.planted {
            planted.fire(times);
        }
    }
}

/// The way by which a fault hears what becomes of one modern request, and may have it otherwise.
#[derive(Clone)]
pub(crate) struct Judge {
    teller: Arc<Mutex<Teller>>,
    seq: u64,
}

impl std::fmt::Debug for Judge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Judge")
            .field("seq", &self.seq)
            .finish_non_exhaustive()
    }
}

impl Judge {
    /// For the request with this number.
    pub fn new(teller: Arc<Mutex<Teller>>, seq: u64) -> Self {
        Judge { teller, seq }
    }

    /// Refuses the request for this.
    ///
    /// **Errors**: always, unless a fault has it served all the same.
    pub fn refuse(&self, breach: Breach, error: RpcError) -> Result<(), RpcError> {
        self.lock().breach(self.seq, breach, error)
    }

    /// The request says this about itself.
    pub fn meta(&self, meta: &mut Meta) {
        self.lock().meta(self.seq, meta);
    }

    /// The request brings this of earlier rounds.
    pub fn rounds(&self, rounds: &mut Rounds) {
        self.lock().rounds(self.seq, rounds);
    }

    fn lock(&self) -> MutexGuard<'_, Teller> {
        self.teller.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
