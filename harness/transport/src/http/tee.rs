//! Between a socket and hyper: what is read is looked at on its way, and what hyper writes goes nowhere.
//!
//! hyper decodes the framing of responses. The heads as they were on the wire, and how the reading ended, are kept here. Requests
//! are written past hyper byte by byte as planned; hyper is given a lawful one of the same method, because the method decides
//! whether a response has a body.

use bytes::Bytes;
use mcp_assay_wire::http::Head;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

/// Interim responses (1xx) that may stand before a response.
const MAX_INTERIM: u32 = 64;

/// What was read in the current exchange of a socket.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Bytes of one head that are kept.
    limit: usize,
    /// hyper reads nothing before it has a request: what a server sends unasked then counts as its response, as on any other client.
    is_asked: bool,
    /// Whether it has the request of the current exchange.
    is_expected: bool,
    waker: Option<Waker>,
    /// The head so far; all that came, where it is no HTTP.
    partial: Vec<u8>,
    /// Whether the line that is being read has anything on it.
    has_text: bool,
    /// Whether there was a line with something on it; empty ones before it are no end of a head.
    is_begun: bool,
    head: Option<Bytes>,
    interim: u32,
    /// Bytes that came in this exchange.
    pub(super) came: u64,
    /// Those of them that came after the head of the response.
    pub(super) after_head: u64,
    /// How reading ended.
    pub(super) ending: Option<Ending>,
}

/// How the reading of a socket ended.
#[derive(Clone, Debug)]
pub(super) enum Ending {
    /// The other side closed it.
    Closed,
    /// An error, a reset for instance.
    Broken(String),
}

/// [`Seen`], shared by the socket and the exchange on it.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    seen: Arc<Mutex<Seen>>,
    expected: Arc<Notify>,
}

impl Shared {
    pub(super) fn new(limit: usize) -> Self {
        let seen = Seen {
            limit,
            ..Seen::default()
        };
        Shared {
            seen: Arc::new(Mutex::new(seen)),
            expected: Arc::default(),
        }
    }

    /// Waits until hyper expects a response. A request that leaves earlier may be answered earlier, and hyper takes such an answer for noise.
    pub(super) async fn expected(&self) {
        while !self.lock().is_expected {
            self.expected.notified().await;
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen
            .lock()
            .expect("no code panics while it holds this lock")
    }
}

impl Seen {
    /// Begins a new exchange on the same socket.
    pub(super) fn begin(&mut self) {
        *self = Seen {
            limit: self.limit,
            is_asked: self.is_asked,
            waker: self.waker.take(),
            ending: self.ending.take(),
            ..Seen::default()
        };
    }

    /// The head of the response, or what there is of it.
    pub(super) fn take_head(&mut self) -> Head {
        let raw = self.head.take();
        Head::parse(raw.unwrap_or_else(|| Bytes::copy_from_slice(&self.partial)))
    }

    /// What came where a head was expected, the interim ones left out.
    pub(super) fn begun(&self) -> &[u8] {
        self.head.as_deref().unwrap_or(&self.partial)
    }

    fn take_in(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        self.came += bytes.len() as u64;
        while self.head.is_none() && !bytes.is_empty() {
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let line = &bytes[..end.map_or(bytes.len(), |end| end + 1)];
            bytes = &bytes[line.len()..];
            let room = self.limit.saturating_sub(self.partial.len());
            self.partial
                .extend_from_slice(&line[..line.len().min(room)]);
            self.has_text |= line.iter().any(|byte| !matches!(byte, b'\r' | b'\n'));
            if end.is_some() {
                self.end_line()?;
            }
        }
        self.after_head += bytes.len() as u64;
        Ok(())
    }

    fn end_line(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.has_text) {
            self.is_begun = true;
        } else if self.is_begun {
            self.end_head()?;
        }
        Ok(())
    }

    fn end_head(&mut self) -> io::Result<()> {
        let raw = Bytes::from(std::mem::take(&mut self.partial));
        self.is_begun = false;
        let status = Head::parse(raw.clone()).status();
        let is_interim = status.is_some_and(|status| (100..200).contains(&status) && status != 101);
        if !is_interim {
            self.head = Some(raw);
            return Ok(());
        }
        self.interim += 1;
        if self.interim > MAX_INTERIM {
            let text = format!("more than {MAX_INTERIM} interim responses and no final one");
            return Err(io::Error::other(text));
        }
        Ok(())
    }
}

/// The stream that hyper is given.
pub(super) struct Tee<R> {
    inner: R,
    seen: Shared,
}

impl<R> Tee<R> {
    pub(super) fn new(inner: R, seen: Shared) -> Self {
        Tee { inner, seen }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Tee<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        {
            let mut seen = self.seen.lock();
            if !seen.is_asked {
                seen.waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
        }
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.inner).poll_read(cx, buffer));
        let mut seen = self.seen.lock();
        let new = &buffer.filled()[before..];
        let result = match read {
            Ok(()) if new.is_empty() && buffer.remaining() > 0 => {
                seen.ending = Some(Ending::Closed);
                return Poll::Ready(Ok(()));
            }
            Ok(()) => seen.take_in(new),
            Err(error) => Err(error),
        };
        if let Err(error) = &result {
            seen.ending = Some(Ending::Broken(super::trouble::io_error(error)));
        }
        Poll::Ready(result)
    }
}

impl<R: Unpin> AsyncWrite for Tee<R> {
    fn poll_write(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut seen = self.seen.lock();
        (seen.is_asked, seen.is_expected) = (true, true);
        self.seen.expected.notify_one();
        if let Some(waker) = seen.waker.take() {
            waker.wake();
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The socket closes when both its halves are dropped; the request may still be on its way out.
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(parts: &[&[u8]]) -> (Seen, io::Result<()>) {
        let mut seen = Seen {
            limit: 1024,
            ..Seen::default()
        };
        let result = parts.iter().try_for_each(|part| seen.take_in(part));
        (seen, result)
    }

    #[test]
    fn finds_the_head_at_every_split() {
        let head = b"\r\nHTTP/1.1 200 OK\r\nA: b\n c: \r\n\n";
        let whole = [head.as_slice(), b"body\n\n"].concat();
        for at in 0..=whole.len() {
            let (mut seen, result) = after(&[&whole[..at], &whole[at..]]);
            result.unwrap();
            assert_eq!(seen.after_head, 6, "split at {at}");
            assert_eq!(seen.take_head().raw.as_ref(), head, "split at {at}");
        }
    }

    #[test]
    fn passes_over_interim_heads() {
        let (mut seen, _) =
            after(&[b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 101 S\r\n\r\nz"]);
        assert_eq!(seen.take_head().start, "HTTP/1.1 101 S");
        assert_eq!((seen.after_head, seen.interim), (1, 1));
    }

    #[test]
    fn refuses_endless_interim_heads() {
        let many = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(65);
        let (_, result) = after(&[&many]);
        assert!(result.unwrap_err().to_string().contains("interim"));
    }

    #[test]
    fn keeps_no_more_than_its_bound() {
        let (seen, _) = after(&[&b"A: b\n".repeat(1000)]);
        assert_eq!(seen.begun().len(), 1024);
        assert_eq!((seen.came, seen.after_head), (5000, 0));
    }
}
