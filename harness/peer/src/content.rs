//! Content blocks of tool results and prompt messages.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// A PNG of one red pixel.
pub(crate) const PNG_BASE64: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4z8AAAAMBAQD3A0FDAAAAAElFTkSuQmCC";

/// A text block.
pub(crate) fn text(text: impl Into<String>) -> Value {
    json!({ "type": "text", "text": text.into() })
}

/// An image block.
pub(crate) fn image() -> Value {
    json!({ "type": "image", "data": PNG_BASE64, "mimeType": "image/png" })
}

/// An audio block; audio is content from 2025-03-26 on.
pub(crate) fn audio() -> Value {
    json!({ "type": "audio", "data": STANDARD.encode(wav()), "mimeType": "audio/wav" })
}

/// An embedded text resource.
pub(crate) fn embedded(uri: &str, mime_type: &str, text: &str) -> Value {
    json!({ "type": "resource", "resource": { "uri": uri, "mimeType": mime_type, "text": text } })
}

/// A WAV file of eight silent samples: 8 kHz, mono, 8 bits.
fn wav() -> Vec<u8> {
    const SAMPLES: u32 = 8;
    const RATE: u32 = 8000;
    let mut file = Vec::new();
    file.extend(b"RIFF");
    file.extend((36 + SAMPLES).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend([1, 0, 1, 0]);
    file.extend(RATE.to_le_bytes());
    file.extend(RATE.to_le_bytes());
    file.extend([1, 0, 8, 0]);
    file.extend(b"data");
    file.extend(SAMPLES.to_le_bytes());
    file.extend([0x80; SAMPLES as usize]);
    file
}
