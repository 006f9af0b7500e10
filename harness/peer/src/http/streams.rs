//! The streams of one session: which message goes on which, under which event id, and what is replayed.
//!
//! ```text
//! relates to a POST   -> its response: 202, one JSON text, or its own stream, which ends behind the answer
//! relates to none     -> the GET stream opened last, or waits until there is one; over HTTP+SSE the one stream
//! ```
//!
//! **Source**: `2025-11-25/basic/transports#sending-messages-to-the-server` and the two sections behind it.

use super::body::{Body, Piece, pieces};
use super::event::Event;
use super::posting::{Answered, Brought, Post, Reply};
use super::sessions::Shape;
use super::state::State;
use crate::fault::quirk::Quirk;
use crate::fault::teller::{Content, Teller, Utterance};
use crate::outgoing::{About, PostNumber, Stage};
use bytes::Bytes;
use mcp_assay_model::protocol::Revision;
use mcp_assay_wire::jsonrpc::RawId;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

/// Messages that wait for a GET stream; beyond it the oldest go.
const MOST_WAITING: usize = 256;

/// Bytes of events that are kept for resumption, beside the bound on their number.
const MOST_KEPT_BYTES: usize = 16 << 20;

/// How long a poller is asked to wait where the options do not say.
const POLL_RETRY_MS: u64 = 500;

/// Quirks of servers that no stream can be taken up again from.
const UNRESUMABLE: [Quirk; 7] = [
    Quirk::Get200Json,
    Quirk::Get404,
    Quirk::GetHangs,
    Quirk::IgnoresLastEventId,
    Quirk::NoEventIds,
    Quirk::NoGetStream,
    Quirk::RepeatsEventIds,
];

/// The streams of one session.
pub(super) struct Streams {
    state: Arc<State>,
    teller: Arc<Mutex<Teller>>,
    /// What they are for; with HTTP+SSE all goes on one stream.
    shape: Shape,
    posts: BTreeMap<PostNumber, Post>,
    last_post: PostNumber,
    streams: BTreeMap<u64, Stream>,
    last_stream: u64,
    /// What relates to no request and has no stream to go on.
    waiting: VecDeque<Utterance>,
    /// The streams of the kept events, oldest first.
    kept: VecDeque<u64>,
    kept_bytes: usize,
}

/// One stream.
#[derive(Debug)]
struct Stream {
    /// Whether a GET opened it.
    is_standing: bool,
    /// Events so far.
    events: u64,
    history: VecDeque<Kept>,
    is_done: bool,
    /// The connection that carries it now.
    reader: Option<mpsc::Sender<Piece>>,
}

/// A sent event.
#[derive(Clone, Debug)]
struct Kept {
    number: u64,
    bytes: Bytes,
}

impl Stream {
    /// Whether someone reads it.
    fn is_read(&self) -> bool {
        self.reader
            .as_ref()
            .is_some_and(|reader| !reader.is_closed())
    }
}

/// What a server says that cannot wait.
const GREETING: &str = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"hello"}}"#;

impl Streams {
    /// No streams.
    pub fn new(state: Arc<State>, teller: Arc<Mutex<Teller>>, shape: Shape) -> Self {
        Streams {
            state,
            teller,
            shape,
            posts: BTreeMap::new(),
            last_post: 0,
            streams: BTreeMap::new(),
            last_stream: 0,
            waiting: VecDeque::new(),
            kept: VecDeque::new(),
            kept_bytes: 0,
        }
    }

    fn is_http_sse(&self) -> bool {
        self.shape == Shape::HttpSse
    }

    /// A POST came.
    pub fn posted(
        &mut self,
        brought: Brought,
        turn: Option<OwnedSemaphorePermit>,
        ids: Vec<RawId>,
    ) -> (PostNumber, oneshot::Receiver<Answered>) {
        let (answer, answered) = oneshot::channel();
        self.last_post += 1;
        let post = Post::new(answer, brought, turn, ids);
        self.posts.insert(self.last_post, post);
        (self.last_post, answered)
    }

