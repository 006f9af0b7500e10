//! One live line on standard error while a file is read: how far, and how fast. On a terminal only.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Shows how far reading is, and takes it away again when it is dropped; writes nothing where standard error is no terminal.
#[derive(Debug)]
pub struct Meter(ProgressBar);

impl Meter {
    /// For as many bytes; `None`: nobody knows.
    pub fn new(bytes: Option<u64>) -> Self {
        let bar = ProgressBar::with_draw_target(bytes, ProgressDrawTarget::stderr());
        let template = match bytes {
            Some(_) => "{elapsed:>4} {bytes}/{total_bytes} · {bytes_per_sec} · {wide_msg}",
            None => "{elapsed:>4} {bytes} · {bytes_per_sec} · {wide_msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Meter(bar)
    }

    /// So many bytes were read, and so many findings made of them.
    pub fn set(&self, bytes: u64, findings: u64) {
        self.0.set_position(bytes);
        if !self.0.is_hidden() {
            self.0.set_message(format!("{findings} findings"));
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
