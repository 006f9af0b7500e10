//! HAR 1.2, as browsers and proxies save it: one exchange after the other, each read and let go before the next.
//!
//! Bodies are read as a HAR has them, which is decoded; what it left out is taken for too long to be kept.

use super::{Broken, MOST_BYTES, Told};
use crate::traffic::Heard;
use crate::traffic::apart::{Ask, Talks};
use crate::traffic::entries::Captured;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use mcp_assay_wire::http::{End, Head};
use mcp_assay_wire::sse;
use mcp_assay_wire::stdio::Limits;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, Read};
use std::time::Duration;

/// An exchange of a HAR, as far as we read it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HarEntry {
    #[serde(default)]
    started_date_time: String,
    /// Milliseconds that it took.
    #[serde(default)]
    time: Option<f64>,
    /// Name of the socket, where the writer knew it.
    #[serde(default)]
    connection: Option<String>,
    request: Request,
    response: Response,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<Field>,
    #[serde(default)]
    post_data: Option<Content>,
}

#[derive(Deserialize)]
struct Response {
    /// 0 or less where none came.
    status: i64,
    #[serde(default)]
    headers: Vec<Field>,
    #[serde(default)]
    content: Option<Content>,
}

#[derive(Deserialize)]
struct Field {
    name: String,
    value: String,
}

#[derive(Default, Deserialize)]
struct Content {
    /// Bytes; below 0 where it is not known.
    #[serde(default)]
    size: Option<f64>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    encoding: Option<String>,
}

/// Reads a HAR to its end.
///
/// **Errors**: no HAR, or an exchange that lacks what makes it one.
pub fn read(input: &mut dyn BufRead, hear: &mut dyn FnMut(&Told, Heard)) -> Result<Told, Broken> {
    skip_mark(input)?;
    let budget = Cell::new(MOST_BYTES);
    let mut reading = Reading {
        told: Told::default(),
        talks: Talks::new("har"),
        budget: &budget,
        began: None,
        sockets: Vec::new(),
        hear,
    };
    let limited = Limited {
        input,
        budget: &budget,
    };
    // By the byte out of a buffer of its own, which costs less than asking the limit for each.
    let mut json = serde_json::Deserializer::from_reader(io::BufReader::new(limited));
    let done = Log(&mut reading).deserialize(&mut json);
    done.and_then(|()| json.end()).map_err(|error| {
        let hint = "a HAR 1.2 is `{\"log\": {\"entries\": [...]}}`, as browsers and proxies save it; `--input` names another format";
        Broken::at(error.line() as u64, error.to_string()).hint(hint)
    })?;
    let Reading {
        mut told,
        mut talks,
        hear,
        ..
    } = reading;
    let mut out = Vec::new();
    talks.finish(&mut out);
    for heard in out {
        hear(&told, heard);
    }
    if talks.left_out > 0 {
        told.notes.push(format!(
            "{} of its exchanges are no MCP and were left out",
            talks.left_out
        ));
    }
    Ok(told)
}

fn skip_mark(input: &mut dyn BufRead) -> Result<(), Broken> {
    let mark = "\u{feff}".as_bytes();
    let beginning = input.fill_buf().map_err(|error| Broken::io(1, &error))?;
    if beginning.starts_with(mark) {
        input.consume(mark.len());
    }
    Ok(())
}

/// Refuses to read on where one exchange is too long.
struct Limited<'i> {
    input: &'i mut dyn BufRead,
    budget: &'i Cell<u64>,
}

impl Read for Limited<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.budget.get() == 0 {
            let why = format!("an exchange is longer than {MOST_BYTES} bytes");
            return Err(io::Error::other(why));
        }
        let read = self.input.read(buffer)?;
        self.budget
            .set(self.budget.get().saturating_sub(read as u64));
        Ok(read)
    }
}

struct Reading<'r> {
    told: Told,
    talks: Talks,
    budget: &'r Cell<u64>,
    /// When the first exchange began.
    began: Option<jiff::Timestamp>,
    /// Names of sockets, each once.
    sockets: Vec<String>,
    hear: &'r mut dyn FnMut(&Told, Heard),
}

/// Sockets that are told apart by name.
const MOST_SOCKETS: usize = 4096;

