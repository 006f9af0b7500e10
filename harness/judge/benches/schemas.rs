//! How fast results are judged, and how long it takes to build every validator, beside plain `jsonschema` on the official files in the same
//! run: what counts is the ratio, for a machine's own figures differ from day to day.
//!
//! `cargo bench -p mcp-assay-judge`. A harness of its own: two loops and a clock need no library, and ratios are not a matter of statistics
//! over many runs. The official files are not ours to ship: without `MCP_ASSAY_SHARED`, the folder that has them under `spec/`, our figures
//! stand alone.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench is run by hand, and says what it measured"
)]

use jsonschema::{Draft, Registry, Validator};
use mcp_assay_judge::Schemas;
use mcp_assay_model::protocol::Revision;
use serde_json::{Value, json};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long each loop runs.
const LOOP: Duration = Duration::from_millis(200);

/// A result of each method that has more than an empty one, as a server might write it; what the modern era adds is added below.
fn results() -> Vec<(&'static str, &'static str, Value)> {
    let tool = |n: usize| {
        json!({
            "name": format!("tool-{n}"),
            "description": "does what it says",
            "inputSchema": {
                "type": "object",
                "properties": { "path": { "type": "string" }, "depth": { "type": "integer", "minimum": 0 } },
                "required": ["path"],
            },
        })
    };
    let resource = |n: usize| json!({ "uri": format!("file:///a/{n}"), "name": format!("r{n}"), "mimeType": "text/plain" });
    let prompt = |n: usize| json!({ "name": format!("p{n}"), "arguments": [{ "name": "a", "required": true }] });
    let all = |make: &dyn Fn(usize) -> Value| (0..20).map(make).collect::<Value>();
    let text = json!({ "type": "text", "text": "some text" });
    vec![
        (
            "completion/complete",
            "CompleteResult",
            json!({ "completion": { "values": ["a", "b", "c"], "hasMore": false } }),
        ),
        (
            "prompts/get",
            "GetPromptResult",
            json!({ "messages": [{ "role": "user", "content": text }] }),
        ),
        (
            "prompts/list",
            "ListPromptsResult",
            json!({ "prompts": all(&prompt) }),
        ),
        (
            "resources/list",
            "ListResourcesResult",
            json!({ "resources": all(&resource) }),
        ),
        (
            "resources/read",
            "ReadResourceResult",
            json!({ "contents": [{ "uri": "file:///a", "text": "some text" }] }),
        ),
        (
            "tools/call",
            "CallToolResult",
            json!({ "content": [text, text, text], "isError": false }),
        ),
        (
            "tools/list",
            "ListToolsResult",
            json!({ "tools": all(&tool) }),
        ),
    ]
}

fn main() {
    let spec =
        std::env::var_os("MCP_ASSAY_SHARED").map(|shared| PathBuf::from(shared).join("spec"));
    if spec.is_none() {
        println!("MCP_ASSAY_SHARED is not set: no official files to compare with");
    }
    for revision in Revision::ALL {
        let official = spec.as_deref().map(|spec| official(spec, revision));
        build(revision, official.as_ref());
        if [Revision::R2025_11_25, Revision::R2026_07_28].contains(&revision) {
            validate(revision, official.as_ref());
        }
    }
}

/// The official document, prepared, and the names of its definitions as references.
struct Official {
    document: Value,
    draft: Draft,
    key: &'static str,
}

fn official(spec: &Path, revision: Revision) -> Official {
    let text = std::fs::read_to_string(spec.join(revision.as_str()).join("schema.json")).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let (draft, key) = match document.get("$defs") {
        Some(_) => (Draft::Draft202012, "$defs"),
        None => (Draft::Draft7, "definitions"),
    };
    Official {
        document,
        draft,
        key,
    }
}

impl Official {
    fn registry(&self) -> Registry<'_> {
        let registry = Registry::new().draft(self.draft);
        let registry = registry.add("official:schema", &self.document).unwrap();
        registry.prepare().unwrap()
    }

    fn validator(&self, registry: &Registry<'_>, name: &str) -> Validator {
        let options = jsonschema::options()
            .with_draft(self.draft)
            .offline()
            .should_validate_formats(true)
            .with_registry(registry);
        let reference = format!("official:schema#/{}/{name}", self.key);
        options.build(&json!({ "$ref": reference })).unwrap()
    }
}

/// Every validator, built once from what is in memory.
fn build(revision: Revision, official: Option<&Official>) {
    let began = Instant::now();
    let schemas = Schemas::of(revision);
    let names: Vec<&str> = schemas.definitions().collect();
    for name in &names {
        black_box(schemas.validator(name).unwrap());
    }
    let ours = began.elapsed();
    print!(
        "{revision} build: {} validators in {:.1} ms",
        names.len(),
        millis(ours)
    );
    if let Some(official) = official {
        let names = official.document[official.key].as_object().unwrap();
        let began = Instant::now();
        let registry = official.registry();
        for name in names.keys() {
            black_box(official.validator(&registry, name));
        }
        let theirs = began.elapsed();
        let each = |time: Duration, count: usize| {
            time.as_secs_f64() / f64::from(u32::try_from(count).unwrap())
        };
        let ratio = each(ours, schemas.definitions().count()) / each(theirs, names.len());
        print!(
            ", official {} in {:.1} ms; time for each is {ratio:.2} of plain",
            names.len(),
            millis(theirs)
        );
    }
    println!();
}

/// Each result, over and over.
fn validate(revision: Revision, official: Option<&Official>) {
    let registry = official.map(Official::registry);
    for (method, definition, mut result) in results() {
        if revision == Revision::R2026_07_28 {
            result["resultType"] = json!("complete");
            if method != "completion/complete" && method != "prompts/get" && method != "tools/call"
            {
                result["ttlMs"] = json!(0);
                result["cacheScope"] = json!("private");
            }
        }
        let schemas = Schemas::of(revision);
        assert_eq!(
            schemas.judge_result(method, &result, None),
            Ok(vec![]),
            "{method}"
        );
        let judged = rate(|| {
            schemas
                .judge_result(method, black_box(&result), None)
                .is_ok()
        });
        let validator = schemas.validator(definition).unwrap();
        let ours = rate(|| validator.is_valid(black_box(&result)));
        print!(
            "{revision} {method}: {judged:.0} judged a second, {ours:.0} by its definition alone"
        );
        if let (Some(official), Some(registry)) = (official, &registry) {
            let plain = official.validator(registry, definition);
            let theirs = rate(|| plain.is_valid(black_box(&result)));
            print!(
                ", {theirs:.0} plain; ratios {:.2} and {:.2}",
                judged / theirs,
                ours / theirs
            );
        }
        println!();
    }
}

/// Calls a second.
fn rate(mut call: impl FnMut() -> bool) -> f64 {
    let (began, mut calls) = (Instant::now(), 0_u32);
    while began.elapsed() < LOOP {
        for _ in 0..100 {
            assert!(black_box(call()));
        }
        calls += 100;
    }
    f64::from(calls) / began.elapsed().as_secs_f64()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
