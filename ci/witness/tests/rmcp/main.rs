//! The official SDK for Rust as a client of the reference server: a tour of everything that both can do, over each binding and in each
//! revision that this client speaks.
//!
//! The client repairs some odd messages, so a tour that passes does not prove a server right; what it refuses is looked at.

#![expect(clippy::unwrap_used, reason = "a panic in a test is a failed test")]

mod bindings;
mod client;
mod tour;

use bindings::{Binding, Lifecycle};
use rmcp::model::ProtocolVersion;

macro_rules! tours {
    ($($name:ident: $binding:ident, $lifecycle:ident, $revision:ident;)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                tour::take(Binding::$binding, Lifecycle::$lifecycle, ProtocolVersion::$revision).await;
            }
        )*
    };
}

// Streamable HTTP came with 2025-03-26; HTTP+SSE, the binding of 2024-11-05, is not in this client.
tours! {
    in_memory_2024_11_05: Memory, Initialize, V_2024_11_05;
    in_memory_2025_03_26: Memory, Initialize, V_2025_03_26;
    in_memory_2025_06_18: Memory, Initialize, V_2025_06_18;
    in_memory_2025_11_25: Memory, Initialize, V_2025_11_25;
    in_memory_2026_07_28: Memory, Discover, V_2026_07_28;
    in_memory_2026_07_28_found_by_asking: Memory, Auto, V_2026_07_28;
    stdio_2024_11_05: Stdio, Initialize, V_2024_11_05;
    stdio_2025_03_26: Stdio, Initialize, V_2025_03_26;
    stdio_2025_06_18: Stdio, Initialize, V_2025_06_18;
    stdio_2025_11_25: Stdio, Initialize, V_2025_11_25;
    stdio_2026_07_28: Stdio, Discover, V_2026_07_28;
    stdio_2026_07_28_found_by_asking: Stdio, Auto, V_2026_07_28;
    http_2025_03_26: Http, Initialize, V_2025_03_26;
    http_2025_06_18: Http, Initialize, V_2025_06_18;
    http_2025_11_25: Http, Initialize, V_2025_11_25;
    http_2026_07_28: Http, Discover, V_2026_07_28;
    http_2026_07_28_found_by_asking: Http, Auto, V_2026_07_28;
}
