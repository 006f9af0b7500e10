//! Revisions, eras, bindings and roles of the protocol.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A dated edition of MCP; ordered by date.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Revision {
    /// 2024-11-05.
    #[serde(rename = "2024-11-05")]
    R2024_11_05,
    /// 2025-03-26.
    #[serde(rename = "2025-03-26")]
    R2025_03_26,
    /// 2025-06-18.
    #[serde(rename = "2025-06-18")]
    R2025_06_18,
    /// 2025-11-25.
    #[serde(rename = "2025-11-25")]
    R2025_11_25,
    /// 2026-07-28.
    #[serde(rename = "2026-07-28")]
    R2026_07_28,
}

impl Revision {
    /// All revisions, oldest first.
    pub const ALL: [Revision; 5] = [
        Revision::R2024_11_05,
        Revision::R2025_03_26,
        Revision::R2025_06_18,
        Revision::R2025_11_25,
        Revision::R2026_07_28,
    ];

    /// The date as the wire field `protocolVersion` has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Revision::R2024_11_05 => "2024-11-05",
            Revision::R2025_03_26 => "2025-03-26",
            Revision::R2025_06_18 => "2025-06-18",
            Revision::R2025_11_25 => "2025-11-25",
            Revision::R2026_07_28 => "2026-07-28",
        }
    }

    /// The era it belongs to.
    pub fn era(self) -> Era {
        match self {
            Revision::R2024_11_05
            | Revision::R2025_03_26
            | Revision::R2025_06_18
            | Revision::R2025_11_25 => Era::Legacy,
            Revision::R2026_07_28 => Era::Modern,
        }
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Revision {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Revision::ALL
            .into_iter()
            .find(|revision| revision.as_str() == text)
            .ok_or_else(|| UnknownName::new("revision", text, Revision::ALL.map(Revision::as_str)))
    }
}

/// A name that is none of a closed list.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("unknown {what} `{name}`; known: {}", known.join(", "))]
pub struct UnknownName {
    /// What kind of name was meant.
    pub what: &'static str,
    /// The name as given.
    pub name: String,
    /// Every name of the list.
    pub known: Vec<&'static str>,
}

impl UnknownName {
    /// An error that shows the whole list.
    pub fn new(
        what: &'static str,
        name: &str,
        known: impl IntoIterator<Item = &'static str>,
    ) -> Self {
        UnknownName {
            what,
            name: name.to_owned(),
            known: known.into_iter().collect(),
        }
    }
}

/// How conversations begin: with `initialize` (legacy, to 2025-11-25) or with nothing (modern, from 2026-07-28).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Era {
    /// Handshake by `initialize`.
    Legacy,
    /// Stateless; `_meta` on every request.
    Modern,
}

/// How messages travel.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Binding {
    /// Lines on the standard streams of a process.
    Stdio,
    /// Streamable HTTP.
    Http,
    /// HTTP+SSE of 2024-11-05.
    HttpSse,
    /// The lines of stdio, in memory: for `--self` and the kill matrix.
    Memory,
}

impl Binding {
    /// All bindings.
    pub const ALL: [Binding; 4] = [
        Binding::Stdio,
        Binding::Http,
        Binding::HttpSse,
        Binding::Memory,
    ];

    /// The name used in case ids and in `needs`.
    pub fn as_str(self) -> &'static str {
        match self {
            Binding::Stdio => "stdio",
            Binding::Http => "http",
            Binding::HttpSse => "http-sse",
            Binding::Memory => "memory",
        }
    }

    /// Whether it satisfies `needs: [binding:NAME]`; memory carries the lines of stdio.
    pub fn satisfies(self, needed: Binding) -> bool {
        self == needed || (self == Binding::Memory && needed == Binding::Stdio)
    }
}

impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Binding {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Binding::ALL
            .into_iter()
            .find(|binding| binding.as_str() == text)
            .ok_or_else(|| UnknownName::new("binding", text, Binding::ALL.map(Binding::as_str)))
    }
}

/// Which side the target plays.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The target is a server.
    Server,
    /// The target is a client.
    Client,
}

impl FromStr for Role {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        match text {
            "server" => Ok(Role::Server),
            "client" => Ok(Role::Client),
            _ => Err(UnknownName::new("role", text, ["server", "client"])),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Role::Server => "server",
            Role::Client => "client",
        })
    }
}
