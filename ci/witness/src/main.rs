//! `one-page`: the honest reference server over HTTP, with every list on one page.
//!
//! Some witnesses read the first page of a list and no other, so `mcp-assay serve`, whose pages are short on purpose, hides from them what
//! they would look at. Prints its address as `mcp-assay serve` does, and serves until it is killed.

use mcp_assay_peer::{HttpOptions, HttpServer, Options};
use std::process::ExitCode;
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let server = HttpServer::new(HttpOptions {
        options: Options {
            page_size: usize::MAX,
            ..Options::default()
        },
        ..HttpOptions::default()
    });
    match serve(server).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(server: HttpServer) -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    eprintln!("listening on http://{}/mcp", listener.local_addr()?);
    mcp_assay_peer::listen(server, listener).await
}
