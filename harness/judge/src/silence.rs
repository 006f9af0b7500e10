//! `none`: judgements on what did not come, up to the answer of a fence.
//!
//! A reply to a cancelled request is the lawful race up to the fence's answer, and late after it. Silence without a fence's answer
//! is not known to be silence: it is never a pass.

use crate::instead::response;
use crate::judgement::{Judgement, MissingMessage, Stop};
use crate::select::{self, Subject};
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::Era;
use mcp_assay_model::record::{Bound, End, Http, HttpPart, Missing, Record, Sent, Window};
use mcp_assay_model::scenario::Absent;
use mcp_assay_model::verdict::Reason;
use mcp_assay_wire::jsonrpc::{Kind, Message, RawId};

/// Where a notification of a subscription says whose it is.
const SUBSCRIPTION_ID: &str = "/params/_meta/io.modelcontextprotocol~1subscriptionId";

/// Positions that are judged.
#[derive(Clone, Copy, Debug)]
struct Span {
    /// Exclusive.
    after: u64,
    /// Inclusive.
    until: u64,
    /// Position of the fence's answer.
    fence: Option<u64>,
    /// Why it is not known that nothing more would have come.
    open: Option<Missing>,
}

impl Span {
    /// Whether a position is within; the fence's own answer is not.
    fn holds(self, seq: u64) -> bool {
        self.after < seq && seq <= self.until && Some(seq) != self.fence
    }
}

/// Judges that no message of a kind came: for the label, in a window or to the end of the conversation.
pub(crate) fn none(
    record: &Record,
    on: Option<&str>,
    kind: Absent,
    within: Option<&str>,
) -> Judgement {
    judge(record, on, kind, within).unwrap_or_else(Judgement::from)
}

fn judge(
    record: &Record,
    on: Option<&str>,
    kind: Absent,
    within: Option<&str>,
) -> Result<Judgement, Stop> {
    let judged = on.map(|label| select::bound(record, label)).transpose()?;
    let window = match (within, judged) {
        (Some(label), _) => match select::bound(record, label)? {
            Bound::Window(window) => Some((label, window)),
            // The conversation ended before the window was opened.
            Bound::Missing { why, .. } => return Err(Stop::missing(label, *why)),
            _ => {
                return Err(Stop::broken(format!(
                    "label `{label}` names no quiet window"
                )));
            }
        },
        (None, Some(Bound::Window(window))) => Some((on.unwrap_or_default(), window)),
        (None, _) => None,
    };
    let about = match (on, judged, window) {
        (Some(label), Some(bound), _) if !matches!(bound, Bound::Window(_)) => Some(label),
        (_, _, Some((_, window))) if window.about != "any" => Some(window.about.as_str()),
        _ => None,
    };
    let sent = about.and_then(|label| request_of(record, label));
    let span = match window {
        Some((_, window)) => of_window(window),
        None => of_conversation(record, on, judged)?,
    };
    let label = window.map_or(on.unwrap_or_default(), |(label, _)| label);
    if let (Some(sent), Some(cancel), true) =
        (sent, sent.and_then(|sent| sent.cancelled), is_reply(kind))
        && cancel <= span.until
        && (window.is_none() || cancel <= span.after)
    {
        return Ok(of_cancelled(record, sent, cancel, kind, span, label));
    }
    let came: Vec<Subject<'_>> = select::received(record)
        .filter(|subject| span.holds(subject.entry.seq))
        .filter(|subject| is_unwanted(record, subject, kind, sent) && !is_ours(record, subject))
        .filter(|subject| !is_refusal(record, subject))
        .collect();
    Ok(match came.first() {
        Some(first) => {
            let finding = finding(FindingCode::UnexpectedMessage, first, came.len())
                .expected(format!("no {}", word(kind)));
            Judgement::fail(
                vec![Finding {
                    message: unexpected(first, sent),
                    ..finding
                }],
                1,
            )
        }
        None => settled(span, label),
    })
}

/// A pass where the silence is known to be one.
fn settled(span: Span, label: &str) -> Judgement {
    let Some(why) = span.open else {
        return Judgement::pass(1);
    };
    let reason = match why {
        Missing::Unfenced => Reason::Unfenced,
        Missing::Silent | Missing::Hung | Missing::Died => Reason::Blocked("alive".to_owned()),
    };
    Judgement {
        missing: Some(MissingMessage {
            label: label.to_owned(),
            why,
        }),
        ..Judgement::inconclusive(reason)
    }
}

