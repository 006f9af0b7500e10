//! What to do next, for each finding code; and reasons in words. One sentence each, for someone who knows their own server.

use mcp_assay_model::event::TargetFacts;
use mcp_assay_model::finding::FindingCode;
use mcp_assay_model::verdict::Reason;

/// A next step for whoever has this finding.
pub(super) fn next_step(code: FindingCode) -> &'static str {
    match code {
        FindingCode::NoReply => {
            "answer every request; one that is refused gets an error response with the id of the request"
        }
        FindingCode::ReplyKind => {
            "look at the handler of the request above: it sends a result where an error is due, or the reverse"
        }
        FindingCode::Value => {
            "send a value that `expected` allows at the place named under `where`"
        }
        FindingCode::Schema => {
            "give the message the shape that `expected` names, at the place named under `where`"
        }
        FindingCode::Id => {
            "echo the id of the request as it was sent, with the same JSON type and the same digits"
        }
        FindingCode::Status => "answer with an HTTP status that `expected` allows",
        FindingCode::ContentType => "send the Content-Type that belongs to the body",
        FindingCode::Header => "send the header as `expected` says",
        FindingCode::LateReply => "drop the response of a request once its cancellation was read",
        FindingCode::UnexpectedMessage => {
            "do not send this message at this point; see what was asked before it"
        }
        FindingCode::Order => "send these messages in the order that `expected` names",
        FindingCode::Duplicate => "send this once; look for two places that both send it",
        FindingCode::Undeclared => {
            "use only what was declared: your own capabilities for what you do, the client's for what you ask of it"
        }
        FindingCode::Unimplemented => "implement what the handshake declares, or stop declaring it",
        FindingCode::Endless => {
            "end it: a list with a page without `nextCursor`, a stream by closing it after its response"
        }
        FindingCode::Died => {
            "send the messages above by hand, and read the server's standard error or its log; catch the error there"
        }
        FindingCode::Hung => {
            "find what blocks after the last message above; even a harmless request was not answered any more"
        }
        FindingCode::Framing => {
            "write one JSON message a line, in UTF-8, without line breaks inside it"
        }
        FindingCode::Stdout => "log to standard error; standard output belongs to the protocol",
        FindingCode::Leak => "keep the state of one client apart from that of the next",
        FindingCode::Canary => {
            "treat the argument as data: do not evaluate, open or run it, nor show what it names"
        }
        FindingCode::Growth => "free what a request took once it is answered",
        FindingCode::RefusedValid => {
            "accept this: it is lawful, and an ordinary client may send it"
        }
        FindingCode::AcceptedInvalid => "check the input before acting on it, and refuse this one",
        FindingCode::Unstable => {
            "run it again by itself; a result that changes points at a race in the target"
        }
    }
}

/// A next step for whoever has a target that gave no valid answer.
pub(super) fn not_reached(target: &TargetFacts) -> &'static str {
    match (&target.url, target.argv.is_empty()) {
        (None, _) => {
            "run the command by hand: it must start, keep running, read JSON-RPC lines from standard input and write \
             nothing but JSON-RPC lines to standard output; if it is only slow to start, raise the start timeout"
        }
        (Some(_), true) => {
            "ask the address by hand with curl: is the server up, is the path its MCP endpoint (often /mcp; /sse for \
             HTTP+SSE), and does it want a token? one goes along with --header 'Authorization: Bearer ${TOKEN}'; if it \
             is only slow to answer, raise the start timeout"
        }
        (Some(_), false) => {
            "run the command by hand: it must keep running and listen at the host and port of this address, and the \
             path must be its MCP endpoint (often /mcp; /sse for HTTP+SSE); if it is only slow to start, raise the \
             start timeout"
        }
    }
}

/// A reason in words.
pub(super) fn reason(reason: &Reason) -> String {
    match reason {
        Reason::Fixture(name) => format!("waits for the fixture `{name}`"),
        Reason::Allow => "waits for permission to call tools".to_owned(),
        Reason::Blocked(check) => format!("explained by `{check}`"),
        Reason::Raced => "the answer came too early to tell; a lawful race".to_owned(),
        Reason::Unfenced => "silence cannot be proven at this point of the conversation".to_owned(),
        Reason::Revision => "of another revision".to_owned(),
        Reason::Binding => "of another binding".to_owned(),
        Reason::Session => "without an MCP session".to_owned(),
        Reason::ModernOnly => "for servers that speak no legacy revision".to_owned(),
        Reason::Capability(path) => format!("capability `{path}` not claimed"),
        Reason::Given => "precondition not met".to_owned(),
        Reason::CallsForbidden => "calls forbidden".to_owned(),
        Reason::NothingToJudge => "nothing to judge".to_owned(),
        Reason::Interrupted => "interrupted".to_owned(),
        Reason::TargetGone => "target gone".to_owned(),
        Reason::Dry => "dry run".to_owned(),
        Reason::Unsupported(what) => format!("not supported yet: {what}"),
    }
}

/// An exit code in words (docs/contracts.md section 1).
pub(super) fn exit(code: u8) -> &'static str {
    match code {
        0 => "nothing denied",
        1 => "the target is denied",
        2 => "usage or configuration",
        3 => "the target was not started, not reached, or never gave one valid answer",
        4 => "nothing selected",
        5 => "the baseline is stale: a known failure passes now",
        70 => "a bug in the harness; please report it",
        130 => "interrupted",
        _ => "no code of mcp-assay",
    }
}
