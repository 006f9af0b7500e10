//! What a client sends, made into requests, notifications and answers.
//!
//! ```text
//! line -> Framer -> Frame -> Line::Unreadable | Line::One(Arrival) | Line::Batch(arrivals)
//! Arrival { Message, raw text } -> Request { id as written, method, params, progress token as written }
//! ```

use crate::error::RpcError;
use crate::outgoing::PostNumber;
use hyper::HeaderMap;
use mcp_assay_model::protocol::Era;
use mcp_assay_wire::jsonrpc::{Examined, Kind, Message, RawId, examine};
use mcp_assay_wire::raw;
use mcp_assay_wire::stdio::{Defect, DefectKind, Frame};
use serde_json::{Map, Value};
use std::sync::Arc;
use tokio::sync::watch;

/// One line from the client.
#[derive(Clone, Debug)]
pub(crate) enum Line {
    /// Nothing but white space, which says nothing.
    Blank,
    /// No JSON text; why, as a fragment.
    Unreadable(String),
    /// One message, well formed or not.
    One(Arrival),
    /// A batch with at least one item.
    Batch(Vec<Arrival>),
}

impl Line {
    /// Reads a frame.
    pub fn from_frame(frame: Frame) -> Line {
        Line::read(&frame.raw, frame.message, &frame.defects)
    }

    /// Reads the body of a POST. White space alone says nothing on a line; as a body it is no JSON text.
    pub fn from_body(body: &[u8]) -> Line {
        let Examined { defects, message } = examine(body, 0);
        match Line::read(body, message.ok(), &defects) {
            Line::Blank => Line::Unreadable("no text".to_owned()),
            line => line,
        }
    }

    fn read(raw: &[u8], message: Option<Message>, defects: &[Defect]) -> Line {
        let Some(message) = message else {
            return if defects.iter().any(|d| d.kind == DefectKind::Blank) {
                Line::Blank
            } else {
                let detail = defects.first().map(|defect| defect.detail.clone());
                Line::Unreadable(detail.unwrap_or_default())
            };
        };
        let is_too_deep = defects.iter().any(|d| d.kind == DefectKind::TooDeep);
        let text = String::from_utf8_lossy(raw).into_owned();
        if message.kind != Kind::Batch {
            return Line::One(Arrival {
                message,
                text,
                is_too_deep,
                carrier: None,
            });
        }
        let items = message.batch.into_iter().enumerate();
        let arrive = |(index, message)| Arrival {
            message,
            text: raw::at(&text, &format!("/{index}"))
                .unwrap_or_default()
                .to_owned(),
            is_too_deep,
            carrier: None,
        };
        Line::Batch(items.map(arrive).collect())
    }
}

/// One message and the text it was read from.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    /// What the keys make of it.
    pub message: Message,
    /// The text of this message alone.
    pub text: String,
    /// Whether some value was nested too deep to be read.
    pub is_too_deep: bool,
    /// The HTTP request that brought it, where it is one of the modern era.
    pub carrier: Option<Carrier>,
}

/// The HTTP request that brought a modern message: its headers mirror the message, and its end cancels it.
#[derive(Clone, Debug)]
pub(crate) struct Carrier {
    /// The headers.
    pub headers: Arc<HeaderMap>,
    /// Changes never, and is closed once the client has left.
    pub left: watch::Receiver<()>,
    /// The number of its socket.
    pub socket: u64,
}

impl Arrival {
    /// The id, where it is one that MCP allows: a string or an integer, in whatever form JSON writes it.
    ///
    /// **Source**: `2024-11-05/basic/messages#requests`; a client may write 1 as `1.0`, and gets it back so.
    pub fn lawful_id(&self) -> Option<RawId> {
        let is_lawful = match self.message.value.get("id")? {
            Value::String(_) => true,
            number @ Value::Number(_) => is_integer(number),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
        };
        self.message.id.clone().filter(|_| is_lawful)
    }

    /// The raw text at a pointer.
    pub fn raw_at(&self, pointer: &str) -> Option<RawId> {
        raw::at(&self.text, pointer).map(|text| RawId(text.to_owned()))
    }