/// A cancelled request: raced up to the fence's answer, late after it.
fn of_cancelled(
    record: &Record,
    sent: &Sent,
    cancel: u64,
    kind: Absent,
    span: Span,
    label: &str,
) -> Judgement {
    let replies: Vec<Subject<'_>> = sent
        .replies
        .iter()
        .filter_map(|&seq| Subject::of(record.entry(seq)?))
        .filter(|subject| kind != Absent::Result || subject.message.kind == Kind::Result)
        .collect();
    // Without a window of its own, the check takes the first fence that was answered after the cancel.
    let fence = span.fence.or_else(|| {
        let fences = record.labels.values().filter_map(|bound| match bound {
            Bound::Window(window) if window.opened >= cancel => window.fence,
            _ => None,
        });
        fences.min()
    });
    let late: Vec<&Subject<'_>> = replies
        .iter()
        .filter(|reply| fence.is_some_and(|fence| fence < reply.entry.seq))
        .collect();
    if let Some(first) = late.first() {
        let finding = finding(FindingCode::LateReply, first, late.len())
            .expected("no response to a cancelled request");
        let message = format!(
            "{} to the cancelled request came after the answer to a request sent after the cancel",
            first.kind()
        );
        return Judgement::fail(vec![Finding { message, ..finding }], 1);
    }
    if !replies.is_empty() {
        return Judgement::inconclusive(Reason::Raced);
    }
    settled(span, label)
}

fn of_window(window: &Window) -> Span {
    Span {
        after: window.opened,
        until: window.closed,
        fence: window.fence,
        open: match window.fence {
            Some(_) => None,
            None => Some(window.missing.unwrap_or(Missing::Unfenced)),
        },
    }
}

/// From the judged label to the end: the end of the conversation says whether it was fenced.
fn of_conversation(
    record: &Record,
    on: Option<&str>,
    judged: Option<&Bound>,
) -> Result<Span, Stop> {
    let after = match judged {
        None => 0,
        Some(Bound::Sent(sent)) => sent.seq,
        Some(Bound::Arrived(seq)) => *seq,
        Some(Bound::Native(native)) => native.seqs.last().copied().unwrap_or(0),
        Some(Bound::Window(window)) => window.opened,
        Some(Bound::Missing { why, .. }) => {
            return Err(Stop::missing(on.unwrap_or_default(), *why));
        }
        Some(Bound::Exit(_)) => record.entries.len() as u64,
    };
    Ok(Span {
        after,
        until: u64::MAX,
        fence: None,
        open: match record.end {
            // After we closed, its output was read to the end.
            End::Alive | End::Closed => None,
            End::Died { .. } | End::NotOpened { .. } => Some(Missing::Died),
            End::Hung { .. } => Some(Missing::Hung),
            End::Unfenced => Some(Missing::Unfenced),
        },
    })
}

/// The sent message that a label names, itself or by the response it names.
fn request_of<'r>(record: &'r Record, label: &str) -> Option<&'r Sent> {
    match record.labels.get(label)? {
        Bound::Sent(sent) => Some(sent),
        Bound::Arrived(seq) => labelled(record, record.entry(*seq)?.answers?),
        Bound::Missing { reply_to, .. } => match record.labels.get(reply_to.as_deref()?)? {
            Bound::Sent(sent) => Some(sent),
            _ => None,
        },
        Bound::Window(_) | Bound::Exit(_) | Bound::Native(_) => None,
    }
}

/// The labelled message that was sent at this position.
fn labelled(record: &Record, seq: u64) -> Option<&Sent> {
    record.labels.values().find_map(|bound| match bound {
        Bound::Sent(sent) if sent.seq == seq => Some(sent),
        _ => None,
    })
}

/// Whether a message answers something that no label names: a fence, or the handshake. Such an answer is due.
fn is_ours(record: &Record, subject: &Subject<'_>) -> bool {
    let answers = subject.entry.answers;
    answers.is_some_and(|seq| labelled(record, seq).is_none())
}