    /// Opens a GET stream; over HTTP+SSE the only one, which begins with `endpoint`.
    pub fn open(&mut self, endpoint: Option<&str>) -> Body {
        let mut first = self.beginning();
        if self.state.shows(Quirk::GreetsOnGetStream) {
            let event = Event {
                data: GREETING.as_bytes(),
                ..Event::default()
            };
            let (bytes, cut) = self.write(event, None);
            first.extend(pieces(bytes, cut));
        }
        if let Some(endpoint) = endpoint {
            let event = Event {
                name: Some("endpoint"),
                data: endpoint.as_bytes(),
                ..Event::default()
            };
            let (bytes, cut) = self.write(event, None);
            first.extend(pieces(bytes, cut));
        }
        let (key, body) = self.begin(true, first);
        self.prime(key);
        self.say_what_waited();
        body
    }

    /// Opens a stream again behind this event; `None` where the id is none of this session's that can still be resumed.
    pub fn resume(&mut self, last_event_id: &str) -> Option<Body> {
        let (key, number) = last_event_id.split_once('-')?;
        let key: u64 = key.parse().ok()?;
        let number: u64 = number.parse().ok()?;
        let stream = self.streams.get(&key)?;
        let is_whole = stream.history.iter().any(|kept| kept.number <= number)
            && self.state.shows(Quirk::ReplaysEverything);
        let mut replayed = self.beginning();
        let mut strange = Vec::new();
        if self.state.is(Quirk::ReplaysOtherStreams) {
            let others = self.streams.iter().filter(|(other, _)| **other != key);
            let history = others.flat_map(|(_, other)| &other.history);
            strange.extend(history.flat_map(|kept| pieces(kept.bytes.clone(), None)));
            if !strange.is_empty() {
                self.state.fire();
            }
        }
        replayed.extend(strange);
        let later = stream
            .history
            .iter()
            .filter(|kept| is_whole || kept.number > number);
        replayed.extend(later.flat_map(|kept| pieces(kept.bytes.clone(), None)));
        let is_standing = stream.is_standing;
        let is_done = stream.is_done;
        let (reader, body) = Body::stream(replayed);
        if !is_done && let Some(stream) = self.streams.get_mut(&key) {
            // Who read it before has left, or reads no more.
            stream.reader = Some(reader);
        }
        if is_standing {
            self.say_what_waited();
        }
        Some(body)
    }

    /// Something is to be said.
    pub fn say(&mut self, utterance: Utterance) {
        let is_own = |post: &Post| {
            // Over HTTP+SSE only what could not be read is refused on the spot.
            !self.is_http_sse()
                || (utterance.about == About::ReplyToNone && post.brought == Brought::Malformed)
        };
        let number = utterance.post.map(|post| self.carrier(post));
        match number.and_then(|number| Some((number, self.posts.get(&number)?))) {
            Some((number, post)) if is_own(post) => {
                if let Some(post) = self.posts.get_mut(&number) {
                    post.said.push(utterance);
                }
                self.progress(number);
            }
            Some(_) | None => self.stand(utterance),
        }
    }

    /// The POST that carries what relates to this one: another where it is over, and its task is waited for.
    fn carrier(&self, post: PostNumber) -> PostNumber {
        let mut posts = self.posts.iter();
        let is_carrier = |(_, other): &(&PostNumber, &Post)| other.carries == Some(post);
        match posts.find(is_carrier) {
            Some((carrier, _)) if !self.posts.contains_key(&post) => *carrier,
            Some(_) | None => post,
        }
    }

    /// Another request that runs, whose answer a lie sends to this one: any, or one with the same id.
    pub fn partner(&self, post: PostNumber, is_by_id: bool) -> Option<PostNumber> {
        let own = self.posts.get(&post)?;
        let mut others = self.posts.iter();
        let other = others.find(|(number, other)| {
            **number != post
                && other.brought.takes_turns()
                && other.said.is_empty()
                && (!is_by_id || other.ids == own.ids)
        });
        other.map(|(number, _)| *number)
    }