    /// The request that this message is, answered under this id.
    ///
    /// **Errors**: the answer to a message that is a request by its keys and yet none that MCP allows.
    pub fn to_request(&self, id: RawId, seq: u64) -> Result<Request, RpcError> {
        if self.message.value.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return Err(RpcError::invalid_request("jsonrpc is not \"2.0\""));
        }
        if self.is_too_deep {
            return Err(RpcError::invalid_request("nested too deeply"));
        }
        let params = match self.message.value.get("params") {
            None => Ok(None),
            Some(Value::Object(params)) => Ok(Some(params.clone())),
            Some(_) => Err(RpcError::invalid_params("params is no object")),
        };
        let progress_token = self.raw_at("/params/_meta/progressToken");
        Ok(Request {
            id,
            seq,
            post: None,
            is_in_batch: false,
            era: Era::Legacy,
            carrier: None,
            method: self.message.method.clone().unwrap_or_default(),
            params,
            progress_token,
        })
    }
}

/// A request that can be answered.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The id as the client wrote it.
    pub id: RawId,
    /// Which request of the connection it is, from 1; clients may reuse ids, this is not reused.
    pub seq: u64,
    /// The POST that brought it, over HTTP.
    pub post: Option<PostNumber>,
    /// Whether it is an item of a batch, whose answers go out together.
    pub is_in_batch: bool,
    /// The era whose rules it is answered by.
    pub era: Era,
    /// The HTTP request that brought it, where it is one of the modern era.
    pub carrier: Option<Carrier>,
    /// The method.
    pub method: String,
    /// The parameters, or why there are none to read: an unknown method is refused before its parameters are looked at.
    params: Result<Option<Map<String, Value>>, RpcError>,
    /// The progress token as the client wrote it.
    progress_token: Option<RawId>,
}

impl Request {
    /// A request that is refused before its parameters are looked at.
    pub fn bare(id: RawId, method: &str, seq: u64, era: Era) -> Self {
        Request {
            id,
            seq,
            post: None,
            is_in_batch: false,
            era,
            carrier: None,
            method: method.to_owned(),
            params: Ok(None),
            progress_token: None,
        }
    }

    /// The same request, brought by a POST.
    pub fn of_post(self, post: Option<PostNumber>, is_in_batch: bool) -> Self {
        Request {
            post,
            is_in_batch,
            ..self
        }
    }

    /// The same request, to be answered by the modern rules.
    pub fn modern(self, carrier: Option<Carrier>) -> Self {
        Request {
            era: Era::Modern,
            carrier,
            ..self
        }
    }

    /// The parameters.
    ///
    /// **Errors**: where they, or what every request may have in `_meta`, break the schema.
    pub fn params(&self) -> Result<Params<'_>, RpcError> {
        let params = Params(self.params.as_ref().map_err(Clone::clone)?.as_ref());
        if let Some(meta) = params.object("_meta")? {
            match meta.get("progressToken") {
                None | Some(Value::String(_)) => {}
                Some(number) if is_integer(number) => {}
                Some(_) => {
                    let detail = "_meta.progressToken is neither a string nor an integer";
                    return Err(RpcError::invalid_params(detail));
                }
            }
        }
        Ok(params)
    }

    /// The progress token as the client wrote it.
    pub fn progress_token(&self) -> Option<&RawId> {
        self.progress_token.as_ref()
    }
}

/// Parameters; absent ones are like empty ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Params<'a>(pub Option<&'a Map<String, Value>>);

impl<'a> Params<'a> {
    /// A member.
    pub fn get(self, name: &str) -> Option<&'a Value> {
        self.0?.get(name)
    }

    /// A string that must be there.
    pub fn required_string(self, name: &str) -> Result<&'a str, RpcError> {
        self.string(name)?
            .ok_or_else(|| RpcError::invalid_params(format!("{name} is missing")))
    }

    /// A string that may be there.
    pub fn string(self, name: &str) -> Result<Option<&'a str>, RpcError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(RpcError::invalid_params(format!("{name} is no string"))),
        }
    }

    /// An object that must be there.
    pub fn required_object(self, name: &str) -> Result<&'a Map<String, Value>, RpcError> {
        self.object(name)?
            .ok_or_else(|| RpcError::invalid_params(format!("{name} is missing")))
    }

    /// An object that may be there.
    pub fn object(self, name: &str) -> Result<Option<&'a Map<String, Value>>, RpcError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object)),
            Some(_) => Err(RpcError::invalid_params(format!("{name} is no object"))),
        }
    }
}

/// Whether two ids name the same request: both strings or both numbers, and equal in value however written.
pub(crate) fn is_same_id(a: &RawId, b: &RawId) -> bool {
    let is_string = |id: &RawId| id.0.starts_with('"');
    is_string(a) == is_string(b) && a.loosely_equals(b)
}

fn is_integer(value: &Value) -> bool {
    value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
}