/// Whether a message is how HTTP refuses what gets no answer: an error without an id, in the body of an HTTP error, to a POST of
/// notifications or responses only, or to a request that carries no message, such as GET. It explains the status and answers nothing.
fn is_refusal(record: &Record, subject: &Subject<'_>) -> bool {
    let entry = subject.entry;
    let Some(http) = &entry.http else {
        return false;
    };
    let has_id = subject.message.id.as_ref().is_some_and(|id| !id.is_null());
    if http.part != HttpPart::Body || subject.message.kind != Kind::Error || has_id {
        return false;
    }
    let gets_no_answer = |message: &Message| match message.kind {
        Kind::Notification | Kind::Result | Kind::Error => true,
        Kind::Batch => message
            .batch
            .iter()
            .all(|item| matches!(item.kind, Kind::Notification | Kind::Result | Kind::Error)),
        Kind::Request | Kind::Malformed(_) => false,
    };
    let mut parts = record.exchange(&entry.connection, http.exchange);
    let Some(request) = parts.next() else {
        return false;
    };
    let is_post = matches!(
        &request.http,
        Some(Http { part: HttpPart::Request { method, .. }, .. }) if method == "POST"
    );
    let asks_nothing = match &request.message {
        Some(message) => gets_no_answer(message),
        None => !is_post,
    };
    let head = parts
        .filter(|part| part.seq < entry.seq)
        .filter_map(response)
        .last();
    asks_nothing && head.is_some_and(|(status, _)| status >= 400)
}

fn is_reply(kind: Absent) -> bool {
    matches!(kind, Absent::Reply | Absent::Result)
}

/// Whether a message is what must not come.
fn is_unwanted(record: &Record, subject: &Subject<'_>, kind: Absent, sent: Option<&Sent>) -> bool {
    let is_response = select::is_response(subject.message);
    match kind {
        Absent::Any => true,
        Absent::Notification => {
            subject.message.kind == Kind::Notification
                && !sent.is_some_and(|sent| is_of_another_subscription(subject, sent))
        }
        // To 2025-11-25 either side may ping at any time; then a server asks for nothing.
        Absent::Request => {
            subject.message.kind == Kind::Request
                && (record.revision.era() == Era::Modern
                    || subject.message.method.as_deref() != Some("ping"))
        }
        Absent::Result if subject.message.kind != Kind::Result => false,
        Absent::Reply | Absent::Result => match sent {
            // A response to anything will do where no request is watched.
            None => is_response,
            Some(sent) => {
                let answers = subject.entry.answers;
                let is_attributed =
                    sent.replies.contains(&subject.entry.seq) || answers == Some(sent.seq);
                // What has no id of its own is answered by a response that answers nothing else.
                let is_stray = sent.id.is_none() && answers.is_none();
                is_response && (is_attributed || is_stray)
            }
        },
    }
}

/// Whether a notification names another subscription than this one, which may go on.
fn is_of_another_subscription(subject: &Subject<'_>, sent: &Sent) -> bool {
    let (Some("subscriptions/listen"), Some(id)) = (sent.method.as_deref(), &sent.id) else {
        return false;
    };
    subject
        .raw(SUBSCRIPTION_ID)
        .is_some_and(|named| !id.loosely_equals(&RawId(named.to_owned())))
}

fn finding(code: FindingCode, first: &Subject<'_>, count: usize) -> Finding {
    let mut finding = Finding::new(code, String::new())
        .actual(first.text())
        .at(first.entry.seq, "");
    finding.count = count as u64;
    finding
}

fn unexpected(first: &Subject<'_>, sent: Option<&Sent>) -> String {
    let what = first.kind();
    // Only a response is for something; what else came came by itself.
    let sent = sent.filter(|_| select::is_response(first.message));
    match sent.map(|sent| (sent.method.as_deref(), sent.id.is_some())) {
        Some((Some(method), true)) => {
            format!("{what} came for the request `{method}`, where none is due")
        }
        Some((Some(method), false)) => {
            format!("{what} came for the notification `{method}`, where none is due")
        }
        Some((None, _)) | None => format!("{what} came, where none is due"),
    }
}

fn word(kind: Absent) -> &'static str {
    match kind {
        Absent::Reply => "response",
        Absent::Result => "result",
        Absent::Notification => "notification",
        Absent::Request => "request",
        Absent::Any => "message",
    }
}
