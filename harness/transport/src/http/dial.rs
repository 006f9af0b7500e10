//! Opening byte streams to an endpoint: the network with TLS, or memory.

use super::endpoint::Endpoint;
use super::trouble;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Bytes both ways.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A stream that is being opened.
pub type Dialing<'a> = Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send + 'a>>;

/// Opens streams.
pub trait Dial: Send + Sync {
    /// Opens a stream to the host and port of `endpoint`, through TLS where it says so.
    ///
    /// **Errors**: a fragment that says what could not be reached and why.
    fn dial<'a>(&'a self, endpoint: &'a Endpoint) -> Dialing<'a>;
}

/// How long opening a stream may take, names, addresses and TLS together.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);

/// Addresses of one name that are tried.
const MAX_ADDRESSES: usize = 8;

/// TCP, and TLS over it.
pub struct Network {
    tls: TlsConnector,
}

/// TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// What was given as certificate authorities is no PEM file.
    #[error("the file of certificate authorities cannot be read as PEM: {0}")]
    Pem(#[from] pem::Error),
    /// It has no certificate in it.
    #[error("the file of certificate authorities has no certificate in it")]
    NoCertificate,
    /// A certificate, or the library itself, is not usable.
    #[error("the file of certificate authorities cannot be used: {0}")]
    Rustls(#[from] rustls::Error),
}

impl Network {
    /// A network whose TLS trusts the public certificate authorities and those in `extra_ca_pem`, one PEM file each.
    ///
    /// **Errors**: an extra one cannot be read.
    pub fn new(extra_ca_pem: &[Vec<u8>]) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        for pem in extra_ca_pem {
            let before = roots.len();
            for certificate in CertificateDer::pem_slice_iter(pem) {
                roots.add(certificate?)?;
            }
            if roots.len() == before {
                return Err(TlsError::NoCertificate);
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Network {
            tls: TlsConnector::from(Arc::new(config)),
        })
    }

    async fn open(&self, endpoint: &Endpoint) -> io::Result<Box<dyn Stream>> {
        let deadline = Instant::now() + CONNECT_DEADLINE;
        let stream = connect(endpoint, deadline).await?;
        // Nothing here gains from waiting for more to send; on failure it is merely slower.
        let _ = stream.set_nodelay(true);
        if !endpoint.is_tls {
            return Ok(Box::new(stream));
        }
        let authority = &endpoint.authority;
        let name = ServerName::try_from(endpoint.host.clone()).map_err(|error| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("no name that TLS could check: {error}"),
            )
        })?;
        match timeout_at(deadline, self.tls.connect(name, stream)).await {
            Ok(Ok(stream)) => Ok(Box::new(WithoutGoodbye(stream))),
            Ok(Err(error)) => {
                let is_plain = error.get_ref().is_some_and(|inner| {
                    matches!(
                        inner.downcast_ref(),
                        Some(rustls::Error::InvalidMessage(
                            rustls::InvalidMessage::InvalidContentType
                        ))
                    )
                });
                let hint = if is_plain {
                    "; it answers without TLS, is it http?"
                } else {
                    ""
                };
                let why = trouble::io_error(&error);
                let text = format!("TLS handshake with {authority}: {why}{hint}");
                Err(io::Error::new(error.kind(), text))
            }
            Err(_) => Err(timed_out(format!("TLS handshake with {authority}"))),
        }
    }
}

impl Dial for Network {
    fn dial<'a>(&'a self, endpoint: &'a Endpoint) -> Dialing<'a> {
        Box::pin(self.open(endpoint))
    }
}

/// Connects to the first address of the name that answers. Each has its share of the time, so that a mute one does not hide the next.
async fn connect(endpoint: &Endpoint, deadline: Instant) -> io::Result<TcpStream> {
    let host = endpoint.host.as_str();
    let addresses = match timeout_at(deadline, lookup_host((host, endpoint.port))).await {
        Ok(Ok(addresses)) => addresses,
        Ok(Err(error)) => {
            let text = format!("no address for `{host}`: {}", trouble::io_error(&error));
            return Err(io::Error::new(error.kind(), text));
        }
        Err(_) => return Err(timed_out(format!("looking up `{host}`"))),
    };
    let addresses: Vec<_> = addresses.take(MAX_ADDRESSES).collect();
    let mut failures = Vec::new();
    let mut kind = io::ErrorKind::NotFound;
    for (index, address) in addresses.iter().enumerate() {
        let left = u32::try_from(addresses.len() - index).expect("a few addresses");
        let share = deadline.saturating_duration_since(Instant::now()) / left;
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => {
                kind = error.kind();
                failures.push(format!("{address}: {}", trouble::io_error(&error)));
            }
            Err(_) => {
                kind = io::ErrorKind::TimedOut;
                let seconds = share.as_secs_f64().round();
                failures.push(format!("{address}: no answer within {seconds} s"));
            }
        }
    }
    if failures.is_empty() {
        failures.push(format!("no address for `{host}`"));
    }
    Err(io::Error::new(kind, failures.join("; ")))
}

fn timed_out(what: String) -> io::Error {
    let seconds = CONNECT_DEADLINE.as_secs();
    io::Error::new(
        io::ErrorKind::TimedOut,
        format!("{what} took longer than {seconds} s"),
    )
}

/// A TLS stream whose end needs no goodbye: many servers just close, and a body that lacks bytes is noticed by its framing.
struct WithoutGoodbye(TlsStream<TcpStream>);

impl AsyncRead for WithoutGoodbye {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match ready!(Pin::new(&mut self.0).poll_read(cx, buffer)) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(())),
            other => Poll::Ready(other),
        }
    }
}

impl AsyncWrite for WithoutGoodbye {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// Bytes that a side of a memory stream may write before the other reads; as much as a Linux pipe holds.
const PIPE_BYTES: usize = 64 * 1024;

/// Streams within this process: each dial makes a pair and gives the other end to the closure.
#[derive(Clone)]
pub struct Memory(pub Arc<dyn Fn(DuplexStream) + Send + Sync>);

impl Dial for Memory {
    fn dial<'a>(&'a self, _endpoint: &'a Endpoint) -> Dialing<'a> {
        let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
        (self.0)(theirs);
        Box::pin(async { Ok(Box::new(ours) as Box<dyn Stream>) })
    }
}
