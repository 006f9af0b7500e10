//! What holds for the head of an HTTP message and the values in it.

use super::hold;
use bytes::Bytes;
use mcp_assay_wire::header_value::{
    decode, encode, encode_always, is_encoded, is_field_value, must_encode,
};
use mcp_assay_wire::http::{Head, MAX_FIELDS};

/// Everything that must hold for the bytes of a head: the whole check of the fuzz target.
pub fn http_head(bytes: &[u8]) -> Result<(), String> {
    head_fields(bytes)?;
    head_spelling(bytes)?;
    for field in &Head::parse(Bytes::copy_from_slice(bytes)).fields {
        header_values(&field.value)?;
    }
    header_values(bytes)
}

/// What is read is what a naive reader reads, which unfolds the lines first; the start line and the media type are read from it.
pub fn head_fields(bytes: &[u8]) -> Result<(), String> {
    let head = Head::parse(Bytes::copy_from_slice(bytes));
    hold!(head.raw == bytes, "the bytes are others");
    let naive = naive(bytes);
    hold!(
        head.start == naive.start,
        "start line {:?}, not {:?}",
        head.start,
        naive.start
    );
    hold!(
        head.is_complete() == naive.is_complete,
        "complete: {}",
        head.is_complete()
    );
    let mut read = head
        .fields
        .iter()
        .map(|field| (field.name.clone(), field.value.to_vec()));
    let listed = naive.fields.len().min(MAX_FIELDS);
    hold!(
        read.by_ref().eq(naive.fields[..listed].iter().cloned()),
        "the fields differ:\n{:#?}\n{:#?}",
        head.fields,
        naive.fields
    );
    if let Some(status) = head.status() {
        let code = format!(" {status}");
        hold!((100..1000).contains(&status), "status {status}");
        hold!(
            head.start.starts_with("HTTP/") && head.start.contains(&code),
            "status {status} of {:?}",
            head.start
        );
    }
    if let Some(media_type) = head.media_type() {
        let value = head.value("Content-Type").unwrap_or_default();
        hold!(
            !media_type.is_empty() && media_type.trim() == media_type && !media_type.contains(';'),
            "media type {media_type:?}"
        );
        hold!(
            value.to_ascii_lowercase().contains(&media_type),
            "media type {media_type:?} of {value:?}"
        );
    }
    Ok(())
}

/// A head that is written again from what was read of it reads the same, and so does one with plain newlines.
pub fn head_spelling(bytes: &[u8]) -> Result<(), String> {
    let head = Head::parse(Bytes::copy_from_slice(bytes));
    if head.start.is_empty() {
        hold!(head.fields.is_empty(), "fields without a start line");
        return Ok(());
    }
    let fields = head.fields.iter().map(|field| (&field.name, &field.value));
    let again = Head::write(&head.start, fields);
    hold!(
        (&again.start, &again.fields) == (&head.start, &head.fields),
        "written and read again it is another:\n{head:#?}\n{again:#?}"
    );
    hold!(again.is_complete(), "a written head is not complete");
    let twice = Head::parse(again.raw.clone());
    hold!(twice == again, "read twice it is another");
    let plain = String::from_utf8_lossy(&again.raw).into_owned();
    if !plain.contains("\r\r\n") && plain.as_bytes() == again.raw {
        let plain = Head::parse(plain.replace("\r\n", "\n").into());
        hold!(
            (&plain.start, &plain.fields) == (&head.start, &head.fields),
            "with plain newlines it is another:\n{head:#?}\n{plain:#?}"
        );
    }
    Ok(())
}

/// Any text survives being encoded; what decodes is what an encoder would have written, or could have.
pub fn header_values(value: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(value);
    for encoded in [encode(&text).into_owned(), encode_always(&text)] {
        hold!(
            is_field_value(encoded.as_bytes()) && encoded.is_ascii(),
            "{encoded:?} may not stand in a field"
        );
        hold!(
            decode(encoded.as_bytes()).as_deref() == Ok(&*text),
            "{encoded:?} does not decode to {text:?}"
        );
    }
    match decode(value) {
        Ok(decoded) if is_encoded(value) => hold!(
            encode_always(&decoded).as_bytes() == value,
            "{decoded:?} is encoded otherwise"
        ),
        Ok(decoded) => hold!(
            decoded.as_bytes() == value && !must_encode(&decoded),
            "{decoded:?} had to be encoded"
        ),
        Err(malformed) => hold!(
            is_encoded(value) || text.as_bytes() != value || must_encode(&text),
            "{text:?} is plain, and yet {malformed}"
        ),
    }
    Ok(())
}

/// A head read in passes over its lines.
struct Naive {
    start: String,
    fields: Vec<(String, Vec<u8>)>,
    is_complete: bool,
}

fn naive(bytes: &[u8]) -> Naive {
    let mut lines: Vec<Vec<u8>> = bytes
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    for line in &mut lines {
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    }
    // What follows the last newline is a line only where there is something.
    let rest = lines.pop().unwrap_or_default();
    let first = lines
        .iter()
        .position(|line| !line.is_empty())
        .unwrap_or(lines.len());
    let mut lines = lines.split_off(first);
    let end = lines.iter().position(Vec::is_empty);
    match end {
        Some(end) => lines.truncate(end),
        None if rest.is_empty() => {}
        None => lines.push(rest),
    }
    let mut lines = lines.into_iter();
    let start = String::from_utf8_lossy(&lines.next().unwrap_or_default()).into_owned();
    let mut unfolded: Vec<Vec<u8>> = Vec::new();
    for line in lines {
        match (line[0], unfolded.last_mut()) {
            // Nothing continues a line that is no field.
            (b' ' | b'\t', Some(last)) if last.contains(&b':') => {
                let part = strip(&line);
                if !part.is_empty() {
                    *last = [strip_end(last), b" ", part].concat();
                }
            }
            (b' ' | b'\t', _) => {}
            _ => unfolded.push(line),
        }
    }
    let fields = unfolded.iter().filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = String::from_utf8_lossy(&line[..colon]).into_owned();
        Some((name, strip(&line[colon + 1..]).to_vec()))
    });
    Naive {
        start,
        fields: fields.collect(),
        is_complete: end.is_some(),
    }
}

fn strip(line: &[u8]) -> &[u8] {
    let is_inner = |byte: &u8| *byte != b' ' && *byte != b'\t';
    let start = line.iter().position(is_inner).unwrap_or(line.len());
    strip_end(&line[start..])
}

fn strip_end(line: &[u8]) -> &[u8] {
    let is_inner = |byte: &u8| *byte != b' ' && *byte != b'\t';
    let end = line.iter().rposition(is_inner).map_or(0, |last| last + 1);
    &line[..end]
}