    /// Something that was said for one POST goes to another, and this one waits for what it gets instead.
    pub fn say_elsewhere(&mut self, utterance: Utterance, other: PostNumber) {
        let own = utterance.post;
        self.say(Utterance {
            post: Some(other),
            ..utterance
        });
        if let Some(own) = own
            && self
                .posts
                .get(&own)
                .is_some_and(|post| !post.said.is_empty())
        {
            self.progress(own);
        }
    }

    /// Whether a POST is still to be answered, or to be answered further.
    pub fn is_open(&self, post: PostNumber) -> bool {
        self.posts.contains_key(&post)
    }

    /// Whether some POST is still to be answered.
    pub fn has_open(&self) -> bool {
        !self.posts.is_empty()
    }

    /// A fault holds back something that relates to this POST.
    pub fn hold(&mut self, post: Option<PostNumber>) {
        // Over HTTP+SSE a POST waits for nothing that is said elsewhere.
        if !self.is_http_sse()
            && let Some(post) = post.and_then(|post| self.posts.get_mut(&post))
        {
            post.owed += 1;
        }
    }

    /// What was held back is said now, behind this call.
    pub fn release(&mut self, post: Option<PostNumber>) {
        if let Some(post) = post.and_then(|post| self.posts.get_mut(&post)) {
            post.owed = post.owed.saturating_sub(1);
        }
    }

    /// A POST is so far.
    pub fn reached(&mut self, number: PostNumber, stage: Stage) {
        let Some(post) = self.posts.get_mut(&number) else {
            return;
        };
        match stage {
            Stage::Struck => post.is_struck = true,
            Stage::Heard { open } => {
                post.is_heard = true;
                post.open += open;
            }
            Stage::Done => post.open = post.open.saturating_sub(1),
            Stage::Carries { of } => {
                post.carries = Some(of);
                let waiting = std::mem::take(&mut self.waiting).into_iter();
                let (own, others) = waiting.partition(|waiting| waiting.post == Some(of));
                self.waiting = others;
                post.said.extend::<VecDeque<_>>(own);
            }
            Stage::Leaves => return self.leave(number),
        }
        self.progress(number);
    }

    /// The session ends: every stream ends, and no POST is answered any more.
    pub fn close(&mut self) {
        self.posts.clear();
        self.streams.clear();
        self.waiting.clear();
        self.kept.clear();
        self.kept_bytes = 0;
    }

    /// Answers a POST as far as it can be answered.
    fn progress(&mut self, number: PostNumber) {
        let is_http_sse = self.is_http_sse();
        // A modern answer that is there at once needs no stream, and an error there has its status.
        let is_modern = self.shape == Shape::Modern;
        let Some(post) = self.posts.get_mut(&number) else {
            return;
        };
        if !post.is_heard {
            return;
        }
        if post.stream.is_none() && !post.is_muted {
            if is_http_sse {
                post.open = 0;
            }
            let is_json_only = self.state.is(Quirk::JsonOnly) && post.brought != Brought::Listen;
            if !post.is_over() && is_json_only {
                self.state.fire();
                return self.set_free(number);
            }
            let may_speak = post.brought.may_speak() && !is_modern;
            if may_speak && is_json_only {
                self.state.fire();
            }
            if post.open == 0 && post.owed > 0 {
                return;
            }
            let brought = post.brought;
            // What has a status of its own has it whatever the shape of other answers.
            let has_status = is_modern
                && post
                    .said
                    .first()
                    .and_then(|said| said.status)
                    .is_some_and(|status| status >= 400);
            let must_stream = brought.has_requests() && !has_status;
            let keeps_open = is_modern && self.state.is(Quirk::KeepsStreamOpenAfterAnswer);
            match (post.is_over(), post.said.len()) {
                (true, 0) => post.respond(Reply::Accepted),
                (true, count)
                    if is_http_sse
                        || (count == 1
                            && (!may_speak || is_json_only)
                            && !(must_stream
                                && (keeps_open || self.state.shows(Quirk::SseOnly)))) =>
                {
                    return self.answer_by_json(number);
                }
                (true, _) | (false, _) => self.answer_by_stream(number),
            }
        }
        self.flush(number);
    }

