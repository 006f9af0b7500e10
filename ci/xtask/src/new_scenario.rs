//! `new-scenario`: a card to begin with, that reads and does not pass the linter until it is filled in.

use mcp_assay_model::protocol::Revision;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

/// Which card.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// AREA/NAME, small letters, digits and hyphens: it never changes once released
    id: String,
    /// The first revision that it holds in
    #[arg(long, default_value = "2024-11-05")]
    since: Revision,
}

/// Runs the command.
///
/// **Errors**: an id of another form, a card that exists, a file that cannot be written.
pub fn main(args: &Args, root: &Path) -> Result<ExitCode, String> {
    let (area, name) = parts(&args.id)?;
    let path = format!("suites/scenarios/{area}/{name}.yaml");
    let file = root.join(&path);
    if file.exists() {
        return Err(format!(
            "{path} is there already; an id is never given twice"
        ));
    }
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(|error| format!("{path}: {error}"))?;
    }
    fs::write(&file, card(&args.id, args.since)).map_err(|error| format!("{path}: {error}"))?;
    anstream::eprintln!(
        "wrote {path}

next:
  1. find the sentence in suites/requirements, and say what the card is about, does and judges (docs/cards.md)
  2. cargo test -p mcp-assay --test kill_matrix linter
  3. cargo xtask prove {id}
  4. cargo run -- run --revision all --only {id} -- COMMAND     on a real server
  5. cargo xtask bless matrix, and review what changed",
        id = args.id
    );
    Ok(ExitCode::SUCCESS)
}

/// Area and name of an id.
fn parts(id: &str) -> Result<(&str, &str), String> {
    let is_word = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_lowercase())
            && word
                .chars()
                .all(|one| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '-')
    };
    match id.split_once('/') {
        Some((area, name)) if is_word(area) && is_word(name) => Ok((area, name)),
        Some(_) | None => Err(format!(
            "`{id}` is no AREA/NAME of small letters, digits and hyphens, such as errors/unknown-method"
        )),
    }
}

/// The card: one request, one check with one mutant and one near miss. What stands in capitals is to be filled in.
fn card(id: &str, since: Revision) -> String {
    format!(
        r#"# WHAT THE CONVERSATION IS ABOUT, in a sentence without the verdict.
id: {id}
role: server
since: {since}
share: connection
steps:
  - open: {{ as: c }}
  - send: {{ as: q, message: {{ method: no/such/method, params: {{}} }} }}
  - await: {{ as: r, reply_to: q }}
checks:
  - name: answered
    title: A SENTENCE ABOUT A GOOD TARGET
    rule: WHY, IN OUR OWN WORDS
    basis: spec
    cites: [FIRST-STATEMENT-OF-THE-SENTENCE]
    on: q
    expect: {{ error: {{ type: object, required: [code], properties: {{ code: {{ type: integer }} }} }} }}
    near:
      - {{ at: {{ reply_to: no/such/method }}, do: {{ set: {{ at: /error/message, to: in other words }} }} }}
    mutants:
      - {{ why: WHAT SUCH A SERVER DOES, at: {{ reply_to: no/such/method }}, do: {{ replace: {{ result: {{ $empty: result }} }} }}, finds: [reply-kind], also: [] }}
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_an_area_and_a_name() {
        assert_eq!(
            parts("errors/unknown-method"),
            Ok(("errors", "unknown-method"))
        );
        for wrong in ["errors", "Errors/x", "errors/", "a/b/c", "a/../b", "/x"] {
            assert!(parts(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_card_is_written_once_reads_and_is_held_back_by_the_linter() {
        let root = tempfile::tempdir().unwrap();
        let args = Args {
            id: "errors/mcp-assay-new".to_owned(),
            since: Revision::R2025_06_18,
        };
        main(&args, root.path()).unwrap();
        assert!(
            main(&args, root.path())
                .unwrap_err()
                .contains("is there already")
        );
        let folder = root.path().join("suites/scenarios");
        let catalogue = mcp_assay_catalogue::Catalogue::from_dir(&folder).unwrap();
        let context = mcp_assay::closed::lint_context();
        let broken = mcp_assay_catalogue::lint::lint(&catalogue, &context).unwrap_err();
        let told = broken.render(false);
        assert!(told.contains("FIRST-STATEMENT-OF-THE-SENTENCE"), "{told}");
    }
}
