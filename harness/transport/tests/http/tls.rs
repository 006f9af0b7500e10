//! TLS with a certificate authority of the test's own.

use crate::support::{Asked, exchange, json, peer, serve, settings};
use mcp_assay_transport::http::dial::{Network, TlsError};
use mcp_assay_transport::http::{Client, Settings};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// An https server for `localhost` that answers like this and closes without a goodbye, and its authority in PEM.
async fn serve_tls(answer: String) -> (String, Vec<u8>) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names).unwrap();
    let certificate = certificate.signed_by(&key, &authority).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (acceptor, answer) = (acceptor.clone(), answer.clone());
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    let mut peer = peer(1, Box::new(stream), &Asked::default());
                    peer.request().await;
                    peer.write(answer).await;
                }
            });
        }
    });
    (
        format!("https://127.0.0.1:{port}/mcp"),
        authority.pem().into_bytes(),
    )
}

fn client(url: &str, authorities: &[Vec<u8>]) -> Client {
    Client::streamable(Arc::new(Settings {
        dial: Arc::new(Network::new(authorities).unwrap()),
        ..settings(url)
    }))
}

#[tokio::test]
async fn a_trusted_authority_is_enough() {
    let (url, pem) = serve_tls(json("{}")).await;
    let mut client = client(&url, &[pem]);
    assert_eq!(
        exchange(&mut client).await,
        ["head 200", "body {}", "complete"]
    );
}

#[tokio::test]
async fn a_close_without_goodbye_ends_a_body() {
    let (url, pem) = serve_tls("HTTP/1.1 200 OK\r\n\r\nabc".to_owned()).await;
    let mut client = client(&url, &[pem]);
    assert_eq!(
        exchange(&mut client).await,
        ["head 200", "body abc", "complete"]
    );
}

#[tokio::test]
async fn an_unknown_authority_is_refused() {
    let (url, _) = serve_tls(json("{}")).await;
    let all = exchange(&mut client(&url, &[])).await;
    assert_eq!(all.len(), 1);
    assert!(
        all[0].starts_with("refused: TLS handshake with 127.0.0.1:"),
        "{all:?}"
    );
    assert!(all[0].contains("UnknownIssuer"), "{all:?}");
}

#[tokio::test]
async fn another_name_is_refused() {
    let (url, pem) = serve_tls(json("{}")).await;
    let url = url.replace("127.0.0.1", "127.0.0.2");
    // The whole of 127/8 is loopback on Linux; elsewhere nothing listens there, which is refused too.
    let all = exchange(&mut client(&url, &[pem])).await;
    assert!(all[0].starts_with("refused: "), "{all:?}");
}

#[tokio::test]
async fn plain_http_on_a_tls_port_is_told() {
    let (url, _) = serve(|mut peer| async move {
        peer.bytes(1).await;
        peer.write("HTTP/1.1 400 Bad Request\r\n\r\n").await;
        peer.closed().await;
    })
    .await;
    let all = exchange(&mut client(&url.replace("http://", "https://"), &[])).await;
    assert!(all[0].starts_with("refused: TLS handshake"), "{all:?}");
    assert!(all[0].contains("is it http?"), "{all:?}");
}

#[tokio::test(start_paused = true)]
async fn a_mute_handshake_ends() {
    let (url, _) = serve(|mut peer| async move { peer.closed().await }).await;
    let all = exchange(&mut client(&url.replace("http://", "https://"), &[])).await;
    assert!(all[0].contains("took longer than 10 s"), "{all:?}");
}

#[test]
fn a_file_without_certificates_is_told() {
    let error = |pem: &[u8]| Network::new(&[pem.to_vec()]).err().unwrap();
    assert!(matches!(error(b"hello"), TlsError::NoCertificate));
    assert!(matches!(
        error(b"-----BEGIN CERTIFICATE-----\n!\n"),
        TlsError::Pem(_)
    ));
}