    /// Says on the POST's stream what is to be said, and ends it once that is all.
    fn flush(&mut self, number: PostNumber) {
        let Some(post) = self.posts.get_mut(&number) else {
            return;
        };
        let said = std::mem::take(&mut post.said);
        let is_over = post.is_over();
        let stream = post.stream.filter(|_| !post.is_muted);
        if let Some(key) = stream {
            for utterance in said {
                let is_reply = matches!(utterance.about, About::Reply { .. });
                if is_reply && self.state.is(Quirk::AnswersOnGetStream) && self.standing().is_some()
                {
                    self.state.fire();
                    self.stand(utterance);
                    continue;
                }
                if !is_reply
                    && self.state.is(Quirk::RelatesOnGetStream)
                    && self.standing().is_some()
                {
                    self.state.fire();
                    self.stand(utterance);
                    continue;
                }
                let is_progress =
                    utterance.about == About::Notification("notifications/progress".to_owned());
                if is_progress
                    && self.state.is(Quirk::ProgressOnOtherStream)
                    && let Some(other) = self.other_running(number)
                {
                    self.state.fire();
                    self.push(other, &utterance);
                    continue;
                }
                self.repeat_on_standing(&utterance);
                self.push(key, &utterance);
            }
        }
        if is_over {
            self.posts.remove(&number);
            if let Some(key) = stream {
                self.finish(key);
            }
        }
    }

    /// The stream of another POST that is worked on.
    fn other_running(&self, number: PostNumber) -> Option<u64> {
        let mut others = self.posts.iter().filter(|(other, _)| **other != number);
        others.find_map(|(_, post)| post.stream.filter(|_| !post.is_muted))
    }

    fn answer_by_json(&mut self, number: PostNumber) {
        let Some(mut post) = self.posts.remove(&number) else {
            return;
        };
        let said = std::mem::take(&mut post.said);
        for utterance in said {
            self.repeat_on_standing(&utterance);
            let is_refusal =
                utterance.about == About::ReplyToNone && post.brought != Brought::NoRequest;
            let (cut, status) = (utterance.cut, utterance.status);
            let pieces = pieces(into_bytes(utterance.content), cut);
            post.respond(Reply::Json {
                pieces,
                is_refusal,
                status,
            });
        }
    }

    fn answer_by_stream(&mut self, number: PostNumber) {
        let first = self.beginning();
        let (key, body) = self.begin(false, first);
        let is_polled = self.is_polled();
        let Some(post) = self.posts.get_mut(&number) else {
            return;
        };
        post.stream = Some(key);
        post.respond(Reply::Stream(body));
        let is_unanswered = post.open > 0 || post.brought == Brought::Calls;
        let is_lost = is_unanswered && self.state.shows(Quirk::ClosesStreamBeforeAnswer);
        post.is_muted = is_lost;
        self.prime(key);
        if is_lost {
            self.finish(key);
        } else if is_polled && let Some(stream) = self.streams.get_mut(&key) {
            self.state.fire();
            stream.reader = None;
        }
    }

    /// Says what is no answer on the GET stream: its POST has no stream to carry it.
    fn set_free(&mut self, number: PostNumber) {
        let Some(post) = self.posts.get_mut(&number) else {
            return;
        };
        let is_reply = |said: &Utterance| matches!(said.about, About::Reply { .. });
        let (replies, others) = std::mem::take(&mut post.said)
            .into_iter()
            .partition(is_reply);
        post.said = replies;
        let others: Vec<_> = others;
        for utterance in others {
            self.stand(utterance);
        }
    }

