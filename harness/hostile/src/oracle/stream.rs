//! What holds for a stream of bytes and its frames.

use super::hold;
use mcp_assay_wire::stdio::{DefectKind, Frame, Framer, Limits, Terminator};

/// Everything that must hold for a stream, however it is cut: the whole check of the fuzz target.
///
/// **Shape**: bounds and cuts are drawn from the bytes themselves, so that a seed is nothing but a stream.
pub fn stdio_frames(bytes: &[u8]) -> Result<(), String> {
    let roomy = Limits::default();
    let checksum = bytes
        .iter()
        .fold(7_usize, |sum, &b| sum.wrapping_mul(31) + usize::from(b));
    let tight = Limits {
        max_frame: checksum % 64,
        kept_of_oversized: checksum / 64 % 64,
    };
    for limits in [roomy, tight] {
        reassembly(bytes, limits)?;
        for stride in [1, 2 + checksum % 61] {
            let cuts: Vec<usize> = (0..bytes.len()).step_by(stride).collect();
            split_invariance(bytes, &cuts, limits)?;
        }
    }
    Ok(())
}

/// The same bytes cut at the given offsets give the same frames, by either way of taking them.
pub fn split_invariance(bytes: &[u8], cuts: &[usize], limits: Limits) -> Result<(), String> {
    let whole = frames(bytes, limits);
    let mut framer = Framer::new(limits);
    let mut pieces = Vec::new();
    let (mut start, mut line_start) = (0, 0);
    for &end in cuts.iter().chain([&bytes.len()]) {
        let piece = &bytes[start..end];
        // Both ways of taking frames in one stream: they share the state between two pieces.
        if start % 2 == 0 {
            pieces.extend(framer.push(piece));
        } else {
            let mut rest = piece;
            pieces.extend(std::iter::from_fn(|| framer.next_frame(&mut rest)));
            hold!(rest.is_empty(), "{} bytes were left", rest.len());
        }
        if let Some(newline) = piece.iter().rposition(|&b| b == b'\n') {
            line_start = start + newline + 1;
        }
        let pending = (end - line_start) as u64;
        hold!(
            framer.pending() == pending,
            "{} bytes pend, not {pending}",
            framer.pending()
        );
        start = end;
    }
    pieces.extend(framer.finish());
    hold!(
        whole == pieces,
        "cut at {cuts:?} the frames differ:\n{whole:#?}\n{pieces:#?}"
    );
    Ok(())
}

/// The frames put together again are the stream; their offsets, defects and messages fit each other.
pub fn reassembly(bytes: &[u8], limits: Limits) -> Result<(), String> {
    let frames = frames(bytes, limits);
    let mut offset = 0;
    for (index, frame) in frames.iter().enumerate() {
        hold!(
            frame.offset == offset as u64,
            "frame {index} is at {}, not {offset}",
            frame.offset
        );
        let end = offset + frame.length as usize;
        let content = bytes
            .get(offset..end)
            .ok_or("a frame is longer than the stream")?;
        hold!(
            !content.contains(&b'\n'),
            "frame {index} has a newline within"
        );
        let kept = if frame.has(DefectKind::Oversized) && content.len() > limits.max_frame {
            &content[..limits.kept_of_oversized.min(limits.max_frame)]
        } else {
            content
        };
        hold!(frame.raw == kept, "frame {index} keeps other bytes");
        hold!(
            frame.raw.len() <= limits.max_frame,
            "frame {index} is beyond the bound"
        );
        let terminator = frame.terminator.bytes();
        hold!(
            bytes[end..].starts_with(terminator),
            "frame {index} ends otherwise"
        );
        let is_last = index + 1 == frames.len();
        let is_open = frame.terminator == Terminator::EndOfInput;
        hold!(is_last || !is_open, "frame {index} ends with the input");
        hold!(
            frame.has(DefectKind::NoFinalNewline) == is_open,
            "frame {index}: newline"
        );
        defects(frame).map_err(|error| format!("frame {index}: {error}: {frame:#?}"))?;
        offset = end + terminator.len();
    }
    hold!(
        offset == bytes.len(),
        "{} bytes are in no frame",
        bytes.len() - offset
    );
    Ok(())
}

/// The defects of one frame are in order and within it, and say why there is no message.
fn defects(frame: &Frame) -> Result<(), String> {
    let end = frame.offset + frame.length;
    let mut last = frame.offset;
    for defect in &frame.defects {
        hold!(
            (last..=end).contains(&defect.offset),
            "{:?} is out of place",
            defect.kind
        );
        hold!(
            defect.detail.len() < 1024,
            "{:?} has a long detail",
            defect.kind
        );
        last = defect.offset;
    }
    let is_explained = frame.defects.iter().any(|defect| {
        use DefectKind::{Blank, InvalidUtf8, NotJson, Nul, Oversized};
        matches!(defect.kind, Blank | InvalidUtf8 | Nul | Oversized | NotJson)
    });
    hold!(
        is_explained == frame.message.is_none(),
        "defects and message contradict each other"
    );
    hold!(frame.defects.len() <= 80, "{} defects", frame.defects.len());
    Ok(())
}

fn frames(bytes: &[u8], limits: Limits) -> Vec<Frame> {
    let mut framer = Framer::new(limits);
    let mut frames = framer.push(bytes);
    frames.extend(framer.finish());
    frames
}