impl Reading<'_> {
    fn take(&mut self, entry: HarEntry) -> Result<(), String> {
        self.budget.set(MOST_BYTES);
        let HarEntry {
            started_date_time,
            time,
            connection,
            request,
            response,
        } = entry;
        let at = self.offset(&started_date_time);
        let took = Duration::try_from_secs_f64(time.unwrap_or(0.0) / 1000.0).unwrap_or_default();
        let url = url::Url::parse(&request.url)
            .map_err(|error| format!("its url `{}`: {error}", request.url))?;
        let target = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let origin = url.origin().ascii_serialization();
        let mut fields = plain(request.headers);
        if !fields.iter().any(|(name, _)| is(name, "host")) {
            let host = url.host_str().unwrap_or_default();
            let host = match url.port() {
                Some(port) => format!("{host}:{port}"),
                None => host.to_owned(),
            };
            fields.insert(0, ("Host".to_owned(), host));
        }
        let start = format!("{} {target} HTTP/1.1", request.method);
        let socket = self.socket(connection);
        let ask = Ask {
            at,
            socket,
            client: "",
            server: &origin,
            head: Head::write(start, fields),
            line: (request.method, target),
            body: capture(request.post_data, 0)?,
        };
        let mut out = Vec::new();
        let asked = self.talks.ask(ask, &mut out);
        if let Some(mut asked) = asked {
            let at = at + took;
            match u16::try_from(response.status).ok().filter(|it| *it > 0) {
                None => {
                    let end = End::Failed("no response came".to_owned());
                    self.talks.end(&asked, at, end, &mut out);
                }
                Some(status) => {
                    let head = Head::write(format!("HTTP/1.1 {status}"), plain(response.headers));
                    let is_stream = self.talks.head(&mut asked, at, (status, head), &mut out);
                    let body = capture(response.content, status)?;
                    let end = if is_stream {
                        let mut events = sse::Parser::new(Limits::default());
                        let is_kept = body.length == body.bytes.len() as u64;
                        let mut all = events.push(&body.bytes);
                        all.extend(events.finish());
                        for event in all {
                            self.talks.event(&asked, at, event, &mut out);
                        }
                        if !is_kept {
                            let why = "the HAR has the stream without its events";
                            self.talks.lost(&asked, body.length, why, &mut out);
                        }
                        // Nobody can tell whether it would have gone on.
                        End::Closed
                    } else {
                        self.talks.body(&asked, at, body, &mut out);
                        End::Complete
                    };
                    self.talks.end(&asked, at, end, &mut out);
                }
            }
        }
        for heard in out {
            (self.hear)(&self.told, heard);
        }
        Ok(())
    }

    fn offset(&mut self, started: &str) -> Duration {
        let Ok(started) = started.parse::<jiff::Timestamp>() else {
            return Duration::ZERO;
        };
        let began = *self.began.get_or_insert(started);
        Duration::try_from(started.duration_since(began)).unwrap_or_default()
    }

    fn socket(&mut self, name: Option<String>) -> u64 {
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            return 0;
        };
        let known = self.sockets.iter().position(|known| *known == name);
        let index = known.unwrap_or_else(|| {
            if self.sockets.len() == MOST_SOCKETS {
                self.sockets.clear();
            }
            self.sockets.push(name);
            self.sockets.len() - 1
        });
        index as u64 + 1
    }
}

/// Fields as HTTP/1.1 has them: what stands in the start line there is none.
fn plain(fields: Vec<Field>) -> Vec<(String, String)> {
    let fields = fields.into_iter().filter(|it| !it.name.starts_with(':'));
    fields.map(|field| (field.name, field.value)).collect()
}

fn is(name: &str, other: &str) -> bool {
    name.eq_ignore_ascii_case(other)
}

/// `status`: of the response that it is the content of, 0 for a request.
fn capture(content: Option<Content>, status: u16) -> Result<Captured, String> {
    let Some(content) = content else {
        return Ok(Captured::default());
    };
    let size = match content.size {
        Some(size) if size >= 0.0 => size as u64,
        // What has no size and no text was not kept; other answers than this one may well be empty.
        Some(_) | None => u64::from(status == 200),
    };
    let Some(text) = content.text else {
        return Ok(Captured {
            length: size,
            ..Captured::default()
        });
    };
    let bytes = match content.encoding.as_deref() {
        Some("base64") => STANDARD
            .decode(text.trim())
            .map_err(|error| format!("its content is no base64: {error}"))?,
        None | Some("") => text.into_bytes(),
        Some(other) => return Err(format!("its content is in an unknown encoding, `{other}`")),
    };
    let limits = Limits::default();
    let length = bytes.len() as u64;
    let mut bytes = Bytes::from(bytes);
    if bytes.len() > limits.max_frame {
        bytes.truncate(limits.kept_of_oversized);
    }
    Ok(Captured {
        bytes,
        length,
        is_unreadable: false,
    })
}

/// `{"log": ...}`.
struct Log<'r, 'a>(&'r mut Reading<'a>);

impl<'de> DeserializeSeed<'de> for Log<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Log<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the member `log`")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let mut has_log = false;
        while let Some(key) = map.next_key::<String>()? {
            if key == "log" {
                has_log = true;
                map.next_value_seed(Inner(&mut *self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        if has_log {
            Ok(())
        } else {
            Err(M::Error::missing_field("log"))
        }
    }
}

/// The log itself.
struct Inner<'r, 'a>(&'r mut Reading<'a>);

impl<'de> DeserializeSeed<'de> for Inner<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Inner<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the member `entries`")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let mut has_entries = false;
        while let Some(key) = map.next_key::<String>()? {
            if key == "entries" {
                has_entries = true;
                map.next_value_seed(Entries(&mut *self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        if has_entries {
            Ok(())
        } else {
            Err(M::Error::missing_field("entries"))
        }
    }
}

/// Its exchanges.
struct Entries<'r, 'a>(&'r mut Reading<'a>);

impl<'de> DeserializeSeed<'de> for Entries<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of exchanges")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut entries: S) -> Result<(), S::Error> {
        let mut number = 0_u64;
        while let Some(entry) = entries.next_element::<HarEntry>()? {
            number += 1;
            self.0
                .take(entry)
                .map_err(|why| S::Error::custom(format!("exchange {number}: {why}")))?;
        }
        Ok(())
    }
}
