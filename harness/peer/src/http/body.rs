//! Bodies of responses: whole ones, and streams that are written while they are sent.

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Sleep;

/// Pieces that may wait for a client that does not read; then its connection is given up.
const QUEUED: usize = 1024;

/// Between the two pieces of a message that is cut, so that a reader sees them apart.
const CUT_PAUSE: Duration = Duration::from_millis(20);

/// Bytes that go out together.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    bytes: Bytes,
    /// How long to wait before.
    wait: Duration,
}

/// Cuts bytes in two where asked to.
pub(super) fn pieces(bytes: Bytes, cut: Option<usize>) -> Vec<Piece> {
    let at_once = |bytes| Piece {
        bytes,
        wait: Duration::ZERO,
    };
    match cut {
        Some(cut) if cut > 0 && cut < bytes.len() => vec![
            at_once(bytes.slice(..cut)),
            Piece {
                bytes: bytes.slice(cut..),
                wait: CUT_PAUSE,
            },
        ],
        Some(_) | None => vec![at_once(bytes)],
    }
}

/// A body: what is there already, and what is still to come.
pub(super) struct Body {
    ready: VecDeque<Piece>,
    more: Option<mpsc::Receiver<Piece>>,
    pause: Option<Pin<Box<Sleep>>>,
    /// Dropped with the body: how HTTP+SSE learns that its client has left.
    guard: Option<Box<dyn Send>>,
}

impl Body {
    /// No bytes.
    pub fn empty() -> Self {
        Body::of(Vec::new())
    }

    /// These bytes and no more; their length is known, and told.
    pub fn whole(bytes: impl Into<Bytes>) -> Self {
        Body::of(pieces(bytes.into(), None))
    }

    /// These pieces and no more.
    pub fn of(pieces: Vec<Piece>) -> Self {
        Body {
            ready: pieces.into(),
            more: None,
            pause: None,
            guard: None,
        }
    }

    /// These pieces, then what is sent.
    pub fn stream(pieces: Vec<Piece>) -> (mpsc::Sender<Piece>, Self) {
        let (sender, more) = mpsc::channel(QUEUED);
        let body = Body {
            more: Some(more),
            ..Body::of(pieces)
        };
        (sender, body)
    }

    /// The same, with something that is dropped with it.
    pub fn guarded(self, guard: impl Send + 'static) -> Self {
        Body {
            guard: Some(Box::new(guard)),
            ..self
        }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = &mut *self;
        if this.ready.is_empty() {
            let Some(more) = &mut this.more else {
                return Poll::Ready(None);
            };
            match ready!(more.poll_recv(cx)) {
                Some(piece) => this.ready.push_back(piece),
                None => return Poll::Ready(None),
            }
        }
        if let Some(wait) = this.ready.front().map(|piece| piece.wait)
            && !wait.is_zero()
        {
            let pause = this
                .pause
                .get_or_insert_with(|| Box::pin(tokio::time::sleep(wait)));
            ready!(pause.as_mut().poll(cx));
            this.pause = None;
        }
        let piece = this.ready.pop_front();
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece.bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.more.is_none() && self.ready.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let known: usize = self.ready.iter().map(|piece| piece.bytes.len()).sum();
        let known = known as u64;
        match self.more {
            None => SizeHint::with_exact(known),
            Some(_) => SizeHint::default(),
        }
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body")
            .field("ready", &self.ready)
            .field("is_stream", &self.more.is_some())
            .field("is_guarded", &self.guard.is_some())
            .finish()
    }
}
