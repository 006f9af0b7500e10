//! Numbers compared as they are written, exactly: neither `f64` nor the size of an exponent comes into it.

/// A JSON number as sign, significant digits and power of ten.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decimal<'t> {
    is_negative: bool,
    integer: &'t str,
    fraction: &'t str,
    /// Zeros to pass over before the first significant digit.
    leading: usize,
    /// Number of significant digits, first and last not zero; 0 for zero.
    significant: usize,
    /// Power of ten of the last significant digit.
    exponent: i128,
    /// False where the exponent is too large to count; such a number equals none but by its text.
    is_exact: bool,
}

impl<'t> Decimal<'t> {
    /// Reads a number; `None` where the text is no JSON number.
    pub fn parse(text: &'t str) -> Option<Self> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (unsigned, None),
        };
        let (integer, fraction) = match mantissa.split_once('.') {
            Some((integer, fraction)) => (integer, Some(fraction)),
            None => (mantissa, None),
        };
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let has_leading_zero = integer.len() > 1 && integer.starts_with('0');
        if !is_digits(integer) || has_leading_zero || !fraction.is_none_or(is_digits) {
            return None;
        }
        let fraction = fraction.unwrap_or_default();
        let (scale, is_exact) = match exponent {
            None => (0, true),
            Some(exponent) => {
                let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
                if !is_digits(digits) {
                    return None;
                }
                let size = digits.parse::<i64>();
                let magnitude = i128::from(size.clone().unwrap_or(i64::MAX));
                let is_below = exponent.starts_with('-');
                (if is_below { -magnitude } else { magnitude }, size.is_ok())
            }
        };
        let mut decimal = Decimal {
            is_negative: unsigned.len() != text.len(),
            integer,
            fraction,
            leading: 0,
            significant: 0,
            exponent: 0,
            is_exact: true,
        };
        let total = integer.len() + fraction.len();
        decimal.leading = decimal.all_digits().take_while(|&b| b == b'0').count();
        if decimal.leading < total {
            let trailing = decimal
                .all_digits()
                .rev()
                .take_while(|&b| b == b'0')
                .count();
            decimal.significant = total - decimal.leading - trailing;
            // A text has fewer than 2^63 digits, so the sum fits.
            decimal.exponent = scale + trailing as i128 - fraction.len() as i128;
            decimal.is_exact = is_exact;
        }
        Some(decimal)
    }

    /// Whether the value is an integer, however it is written.
    pub fn is_integer(&self) -> bool {
        self.significant == 0 || self.exponent >= 0
    }

    fn all_digits(&self) -> impl DoubleEndedIterator<Item = u8> + use<'t> {
        self.integer.bytes().chain(self.fraction.bytes())
    }

    fn significant_digits(&self) -> impl Iterator<Item = u8> + use<'t> {
        self.all_digits().skip(self.leading).take(self.significant)
    }
}

impl PartialEq for Decimal<'_> {
    /// Equality of values; `-0` is `0`.
    fn eq(&self, other: &Self) -> bool {
        if self.significant == 0 || other.significant == 0 {
            return self.significant == other.significant;
        }
        self.is_exact
            && other.is_exact
            && self.is_negative == other.is_negative
            && self.exponent == other.exponent
            && self.significant == other.significant
            && self.significant_digits().eq(other.significant_digits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_equal_however_written() {
        for (a, b, equal) in [
            ("1", "1.0", true),
            ("1", "1e0", true),
            ("1", "10e-1", true),
            ("1", "0.1E+1", true),
            ("100", "1e2", true),
            ("0", "-0.0e99999999999999999999", true),
            ("1", "-1", false),
            ("1", "10", false),
            ("9007199254740993", "9007199254740992", false),
            ("9007199254740993", "9007199254740993.0", true),
            ("1e999999999", "1e999999998", false),
            ("1e999999999", "10e999999998", true),
            ("1e99999999999999999999", "2e99999999999999999999", false),
        ] {
            let equals = Decimal::parse(a).expect("a JSON number")
                == Decimal::parse(b).expect("a JSON number");
            assert_eq!(equals, equal, "{a} and {b}");
        }
    }

    #[test]
    fn integers_are_told_by_value() {
        for (text, is_integer) in [
            ("1", true),
            ("1.0", true),
            ("1.50e1", true),
            ("0e-7", true),
            ("1e400", true),
            ("1e99999999999999999999", true),
            ("1e-99999999999999999999", false),
            ("1.5", false),
            ("10e-2", false),
        ] {
            assert_eq!(
                Decimal::parse(text).expect("a JSON number").is_integer(),
                is_integer,
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_json_number_is_none() {
        for text in [
            "", "-", "01", "+1", "1.", ".1", "1e", "1e+", "NaN", " 1", "1_0", "0x1",
        ] {
            assert!(Decimal::parse(text).is_none(), "{text:?}");
        }
    }
}