    /// Says what relates to no request.
    fn stand(&mut self, utterance: Utterance) {
        if self.shape == Shape::Modern {
            // Nothing is said there but in answer to a request, on its own stream.
            return;
        }
        let Some(key) = self.standing() else {
            if self.waiting.len() == MOST_WAITING {
                self.waiting.pop_front();
            }
            self.waiting.push_back(utterance);
            return;
        };
        if self.state.is(Quirk::BroadcastsOnAllStreams) {
            let read = self.streams.iter().filter(|(_, stream)| stream.is_read());
            let all: Vec<u64> = read.map(|(key, _)| *key).collect();
            if all.len() > 1 {
                self.state.fire();
            }
            for key in all {
                self.push(key, &utterance);
            }
        } else {
            self.push(key, &utterance);
        }
    }

    fn say_what_waited(&mut self) {
        for utterance in std::mem::take(&mut self.waiting) {
            self.stand(utterance);
        }
    }

    /// The GET stream opened last that someone reads.
    fn standing(&self) -> Option<u64> {
        let mut streams = self.streams.iter().rev();
        let stream = streams.find(|(_, stream)| stream.is_standing && stream.is_read());
        stream.map(|(key, _)| *key)
    }

    fn repeat_on_standing(&mut self, utterance: &Utterance) {
        let is_repeated = self.state.is(Quirk::AnswersOnAllStreams)
            && matches!(&utterance.about, About::Reply { method, .. } if method != "initialize" && method != "ping");
        if !is_repeated {
            return;
        }
        let open = self.streams.iter();
        let open = open.filter(|(_, stream)| stream.is_standing && stream.is_read());
        let open: Vec<u64> = open.map(|(key, _)| *key).collect();
        for key in open {
            self.state.fire();
            self.push(key, utterance);
        }
    }

    fn begin(&mut self, is_standing: bool, first: Vec<Piece>) -> (u64, Body) {
        let (reader, body) = Body::stream(first);
        self.streams.retain(|_, stream| {
            let is_awaited = !stream.is_done && !stream.is_standing;
            stream.is_read() || is_awaited || !stream.history.is_empty()
        });
        self.last_stream += 1;
        let stream = Stream {
            is_standing,
            events: 0,
            history: VecDeque::new(),
            is_done: false,
            reader: Some(reader),
        };
        self.streams.insert(self.last_stream, stream);
        (self.last_stream, body)
    }

    /// In 2025-11-25 a stream begins with an event that has an id and nothing else, to resume from.
    fn prime(&mut self, key: u64) {
        let is_early = match self.spoken() {
            _ if self.shape != Shape::Streamable => return,
            Some(Revision::R2025_11_25) => false,
            Some(_) => true,
            None => return,
        };
        if is_early && !self.state.shows(Quirk::PrimesEarly) {
            return;
        }
        if self.state.shows(Quirk::NoEventIds) {
            return;
        }
        let is_standing = self
            .streams
            .get(&key)
            .is_some_and(|stream| stream.is_standing);
        let retry = match self.state.retry_ms {
            None if self.is_polled() && !is_standing => Some(POLL_RETRY_MS),
            retry => retry,
        };
        let event = Event {
            retry,
            ..Event::default()
        };
        self.send(key, event, None);
    }

    /// Ends the connection that carries a POST's stream; what is still to be said waits for a GET that resumes it. In 2025-11-25 alone: a
    /// client of an earlier revision was not told to come back.
    fn leave(&mut self, number: PostNumber) {
        if self.shape != Shape::Streamable || self.spoken() != Some(Revision::R2025_11_25) {
            return;
        }
        // Whom a client cannot come back to does not send it away.
        if UNRESUMABLE.into_iter().any(|quirk| self.state.is(quirk)) {
            return;
        }
        let Some(key) = self.posts.get(&number).and_then(|post| post.stream) else {
            return;
        };
        let event = Event {
            retry: (!self.state.shows(Quirk::LeavesWithoutRetry)).then_some(POLL_RETRY_MS),
            ..Event::default()
        };
        self.send(key, event, None);
        if let Some(stream) = self.streams.get_mut(&key) {
            stream.reader = None;
        }
    }

    fn finish(&mut self, key: u64) {
        if let Some(stream) = self.streams.get_mut(&key) {
            if self.state.shows(Quirk::KeepsStreamOpenAfterAnswer) {
                return;
            }
            stream.is_done = true;
            stream.reader = None;
        }
    }

