//! Server-sent events as bytes.

use bytes::Bytes;

/// What an event says, and how.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Event<'a> {
    /// The `event` field.
    pub name: Option<&'a str>,
    /// The `id` field.
    pub id: Option<&'a str>,
    /// The `retry` field, in milliseconds.
    pub retry: Option<u64>,
    /// The data; its lines become `data` fields.
    pub data: &'a [u8],
}

impl Event<'_> {
    /// The bytes, and where among them the data begins.
    pub fn plain(self) -> (Bytes, usize) {
        self.written("\n")
    }

    /// As a server may write it that uses what the format allows: a comment, a `retry` field, CRLF, the data in several lines.
    pub fn florid(self) -> Bytes {
        let mut out = b": keep-alive\r\n".to_vec();
        let data = match self.data.split_first() {
            // White space may follow the first bracket of a JSON text.
            Some((first @ (b'{' | b'['), rest)) => [&[*first, b'\n'], rest].concat(),
            Some(_) | None => self.data.to_vec(),
        };
        let event = Event {
            retry: self.retry.or(Some(1000)),
            data: &data,
            ..self
        };
        out.extend_from_slice(&event.written("\r\n").0);
        out.into()
    }

    fn written(self, end: &str) -> (Bytes, usize) {
        let mut out = String::new();
        for (field, value) in [("event", self.name), ("id", self.id)] {
            if let Some(value) = value {
                out.push_str(&format!("{field}: {value}{end}"));
            }
        }
        if let Some(retry) = self.retry {
            out.push_str(&format!("retry: {retry}{end}"));
        }
        let start = out.len() + "data: ".len();
        let mut out = out.into_bytes();
        for line in lines(self.data) {
            out.extend_from_slice(if line.is_empty() { b"data:" } else { b"data: " });
            out.extend_from_slice(line);
            out.extend_from_slice(end.as_bytes());
        }
        out.extend_from_slice(end.as_bytes());
        (out.into(), start)
    }
}

/// The lines of a text, at each line end that an event stream knows: a bare CR would end a field too.
fn lines(data: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut rest = data;
    loop {
        let Some(end) = rest.iter().position(|byte| b"\r\n".contains(byte)) else {
            lines.push(rest);
            return lines;
        };
        lines.push(&rest[..end]);
        let length = if rest[end..].starts_with(b"\r\n") {
            2
        } else {
            1
        };
        rest = &rest[end + length..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: Bytes) -> String {
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[test]
    fn an_event_has_the_fields_it_was_given_and_ends_with_an_empty_line() {
        let event = Event {
            name: Some("message"),
            id: Some("3-1"),
            retry: Some(50),
            data: b"{}",
        };
        let (bytes, start) = event.plain();
        assert_eq!(&bytes[start..start + 2], b"{}");
        let expected = "event: message\nid: 3-1\nretry: 50\ndata: {}\n\n";
        assert_eq!(text(bytes), expected);
        let bare = Event::default().plain().0;
        assert_eq!(text(bare), "data:\n\n");
    }

    #[test]
    fn each_line_of_the_data_is_a_field() {
        let event = Event {
            data: b"a\nb\r\nc\rd\n",
            ..Event::default()
        };
        let expected = "data: a\ndata: b\ndata: c\ndata: d\ndata:\n\n";
        assert_eq!(text(event.plain().0), expected);
    }

    #[test]
    fn a_florid_event_says_the_same() {
        let event = Event {
            id: Some("1-2"),
            data: b"{\"a\":1}",
            ..Event::default()
        };
        let expected =
            ": keep-alive\r\nid: 1-2\r\nretry: 1000\r\ndata: {\r\ndata: \"a\":1}\r\n\r\n";
        assert_eq!(text(event.florid()), expected);
    }
}
