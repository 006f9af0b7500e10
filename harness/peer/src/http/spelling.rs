//! A socket on which header names are spelt in a way of its own, where a fault has it so.
//!
//! HTTP does not tell header names apart by case, and hyper does not hand on how they were written. So the names that are to be unknown
//! are made so before hyper reads them, and those that are to be in capitals once hyper wrote them: as bytes of the head, without a
//! change of length.

use super::state::State;
use crate::fault::quirk::Quirk;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The headers of modern requests, as the specification writes them.
const NAMES: [&str; 3] = ["MCP-Protocol-Version", "Mcp-Method", "Mcp-Name"];

/// A socket, read with care for spelling.
pub(super) struct Spelling<S> {
    socket: S,
    state: Arc<State>,
}

impl<S> Spelling<S> {
    /// A socket of this server's.
    pub fn new(socket: S, state: Arc<State>) -> Self {
        Spelling { socket, state }
    }
}

/// Makes headers of a modern request that are written otherwise into unknown ones; true where there are any.
///
/// **Shape**: the bytes of one read. A head that comes in pieces is left as it is.
fn estrange(bytes: &mut [u8]) -> bool {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return false;
    };
    let is_header = |line: &[u8], name: &str| {
        let length = name.len();
        line.get(length) == Some(&b':') && line[..length].eq_ignore_ascii_case(name.as_bytes())
    };
    let starts = bytes[..end].windows(2).enumerate();
    let starts = starts.filter(|(_, two)| *two == b"\r\n");
    let starts: Vec<usize> = starts.map(|(at, _)| at + 2).collect();
    let is_modern = starts
        .iter()
        .any(|at| is_header(&bytes[*at..end], "mcp-method"));
    let mut is_changed = false;
    for at in starts.into_iter().filter(|_| is_modern) {
        let line = &bytes[at..end];
        let other = |name: &&str| is_header(line, name) && !line.starts_with(name.as_bytes());
        if NAMES.iter().any(other) {
            bytes[at] = b'x';
            is_changed = true;
        }
    }
    is_changed
}

/// The bytes of one write with header names and the media type in capitals; `None` where they hold no whole head of a response.
fn in_capitals(bytes: &[u8]) -> Option<Vec<u8>> {
    if !bytes.starts_with(b"HTTP/1.1 ") {
        return None;
    }
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let mut changed = bytes.to_vec();
    for line in changed[..end].split_mut(|byte| *byte == b'\n').skip(1) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        line[..colon].make_ascii_uppercase();
        if &line[..colon] == b"CONTENT-TYPE" {
            line.make_ascii_uppercase();
        }
    }
    Some(changed)
}

impl<S: AsyncRead + Unpin> AsyncRead for Spelling<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(cx, buffer))?;
        if self.state.is(Quirk::KnowsOneSpelling) && estrange(&mut buffer.filled_mut()[before..]) {
            self.state.fire();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Spelling<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let changed = self
            .state
            .is(Quirk::SpellsInCapitals)
            .then(|| in_capitals(bytes))
            .flatten();
        let Some(changed) = changed else {
            return Pin::new(&mut self.socket).poll_write(cx, bytes);
        };
        let written = ready!(Pin::new(&mut self.socket).poll_write(cx, &changed))?;
        self.state.fire();
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        // A head is changed as one piece.
        !self.state.is(Quirk::SpellsInCapitals) && self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::{estrange, in_capitals};

    #[test]
    fn names_of_fields_and_media_types_are_written_in_capitals_and_nothing_else() {
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nmcp-session-id: aB\r\n\r\ndata: a";
        let expected = b"HTTP/1.1 200 OK\r\nCONTENT-TYPE: TEXT/EVENT-STREAM\r\nMCP-SESSION-ID: aB\r\n\r\ndata: a";
        assert_eq!(in_capitals(head).as_deref(), Some(&expected[..]));
        for other in [&b"data: a\r\n\r\n"[..], b"HTTP/1.1 200 OK\r\na: b"] {
            assert_eq!(in_capitals(other), None);
        }
    }

    #[test]
    fn only_modern_headers_written_otherwise_become_strange() {
        for (text, expected) in [
            (
                "Mcp-Method: a\r\nmcp-name: b",
                "Mcp-Method: a\r\nxcp-name: b",
            ),
            ("MCP-METHOD: a", "xCP-METHOD: a"),
            ("Mcp-Method: mcp-name: b", "Mcp-Method: mcp-name: b"),
            ("mcp-protocol-version: 1", "mcp-protocol-version: 1"),
        ] {
            let head = |lines| format!("POST /mcp HTTP/1.1\r\n{lines}\r\n\r\nmcp-name: body");
            let mut bytes = head(text).into_bytes();
            assert_eq!(estrange(&mut bytes), text != expected);
            assert_eq!(String::from_utf8(bytes).unwrap(), head(expected));
        }
    }
}
