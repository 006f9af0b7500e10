//! Lawful oddities: near misses that every card and every observer meets. Long because it is a list.

use super::modern_provocations::{LISTEN, TOUCH as TOUCH_MODERN};
use super::provocations::{ECHO, LIST, OPEN, OPEN_WITH_ROOTS, PING, UNKNOWN_METHOD};
use super::{LAWFUL, NamedFault, Over, lawful, over_http};
use crate::fault::lies::habit::Habit;
use crate::fault::lies::modern::listening::CancelsAfterTelling;
use crate::fault::lies::oddities::{
    AnswersOutOfOrder, Aside, AsksForRoots, Offers, Pages, Rewrites, SpeaksInBetween, with_escapes,
    with_members_reversed, with_other_error_texts, with_unknown_members, with_white_space,
    without_optional_members,
};
use crate::fault::lies::pages::{EmptyLastPages, GrowsBetweenWalks};
use crate::fault::quirk::Quirk;

/// Sorted by name.
pub(super) const FAULTS: &[NamedFault] = &[
    lawful(
        "adds-unknown-members",
        "adds a member that nobody knows wherever the schema is open",
        &[OPEN],
        || Rewrites::begin(with_unknown_members),
    ),
    lawful(
        "answers-out-of-order",
        "answers every second request later than the one behind it",
        &[OPEN, LIST, PING],
        || Box::new(AnswersOutOfOrder),
    ),
    lawful(
        "asks-for-roots-when-declared",
        "asks a client for its roots as soon as it is ready, where it declared them",
        &[OPEN_WITH_ROOTS],
        || Box::new(AsksForRoots),
    ),
    NamedFault {
        over: Over::Stdio,
        ..lawful(
            "cancels-subscription-after-change",
            "ends a subscription by notifications/cancelled once it has told of a change",
            &[LISTEN, TOUCH_MODERN],
            || Box::new(CancelsAfterTelling),
        )
    },
    lawful(
        "empty-last-pages",
        "follows the last page of each list with two that are empty",
        &[OPEN, super::Provocation::Walk(20)],
        || Box::<EmptyLastPages>::default(),
    ),
    lawful(
        "escapes-all-text",
        "writes every character of every string as an escape",
        &[OPEN],
        || Rewrites::begin(with_escapes),
    ),
    lawful(
        "grows-between-walks",
        "has one prompt more each time that its prompts are listed, in the legacy era",
        &[
            OPEN,
            super::Provocation::Send(r#"{"jsonrpc":"2.0","id":8,"method":"prompts/list"}"#),
            super::Provocation::Send(
                r#"{"jsonrpc":"2.0","id":9,"method":"prompts/list","params":{"cursor":"cHJvbXB0czozOjhmN2RlMjJm"}}"#,
            ),
        ],
        || Box::<GrowsBetweenWalks>::default(),
    ),
    lawful(
        "leaves-out-optional-members",
        "leaves out titles, descriptions, icons, annotations and whatever else may be missing",
        &[OPEN],
        || Rewrites::begin(without_optional_members),
    ),
    lawful(
        "logs-in-between",
        "logs before each answer, in the legacy era",
        &[OPEN, ECHO],
        || SpeaksInBetween::begin(Aside::Log),
    ),
    lawful(
        "offers-nothing",
        "has no feature that a server may do without, and declares none",
        &[OPEN],
        Offers::nothing,
    ),
    lawful(
        "offers-tools-alone",
        "has tools and no other feature, and declares no other",
        &[OPEN],
        Offers::tools,
    ),
    lawful(
        "one-entry-a-page",
        "gives every list one entry at a time",
        &[OPEN, LIST],
        || Pages::of(1),
    ),
    lawful(
        "one-page",
        "gives every list on one page",
        &[OPEN, LIST],
        || Pages::of(usize::MAX),
    ),
    lawful(
        "pings-in-between",
        "pings the client before each answer, in the legacy era, first under the id 0",
        &[OPEN, ECHO],
        || SpeaksInBetween::begin(Aside::Ping),
    ),
    lawful(
        "reverses-members",
        "puts the members of every object in the other order",
        &[OPEN],
        || Rewrites::begin(with_members_reversed),
    ),
    over_http(
        "spells-in-capitals",
        "writes the names of header fields and media types in capitals",
        LAWFUL,
        Quirk::SpellsInCapitals,
        &[OPEN],
    ),
    over_http(
        "strange-session-ids",
        "gives session ids of every character that one may have",
        LAWFUL,
        Quirk::StrangeSessionIds,
        &[OPEN],
    ),
    lawful(
        "words-errors-otherwise",
        "gives errors a long text of another language with line ends and odd characters, and data",
        &[OPEN, UNKNOWN_METHOD],
        || Rewrites::begin(with_other_error_texts),
    ),
    NamedFault {
        over: Over::Stdio,
        ..lawful(
            "writes-piecemeal",
            "writes 61 bytes at a time, a millisecond apart",
            &[OPEN, LIST],
            || Habit::begin(|habits| habits.piece = 61),
        )
    },
    lawful(
        "writes-white-space",
        "writes blanks and tabs wherever JSON allows them",
        &[OPEN],
        || Rewrites::begin(with_white_space),
    ),
];