    fn push(&mut self, key: u64, utterance: &Utterance) {
        let is_reply = matches!(utterance.about, About::Reply { .. });
        let mut data = into_bytes(utterance.content.clone());
        if is_reply && !self.is_http_sse() && self.state.shows(Quirk::BatchesInOneEvent) {
            data = [b"[", data.as_ref(), b"]"].concat().into();
        }
        let event = Event {
            name: self.is_http_sse().then_some("message"),
            data: &data,
            ..Event::default()
        };
        self.send(key, event, utterance.cut);
    }

    fn send(&mut self, key: u64, event: Event<'_>, cut: Option<usize>) {
        let Some(stream) = self.streams.get_mut(&key) else {
            return;
        };
        stream.events += 1;
        let number = stream.events;
        let id = if self.shape != Shape::Streamable || self.state.shows(Quirk::NoEventIds) {
            None
        } else if self.state.is(Quirk::RepeatsEventIds) {
            if key > 1 {
                self.state.fire();
            }
            Some(format!("1-{number}"))
        } else {
            Some(format!("{key}-{number}"))
        };
        let event = Event {
            id: id.as_deref(),
            ..event
        };
        let (bytes, cut) = self.write(event, cut);
        let Some(stream) = self.streams.get_mut(&key) else {
            return;
        };
        if let Some(reader) = &stream.reader {
            let mut rest = pieces(bytes.clone(), cut).into_iter();
            // A client that does not read loses its connection, and may come back for what it missed.
            if rest.any(|piece| reader.try_send(piece).is_err()) {
                stream.reader = None;
            }
        }
        if id.is_some() {
            self.keep(key, Kept { number, bytes });
        }
    }

    /// Keeps an event for resumption, as far as there is room.
    fn keep(&mut self, key: u64, kept: Kept) {
        self.kept_bytes += kept.bytes.len();
        self.kept.push_back(key);
        if let Some(stream) = self.streams.get_mut(&key) {
            stream.history.push_back(kept);
        }
        while self.kept.len() > self.state.event_history || self.kept_bytes > MOST_KEPT_BYTES {
            let Some(oldest) = self.kept.pop_front() else {
                break;
            };
            let Some(stream) = self.streams.get_mut(&oldest) else {
                continue;
            };
            let gone = stream.history.pop_front();
            self.kept_bytes -= gone.map_or(0, |gone| gone.bytes.len());
        }
    }

    /// The bytes of an event, and where they are cut.
    fn write(&self, event: Event<'_>, cut: Option<usize>) -> (Bytes, Option<usize>) {
        if self.state.shows(Quirk::CommentsAndRetry) {
            let bytes = event.florid();
            let half = bytes.len() / 2;
            return (bytes, Some(half));
        }
        let (bytes, start) = event.plain();
        (bytes, cut.map(|cut| start.saturating_add(cut)))
    }

    /// What a body begins with.
    fn beginning(&self) -> Vec<Piece> {
        if self.state.is(Quirk::CommentsAndRetry) {
            let mark = Bytes::from_static("\u{feff}: a stream\r\n\r\n".as_bytes());
            pieces(mark, Some(2))
        } else {
            Vec::new()
        }
    }

    fn is_polled(&self) -> bool {
        self.state.is(Quirk::Polling) && self.spoken() == Some(Revision::R2025_11_25)
    }

    /// The negotiated revision, once there is one.
    fn spoken(&self) -> Option<Revision> {
        let teller = self.teller.lock();
        teller.unwrap_or_else(PoisonError::into_inner).spoken()
    }
}

/// The bytes of a message. Those of a fault may end with the newline that a line has, and a body or event has not.
fn into_bytes(content: Content) -> Bytes {
    match content {
        Content::Message(text) => text.into(),
        Content::Bytes(mut bytes) => {
            if bytes.last() == Some(&b'\n') {
                bytes.pop();
            }
            bytes.into()
        }
    }
}
