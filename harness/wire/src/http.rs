//! The HTTP exchange model: heads as they were on the wire, media types, bodies and how streams end.

use bytes::{BufMut, Bytes, BytesMut};

/// Fields of one head that are listed; `raw` has the rest.
pub const MAX_FIELDS: usize = 1024;

/// The head of an HTTP message: its start line and its header fields, in order, with the case and the duplicates of the wire.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Head {
    /// The bytes up to and including the empty line; only what came, where the head broke off.
    pub raw: Bytes,
    /// The start line without its line end, lossily as text.
    pub start: String,
    /// The header fields, at most the first [`MAX_FIELDS`].
    pub fields: Vec<Field>,
}

/// One header field.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Field {
    /// Its name as written, white space before the colon included, lossily as text.
    pub name: String,
    /// Its value without the spaces and tabs around it; the lines of a folded value are joined by a space.
    pub value: Bytes,
}

impl Head {
    /// Reads a head from its bytes, up to the empty line. What is no field (no colon, nothing that it continues) is passed over: `raw` has
    /// it.
    ///
    /// Lines end with `\r\n` or `\n`. Empty lines before the start line are passed over, as HTTP readers do.
    pub fn parse(raw: Bytes) -> Self {
        let mut lines = Lines(&raw).skip_while(|line| line.is_empty());
        let start = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
        let mut fields = Vec::new();
        let mut open: Option<OpenField> = None;
        for line in lines.take_while(|line| !line.is_empty()) {
            if line.starts_with(b" ") || line.starts_with(b"\t") {
                if let Some(field) = &mut open {
                    field.add(line);
                }
                continue;
            }
            fields.extend(open.take().map(|field| field.close(&raw)));
            if fields.len() == MAX_FIELDS {
                break;
            }
            open = OpenField::new(line);
        }
        fields.extend(open.map(|field| field.close(&raw)));
        Head { start, fields, raw }
    }

    /// Writes a head from its start line and its fields, byte for byte as given, and reads it.
    ///
    /// Nothing is checked or added: a line end in a value makes a line of its own, and the fields that were read show it.
    pub fn write<N, V>(start: impl AsRef<[u8]>, fields: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        let mut raw = BytesMut::new();
        raw.put(start.as_ref());
        raw.put(&b"\r\n"[..]);
        for (name, value) in fields {
            for part in [name.as_ref(), b": ", value.as_ref(), b"\r\n"] {
                raw.put(part);
            }
        }
        raw.put(&b"\r\n"[..]);
        Head::parse(raw.freeze())
    }

    /// Whether the empty line came.
    pub fn is_complete(&self) -> bool {
        let is_empty = |line: &&[u8]| matches!(*line, b"\n" | b"\r\n");
        let lines = self.raw.split_inclusive(|byte| *byte == b'\n');
        // The start line is none of them.
        lines
            .skip_while(is_empty)
            .skip(1)
            .any(|line| is_empty(&line))
    }

    /// The status code, from 100 to 999, where the start line is that of a response: `HTTP/`, three digits, and a space or nothing.
    pub fn status(&self) -> Option<u16> {
        let (version, rest) = self.start.strip_prefix("HTTP/")?.split_once(' ')?;
        let code = rest.split(' ').next()?;
        let is_lawful = !version.is_empty() && code.len() == 3 && !code.starts_with('0');
        if !is_lawful || !code.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        code.parse().ok()
    }

    /// The values of a field, in order, its name compared without case and without white space around it.
    pub fn values<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h Bytes> {
        let named = move |field: &&Field| field.name.trim().eq_ignore_ascii_case(name);
        self.fields.iter().filter(named).map(|field| &field.value)
    }

    /// The first value of a field, lossily as text.
    pub fn value(&self, name: &str) -> Option<String> {
        let value = self.values(name).next()?;
        Some(String::from_utf8_lossy(value).into_owned())
    }

    /// The media type of the body, in lower case and without parameters; of several fields the first counts.
    ///
    /// **Shape**: what stands there, also where it is no media type (`json`, or two with a comma), so that it can be shown; `None` where
    /// nothing stands there.
    pub fn media_type(&self) -> Option<String> {
        let value = self.value("content-type")?;
        let essence = value.split(';').next().unwrap_or_default().trim();
        (!essence.is_empty()).then(|| essence.to_ascii_lowercase())
    }

    /// A parameter of the media type, such as `charset`, its name compared without case, without quotes around its value.
    pub fn media_parameter(&self, name: &str) -> Option<String> {
        let value = self.value("content-type")?;
        let mut rest = value.split_once(';')?.1;
        loop {
            let (parameter, after) = split_parameter(rest);
            let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            if key.trim().eq_ignore_ascii_case(name) {
                return Some(unquote(value.trim()));
            }
            rest = after?;
        }
    }
}

/// The lines of a head, each without its line end; the last may have none.
struct Lines<'h>(&'h [u8]);

impl<'h> Iterator for Lines<'h> {
    type Item = &'h [u8];

    fn next(&mut self) -> Option<&'h [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let (line, rest) = match memchr::memchr(b'\n', self.0) {
            Some(end) => (&self.0[..end], &self.0[end + 1..]),
            None => (self.0, &[][..]),
        };
        self.0 = rest;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

/// A field that the next line may continue.
struct OpenField<'h> {
    name: String,
    /// What stands on its lines, where that is anything.
    parts: Vec<&'h [u8]>,
}

impl<'h> OpenField<'h> {
    fn new(line: &'h [u8]) -> Option<Self> {
        let colon = memchr::memchr(b':', line)?;
        let mut field = OpenField {
            name: String::from_utf8_lossy(&line[..colon]).into_owned(),
            parts: Vec::new(),
        };
        field.add(&line[colon + 1..]);
        Some(field)
    }

    fn add(&mut self, part: &'h [u8]) {
        let part = trim(part);
        if !part.is_empty() {
            self.parts.push(part);
        }
    }

    /// The field; a value on one line stays where it lies in `raw`.
    fn close(self, raw: &Bytes) -> Field {
        let value = match &self.parts[..] {
            [] => Bytes::new(),
            [part] => raw.slice_ref(part),
            parts => Bytes::from(parts.join(&b' ')),
        };
        Field {
            name: self.name,
            value,
        }
    }
}

/// Without the spaces and tabs around it, which are the only white space of HTTP.
fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// Splits at the first semicolon that is in no quoted string.
fn split_parameter(text: &str) -> (&str, Option<&str>) {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            b';' if !is_quoted => return (&text[..at], Some(&text[at + 1..])),
            _ => {}
        }
    }
    (text, None)
}

/// What a quoted string says; any other text as it is.
fn unquote(text: &str) -> String {
    let Some(quoted) = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) else {
        return text.to_owned();
    };
    let mut said = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => said.extend(characters.next()),
            _ => said.push(character),
        }
    }
    said
}

/// How a body or a stream ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum End {
    /// Whole, as its framing says.
    Complete,
    /// Broken off by the other side or by the network; a fragment says how.
    Cut(String),
    /// Closed by us.
    Closed,
    /// No response came: not connected, or nothing that is HTTP; a fragment says why.
    Failed(String),
}
