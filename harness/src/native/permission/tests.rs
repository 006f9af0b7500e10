use super::{FIXTURE_TOOLS, Permission, Permissions, RECOGNISED_FROM};
use serde_json::{Value, json};

fn named(name: &str) -> Value {
    json!({ "name": name, "inputSchema": { "type": "object" } })
}

/// What the contract says, in its own words.
fn expected(
    forbidden: bool,
    named: bool,
    read_only: Option<bool>,
    open_world: Option<bool>,
    fixture: bool,
) -> bool {
    if forbidden {
        return false;
    }
    if named {
        return true;
    }
    match (read_only, open_world) {
        (Some(true), Some(true)) => false,
        (Some(true), _) => true,
        _ => fixture,
    }
}

#[test]
fn every_combination_of_flag_glob_hints_and_fixture_server() {
    let hints = [None, Some(false), Some(true)];
    for forbidden in [false, true] {
        for allowed in [false, true] {
            for read_only in hints {
                for open_world in hints {
                    for recognised in [false, true] {
                        for is_fixture in [false, true] {
                            let name = if is_fixture {
                                "test_simple_text"
                            } else {
                                "delete_all"
                            };
                            let mut tool = named(name);
                            for (key, hint) in
                                [("readOnlyHint", read_only), ("openWorldHint", open_world)]
                            {
                                if let Some(hint) = hint {
                                    tool["annotations"][key] = json!(hint);
                                }
                            }
                            let mut listed = vec![tool.clone()];
                            if recognised {
                                let others = &FIXTURE_TOOLS[..RECOGNISED_FROM];
                                listed.extend(others.iter().map(|name| named(name)));
                            }
                            let globs = if allowed {
                                vec![&name[..5]]
                            } else {
                                Vec::new()
                            };
                            let globs: Vec<String> =
                                globs.iter().map(|start| format!("{start}*")).collect();
                            let permissions = Permissions::new(&globs, forbidden).unwrap();
                            let got = permissions.of(&tool, &listed) == Permission::Allowed;
                            let expected = expected(
                                forbidden,
                                allowed,
                                read_only,
                                open_world,
                                is_fixture && recognised,
                            );
                            assert_eq!(
                                got, expected,
                                "{forbidden} {allowed} {read_only:?} {open_world:?} {recognised} {is_fixture}"
                            );
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_fixture_server_is_recognised_by_enough_tools_that_need_no_arguments() {
    let nobody = Permissions::default();
    let tool = named(FIXTURE_TOOLS[0]);
    for count in 1..=FIXTURE_TOOLS.len() {
        let listed: Vec<Value> = FIXTURE_TOOLS[..count]
            .iter()
            .map(|name| named(name))
            .collect();
        let allowed = nobody.of(&tool, &listed) == Permission::Allowed;
        assert_eq!(allowed, count >= RECOGNISED_FROM, "{count}");
    }
    // One that wants arguments is another tool of the same name.
    let mut others: Vec<Value> = FIXTURE_TOOLS.iter().map(|name| named(name)).collect();
    for other in &mut others {
        other["inputSchema"]["required"] = json!(["path"]);
    }
    others.push(tool.clone());
    assert_ne!(nobody.of(&tool, &others), Permission::Allowed);
    let all: Vec<Value> = FIXTURE_TOOLS.iter().map(|name| named(name)).collect();
    assert_ne!(nobody.of(&others[0], &all), Permission::Allowed);
    assert!(FIXTURE_TOOLS.is_sorted_by(|a, b| a < b));
}

#[test]
fn odd_tools_are_refused() {
    let nobody = Permissions::default();
    for tool in [
        json!(null),
        json!("delete"),
        json!({}),
        json!({ "name": 7 }),
        json!({ "name": "a", "annotations": { "readOnlyHint": "true" } }),
        json!({ "name": "a", "annotations": { "readOnlyHint": 1 } }),
        json!({ "name": "a", "annotations": [true] }),
        json!({ "name": "a", "readOnlyHint": true }),
    ] {
        let refused = nobody.of(&tool, std::slice::from_ref(&tool));
        assert_ne!(refused, Permission::Allowed, "{tool}");
    }
}
