//! What the server says: answers, its own requests and notifications, on their way to the writer.
//!
//! ```text
//! reader, tool tasks -> Outlet -> (bounded queue of Out) -> writer -> the client
//! ```

use crate::error::RpcError;
use crate::incoming::Request;
use crate::json::Json;
use crate::tasks::{self, Handle};
use mcp_assay_model::protocol::Era;
use mcp_assay_wire::jsonrpc::RawId;
use serde_json::Value;
use tokio::sync::mpsc;

/// Messages that may wait for a client that does not read; then the server stops reading too.
const QUEUED: usize = 256;

/// Number of a POST in its HTTP session.
pub(crate) type PostNumber = u64;

/// A message and what it is about.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outgoing {
    /// What kind of message, in the terms of a fault's target.
    pub about: About,
    /// Over HTTP the POST that it relates to, whose response carries it; `None` for what relates to none.
    pub post: Option<PostNumber>,
    /// The era it is said in: a dual-era server speaks both on one connection.
    pub era: Era,
    /// The HTTP status that its error has, where 2026-07-28 has one for it.
    pub status: Option<u16>,
    /// The message.
    pub json: Json,
}

/// Kind of an outgoing message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum About {
    /// The response to a request.
    Reply {
        /// The method of the request.
        method: String,
        /// Which request of the connection.
        seq: u64,
    },
    /// The error response to what is no request.
    ReplyToNone,
    /// A request of the server's.
    Request(String),
    /// A notification of the server's.
    Notification(String),
}

impl About {
    /// Whether it is the response to a request with this method.
    pub fn is_reply_to(&self, wanted: &str) -> bool {
        matches!(self, About::Reply { method, .. } if method == wanted)
    }
}

impl Outgoing {
    /// The response to a request.
    pub fn reply(request: &Request, answer: Result<Value, RpcError>) -> Self {
        Outgoing {
            about: About::Reply {
                method: request.method.clone(),
                seq: request.seq,
            },
            post: request.post,
            era: request.era,
            status: answer.as_ref().err().and_then(RpcError::status),
            json: response(Some(&request.id), answer),
        }
    }

    /// The error response to what is no request.
    ///
    /// **Shape**: without an id, where none can be read. Every revision's readers accept that; `null`, which JSON-RPC asks for, is an
    /// illegal value in all MCP schemas.
    pub fn reply_to_none(id: Option<&RawId>, error: RpcError) -> Self {
        Outgoing {
            about: About::ReplyToNone,
            post: None,
            era: Era::Legacy,
            status: error.status(),
            json: response(id, Err(error)),
        }
    }

    /// A request of the server's.
    pub fn request(id: &RawId, method: &str, params: Option<Value>) -> Self {
        let mut json = Json::object([
            ("jsonrpc", Json::text("2.0")),
            ("id", Json::Raw(id.0.clone())),
            ("method", Json::text(method)),
        ]);
        if let Some(params) = params {
            json.set("/params", params.into());
        }
        Outgoing {
            about: About::Request(method.to_owned()),
            post: None,
            era: Era::Legacy,
            status: None,
            json,
        }
    }

    /// A notification of the server's.
    pub fn notification(method: &str, params: Json) -> Self {
        Outgoing {
            about: About::Notification(method.to_owned()),
            post: None,
            era: Era::Legacy,
            status: None,
            json: Json::object([
                ("jsonrpc", Json::text("2.0")),
                ("method", Json::text(method)),
                ("params", params),
            ]),
        }
    }
}

fn response(id: Option<&RawId>, answer: Result<Value, RpcError>) -> Json {
    let mut json = Json::object([("jsonrpc", Json::text("2.0"))]);
    if let Some(id) = id {
        json.set("/id", Json::Raw(id.0.clone()));
    }
    match answer {
        Ok(result) => json.set("/result", result.into()),
        Err(error) => json.set("/error", error.into_value().into()),
    };
    json
}

/// What the writer is handed.
#[derive(Clone, Debug)]
pub(crate) enum Out {
    /// One message, one line.
    One(Outgoing),
    /// The answers to a batch, one line.
    Batch(Vec<Outgoing>),
    /// No message: how far a POST is. Over HTTP alone.
    Post(PostNumber, Stage),
    /// No message: the server hangs. Over HTTP alone.
    Hung,
}

/// How far a POST is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Stage {
    /// Its response is the one that a fault of heads or bodies strikes.
    Struck,
    /// All of it was heard; so many of its answers are still under way.
    Heard {
        /// Tasks that will each come to [`Stage::Done`].
        open: usize,
    },
    /// One of its answers is out, or will never be.
    Done,
    /// It waits for a task: what relates to the POST that began the task goes with this one.
    Carries {
        /// The POST that began the task.
        of: PostNumber,
    },
    /// Its stream's connection ends here, and the client comes back for the rest.
    Leaves,
}

/// The way to the writer.
#[derive(Clone, Debug)]
pub(crate) struct Outlet {
    sender: mpsc::Sender<Out>,
    /// What messages from here relate to.
    post: Option<PostNumber>,
    /// The era they are said in.
    era: Era,
    /// The task that they belong to.
    task: Option<Handle>,
}

impl Outlet {
    /// An outlet and the queue it fills.
    pub fn new() -> (Outlet, mpsc::Receiver<Out>) {
        let (sender, queue) = mpsc::channel(QUEUED);
        let outlet = Outlet {
            sender,
            post: None,
            era: Era::Legacy,
            task: None,
        };
        (outlet, queue)
    }

    /// The same way, for what is said in the modern era.
    pub fn modern(&self) -> Outlet {
        Outlet {
            era: Era::Modern,
            ..self.clone()
        }
    }

    /// The same way, for messages that relate to a POST.
    pub fn relating_to(&self, post: Option<PostNumber>) -> Outlet {
        Outlet {
            post,
            ..self.clone()
        }
    }

    /// The same way, for the requests and notifications of a task: they name it, and stop when it is over.
    pub fn of_task(&self, task: &Handle) -> Outlet {
        Outlet {
            task: Some(task.clone()),
            ..self.clone()
        }
    }

    /// Ends the connection that carries the stream of the POST that this relates to, over HTTP.
    pub async fn leave(&self) {
        if let Some(post) = self.post {
            self.send(Out::Post(post, Stage::Leaves)).await;
        }
    }

    /// Queues a message; waits while the client does not read. Once the writer is gone there is no one left to tell.
    pub async fn send(&self, out: Out) {
        let Ok(place) = self.sender.reserve().await else {
            return;
        };
        let out = self.relate(out);
        match &self.task {
            Some(task) => task.while_it_lasts(|| place.send(out)),
            None => place.send(out),
        }
    }

    /// Queues a message, or drops it where the queue is full: for what is said in passing.
    pub fn try_send(&self, out: Out) {
        drop(self.sender.try_send(self.relate(out)));
    }

    /// Queues a notification.
    pub async fn notify(&self, method: &str, params: Json) {
        self.send(Out::One(Outgoing::notification(method, params)))
            .await;
    }

    fn relate(&self, mut out: Out) -> Out {
        if let Out::One(message) = &mut out {
            message.post = message.post.or(self.post);
            if self.era == Era::Modern {
                message.era = Era::Modern;
            }
            if let Some(task) = &self.task {
                let place = format!("/params/_meta/{}", tasks::RELATED.replace('/', "~1"));
                let related = Json::object([("taskId", Json::text(task.id()))]);
                message.json.set(&place, related);
            }
        }
        out
    }
}
