//! The one thing that must change on its way: the Host field names where a request goes.

/// The head with the value of each Host field replaced; all else as it came, byte for byte.
pub fn with_host(head: &[u8], host: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(head.len() + host.len());
    let mut is_host = false;
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        let is_folded = line.starts_with(b" ") || line.starts_with(b"\t");
        if is_folded && is_host {
            // A value that was replaced goes with all of its lines.
            continue;
        }
        let colon = memchr::memchr(b':', line);
        let name = colon.map(|colon| &line[..colon]);
        is_host = !is_folded && name.is_some_and(|name| name.eq_ignore_ascii_case(b"host"));
        let Some(colon) = colon.filter(|_| is_host) else {
            out.extend_from_slice(line);
            continue;
        };
        let value = &line[colon + 1..];
        let before = value.len() - value.trim_ascii_start().len();
        let kept = value[..before].iter().take_while(|byte| **byte == b' ');
        let end = if line.ends_with(b"\r\n") {
            "\r\n"
        } else {
            "\n"
        };
        out.extend_from_slice(&line[..=colon]);
        out.extend(kept);
        out.extend_from_slice(host.as_bytes());
        out.extend_from_slice(end.as_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::with_host;

    #[test]
    fn only_the_value_of_the_host_field_changes() {
        for (head, expected) in [
            (
                "POST /mcp HTTP/1.1\r\nhOsT:  127.0.0.1:1\r\nX-Host: a\r\nhost-x: b\r\n\r\n",
                "POST /mcp HTTP/1.1\r\nhOsT:  up:2\r\nX-Host: a\r\nhost-x: b\r\n\r\n",
            ),
            (
                "GET / HTTP/1.1\nHost:a\n b\nA: c\n d\n\n",
                "GET / HTTP/1.1\nHost:up:2\nA: c\n d\n\n",
            ),
            ("GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"),
            (
                "GET http://a:1/ HTTP/1.1\r\nHost:\r\n\r\n",
                "GET http://a:1/ HTTP/1.1\r\nHost:up:2\r\n\r\n",
            ),
        ] {
            let got = with_host(head.as_bytes(), "up:2");
            assert_eq!(String::from_utf8_lossy(&got), expected);
        }
    }
}
