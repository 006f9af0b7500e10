//! Quirks: where the HTTP layer of a lying server goes its own way.
//!
//! Each belongs to one named fault, whose line in the registry says what it does. The layer is honest, and asks
//! ([`crate::http::state::State::shows`]) at the one place where a quirk would show.

/// A deviation of the HTTP layer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Quirk {
    /// Answers DELETE with 200 where there is nothing to delete.
    AcceptsDelete,
    /// Answers a POST whatever its Accept says.
    AcceptsAnyAccept,
    /// Reads the body of a POST whatever its Content-Type says.
    AcceptsAnyContentType,
    /// Serves requests for any Host.
    AcceptsForeignHost,
    /// Serves requests of any Origin.
    AcceptsForeignOrigin,
    /// Serves requests without a session id in the session opened last.
    AcceptsMissingSession,
    /// Serves requests with a session id it never gave in the session opened last.
    AcceptsUnknownSession,
    /// Sends each answer on the GET streams too, save those to initialize and ping.
    AnswersOnAllStreams,
    /// Sends the answer to a tool call on the GET stream, where one is open, and not on the stream of its POST.
    AnswersOnGetStream,
    /// Sends the answer to one request on the stream of another that runs, and the other way round.
    AnswersOnOtherStream,
    /// Wraps the answers on streams in arrays, which only 2025-03-26 allows.
    BatchesInOneEvent,
    /// Answers every POST with 500 once a session was deleted while one of its requests ran.
    BreaksOnDeleteInFlight,
    /// Answers the first initialize with 500 after a session was deleted while one of its requests ran.
    StumblesOnDeleteInFlight,
    /// Sends what relates to no request on every open stream.
    BroadcastsOnAllStreams,
    /// Ends the stream of a tool call before the answer, which is lost.
    ClosesStreamBeforeAnswer,
    /// Writes event streams with a byte-order mark, comments, retry fields, CRLF, data in several lines, and events cut into packets.
    CommentsAndRetry,
    /// Dies when a session is deleted.
    CrashesOnDelete,
    /// Answers DELETE with 204.
    Delete204,
    /// Lets no client end its session.
    Delete405,
    /// Answers requests in a deleted session with 400.
    DeletedSession400,
    /// Dies at bytes that are no HTTP.
    DiesOnMalformedHttp,
    /// Answers requests in a session with 404 once notifications/initialized came.
    ForgetsSession,
    /// Answers GET with 200 and a JSON text.
    Get200Json,
    /// Answers GET with 404.
    Get404,
    /// Never answers GET, not even with a head.
    GetHangs,
    /// Begins every GET stream with a log message, before anything else.
    GreetsOnGetStream,
    /// Answers a request for a foreign Host with 500.
    ForeignHost500,
    /// Never speaks again once a session is deleted.
    HangsOnDelete,
    /// Answers what is no JSON-RPC message with a page of HTML.
    HtmlErrorForMalformed,
    /// Takes a GET that would resume a stream for one that opens a stream.
    IgnoresLastEventId,
    /// Serves requests whatever their MCP-Protocol-Version says.
    IgnoresVersionHeader,
    /// Answers every POST by JSON, and says what relates to one on the GET stream.
    JsonOnly,
    /// Answers DELETE with 200 and serves the session on.
    KeepsDeletedSession,
    /// Leaves the stream of a POST open after the answer.
    KeepsStreamOpenAfterAnswer,
    /// Knows the headers of modern requests in one spelling.
    KnowsOneSpelling,
    /// Answers what is no JSON-RPC message with 200 and the error.
    Malformed200,
    /// Answers what is no JSON-RPC message with 500.
    Malformed500,
    /// Closes the socket at what is no JSON-RPC message.
    MalformedClosesSocket,
    /// Gives a session id in the modern era.
    MintsSessionIds,
    /// Answers requests without a session id with 404.
    MissingSession404,
    /// Writes events without ids.
    NoEventIds,
    /// Answers GET with 405.
    NoGetStream,
    /// Gives no session id.
    NoSession,
    /// Answers notifications and responses with 200 without a body.
    Notification200,
    /// Answers notifications and responses with 200 and an empty JSON object.
    Notification200WithBody,
    /// Answers notifications and responses with 204.
    Notification204,
    /// Ends the connection of a stream before the answer without a word on when to come back.
    LeavesWithoutRetry,
    /// Serves one POST of requests after the other, whatever their sessions.
    OneRequestAtATime,
    /// Refuses a foreign Origin with 400.
    Origin400,
    /// In 2025-11-25 closes the connection of a stream behind its first event, and serves the rest on resumption.
    Polling,
    /// Sends the progress of a request on the stream of another that runs.
    ProgressOnOtherStream,
    /// Counts its sessions and gives the number as id.
    PredictableSessionIds,
    /// Begins streams with an id and empty data before 2025-11-25 too.
    PrimesEarly,
    /// Refuses an Accept that is not word for word `application/json, text/event-stream`.
    RefusesAcceptOrder,
    /// Refuses an Accept of `*/*`.
    RefusesAcceptWildcard,
    /// Refuses a Content-Type with parameters.
    RefusesContentTypeParameters,
    /// Refuses requests without an Origin.
    RefusesMissingOrigin,
    /// Answers 400 to the MCP-Protocol-Version that was negotiated.
    RefusesVersionHeader,
    /// Gives the events of every stream the ids of the first.
    RepeatsEventIds,
    /// Replays a resumed stream from its beginning.
    ReplaysEverything,
    /// Replays the messages of other streams on a resumed one.
    ReplaysOtherStreams,
    /// Sends what relates to a POST on the GET stream, where one is open, though the POST has a stream of its own.
    RelatesOnGetStream,
    /// Answers 400 without an MCP-Protocol-Version.
    RequiresVersionHeader,
    RequiresVersionHeaderInSessions,
    /// Refuses modern requests that have a Last-Event-ID.
    RefusesLastEventId,
    /// Refuses modern requests that have a session id.
    RefusesSessionHeader,
    /// Opens a stream for a GET outside of any session.
    ServesGet,
    /// Refuses a modern version header with 400 and nothing else, as a legacy server may.
    RefusesModernEmpty,
    /// Refuses a modern version header with 400 and a JSON-RPC error of its own, as many legacy servers do.
    RefusesModernJson,
    /// Refuses a modern version header with 400 and a text.
    RefusesModernText,
    /// Answers responses with 200.
    Response200,
    /// Gives every client the same session id.
    ReusesSessionId,
    /// Gives a session id with a space in it.
    SessionIdWithSpace,
    /// Sends the answers to two requests that run under one id to each other's clients.
    SharesIdsOfClients,
    /// Gives an answer to the other client that asked with the same JSON-RPC id.
    SharesSessions,
    /// Sends the head of each response three seconds late.
    SlowHead,
    /// Writes the names of header fields and media types in capitals.
    SpellsInCapitals,
    /// Gives session ids of every character that one may have.
    StrangeSessionIds,
    /// Answers every POST of a request by an event stream.
    SseOnly,
    /// Answers requests with a session id it never gave with 400.
    UnknownSession400,
}
