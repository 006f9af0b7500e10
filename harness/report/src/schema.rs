//! JSON Schemas (2020-12) of our own formats, as published in `schemas/own/`. They are closed: what they do not name is not ours.

/// Schema of one line of the record: an event.
pub const EVENTS_SCHEMA: &str = include_str!("../../../schemas/own/events.schema.json");
/// Schema of the report.
pub const REPORT_SCHEMA: &str = include_str!("../../../schemas/own/report.schema.json");
/// Schema of what `list --json` prints.
pub const LIST_SCHEMA: &str = include_str!("../../../schemas/own/list.schema.json");
/// Schema of what `coverage --format json` prints.
pub const COVERAGE_SCHEMA: &str = include_str!("../../../schemas/own/coverage.schema.json");
